"""Which rows of one set are each other again, so that they must stay together in a split?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence import near, one_cell
from data_checks.evidence.cells import forms_of, row_codes
from data_checks.evidence.index import index_rows
from data_checks.splits import Split, Splits

Positions = NDArray[np.intp]
Pairs = tuple[Positions, Positions]


def clusters(rows: Split) -> Positions:
    """For each row (N,) the position of the first row of its cluster, which may be itself.

    Rows are of one cluster when they are equal, also once spelling and casts are undone, when they are near
    each other as the check for near copies has it, or differ in one cell where that is unusual; and when a
    chain of such rows joins them.

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


def _equal(codes: Positions) -> Pairs:
    """Each row with the first that has its code."""
    first = np.full(int(codes.max(initial=-1)) + 1, len(codes))
    np.minimum.at(first, codes, np.arange(len(codes)))
    repeated = np.flatnonzero(first[codes] < np.arange(len(codes)))
    return repeated, first[codes[repeated]]


def _one_cell_apart(rows: Split) -> Pairs:
    known = one_cell.fit(Splits(rows, rows, rows))
    # Rows of which many stand there again are the reason to ask; only what chance does joins none.
    if known.scattered:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    twins = one_cell.find(known, rows, row_codes(known.forms, rows.inputs, halves=2))
    found = np.flatnonzero(twins >= 0)
    return found, twins[found]
