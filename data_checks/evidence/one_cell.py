"""Which rows are a train row again but for a single cell?

The columns are dealt into two halves. Of two rows that differ in one cell, one half is equal: it is looked
up, where it is rare in train, and the rest is compared cell by cell. In tables of few different values rows
differ in one cell by chance; how often they do is seen among the rows of train themselves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.cells import (
    Codes,
    Form,
    agreements,
    columns_of_rows,
    differing,
    forms_of,
    row_codes,
)
from data_checks.evidence.lookup import NOWHERE, Lookup
from data_checks.evidence.pictures import is_pictures
from data_checks.evidence.schema import columns_of
from data_checks.evidence.table import ByRows, Columns, Part, lowest
from data_checks.splits import Split, Splits, read_inputs

MINIMUM_WIDTH = 4
# Halves that more train rows have than this say nothing of where a row comes from.
_RARE = 4
_SAMPLE_ROWS = 2000
# The share of train rows with a neighbour one cell apart above which such neighbours are chance.
_USUAL = 0.002
# Rows that were copied and changed share a half for no other reason.
_MORE = 10
_FALSE_ROWS = 0.01


@dataclass(frozen=True, eq=False)
class Known:
    """Train rows by the halves of their cells.

    Args:
        train: the rows.
        forms: of their columns.
        halves: train rows by the codes of each half.
        usual: whether differences of one cell are usual among them, so that they say nothing.
        scattered: whether these are usual because rows that share a half differ in any number of cells.
    """

    train: Split
    forms: tuple[Form, ...]
    halves: tuple[Lookup, ...]
    usual: bool = False
    scattered: bool = False


def fit(splits: Splits) -> Known:
    """Train's rows by halves, and whether among them a difference of one cell is usual."""
    train = splits.train
    forms = _dealt(forms_of(train.inputs, train.keys), train)
    codes = row_codes(forms, train.inputs, halves=2)
    known = Known(train, forms, tuple(Lookup.of(codes[:, half], train.keys) for half in (0, 1)))
    some = np.sort(lowest(train.keys, _SAMPLE_ROWS))
    pairs = [apart for _, _, apart in _sharing(known, train.take(some), codes[some])]
    one, several = (int(sum((test(apart)).sum() for apart in pairs)) for test in (_is_one, _is_several))
    usual = one > max(2, _USUAL * len(some)) or _by_chance(forms, splits) > _FALSE_ROWS
    return replace(known, usual=usual, scattered=usual and one < _MORE * several)


def _by_chance(forms: tuple[Form, ...], splits: Splits) -> float:
    """How many judged rows differ from a train row in one cell, if columns were independent."""
    judged = [len(split) for name, split in splits.named().items() if name not in ("train", "validation")]
    shares = agreements(forms, splits.train)
    others = math.prod(shares) * sum(1 / share for share in shares)
    return others * len(splits.train) * max(judged)


def _is_one(apart: NDArray[np.intp]) -> NDArray[np.bool_]:
    return np.asarray(apart == 1)


def _is_several(apart: NDArray[np.intp]) -> NDArray[np.bool_]:
    return np.asarray(apart > 1)


def rows(known: Known, part: Part) -> Columns:
    """What one part's rows are, compared with train.

    Returns:
        `one_cell`: the row differs from a train row in one cell, which here is not usual;
        `one_cell_of`: the position of that train row among all, or -1.
    """
    twins = np.full(len(part.rows), NOWHERE)
    if part.name not in ("train", "validation") and not known.usual:
        twins = find(known, part.rows, row_codes(known.forms, part.rows.inputs, halves=2))
    return {"one_cell": twins != NOWHERE, "one_cell_of": twins}


measure = ByRows(fit, rows)


def find(known: Known, split: Split, codes: Codes) -> NDArray[np.intp]:
    """The train row (N,) that each row differs from in one cell, or -1.

    Args:
        known: of train.
        split: the rows.
        codes: of their halves (N, 2).
    """
    twins = np.full(len(split), NOWHERE)
    for asked, candidates, apart in _sharing(known, split, codes):
        fresh = (apart == 1) & (twins[asked] == NOWHERE)
        twins[asked[fresh]] = candidates[fresh]
    return twins


def _sharing(known: Known, split: Split, codes: Codes) -> Iterator[tuple[NDArray[np.intp], ...]]:
    """Rows, train rows that share a rare half with them, and in how many cells they differ (n,) each."""
    for half, lookup in enumerate(known.halves):
        start, stop = lookup.runs(codes[:, half])
        for place in range(_RARE):
            asked = np.flatnonzero((stop - start <= _RARE) & (start + place < stop))
            candidates = lookup.positions[start[asked] + place]
            yield asked, candidates, differing(known.forms, split, asked, known.train, candidates)


def _dealt(forms: tuple[Form, ...], train: Split) -> tuple[Form, ...]:
    """The columns from the most to the least varied, so that both halves tell rows apart."""
    some = np.sort(lowest(train.keys, _SAMPLE_ROWS))
    known = {form.name: form for form in forms}
    varied = {
        name: len(np.unique(known[name].codes(column)))
        for name, column in columns_of_rows(train.inputs, some)
        if name in known
    }
    return tuple(sorted(forms, key=lambda form: (-varied[form.name], form.name)))


def why_not(splits: Splits) -> str:
    """Why a difference of one cell says nothing of these rows, or nothing."""
    if is_pictures(splits):
        return "pictures are compared as pictures (DC125)"
    if not isinstance(splits.train.inputs, np.ndarray | Mapping):
        return "rows of a reader have no cells"
    width = sum(
        column[:1].size for column in columns_of(read_inputs(splits.train.inputs, np.arange(1))).values()
    )
    if width < MINIMUM_WIDTH:
        return f"rows of fewer than {MINIMUM_WIDTH} cells often differ in one by chance"
    return ""
