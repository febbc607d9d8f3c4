"""Which train rows are nearest to some rows, in all columns, found by matrix products?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.index import Index
from data_checks.evidence.schema import batches
from data_checks.evidence.space import Floats, numbers

_TRAIN_ROWS_AT_ONCE = 4096
_ROWS_AT_ONCE = 512
# More than are asked for, so that the rounding of 32 bits decides about none that matters.
_SPARE = 8
_LAST = np.float32(3e38)


def nearest(
    index: Index, own: Floats, count: int, scale: Floats | None = None
) -> tuple[NDArray[np.intp], Floats]:
    """The nearest train rows to each row, and how they lie from it.

    Args:
        index: the train rows; those that have gaps are neighbours only where there are no others.
        own: the rows as numbers (n, D), finite.
        count: how many are asked for.
        scale: what counts as one step of each value (D,); a standard deviation where nothing is given.

    Returns:
        Positions (n, count) in train, nearest first, and the steps (n, count, D) to them in deviations.
    """
    asked = min(count + _SPARE, len(index.held))
    step = index.space.scale if scale is None else scale
    found = _candidates(index, own, asked, step)
    theirs = index.space.known(numbers(index.held.rows(found.reshape(-1))))
    apart = (theirs.reshape(*found.shape, -1) - own[:, None]) / index.space.scale
    distances = np.square(apart * (index.space.scale / step)).sum(2)
    # Of equally near rows that with the least key: the order of the rows decides nothing.
    order = np.lexsort((index.held.keys[found], distances))[:, :count]
    return np.take_along_axis(found, order, 1), np.take_along_axis(apart, order[:, :, None], 1)


def _candidates(index: Index, own: Floats, count: int, scale: Floats) -> NDArray[np.intp]:
    """Positions (n, count) of the nearest train rows, to the precision of 32 bits."""
    center = index.space.center
    points = _narrow((own - center) / scale)
    parts = np.split(points, range(_ROWS_AT_ONCE, len(points), _ROWS_AT_ONCE))
    kept = [_Kept(len(part), count) for part in parts]
    start = 0
    for batch in batches(index.held.inputs, len(index.held)):
        train = _narrow((index.space.known(numbers(batch)) - center) / scale)
        first = 0
        while first < len(train):
            # Few at first: until a limit is known, every row is a candidate.
            last = first + min(_TRAIN_ROWS_AT_ONCE, max(64, start + first))
            for part, best in zip(parts, kept, strict=True):
                best.offer(_squared(part, train[first:last]), start + first)
            first = last
        start += len(train)
    return np.concatenate([best.best() for best in kept])


def _narrow(points: Floats) -> NDArray[np.float32]:
    # What is farther than this has no neighbours, and its square would be infinite.
    return np.asarray(np.clip(points, -1e18, 1e18).astype(np.float32))


def _squared(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """Squared distances (n, m); infinite to rows that are not finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.square(right).sum(1)
        apart = left @ (-2 * right.T)
        apart += np.square(left).sum(1)[:, None]
        apart += lengths
    # Rows with gaps come last, but they come, so that there are always enough.
    apart[:, ~np.isfinite(lengths)] = _LAST
    return np.asarray(apart, np.float32)


class _Kept:
    """The best candidates so far of each row, and the distance that another must beat."""

    def __init__(self, rows: int, count: int) -> None:
        self.count, self.offered = count, 0
        self.limit = np.full(rows, np.inf, np.float32)
        self.rows: list[NDArray[np.intp]] = []
        self.places: list[NDArray[np.intp]] = []
        self.distances: list[NDArray[np.float32]] = []

    def offer(self, apart: NDArray[np.float32], start: int) -> None:
        """Look at the distances (n, m) to train rows from position `start`."""
        better = np.flatnonzero(apart < self.limit[:, None])
        rows, places = np.divmod(better, apart.shape[1])
        self.rows.append(rows)
        self.places.append(places + start)
        self.distances.append(apart.reshape(-1)[better])
        # Merging makes the limits strict; rarely, for it sorts.
        self.offered += len(better)
        if self.offered > self.count * len(self.limit) // 2:
            self._merge()

    def best(self) -> NDArray[np.intp]:
        """Positions (n, count), nearest first."""
        self._merge()
        return self.places[0].reshape(len(self.limit), self.count)

    def _merge(self) -> None:
        rows, places = np.concatenate(self.rows), np.concatenate(self.places)
        distances = np.concatenate(self.distances)
        order = np.lexsort((places, distances, rows))
        rows, places, distances = rows[order], places[order], distances[order]
        rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
        kept = rank < self.count
        last = rank == self.count - 1
        self.limit[rows[last]] = distances[last]
        self.rows, self.places, self.distances = [rows[kept]], [places[kept]], [distances[kept]]
        self.offered = 0
