"""What are the rows that a model is fitted on, chosen on and judged on?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import DataError

Array = NDArray[Any]


@runtime_checkable
class Reader(Protocol):
    """Rows that need not fit in memory: decoded when asked for, identified without decoding."""

    def __len__(self) -> int:
        """The number of rows."""
        ...

    def __getitem__(self, indices: NDArray[np.intp]) -> Array:
        """The decoded rows `indices` (n,), as an array (n, ...)."""
        ...

    def key(self, index: int) -> bytes:
        """Bytes that identify the content of one row."""
        ...


Inputs = Array | Mapping[str, Array] | Reader


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of one part of the data.

    Args:
        inputs: an array (N, ...), a mapping of column names to arrays (N, ...), or a `Reader`.
        targets: true classes (N,) as integers from 0, or true values (N,) as floats.
        ids: what a person calls each row (N,); row numbers where nothing is given.
        groups: the unit that rows belong to (N,), such as a patient; rows of one are not independent.
        times: when each row happened (N,), as moments, numbers, or text in ISO 8601.
        weights: how much each row counts (N,), as floats.
        attributes: named values a row (N,) that results are broken down by.
        stable_ids: whether an id stays with its row for good, as a key of a database does and a row number
            does not; True where ids are given, if nothing else is said.

    Raises:
        DataError: inputs of an unknown kind, targets, groups, times or weights that are no column, or parts
            of different lengths.

    Example:
        >>> split = Split(np.eye(3), np.array([0, 1, 0]))
        >>> len(split), split.take(np.array([2])).targets
        (3, array([0]))
    """

    inputs: Inputs
    targets: Array
    ids: Array = field(default=None)  # type: ignore[arg-type]  # filled in below, so that readers never see None
    groups: Array | None = None
    times: Array | None = None
    weights: NDArray[np.floating] | None = None
    attributes: Mapping[str, Array] = field(default_factory=dict)
    stable_ids: bool | None = None

    def __post_init__(self) -> None:
        if self.stable_ids is None:
            object.__setattr__(self, "stable_ids", self.ids is not None)
        targets = _one_a_row("targets", np.asarray(self.targets))
        object.__setattr__(self, "targets", targets)
        object.__setattr__(self, "inputs", _known_inputs(self.inputs))
        object.__setattr__(self, "ids", np.arange(len(targets)) if self.ids is None else np.asarray(self.ids))
        for name in ("groups", "times", "weights"):
            values = getattr(self, name)
            object.__setattr__(self, name, None if values is None else _one_a_row(name, np.asarray(values)))
        for name, length in self._lengths():
            if length != len(self.targets):
                raise DataError(f"{name} has {length:,} rows, but targets has {len(self.targets):,}")

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, indices: NDArray[np.intp] | NDArray[np.bool_]) -> Split:
        """The rows `indices` (positions, or a mask of all rows), as a split of their own."""
        positions = np.flatnonzero(indices) if indices.dtype == bool else indices.astype(np.intp)
        columns = [f.name for f in fields(self) if f.name not in ("inputs", "attributes", "stable_ids")]
        rows = {name: getattr(self, name) for name in columns}
        return replace(
            self,
            inputs=take_inputs(self.inputs, positions),
            attributes=_taken(self.attributes, positions),
            **_taken(rows, positions),
        )

    @cached_property
    def keys(self) -> NDArray[np.bytes_]:
        """A content key a row (N,), 32 hex characters: equal inputs have equal keys, however stored."""
        return row_keys(self.inputs)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the row keys, with the targets and everything else that a judgement depends on."""
        digest = hashlib.blake2b(self.keys.tobytes(), digest_size=16)
        for values in (self.targets, self.groups, self.times, self.weights):
            digest.update(b"-" if values is None else column_bytes(values).tobytes())
        # Results are broken down by them: with other attributes a gate on slices is another question.
        for name in sorted(self.attributes, key=str):
            digest.update(hashlib.blake2b(_as_text(name)).digest())
            digest.update(column_bytes(np.asarray(self.attributes[name])).tobytes())
        return digest.hexdigest()

    def _lengths(self) -> Iterator[tuple[str, int]]:
        columns = self.inputs.items() if isinstance(self.inputs, Mapping) else [("inputs", self.inputs)]
        yield from ((name, len(values)) for name, values in columns)
        for name in ("ids", "groups", "times", "weights"):
            values = getattr(self, name)
            if values is not None:
                yield name, len(values)
        yield from ((name, len(values)) for name, values in self.attributes.items())


@dataclass(frozen=True, eq=False)
class Splits:
    """The three parts of the data, and further test sets that are reported beside the first.

    Args:
        train: rows to fit on.
        validation: rows to choose on; empty where train and test are all that there is.
        test: rows to judge on.
        also: further named test sets.
        public: the rows may leave the worker (shown in Data Docs, listed by their own ids).
        source: where the rows came from, in words or as an address.
        embargo: how much time must lie between what is learned from and what is judged on, in the unit of
            the rows' times: a number, or a timedelta; None where nothing was promised.

    Raises:
        DataError: a further test set named like one of the three.
    """

    train: Split
    validation: Split
    test: Split
    also: Mapping[str, Split] = field(default_factory=dict)
    public: bool = False
    source: str = ""
    embargo: Any = None

    def __post_init__(self) -> None:
        taken = {"train", "validation", "test"} & set(self.also)
        if taken:
            raise DataError(
                f"a further test set cannot be called {sorted(taken)[0]}, which is a split already"
            )

    def named(self) -> dict[str, Split]:
        """All parts by name: train, validation (unless it is empty), test, then the further test sets."""
        chosen_on = {"validation": self.validation} if len(self.validation) else {}
        return {"train": self.train, **chosen_on, "test": self.test, **self.also}

    @property
    def fingerprints(self) -> dict[str, str]:
        """The fingerprint of each part by name."""
        return {name: split.fingerprint for name, split in self.named().items()}


@dataclass(frozen=True, eq=False)
class RowsOf:
    """A reader's rows in another order, or some of them: what `Split.take` makes of a reader."""

    reader: Reader
    positions: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, indices: NDArray[np.intp]) -> Array:
        return self.reader[self.positions[indices]]

    def key(self, index: int) -> bytes:
        """The key of the row in the reader behind this one."""
        return self.reader.key(int(self.positions[index]))


