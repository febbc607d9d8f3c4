"""What do known leaks look like, made of the user's own train rows?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.index import numeric
from data_checks.evidence.schema import batches, columns_of
from data_checks.evidence.space import fit_space, numbers
from data_checks.splits import Array, Inputs, Split, Splits, read_inputs

PLANTED_ROWS = 100
_ROWS_AT_ONCE = 4096


def some_rows(split: Split, rng: np.random.Generator, rows: int = PLANTED_ROWS) -> NDArray[np.intp]:
    """Positions of different rows, or of all where there are fewer."""
    return rng.permutation(len(split))[:rows]


def bare(split: Split, rows: NDArray[np.intp], inputs: Inputs) -> Split:
    """The rows with other inputs, and with nothing but their targets beside."""
    return Split(inputs, split.targets[rows])


def noisy(splits: Splits, rng: np.random.Generator, noise: float) -> Split:
    """Train rows, each of whose numbers moved by `noise` of its standard deviation."""
    train = numeric(splits.train)
    rows = some_rows(train, rng)
    plain = _numbers_of(train, rows)
    space = fit_space(train)
    step = space.scale / np.sqrt(space.width)
    return bare(
        train, rows, _with_numbers(train, rows, plain + noise * step * rng.standard_normal(plain.shape))
    )


def one_cell_changed(splits: Splits, rng: np.random.Generator) -> Split | None:
    """Train rows, one number of each being that of another row; None where there are no numbers."""
    train = numeric(splits.train)
    row = columns_of(read_inputs(train.inputs, np.arange(1)))
    if not any(column.dtype.kind in "biuf" for column in row.values()):
        return None
    rows, others = some_rows(train, rng), some_rows(train, rng)
    plain, theirs = _numbers_of(train, rows), _numbers_of(train, others)
    changes = np.argwhere(plain != theirs)
    if not len(changes):
        return None
    chosen = rng.permutation(changes)
    first = np.unique(chosen[:, 0], return_index=True)[1]
    changed = plain.copy()
    changed[tuple(chosen[first].T)] = theirs[tuple(chosen[first].T)]
    kept = chosen[first, 0]
    return bare(train, rows[kept], _with_numbers(train, rows[kept], changed[kept]))


def between_rows(splits: Splits, rng: np.random.Generator) -> Split | None:
    """Rows on the line from a train row to one of its five nearest (SMOTE, Chawla et al. 2002)."""
    train = numeric(splits.train)
    parents = some_rows(train, rng)
    first = _numbers_of(train, parents)
    parents, first = parents[np.isfinite(first).all(1)], first[np.isfinite(first).all(1)]
    if len(train) < 10 or not len(parents):
        return None
    nearest = _nearest(train, first)
    other = _numbers_of(train, nearest[np.arange(len(nearest)), rng.integers(0, 5, len(nearest))])
    made = first + rng.uniform(0.1, 0.9, (len(first), 1)) * (other - first)
    distinct = (np.abs(other - first) > 0).sum(1) >= 3
    rows = parents[distinct]
    return bare(train, rows, _with_numbers(train, rows, made[distinct])) if len(rows) else None


def _nearest(train: Split, points: NDArray[np.float64]) -> NDArray[np.intp]:
    """The five rows of train (n, 5) that are nearest to each point but not at it."""
    from scipy.spatial.distance import cdist

    scale = fit_space(train).scale
    best = np.full((len(points), 5), np.inf)
    found = np.zeros((len(points), 5), np.intp)
    start = 0
    for batch in batches(train.inputs, len(train)):
        rows = numbers(batch) / scale
        for part in np.split(rows, range(_ROWS_AT_ONCE, len(rows), _ROWS_AT_ONCE)):
            apart = cdist(points / scale, np.where(np.isfinite(part), part, 1e150), "sqeuclidean")
            both = np.hstack([best, np.where(apart > 0, apart, np.inf)])
            places = np.hstack([found, np.broadcast_to(np.arange(start, start + len(part)), apart.shape)])
            kept = np.argsort(both, axis=1, kind="stable")[:, :5]
            best, found = np.take_along_axis(both, kept, 1), np.take_along_axis(places, kept, 1)
            start += len(part)
    return found


def _numbers_of(split: Split, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    return numbers(read_inputs(split.inputs, rows)).astype(np.float64)


def _with_numbers(split: Split, rows: NDArray[np.intp], values: Array) -> Inputs:
    """The rows' inputs with other numbers (n, D); text and moments stay."""
    read = read_inputs(split.inputs, rows)
    if not isinstance(read, Mapping):
        return values.reshape(read.shape)
    made: dict[str, Array] = dict(read)
    start = 0
    for name in sorted(name for name, column in columns_of(read).items() if column.dtype.kind in "biuf"):
        width = made[name].reshape(len(rows), -1).shape[1]
        made[name] = values[:, start : start + width].reshape(made[name].shape)
        start += width
    return made
