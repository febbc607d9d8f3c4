"""Which rows are a train row again, once spelling, casts, rounding and the order of columns are undone?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.cells import (
    Change,
    Codes,
    Form,
    agreement,
    as_numbers,
    columns_of_rows,
    count_rows,
    differing,
    forms_of,
    is_narrow,
    placed,
    row_codes,
    same_share,
)
from data_checks.evidence.lookup import NOWHERE, Lookup
from data_checks.evidence.pictures import is_pictures
from data_checks.evidence.table import ByRows, Columns, Part, lowest
from data_checks.splits import Inputs, Split, Splits

MINIMUM_WIDTH = 4
# A rounded row says where it comes from where train's rows are not round themselves, and stay apart rounded.
_UNIQUE = 0.99
_ROUND = 0.01
# How many honest rows, of all that are asked about, may become equal to a train row by what is undone.
_FALSE_ROWS = 0.01
_SAMPLE_ROWS = 200


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
    """What is known of train: how its columns are written, and which row has which codes.

    Args:
        train: the rows.
        forms: of their columns.
        asked: how many rows are compared with them.
        by_chance: how many train rows agree with an honest row in all columns.
        spelt: train's rows by what their cells say.
        start: the position of the first of them among all rows.
        chosen_on: the same of validation, for rows that are none of train's.
    """

    train: Split
    forms: tuple[Form, ...]
    asked: int
    by_chance: float
    spelt: Lookup
    start: int = 0
    chosen_on: Known | None = None
    by_level: dict[Level, Lookup | None] = field(default_factory=dict)

    @cached_property
    def narrow_forms(self) -> tuple[Form, ...]:
        """The forms by which numbers are told apart by 32 bits of them."""
        return tuple(replace(form, narrow=True) for form in self.forms)

    @cached_property
    def cast(self) -> Lookup | None:
        """Train's rows by what a cast to 32 bits leaves; None where that makes honest rows equal."""
        if self.by_accident(self.narrow_forms):
            return None
        return Lookup.of(row_codes(self.narrow_forms, self.train.inputs)[:, 0], self.train.keys)

    @cached_property
    def reordered(self) -> Lookup | None:
        """Train's rows whatever the order of columns; None where those have names or cells are alike."""
        if not isinstance(self.train.inputs, np.ndarray) or len(self.forms) < MINIMUM_WIDTH:
            return None
        if _alike(self):
            return None
        return Lookup.of(_multiset(self.forms, self.train.inputs), self.train.keys)

    def rounded(self, level: Level) -> Lookup | None:
        """Train's rows by their codes once rounded; None where they are round or honest rows become equal."""
        if level not in self.by_level:
            self.by_level[level] = self._round(level)
        return self.by_level[level]

    def _round(self, level: Level) -> Lookup | None:
        inputs = self.train.inputs
        if _unchanged(self.forms, inputs, level).mean() > _ROUND or self.by_accident(
            self.forms, level.rounded
        ):
            return None
        lookup = Lookup.of(_rounded_codes(self.forms, inputs, level), self.train.keys)
        return lookup if lookup.unique_share >= _UNIQUE else None

    def by_accident(self, forms: tuple[Form, ...], change: Change | None = None) -> bool:
        """Whether some of the rows that are asked about must be expected to equal a train row by chance."""
        return agreement(forms, self.train, change) * len(self.train) * self.asked > _FALSE_ROWS


def fit(splits: Splits) -> Known:
    """Train's rows, and validation's, by what their cells say."""
    forms = forms_of(splits.train.inputs, splits.train.keys)
    asked = sum(len(split) for name, split in splits.named().items() if name != "train")
    known = _know(splits.train, forms, asked)
    if not len(splits.validation):
        return known
    chosen_on = replace(_know(splits.validation, forms, asked), start=len(splits.train))
    return replace(known, chosen_on=chosen_on)


