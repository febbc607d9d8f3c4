"""Which single columns do rows have, and which few rows speak for all of them?

A sample is chosen by content keys, so that neither the order of the rows nor their places decide it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.pictures import picture_axes
from data_checks.evidence.schema import columns_of
from data_checks.evidence.spelling import MISSING, plain, spell_cell
from data_checks.evidence.table import among_lowest
from data_checks.splits import Array, Split, Splits

Floats = NDArray[np.float64]

SAMPLE_ROWS = 20_000
WIDEST = 2048
_SAMPLE_VALUES = 4_000_000
_TEXT_SIGNS = 2000


@dataclass(frozen=True, eq=False)
class Column:
    """One value a row.

    Args:
        name: `age`, or `inputs[3]` of a wider one.
        numbers: the values (n,) where all that are present are numbers or moments; NaN where missing.
        texts: the values (n,) in one spelling, an object array, where they are text.
        missing: true where there is none (n,).
    """

    name: str
    numbers: Floats | None
    texts: Array | None
    missing: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Pool:
    """Some rows of all splits, in the order of their content keys.

    Args:
        parts: the rows of each split, by its name.
        order: of all of them, one split behind the other (n,).
        targets: of the rows (n,).
        halves: true for about half of the rows (n,); equal rows are in one half.
    """

    parts: Mapping[str, Split]
    order: NDArray[np.intp]
    targets: Array
    halves: NDArray[np.bool_]

    def columns(self) -> Iterator[Column]:
        """The columns that all splits have, by name."""
        names = [dict(named_values(part)) for part in self.parts.values()]
        for name in names[0]:
            if all(name in columns for columns in names):
                yield column_of(name, joined([columns[name] for columns in names])[self.order])


def pool(splits: Splits, rows: int = SAMPLE_ROWS) -> Pool:
    """At most `rows` rows of all splits together: those of the lowest content keys."""
    parts = {name: split.take(lowest(split, rows)) for name, split in splits.named().items()}
    keys = np.concatenate([part.keys for part in parts.values()])
    targets = joined([part.targets for part in parts.values()])
    order = np.lexsort((targets, keys))[:rows]
    halves = keys[order].astype("S1") < b"8"
    return Pool(parts, order, targets[order], halves)


def lowest(split: Split, rows: int) -> NDArray[np.intp]:
    """The positions of the rows of the lowest content keys, in their order; of equal rows, by target."""
    chosen = among_lowest(split.keys, rows)
    return chosen[np.lexsort((split.targets[chosen], split.keys[chosen]))[:rows]]


def named_values(split: Split) -> Iterator[tuple[str, Array]]:
    """The values (N,) of each single column by name; nothing is copied."""
    if not isinstance(split.inputs, np.ndarray | Mapping):
        return
    for name, column in sorted(columns_of(split.inputs).items()):
        flat = column.reshape(len(column), -1)
        for place in range(flat.shape[1]):
            yield (name if column.ndim == 1 else f"{name}[{place}]"), flat[:, place]


def column_of(name: str, values: Array) -> Column:
    """Values (n,) of any type, as numbers if all that are present are numbers, else as text.

    Example:
        >>> column_of("age", np.array(["41", " 7.5", None], object)).numbers.tolist()
        [41.0, 7.5, nan]
        >>> column_of("name", np.array(["Ann ", "ann", "N/A"], object)).texts.tolist()
        ['ann', 'ann', '']
    """
    if values.dtype.kind in "biuf":
        numbers = values.astype(np.float64)
        return Column(name, numbers, None, np.isnan(numbers))
    if values.dtype.kind in "mM":
        moments = values.astype(f"{values.dtype.kind}8[us]")
        numbers = np.where(np.isnat(moments), np.nan, moments.astype(np.int64).astype(np.float64))
        return Column(name, numbers, None, np.isnan(numbers))
    texts = _spelt(values)
    missing = np.asarray(texts == MISSING, bool)
    parsed = _parsed(texts, missing)
    return Column(name, parsed, None if parsed is not None else texts, missing)


def _spelt(values: Array) -> Array:
    """The texts (n,) in one spelling; those of several words keep their blanks, to be read word by word."""
    import pandas as pd

    texts = [value if isinstance(value, str) else str(value) for value in values.tolist()]
    codes, unique = pd.factorize(np.array([text[:_TEXT_SIGNS] for text in texts], dtype=object))
    spelt = np.empty(len(unique), dtype=object)
    spelt[:] = [text if " " in text else spell_cell(text) for text in map(plain, unique)]
    return np.asarray(spelt[codes])


def _parsed(texts: Array, missing: NDArray[np.bool_]) -> Floats | None:
    import pandas as pd

    numbers = np.asarray(pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce"), np.float64)
    every = not missing.all() and np.array_equal(np.isnan(numbers), missing)
    return numbers if every else None


def joined(parts: list[Array]) -> Array:
    """Columns one behind the other; as text and numbers mixed where they are of different kinds."""
    kinds = {"number" if part.dtype.kind in "biuf" else part.dtype.kind for part in parts}
    return np.concatenate(parts if len(kinds) == 1 else [part.astype(object) for part in parts])


def sample_rows(splits: Splits) -> int:
    """How many rows are looked at, so that a wide table costs what a narrow one does."""
    return int(np.clip(_SAMPLE_VALUES // max(1, width(splits.train)), 2000, SAMPLE_ROWS))


def width(split: Split) -> int:
    """How many single columns a row has; 0 of a reader."""
    if not isinstance(split.inputs, np.ndarray | Mapping):
        return 0
    return sum(int(np.prod(column.shape[1:])) for column in columns_of(split.inputs).values())


def why_no_columns(splits: Splits) -> str:
    """Why single columns say nothing about these rows, or nothing."""
    if not isinstance(splits.train.inputs, np.ndarray | Mapping):
        return "rows that are decoded when they are read have no columns"
    if picture_axes(splits.train) is not None:
        return "a pixel of a picture has no meaning of its own"
    if width(splits.train) > WIDEST:
        return f"of rows of more than {WIDEST:,} values, one has no meaning of its own"
    if not common_names(splits):
        return "the splits have no column in common"
    return ""


def common_names(splits: Splits) -> list[str]:
    """The names of the columns that all splits have."""
    shared = [[name for name, _ in named_values(split)] for split in splits.named().values()]
    return [name for name in shared[0] if all(name in set(other) for other in shared[1:])]