def _taken(columns: Mapping[str, Array | None], positions: NDArray[np.intp]) -> dict[str, Any]:
    return {name: None if values is None else values[positions] for name, values in columns.items()}


def _one_a_row(name: str, values: Array) -> Array:
    if values.ndim != 1:
        raise DataError(f"{name} must be one value a row, got shape {values.shape}")
    return values


def _known_inputs(inputs: Any) -> Inputs:
    """The inputs as one of the three kinds that everything else can rely on."""
    if isinstance(inputs, Mapping):
        columns = {str(name): np.asarray(values) for name, values in inputs.items()}
        if not columns or any(column.ndim == 0 for column in columns.values()):
            raise DataError(f"inputs must map at least one name to an array of rows, got {sorted(columns)}")
        return columns
    if isinstance(inputs, list | tuple):
        inputs = np.asarray(inputs)
    if isinstance(inputs, np.ndarray) and inputs.ndim == 0:
        raise DataError("inputs must hold rows, got a single value")
    if isinstance(inputs, np.ndarray | Reader):
        return inputs
    expected = "an array, a mapping of column names to arrays, or a reader with a key a row"
    raise DataError(f"inputs must be {expected}, got {type(inputs).__name__}")


def take_inputs(inputs: Inputs, indices: NDArray[np.intp]) -> Inputs:
    """The rows `indices` (n,) of any kind of inputs; a reader stays a reader, and decodes nothing."""
    if isinstance(inputs, Mapping):
        return {name: values[indices] for name, values in inputs.items()}
    if isinstance(inputs, np.ndarray):
        return inputs[indices]
    return RowsOf(inputs, indices)


def read_inputs(inputs: Inputs, indices: NDArray[np.intp]) -> Array | dict[str, Array]:
    """The rows `indices` (n,) of any kind of inputs, in memory: an array, or a dictionary of arrays."""
    if isinstance(inputs, Mapping):
        return {name: values[indices] for name, values in inputs.items()}
    return inputs[indices]


def row_keys(inputs: Inputs) -> NDArray[np.bytes_]:
    """A key a row (N,), dtype S32: BLAKE2b of its canonical bytes, so that a cast changes no key.

    Example:
        >>> bool((row_keys(np.array([[1, 2]])) == row_keys(np.array([[1.0, 2.0]], np.float32))).all())
        True
    """
    rows = _reader_rows(inputs) if not isinstance(inputs, np.ndarray | Mapping) else _array_rows(inputs)
    return np.array([hashlib.blake2b(row, digest_size=16).hexdigest().encode() for row in rows], dtype="S32")


def column_bytes(values: Array) -> NDArray[np.uint8]:
    """One column's rows as bytes (N, width): numbers as float64, everything else hashed as text.

    Example:
        >>> bool((column_bytes(np.array([1, 2])) == column_bytes(np.array([1.0, 2.0]))).all())
        True
    """
    if not len(values):
        return np.empty((0, 0), np.uint8)
    flat = np.asarray(values).reshape(len(values), -1)
    if flat.dtype.kind in "biuf":
        return _number_bytes(flat)
    if flat.dtype.kind in "mM":
        return np.ascontiguousarray(flat.astype(f"{flat.dtype.kind}8[us]")).view(np.uint8)
    # Not an array of text, every cell of which would be as wide as the longest.
    texts = [_as_text(value) for value in flat.reshape(-1).tolist()]
    hashed = {text: hashlib.blake2b(text, digest_size=16).digest() for text in set(texts)}
    return np.frombuffer(b"".join([hashed[text] for text in texts]), np.uint8).reshape(len(flat), -1)


def _as_text(value: Any) -> bytes:
    # Half of a surrogate pair cannot be written as UTF-8, but tells two cells apart.
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")


def _number_bytes(flat: Array) -> NDArray[np.uint8]:
    # Adding zero turns -0.0 into 0.0, which is equal to it but has other bytes.
    floats = np.ascontiguousarray(flat, dtype="<f8") + 0.0
    if flat.dtype.kind == "f":
        floats[np.isnan(floats)] = np.nan  # one of the many bit patterns that all mean NaN
    elif flat.dtype.itemsize == 8:
        # Above 2**53 neighbouring integers share a float, so such an integer keeps its own bits.
        wide = (flat > 2**53) | (flat < -(2**53)) if flat.dtype.kind == "i" else flat > 2**53
        floats[wide] = flat[wide].view("<f8")
    return floats.view(np.uint8)


def _reader_rows(reader: Reader) -> Iterator[bytes]:
    return (reader.key(index) for index in range(len(reader)))


def _array_rows(inputs: Array | Mapping[str, Array], at_once: int = 4096) -> Iterator[bytes]:
    columns = [inputs] if isinstance(inputs, np.ndarray) else [inputs[name] for name in sorted(inputs)]
    for start in range(0, len(columns[0]), at_once):
        parts = [column_bytes(column[start : start + at_once]) for column in columns]
        yield from (row.tobytes() for row in np.hstack(parts))
