"""What does each cell of a table say, whatever it is stored as?

A cell is coded by 64 bits that a cast, another spelling or decimals that train does not have leave as they
are. Codes only propose: rows that are said to be equal are compared cell by cell.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.spelling import canonical
from data_checks.evidence.table import lowest
from data_checks.splits import Array, Inputs, Split, read_inputs

Codes = NDArray[np.uint64]
Change = Callable[[NDArray[np.float64]], NDArray[np.float64]]

MOST_DECIMALS = 6
_SAMPLE_ROWS = 10_000
_ODD = 0x9E3779B97F4A7C15
_MISSING = np.uint64(0x7FF8000000000000)
_MISSING_WORDS = ("", "?", "-", "na", "n/a", "nan", "null", "none", "<na>", "nat")


@dataclass(frozen=True)
class Form:
    """How the values of one column are written in train.

    Args:
        name: of the column.
        kind: `numbers`, `moments` or `text`.
        decimals: how many decimals the numbers have at most; None where they have more than six.
        narrow: whether numbers of more decimals are told apart by what 32 bits hold of them alone.
    """

    name: str
    kind: str
    decimals: int | None = None
    narrow: bool = False

    def values(self, column: Array) -> Array:
        """The cells (N,) as comparable values: rounded as train is, or in one spelling.

        Example:
            >>> Form("age", "numbers", 0).values(np.array(["41", " 42.0", "x"])).tolist()
            [41.0, 42.0, nan]
        """
        if self.kind == "text":
            return canonical(column)
        if self.kind == "moments":
            return _moments(column)
        numbers = as_numbers(column)
        if self.decimals is None:
            return _as_32_bits(numbers) if self.narrow else numbers + 0.0
        return np.round(numbers, self.decimals) + 0.0

    def codes(self, column: Array) -> Codes:
        """The cells (N,) as 64 well mixed bits each."""
        values = self.values(column)
        if self.kind == "text":
            unique, places = np.unique(values, return_inverse=True)
            return mix(_hash_texts(unique))[places.reshape(-1)]
        bits = np.ascontiguousarray(values, np.float64).view(np.uint64).copy()
        bits[np.isnan(values)] = _MISSING
        return mix(bits)


def forms_of(inputs: Inputs, keys: NDArray[np.bytes_]) -> tuple[Form, ...]:
    """How the columns are written, told from a sample that the order of the rows does not change."""
    chosen = np.sort(lowest(keys, _SAMPLE_ROWS))
    return tuple(_form(name, column) for name, column in columns_of_rows(inputs, chosen))


def columns_of_rows(inputs: Inputs, rows: NDArray[np.intp] | None = None) -> Iterator[tuple[str, Array]]:
    """Single columns by name, `inputs[3]` of wider ones, of all rows or of some, one at a time."""
    if not isinstance(inputs, np.ndarray | Mapping):
        inputs = read_inputs(inputs, np.arange(len(inputs)) if rows is None else rows)
        rows = None
    named = {"inputs": inputs} if isinstance(inputs, np.ndarray) else inputs
    for name in sorted(named):
        column = named[name] if rows is None else named[name][rows]
        flat = column.reshape(len(column), math.prod(column.shape[1:]))
        for place in range(flat.shape[1]):
            yield (name if column.ndim == 1 else f"{name}[{place}]"), flat[:, place]


def count_rows(inputs: Inputs) -> int:
    """How many rows there are."""
    return len(next(iter(inputs.values()))) if isinstance(inputs, Mapping) else len(inputs)


def row_codes(forms: Sequence[Form], inputs: Inputs, halves: int = 1) -> Codes:
    """Sums (N, halves) of the codes of every second, third, ... column; a column's place is part of its code.

    Raises:
        DataError: other columns than those that the forms are of.
    """
    known = {form.name: (place, form) for place, form in enumerate(forms)}
    total: Codes | None = None
    for name, column in columns_of_rows(inputs):
        if name not in known:
            continue
        place, form = known[name]
        if total is None:
            total = np.zeros((len(column), halves), np.uint64)
        total[:, place % halves] += placed(form.codes(column), place)
    return np.zeros((count_rows(inputs), halves), np.uint64) if total is None else total


def placed(codes: Codes, place: int) -> Codes:
    """Codes (N,) that also tell the column that they stand in."""
    return mix(codes + np.uint64((place + 1) * _ODD % 2**64))


def cells_of(forms: Sequence[Form], split: Split, rows: NDArray[np.intp]) -> dict[str, Array]:
    """The comparable values of some rows, by column."""
    read = read_inputs(split.inputs, rows)
    kept = {form.name: form for form in forms}
    return {name: kept[name].values(column) for name, column in columns_of_rows(read) if name in kept}


def differing(
    forms: Sequence[Form],
    left: Split,
    left_rows: NDArray[np.intp],
    right: Split,
    right_rows: NDArray[np.intp],
) -> NDArray[np.intp]:
    """In how many cells (n,) each row of `left` differs from its row of `right`; missing equals missing."""
    ours, theirs = cells_of(forms, left, left_rows), cells_of(forms, right, right_rows)
    count = np.zeros(len(left_rows), np.intp)
    for form in forms:
        if form.name not in ours or form.name not in theirs:
            count += 1
            continue
        count += ~_same(ours[form.name], theirs[form.name])
    return count


def _same(left: Array, right: Array) -> NDArray[np.bool_]:
    if left.dtype.kind != "f":
        return np.asarray(left == right)
    return np.asarray((left == right) | (np.isnan(left) & np.isnan(right)))


def mix(bits: Codes) -> Codes:
    """64 bits (N,), each of which depends on all (the finalizer of SplitMix64, Steele et al. 2014)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(bits ^ (bits >> np.uint64(31)))


