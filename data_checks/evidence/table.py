"""Which row is which, and what was measured on it?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from data_checks.splits import Array, Split, Splits

if TYPE_CHECKING:
    import pandas as pd

Columns = Mapping[str, Array]
Facts = TypeVar("Facts")

SHARD_ROWS = 1 << 18


@dataclass(frozen=True, eq=False)
class Evidence:
    """What was measured.

    Args:
        columns: named columns with a value a row of every split (N_all,), in the order of `splits.named()`.
        facts: what else is worth telling, such as names of columns, for `Check.explain` and `Check.names`.
    """

    columns: Columns
    facts: Any = None


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows of one split, in order.

    Args:
        name: of the split.
        start: the position of the first row among all rows of all splits.
        rows: the rows.
    """

    name: str
    start: int
    rows: Split


@dataclass(frozen=True)
class ByRows(Generic[Facts]):
    """A measure whose rows are looked at one part after the other, wherever the parts begin and end.

    What must be known of all rows is made once; then a part needs nothing but that, so that memory is
    bounded, parts may be measured on other machines, and planted rows are measured without a second fit.

    Args:
        fit: makes what must be known of all rows.
        rows: gives the columns (n,) of one part.
        planted: what must be known to measure planted rows, where of others only some are looked at.
    """

    fit: Callable[[Splits], Facts]
    rows: Callable[[Facts, Part], Columns]
    planted: Callable[[Facts], Facts] | None = None

    def __call__(self, splits: Splits) -> Evidence:
        """The columns of all rows (N_all,)."""
        facts = self.fit(splits)
        return Evidence(merge([self.rows(facts, part) for part in parts_of(splits)]), facts)


def parts_of(splits: Splits, rows: int = 0) -> Iterator[Part]:
    """All rows in order, at most `rows` of one split at a time (`SHARD_ROWS`, if 0)."""
    at_once = rows or SHARD_ROWS
    for name, first in first_rows(splits).items():
        split = splits.named()[name]
        for start in range(0, len(split), at_once):
            chosen = np.arange(start, min(start + at_once, len(split)))
            yield Part(name, first + start, split if len(chosen) == len(split) else split.take(chosen))


def merge(parts: list[Columns]) -> Columns:
    """The columns of all parts, one behind the other."""
    return {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in parts[0]}


def by_split(splits: Splits, column: Callable[[str, Split], Any]) -> Array:
    """A value a row of every split (N_all,), from a function that gives each split its own.

    A function that gives one value says it about all rows of the split.

    Example:
        >>> part = Split(np.eye(2), np.array([0, 1]))
        >>> by_split(Splits(part, part, part), lambda name, split: name == "test").tolist()
        [False, False, False, False, True, True]
    """
    parts = [np.broadcast_to(column(name, split), (len(split),)) for name, split in splits.named().items()]
    return np.concatenate(parts)


def first_rows(splits: Splits) -> dict[str, int]:
    """Where each split begins among the rows of all."""
    lengths = [len(split) for split in splits.named().values()]
    return dict(zip(splits.named(), np.cumsum([0, *lengths[:-1]]).tolist(), strict=True))


def lowest(keys: NDArray[np.bytes_], rows: int) -> NDArray[np.intp]:
    """Positions of the rows of the lowest content keys, lowest first: a sample that no order of rows changes.

    Args:
        keys: of all rows (N,), as `Split.keys` gives them.
        rows: how many are asked for.
    """
    chosen = among_lowest(keys, rows)
    return chosen[np.argsort(keys[chosen], kind="stable")[:rows]]


def among_lowest(keys: NDArray[np.bytes_], rows: int) -> NDArray[np.intp]:
    """Positions of the rows of the lowest keys and of those that begin alike, without sorting all of them."""
    if rows >= len(keys):
        return np.arange(len(keys))
    # The first eight of 32 signs, read as a number, sort as the whole key does but for ties.
    heads = keys.astype("S8").view(">u8").astype(np.uint64)
    return np.flatnonzero(heads <= np.partition(heads, rows - 1)[rows - 1])


def locate(splits: Splits, position: int) -> tuple[str, int]:
    """The split, and the row of it, that a position among all rows stands for.

    Example:
        >>> part = Split(np.eye(2), np.array([0, 1]))
        >>> locate(Splits(part, part, part), 5)
        ('test', 1)
    """
    name, start = max(
        (pair for pair in first_rows(splits).items() if pair[1] <= position), key=lambda pair: pair[1]
    )
    return name, position - start


def salted(keys: NDArray[np.bytes_], salt: str) -> Array:
    """Names (N,) that a row can be recognized by, but that nobody can guess it from without the salt."""
    secret = hashlib.blake2b(salt.encode(), digest_size=32).digest()
    names = (hashlib.blake2b(key, key=secret, digest_size=6).hexdigest().encode() for key in keys)
    return np.fromiter(names, "S12", len(keys))


def name_rows(splits: Splits, salt: str) -> pd.DataFrame:
    """The table that evidence is added to: `split`, `id` and `key` of all rows (N_all, 3).

    Rows of public data keep their ids. Others go by a salted key, which copies of a row share.
    """
    import pandas as pd
    import pyarrow as pa

    named = splits.named()
    codes = np.repeat(np.arange(len(named), dtype=np.int8), [len(split) for split in named.values()])
    salty = np.concatenate([salted(split.keys, salt) for split in named.values()])
    # As Arrow's strings, which take a quarter of the memory of Python's.
    names = pd.array(pa.array(salty).cast(pa.string()), dtype="string[pyarrow]")
    ids = _ids(splits) if splits.public else names
    return pd.DataFrame({"split": pd.Categorical.from_codes(codes, list(named)), "id": ids, "key": names})


def _ids(splits: Splits) -> Array:
    parts = [split.ids for split in splits.named().values()]
    # Row numbers take a tenth of the memory of the same numbers as text.
    return np.concatenate(
        parts if all(ids.dtype.kind in "iu" for ids in parts) else [p.astype(str) for p in parts]
    )
