"""Which rows are a train row again, once spelling, casts, rounding and the order of columns are undone?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.cells import (
    Codes,
    Form,
    as_numbers,
    columns_of_rows,
    count_rows,
    differing,
    forms_of,
    placed,
    row_codes,
)
from data_checks.evidence.lookup import NOWHERE, Lookup
from data_checks.evidence.pictures import is_pictures
from data_checks.evidence.table import ByRows, Columns, Part, lowest
from data_checks.splits import Array, Inputs, Split, Splits

MINIMUM_WIDTH = 4
# A rounded row says where it comes from where train's rows are not round themselves, and stay apart rounded.
_UNIQUE = 0.99
_ROUND = 0.01


@dataclass(frozen=True)
class Level:
    """A number of digits that numbers may have been rounded to: decimals, or significant digits.

    Args:
        digits: how many.
        significant: whether they count from the first digit that is not 0.
        exact: whether a number that looks halfway, as 2.45, goes where its bits lie, as Python rounds it;
            else to the even digit, as numpy rounds it.
    """

    digits: int
    significant: bool
    exact: bool = False

    def rounded(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """The numbers (N,) with so many digits.

        Example:
            >>> Level(2, significant=True).rounded(np.array([0.01234, 567.0])).tolist()
            [0.012, 570.0]
        """
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            wide = numbers.astype(np.longdouble) if self.exact else numbers
            unit = np.power(wide.dtype.type(10), np.abs(places := self._places(numbers)))
            scaled = np.where(places >= 0, np.rint(wide * unit) / unit, np.rint(wide / unit) * unit)
        return np.where(np.isfinite(numbers), scaled.astype(np.float64), numbers) + 0.0

    def _places(self, numbers: NDArray[np.float64]) -> NDArray[np.intp]:
        """The decimals (N,) that are kept of each number."""
        if not self.significant:
            return np.full(len(numbers), self.digits)
        exponent = np.floor(np.log10(np.abs(numbers)))
        return self.digits - 1 - np.where(np.isfinite(exponent), exponent, 0).astype(np.intp)


LEVELS = tuple(
    Level(digits, significant, exact)
    for significant in (True, False)
    for digits in (5, 4, 3, 2, 1)
    for exact in (False, True)
)


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of train: how its columns are written, and which row has which codes."""

    train: Split
    forms: tuple[Form, ...]
    spelt: Lookup
    reordered: Lookup | None
    by_level: dict[Level, Lookup | None] = field(default_factory=dict)

    def rounded(self, level: Level) -> Lookup | None:
        """Train rows by their codes once rounded; None where rounding leaves them all, or too few apart."""
        if level not in self.by_level:
            self.by_level[level] = self._round(level)
        return self.by_level[level]

    def _round(self, level: Level) -> Lookup | None:
        inputs = self.train.inputs
        if _unchanged(self.forms, inputs, level).mean() > _ROUND:
            return None
        lookup = Lookup.of(_rounded_codes(self.forms, inputs, level), self.train.keys)
        return lookup if lookup.unique_share >= _UNIQUE else None


def fit(splits: Splits) -> Known:
    """Train's rows, by what their cells say."""
    train = splits.train
    forms = forms_of(train.inputs, train.keys)
    return Known(
        train,
        forms,
        Lookup.of(row_codes(forms, train.inputs)[:, 0], train.keys),
        _by_multiset(forms, train),
    )


def rows(known: Known, part: Part) -> Columns:
    """What one part's rows are, compared with train.

    Returns:
        `disguised`: the row says what a train row says, without being equal to one, which is a copy;
        `disguised_of`: the position of that train row among all, or -1;
        `disguised_how`: 1 spelt otherwise or cast, 2 rounded, 3 columns in another order; 0 where it is not.
    """
    twins = np.full(len(part.rows), NOWHERE)
    how = np.zeros(len(part.rows), np.int8)
    if part.name != "train":
        for kind, search in enumerate((_spelt, _rounded, _reordered), start=1):
            found = np.where(twins == NOWHERE, search(known, part.rows), NOWHERE)
            how[found != NOWHERE] = kind
            twins = np.where(found != NOWHERE, found, twins)
    return {"disguised": how > 0, "disguised_of": twins, "disguised_how": how}


measure = ByRows(fit, rows)


def _spelt(known: Known, split: Split) -> NDArray[np.intp]:
    codes = row_codes(known.forms, split.inputs)[:, 0]
    return _confirmed(known, split, known.spelt.find(codes, split.keys))