def as_numbers(column: Array) -> NDArray[np.float64]:
    """The cells (N,) as numbers; NaN where a cell is none."""
    if column.dtype.kind in "biuf":
        return column.astype(np.float64)
    import pandas as pd

    texts = pd.Series(column, dtype=object)
    return np.asarray(pd.to_numeric(texts, errors="coerce"), np.float64)


def _form(name: str, column: Array) -> Form:
    if column.dtype.kind in "mM":
        return Form(name, "moments")
    if column.dtype.kind in "biuf":
        # 32-bit numbers are as close to their decimal as a few parts in ten million.
        exact = 2e-7 if is_narrow(column) else 1e-12
        return Form(name, "numbers", decimals_of(column.astype(np.float64), exact), is_narrow(column))
    if holds_numbers(column):
        return Form(name, "numbers", decimals_of(as_numbers(column)))
    return Form(name, "text")


def is_narrow(column: Array) -> bool:
    """Whether the cells are floats of fewer than 64 bits."""
    return column.dtype.kind == "f" and column.dtype.itemsize < 8


def holds_numbers(column: Array) -> bool:
    """Whether cells (N,) that are stored as text or objects are numbers, but for those that are missing.

    Example:
        >>> holds_numbers(np.array(["1", " 2.5", "?"])), holds_numbers(np.array(["1", "A12"]))
        (True, False)
    """
    if column.dtype.kind not in "OSU" or not len(column):
        return False
    others = column[np.isnan(as_numbers(column))]
    if len(others) == len(column):
        return False
    return all(cell is None or cell != cell or str(cell).strip().lower() in _MISSING_WORDS for cell in others)


def _as_32_bits(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The numbers (N,) with the 24 significant bits that a cast to 32 bits leaves, and their exponent."""
    bits = np.ascontiguousarray(numbers + 0.0).view(np.uint64)
    half = np.uint64(0x0FFFFFFF) + ((bits >> np.uint64(29)) & np.uint64(1))
    rounded = ((bits + half) & np.uint64(0xFFFFFFFFE0000000)).view(np.float64)
    return np.where(np.isfinite(numbers), rounded, numbers)


def decimals_of(numbers: NDArray[np.float64], exact: float = 1e-12) -> int | None:
    """The fewest decimals, up to six, that write all finite numbers (N,); None where that takes more.

    Args:
        numbers: the cells.
        exact: the share of itself by which a number may miss its decimal.

    Example:
        >>> decimals_of(np.array([5.1, 4.25, 3.0])), decimals_of(np.array([1 / 3]))
        (2, None)
    """
    finite = numbers[np.isfinite(numbers)]
    # In the unit of the column: of picoamperes in amperes every one is near 0.
    near_zero = 1e-12 * float(np.abs(finite).max(initial=0))
    for decimals in range(MOST_DECIMALS + 1):
        if np.allclose(np.round(finite, decimals), finite, rtol=exact, atol=near_zero):
            return decimals
    return None


def agreement(forms: Sequence[Form], split: Split, change: Change | None = None) -> float:
    """The probability that two rows say the same in all columns, if columns were independent."""
    return math.prod(agreements(forms, split, change))


def agreements(forms: Sequence[Form], split: Split, change: Change | None = None) -> list[float]:
    """The probability that two rows say the same in a column, for each of them.

    Args:
        forms: of the columns that are compared.
        split: the rows, of which a sample is looked at.
        change: what is done to the numbers before they are compared.
    """
    chosen = np.sort(lowest(split.keys, _SAMPLE_ROWS))
    known = {form.name: form for form in forms}
    shares = []
    for name, column in columns_of_rows(split.inputs, chosen):
        if name in known:
            form = known[name]
            cells = change(as_numbers(column)) if change and form.kind == "numbers" else column
            shares.append(same_share(form.codes(cells)))
    return shares


def same_share(codes: Codes) -> float:
    """The share of pairs of cells that have the same code (N,), counting one pair more than was seen.

    Example:
        >>> same_share(np.array([1, 1, 2], np.uint64))
        0.5
    """
    counts = np.unique(codes, return_counts=True)[1].astype(float)
    pairs = len(codes) * (len(codes) - 1.0) / 2
    return float(((counts * (counts - 1)).sum() / 2 + 1) / (pairs + 1))


def _moments(column: Array) -> NDArray[np.float64]:
    kind = column.dtype.kind if column.dtype.kind in "mM" else "M"
    try:
        moments = column.astype(f"{kind}8[us]")
    except (TypeError, ValueError):
        return np.full(len(column), np.nan)
    return np.where(np.isnat(moments), np.nan, moments.astype(np.int64).astype(np.float64))


def _hash_texts(texts: Array) -> Codes:
    import pandas as pd

    return np.asarray(pd.util.hash_array(np.asarray(texts, object), categorize=False), np.uint64)
