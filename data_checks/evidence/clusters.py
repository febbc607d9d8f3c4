"""Which rows of one set are each other again, so that they must stay together in a split?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence import near, one_cell, picture_copies
from data_checks.evidence.cells import forms_of, row_codes
from data_checks.evidence.index import index_rows
from data_checks.evidence.pictures import fit_form, thumbnails
from data_checks.evidence.table import Part
from data_checks.splits import Split, Splits

_ROUNDS = 6
Positions = NDArray[np.intp]
Pairs = tuple[Positions, Positions]


def clusters(rows: Split) -> Positions:
    """For each row (N,) the position of the first row of its cluster, which may be itself.

    Rows are of one cluster when they are equal, also once spelling and casts are undone, when they are near
    each other as the check for near copies has it, or differ in one cell where that is unusual; pictures when
    they are changed ones of each other; and when a chain of such rows joins them.

    Example:
        >>> table = np.random.default_rng(0).normal(size=(50, 5))
        >>> clusters(Split(np.vstack([table, table[7:8] + 1e-6]), np.zeros(51, int)))[[7, 8, 50]].tolist()
        [7, 8, 7]
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    if not len(rows):
        return np.empty(0, np.intp)
    left, right = (np.concatenate(side) for side in zip(*_found(rows), strict=True))
    joined = coo_matrix((np.ones(len(left), np.int8), (left, right)), shape=(len(rows), len(rows)))
    count, labels = connected_components(joined, directed=False)
    first = np.full(count, len(rows))
    np.minimum.at(first, labels, np.arange(len(rows)))
    return np.asarray(first[labels], np.intp)


def _found(rows: Split) -> Iterator[Pairs]:
    yield _equal(np.unique(rows.keys, return_inverse=True)[1])
    alone = Splits(rows, rows, rows)
    if isinstance(rows.inputs, np.ndarray | Mapping):
        codes = row_codes(forms_of(rows.inputs, rows.keys), rows.inputs)[:, 0]
        yield _equal(np.unique(codes, return_inverse=True)[1])
    if not one_cell.why_not(alone):
        yield _one_cell_apart(rows)
    if not near.why_not(alone):
        yield near.pairs(index_rows(rows, len(rows)), rows)
    if not picture_copies.why_not(alone):
        yield from _pictures_again(rows)


def _equal(codes: Positions) -> Pairs:
    """Each row with the first that has its code."""
    first = np.full(int(codes.max(initial=-1)) + 1, len(codes))
    np.minimum.at(first, codes, np.arange(len(codes)))
    repeated = np.flatnonzero(first[codes] < np.arange(len(codes)))
    return repeated, first[codes[repeated]]


def _pictures_again(rows: Split) -> Iterator[Pairs]:
    """Pictures that are each other again, looked for between the halves that a bit of their keys makes.

    Two pictures fall into the same half in all of the rounds once in 64 times, and are then not found.
    """
    small = thumbnails(fit_form(rows), rows).levels
    heads = rows.keys.astype("S4").view(">u4").astype(np.int64)
    for bit in range(_ROUNDS):
        asked, known = (np.flatnonzero((heads >> bit) & 1 == side) for side in (1, 0))
        if min(len(asked), len(known)) <= picture_copies.FEWEST:
            continue
        train, test = (Split(small[half], np.zeros(len(half), int)) for half in (known, asked))
        found = picture_copies.measure.rows(
            picture_copies.fit(Splits(train, test, test)), Part("test", len(train), test)
        )
        again = np.flatnonzero(found["picture_changed"] | found["picture_turned"])
        yield asked[again], known[found["picture_twin"][again]]


def _one_cell_apart(rows: Split) -> Pairs:
    known = one_cell.fit(Splits(rows, rows, rows))
    # Rows of which many stand there again are the reason to ask; only what chance does joins none.
    if known.scattered:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    twins = one_cell.find(known, rows, row_codes(known.forms, rows.inputs, halves=2))
    found = np.flatnonzero(twins >= 0)
    return found, twins[found]