def _rounded(known: Known, split: Split) -> NDArray[np.intp]:
    twins = np.full(len(split), NOWHERE)
    for level in LEVELS:
        coarse = np.flatnonzero((twins == NOWHERE) & _unchanged(known.forms, split.inputs, level))
        lookup = known.rounded(level) if len(coarse) else None
        if lookup is not None:
            chosen = split.take(coarse)
            codes = _rounded_codes(known.forms, chosen.inputs, level)
            twins[coarse] = lookup.find(codes, chosen.keys, unique=True)
    return twins


def _reordered(known: Known, split: Split) -> NDArray[np.intp]:
    if known.reordered is None:
        return np.full(len(split), NOWHERE)
    return known.reordered.find(_multiset(known.forms, split.inputs), split.keys, unique=True)


def _confirmed(known: Known, split: Split, found: NDArray[np.intp]) -> NDArray[np.intp]:
    """The twins (N,) that are equal cell by cell: codes only propose."""
    places = np.flatnonzero(found != NOWHERE)
    if len(places):
        apart = differing(known.forms, split, places, known.train, found[places])
        found[places[apart > 0]] = NOWHERE
    return found


def _numbers(forms: tuple[Form, ...], inputs: Inputs) -> Iterator[tuple[Form, NDArray[np.float64]]]:
    known = {form.name: form for form in forms if form.kind == "numbers"}
    for name, column in columns_of_rows(inputs):
        if name in known:
            yield known[name], as_numbers(column)


def _unchanged(forms: tuple[Form, ...], inputs: Inputs, level: Level) -> NDArray[np.bool_]:
    """Rows (N,) whose numbers all have no more digits than the level."""
    left = np.arange(count_rows(inputs))
    seen = 0
    for _, numbers in _numbers(forms, inputs):
        chosen = numbers[left]
        left = left[np.isclose(level.rounded(chosen), chosen, rtol=1e-12, atol=0, equal_nan=True)]
        seen += 1
        if not len(left):
            break
    found = np.zeros(count_rows(inputs), bool)
    found[left] = seen >= MINIMUM_WIDTH
    return found


def _rounded_codes(forms: tuple[Form, ...], inputs: Inputs, level: Level) -> Codes:
    """The codes (N,) of rows whose numbers are rounded."""
    known = {form.name: (place, form) for place, form in enumerate(forms)}
    total = np.zeros(count_rows(inputs), np.uint64)
    for name, column in columns_of_rows(inputs):
        if name in known:
            place, form = known[name]
            cells = level.rounded(as_numbers(column)) if form.kind == "numbers" else column
            total += placed(form.codes(cells), place)
    return total


def _by_multiset(forms: tuple[Form, ...], train: Split) -> Lookup | None:
    """Train rows whatever the order of their columns; None where columns have names, or cells are alike."""
    if not isinstance(train.inputs, np.ndarray) or len(forms) < MINIMUM_WIDTH:
        return None
    lookup = Lookup.of(_multiset(forms, train.inputs), train.keys)
    return lookup if lookup.unique_share >= _UNIQUE and _varied(forms, train) else None


def _varied(forms: tuple[Form, ...], train: Split) -> bool:
    """Whether the cells of a row mostly differ: else another order says little."""
    some = np.sort(lowest(train.keys, 200))
    cells = np.stack([form_cells for _, form_cells in _cell_columns(forms, train, some)], axis=1)
    distinct = [len(np.unique(row)) / len(row) for row in cells]
    return bool(np.median(distinct) > 0.5)


def _cell_columns(
    forms: tuple[Form, ...], split: Split, rows: NDArray[np.intp]
) -> Iterator[tuple[str, Array]]:
    known = {form.name: form for form in forms}
    for name, column in columns_of_rows(split.inputs, rows):
        if name in known:
            yield name, known[name].codes(column)


def _multiset(forms: tuple[Form, ...], inputs: Inputs) -> Codes:
    # Without the column's place, and with one form for all, so that a cell has one code wherever it stands.
    form = Form("any", "numbers" if all(form.kind == "numbers" for form in forms) else "text")
    total = np.zeros(count_rows(inputs), np.uint64)
    for _, column in columns_of_rows(inputs):
        total += form.codes(column)
    return total


def why_not(splits: Splits) -> str:
    """Why there are no cells to compare, or nothing."""
    if is_pictures(splits):
        return "pictures are compared as pictures (DC125)"
    if not isinstance(splits.train.inputs, np.ndarray | Mapping):
        return "rows of a reader have no cells"
    return ""