def _know(split: Split, forms: tuple[Form, ...], asked: int) -> Known:
    spelt = Lookup.of(row_codes(forms, split.inputs)[:, 0], split.keys)
    return Known(split, forms, asked, agreement(forms, split) * len(split), spelt)


def rows(known: Known, part: Part) -> Columns:
    """What one part's rows are, compared with train, and of test rows with validation.

    Returns:
        `disguised`: the row says what such a row says, without being equal to one, which is a copy;
        `disguised_of`: the position of that row among all, or -1;
        `disguised_how`: 1 spelt otherwise or cast, 2 rounded, 3 columns in another order; 0 where it is not.
    """
    twins = np.full(len(part.rows), NOWHERE)
    how = np.zeros(len(part.rows), np.int8)
    earlier = {"train": [], "validation": [known]}.get(part.name, [known, known.chosen_on])
    for of in (of for of in earlier if of is not None):
        for kind, search in enumerate((_spelt, _rounded, _reordered), start=1):
            found = np.where(twins == NOWHERE, search(of, part.rows), NOWHERE)
            how[found != NOWHERE] = kind
            twins = np.where(found != NOWHERE, found + of.start, twins)
    return {"disguised": how > 0, "disguised_of": twins, "disguised_how": how}


measure = ByRows(fit, rows)


def _spelt(known: Known, split: Split) -> NDArray[np.intp]:
    codes = row_codes(known.forms, split.inputs)[:, 0]
    found = _confirmed(known, known.forms, split, known.spelt.find(codes, split.keys))
    if _is_cast(known.forms, split) and known.cast is not None:
        codes = row_codes(known.narrow_forms, split.inputs)[:, 0]
        cast = _confirmed(known, known.narrow_forms, split, known.cast.find(codes, split.keys))
        found = np.where(found == NOWHERE, cast, found)
    return found


def _is_cast(forms: tuple[Form, ...], split: Split) -> bool:
    """Whether a column is of fewer bits than in train."""
    wide = {form.name for form in forms if not form.narrow}
    some = columns_of_rows(split.inputs, np.arange(min(1, len(split))))
    return any(is_narrow(column) and name in wide for name, column in some)


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


def _confirmed(
    known: Known, forms: tuple[Form, ...], split: Split, found: NDArray[np.intp]
) -> NDArray[np.intp]:
    """The twins (N,) that are equal cell by cell, for codes only propose, and not by chance once rounded."""
    places = np.flatnonzero(found != NOWHERE)
    if len(places):
        refuted = differing(forms, split, places, known.train, found[places]) > 0
        if known.by_chance > _FALSE_ROWS:
            refuted |= _is_rounded(forms, split, places)
        found[places[refuted]] = NOWHERE
    return found


def _is_rounded(forms: tuple[Form, ...], split: Split, places: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether a row (n,) has decimals that train has not, and is compared without them."""
    found = np.zeros(len(places), bool)
    for form, numbers in _numbers(forms, split.take(places).inputs):
        found |= (form.decimals is not None) & ~np.isclose(
            form.values(numbers), numbers, rtol=1e-6, atol=0, equal_nan=True
        )
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


def _alike(known: Known) -> bool:
    """Whether cells are so often alike that honest rows have the same ones in another order."""
    some = np.sort(lowest(known.train.keys, _SAMPLE_ROWS))
    form = _one_form(known.forms)
    cells = np.concatenate([form.codes(column) for _, column in columns_of_rows(known.train.inputs, some)])
    width = len(known.forms)
    # As many orders as columns have, in each of which all cells are the same.
    chance = math.lgamma(width + 1) + width * math.log(same_share(cells))
    return chance + math.log(max(1, len(known.train) * known.asked)) > math.log(_FALSE_ROWS)


def _one_form(forms: tuple[Form, ...]) -> Form:
    return Form("any", "numbers" if all(form.kind == "numbers" for form in forms) else "text")


def _multiset(forms: tuple[Form, ...], inputs: Inputs) -> Codes:
    # Without the column's place, and with one form for all, so that a cell has one code wherever it stands.
    form = _one_form(forms)
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
