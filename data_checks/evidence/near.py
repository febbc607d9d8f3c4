"""Which judged rows are a train row again, but for small changes such as noise or another encoding?

A row is near when its nearest train row is within `RADIUS` *and* much nearer than its tenth nearest: honest
rows lie in neighbourhoods, and a copy lies beside its original. The search is exact. Rows are projected on a
few principal directions of train, which shortens every distance and lengthens none, so whatever is far apart
there is far apart (the projection prunes, and loses nothing); what is left is compared value by value.
Numbers have distances; of mixed tables, all other cells must say the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.cells import differing
from data_checks.evidence.index import (
    NEIGHBOURS,
    Held,
    Index,
    allowed_ratio,
    comparable,
    dimensions_from,
    hold,
    numeric,
    project,
    spread_at,
)
from data_checks.evidence.pictures import is_pictures
from data_checks.evidence.schema import batches, columns_of
from data_checks.evidence.space import Floats, numbers
from data_checks.evidence.table import Columns, Part
from data_checks.splits import Array, Split, Splits, read_inputs

# In standard deviations of the train rows, as the root mean square over all values of a row.
RADIUS = 0.05
MINIMUM_WIDTH = 4
_PAIR_VALUES_AT_ONCE = 8_000_000
# Train rows at which the dimensions around a row are told; each looks for neighbours of its own.
_AROUND = 8


@dataclass(frozen=True, eq=False)
class Near:
    """Rows that are near a train row, of one split.

    Args:
        rows: positions in the split (n,), in order.
        twins: positions in train (n,) of the nearest rows.
        distances: to those, in standard deviations a value (n,).
        differences: the largest difference of one value to those, in the units of the inputs (n,).
    """

    rows: NDArray[np.intp]
    twins: NDArray[np.intp]
    distances: Floats
    differences: Floats


def rows(index: Index, part: Part) -> Columns:
    """The near rows of one part.

    Returns:
        `near`: the row is near a train row, and not equal to one, which is a copy;
        `near_to`: the position of that train row among all, or -1;
        `near_distance`: in standard deviations a value; infinite where none is near;
        `near_difference`: the largest difference of one value; infinite where none is near.
    """
    near_to = np.full(len(part.rows), -1, np.int32)
    distance, difference = np.full(len(part.rows), np.inf), np.full(len(part.rows), np.inf)
    if part.name not in ("train", "validation"):
        found = find_near(index, comparable(index.train, part.rows))
        near_to[found.rows] = found.twins
        distance[found.rows], difference[found.rows] = found.distances, found.differences
    columns = {"near": near_to >= 0, "near_to": near_to, "near_distance": distance}
    return {**columns, "near_difference": difference}


def find_near(index: Index, split: Split) -> Near:
    """The rows of `split` that are near a train row without being equal to one."""
    held = hold(split)
    points = project(index.space, held)
    rows = _within_radius(index, held, points)
    if not len(rows):
        return _nothing()
    shortened, nearest = index.tree.query(points[rows], k=NEIGHBOURS, workers=-1)
    bound = _upper_bound(index, held, rows, nearest)
    best = _nearest_within(index, held, rows, points[rows], np.minimum(RADIUS, index.ratio * bound))
    ratio = _ratio_here(index, nearest[best.rows])
    tenth = shortened[best.rows, -1]
    # What a rounding error could decide is decided by looking at all rows.
    sure = best.distances <= ratio * tenth * (1 - 1e-6)
    for place in np.flatnonzero(~sure & (best.distances <= ratio * bound[best.rows])):
        tenth[place] = _tenth_distance(index, held, int(rows[best.rows[place]]))
        sure[place] = best.distances[place] <= ratio[place] * tenth[place]
    # Of rows that are all equal none is nearer than others.
    sure &= tenth > 0
    found = rows[best.rows[sure]], best.twins[sure], best.distances[sure], best.differences[sure]
    return _of_same_words(index, split, Near(*found))


def _ratio_here(index: Index, nearest: NDArray[np.intp]) -> Floats:
    """The ratio (n,) that no honest row has among the train rows (n, 10) around it.

    Rows may spread in few dimensions at one place and in many at another, such as where some columns are 0.
    """
    close = nearest[:, :_AROUND]
    around, places = np.unique(close, return_inverse=True)
    spread = spread_at(index.tree, index.tree.data[around])[places.reshape(close.shape)]
    dimensions = dimensions_from(spread)
    return np.array([allowed_ratio(here, index.asked) for here in dimensions])


def pairs(index: Index, rows: Split) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows (n,) of the indexed set and the rows (n,) that are near them, leaving out rows that are equal."""
    none = np.empty(0, np.intp)
    points = index.tree.data
    second, _ = index.tree.query(points, k=[2], distance_upper_bound=RADIUS, workers=-1)
    near = np.flatnonzero(np.isfinite(second[:, 0]))
    if not len(near):
        return none, none
    shortened, nearest = index.tree.query(points[near], k=NEIGHBOURS + 2, workers=-1)
    # Equal rows share a point: the nearest other one is the first that is not at no distance.
    other = np.argmax(shortened > 0, axis=1)
    ours, theirs = near, nearest[np.arange(len(near)), other]
    distances, _ = _compare(index, index.held, ours, theirs)
    kept = (distances <= np.minimum(RADIUS, index.ratio * shortened[:, -1])) & (ours != theirs)
    found = Near(ours[kept], theirs[kept], distances[kept], distances[kept])
    found = _of_same_words(index, rows, found)
    return found.rows, found.twins


def _within_radius(index: Index, held: Held, points: Floats) -> NDArray[np.intp]:
    """The rows that may have a train row within `RADIUS`, and are equal to none."""
    nearest, _ = index.tree.query(points, k=1, distance_upper_bound=RADIUS * (1 + 1e-5) + 1e-6, workers=-1)
    rows = np.flatnonzero(np.isfinite(nearest))
    return rows[~index.equal_to(held.keys[rows])] if len(rows) else rows


def _of_same_words(index: Index, split: Split, near: Near) -> Near:
    if not index.words or not len(near.rows):
        return near
    same = differing(index.words, split, near.rows, index.train, near.twins) == 0
    return Near(near.rows[same], near.twins[same], near.distances[same], near.differences[same])


def _upper_bound(index: Index, held: Held, rows: NDArray[np.intp], nearest: NDArray[np.intp]) -> Floats:
    """What the tenth nearest distance (n,) cannot exceed: the farthest of any ten train rows."""
    farthest = np.zeros(len(rows))
    at_once = max(1, _PAIR_VALUES_AT_ONCE // (NEIGHBOURS * index.space.width))
    for start in range(0, len(rows), at_once):
        part = slice(start, start + at_once)
        ours = np.repeat(rows[part], NEIGHBOURS)
        distances, _ = _compare(index, held, ours, nearest[part].reshape(-1))
        farthest[part] = distances.reshape(-1, NEIGHBOURS).max(1)
    return farthest


def _nearest_within(index: Index, held: Held, rows: NDArray[np.intp], points: Floats, radii: Floats) -> Near:
    """For each row that has train rows within its radius, the nearest; `rows` are places among the given."""
    found = [
        _best_pairs(index, held, rows, *pairs, radii)
        for pairs in _candidates(index, points, radii * (1 + 1e-5) + 1e-6)
    ]
    parts = found or [_nothing()]
    return Near(
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.twins for part in parts]),
        np.concatenate([part.distances for part in parts]),
        np.concatenate([part.differences for part in parts]),
    )


def _candidates(
    index: Index, points: Floats, radii: Floats
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Places of rows and of train rows, pair by pair, that are near each other in few dimensions."""
    counts = index.tree.query_ball_point(points, radii, return_length=True)
    at_once = max(1, _PAIR_VALUES_AT_ONCE // index.space.width)
    for places in np.split(np.arange(len(points)), np.flatnonzero(np.diff(np.cumsum(counts) // at_once)) + 1):
        lists = index.tree.query_ball_point(points[places], radii[places])
        if counts[places].sum():
            twins = np.concatenate([np.asarray(twin, np.intp) for twin in lists])
            yield np.repeat(places, counts[places]), twins


def _best_pairs(
    index: Index,
    held: Held,
    rows: NDArray[np.intp],
    places: NDArray[np.intp],
    twins: NDArray[np.intp],
    radii: Floats,
) -> Near:
    distances, differences = _compare(index, held, rows[places], twins)
    # By row, then by distance, then by the train row's key: the order of the rows decides nothing.
    order = np.lexsort((index.held.keys[twins], distances, places))
    first = order[np.unique(places[order], return_index=True)[1]]
    kept = first[distances[first] <= radii[places[first]]]
    return Near(places[kept], twins[kept], distances[kept], differences[kept])


def _compare(
    index: Index, held: Held, rows: NDArray[np.intp], twins: NDArray[np.intp]
) -> tuple[Floats, Floats]:
    """The distance and the largest difference (n,) of pairs of rows, value by value."""
    own, ours = np.unique(rows, return_inverse=True)
    other, theirs = np.unique(twins, return_inverse=True)
    left = numbers(read_inputs(held.inputs, own))
    right = numbers(read_inputs(index.held.inputs, other))
    distances, differences = np.empty(len(rows)), np.empty(len(rows))
    at_once = max(1, _PAIR_VALUES_AT_ONCE // index.space.width)
    for start in range(0, len(rows), at_once):
        part = slice(start, start + at_once)
        apart = _apart(left[ours[part]], right[theirs[part]])
        differences[part] = np.abs(apart).max(1)
        distances[part] = index.space.length(apart)
    return distances, differences


def _apart(left: Array, right: Array) -> Floats:
    """The differences (n, D) of values; gaps equal each other and nothing else."""
    gaps = ~np.isfinite(left), ~np.isfinite(right)
    with np.errstate(invalid="ignore"):
        apart = left.astype(float) - right
    apart[gaps[0] | gaps[1]] = np.inf
    apart[gaps[0] & gaps[1]] = 0
    return apart


def _tenth_distance(index: Index, held: Held, row: int) -> float:
    """The distance of one row to its tenth nearest train row, by looking at all of them."""
    space, train = index.space, index.held
    own = space.filled(numbers(read_inputs(held.inputs, np.array([row]))))
    apart = [space.length(space.filled(numbers(b)) - own) for b in batches(train.inputs, len(train))]
    return float(np.partition(np.concatenate(apart), NEIGHBOURS - 1)[NEIGHBOURS - 1])


def _nothing() -> Near:
    return Near(np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0), np.empty(0))


def why_not(splits: Splits) -> str:
    """Why nearness says nothing about these rows, or nothing."""
    if is_pictures(splits):
        return "pictures are compared as pictures (DC125)"
    row = columns_of(read_inputs(numeric(splits.train).inputs, np.arange(1)))
    width = sum(column[:1].size for column in row.values() if column.dtype.kind in "biuf")
    if width < MINIMUM_WIDTH:
        return f"rows of fewer than {MINIMUM_WIDTH} numbers are often near each other by chance"
    if len(splits.train) <= NEIGHBOURS:
        return f"train has no more than {NEIGHBOURS} rows to compare with"
    return ""
