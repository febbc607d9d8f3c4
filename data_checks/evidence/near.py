"""Which judged rows are a train row again, but for small changes such as noise or another encoding?

A row is near when its nearest train row is within `RADIUS` *and* much nearer than its tenth nearest: honest
rows lie in neighbourhoods, and a copy lies beside its original. The search is exact. Rows are projected on a
few principal directions of train, which shortens every distance and lengthens none, so whatever is far apart
there is far apart (the projection prunes, and loses nothing); what is left is compared value by value.
Numbers have distances; of mixed tables, all other cells must say the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.cells import Form, as_numbers, differing, forms_of
from data_checks.evidence.schema import batches, columns_of
from data_checks.evidence.space import Floats, Space, fit_space, numbers
from data_checks.evidence.table import Columns, Part
from data_checks.splits import Array, Inputs, Split, Splits, read_inputs

# In standard deviations of the train rows, as the root mean square over all values of a row.
RADIUS = 0.05
# Of the distance to the nearest train row, to that to the tenth nearest. Measured on Fashion-MNIST: a row
# that was encoded again has .02; the next, pictures that were retouched by hand, begin at .08.
RATIO = 0.05
NEIGHBOURS = 10
MINIMUM_WIDTH = 4
# The number of honest rows, of all test rows together, that may have so small a ratio by chance.
_FALSE_ROWS = 0.01
_SAMPLE_ROWS = 1000
# In one dimension, of the logarithms that are left when the nearest of nine is left out: (9 - H9) / 8.
_MEAN_LOG = 0.771
# What a reader's rows may take once decoded; above, they are decoded as often as they are looked at.
_DECODED_BYTES = 1 << 30
_PAIR_VALUES_AT_ONCE = 8_000_000


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


@dataclass(frozen=True, eq=False)
class Held:
    """Inputs and content keys of some rows, decoded once where they fit into memory."""

    inputs: Inputs
    keys: NDArray[np.bytes_]

    def __len__(self) -> int:
        return len(self.keys)

    def rows(self, positions: NDArray[np.intp]) -> Array | dict[str, Array]:
        """The inputs of some rows."""
        return read_inputs(self.inputs, positions)


def comparable(train: Split, split: Split) -> Split:
    """The rows with numbers where train has them, though they are stored as text; NaN where they are none."""
    if not isinstance(train.inputs, np.ndarray | Mapping) or not isinstance(split.inputs, type(train.inputs)):
        return split
    expected, given = columns_of(train.inputs), columns_of(split.inputs)
    changed = {
        name: _as_numbers(given.get(name), len(split), column.shape[1:])
        for name, column in expected.items()
        if column.dtype.kind in "biuf" and (name not in given or given[name].dtype.kind not in "biuf")
    }
    if not changed:
        return split
    columns = {**given, **changed}
    return replace(split, inputs=columns if isinstance(split.inputs, Mapping) else columns["inputs"])


def _as_numbers(column: Array | None, rows: int, shape: tuple[int, ...]) -> Array:
    if column is None:
        return np.full((rows, *shape), np.nan)
    return as_numbers(column.reshape(-1)).reshape(column.shape)


def hold(split: Split) -> Held:
    """The rows of a split, decoded if they are a reader's and fit."""
    if isinstance(split.inputs, np.ndarray | Mapping):
        return Held(split.inputs, split.keys)
    first = read_inputs(split.inputs, np.arange(1))
    if isinstance(first, Mapping) or first.nbytes * len(split) > _DECODED_BYTES:
        return Held(split.inputs, split.keys)
    return Held(np.concatenate([np.asarray(b) for b in batches(split.inputs, len(split))]), split.keys)


@dataclass(frozen=True, eq=False)
class Index:
    """Train rows, ready to be searched: those that are finite, as points in few dimensions.

    Args:
        train: the rows.
        held: their inputs and keys, decoded where they fit.
        space: units and directions.
        positions: of the finite rows (n,).
        tree: of their points.
        dimensions: how many the rows spread in.
        ratio: the largest ratio of the nearest to the tenth nearest distance that no honest row has.
        words: the columns that are no numbers.
        decimals: how many each number has in train at most (D,); NaN where that is more than six.
    """

    train: Split
    held: Held
    space: Space
    positions: NDArray[np.intp]
    tree: Any
    dimensions: float
    ratio: float
    words: tuple[Form, ...]
    decimals: Floats


def fit(splits: Splits) -> Index:
    """The train rows as a tree of projected points, and how near honest rows come to each other."""
    judged = [len(split) for name, split in splits.named().items() if name not in ("train", "validation")]
    return index_rows(splits.train, max(judged))


def index_rows(train: Split, asked: int) -> Index:
    """The train rows, ready for `asked` rows to be looked for among them."""
    from scipy.spatial import cKDTree

    space, held = fit_space(train), hold(train)
    points = project(space, held)
    positions = np.flatnonzero(np.isfinite(points).all(1))
    tree = cKDTree(points if len(positions) == len(points) else points[positions])
    dimensions = _dimensions(tree, train, points)
    ratio = allowed_ratio(dimensions, asked)
    words, decimals = _columns(held)
    return Index(train, held, space, positions, tree, dimensions, ratio, words, decimals)


def project(space: Space, held: Held) -> Floats:
    """The rows as points (N, k); not finite where the row is not."""
    points = np.empty((len(held), space.directions.shape[1]))
    start = 0
    for batch in batches(held.inputs, len(held)):
        part = space.project(numbers(batch))
        points[start : start + len(part)] = part
        start += len(part)
    return points


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
    if len(index.positions) <= NEIGHBOURS:
        return _nothing()
    held = hold(split)
    points = project(index.space, held)
    rows = _within_radius(index, held, points)
    if not len(rows):
        return _nothing()
    shortened, nearest = index.tree.query(points[rows], k=NEIGHBOURS, workers=-1)
    bound = _upper_bound(index, held, rows, nearest)
    best = _nearest_within(index, held, rows, points[rows], np.minimum(RADIUS, index.ratio * bound))
    # What a rounding error could decide is decided by looking at all rows.
    sure = best.distances <= index.ratio * shortened[best.rows, -1] * (1 - 1e-6)
    for place in np.flatnonzero(~sure):
        tenth = _tenth_distance(index, held, int(rows[best.rows[place]]))
        sure[place] = best.distances[place] <= index.ratio * tenth
    found = rows[best.rows[sure]], best.twins[sure], best.distances[sure], best.differences[sure]
    return _of_same_words(index, split, Near(*found))


def pairs(index: Index, rows: Split) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows (n,) of the indexed set and the rows (n,) that are near them, leaving out rows that are equal."""
    none = np.empty(0, np.intp)
    if len(index.positions) <= NEIGHBOURS + 1:
        return none, none
    points = index.tree.data
    second, _ = index.tree.query(points, k=[2], distance_upper_bound=RADIUS, workers=-1)
    near = np.flatnonzero(np.isfinite(second[:, 0]))
    if not len(near):
        return none, none
    shortened, nearest = index.tree.query(points[near], k=NEIGHBOURS + 2, workers=-1)
    # Equal rows share a point: the nearest other one is the first that is not at no distance.
    other = np.argmax(shortened > 0, axis=1)
    ours, theirs = index.positions[near], index.positions[nearest[np.arange(len(near)), other]]
    distances, _ = _compare(index, index.held, ours, theirs)
    kept = (distances <= np.minimum(RADIUS, index.ratio * shortened[:, -1])) & (ours != theirs)
    found = Near(ours[kept], theirs[kept], distances[kept], distances[kept])
    found = _of_same_words(index, rows, found)
    return found.rows, found.twins


def _within_radius(index: Index, held: Held, points: Floats) -> NDArray[np.intp]:
    """The rows that may have a train row within `RADIUS`, and are equal to none."""
    finite = np.flatnonzero(np.isfinite(points).all(1))
    nearest, _ = index.tree.query(
        points[finite], k=1, distance_upper_bound=RADIUS * (1 + 1e-5) + 1e-6, workers=-1
    )
    rows: NDArray[np.intp] = finite[np.isfinite(nearest)]
    return rows[~np.isin(held.keys[rows], index.held.keys)] if len(rows) else rows


def _of_same_words(index: Index, split: Split, near: Near) -> Near:
    if not index.words or not len(near.rows):
        return near
    same = differing(index.words, split, near.rows, index.train, near.twins) == 0
    return Near(near.rows[same], near.twins[same], near.distances[same], near.differences[same])


def _columns(train: Held) -> tuple[tuple[Form, ...], Floats]:
    """The columns that have no distance, and the decimals (D,) of those that have."""
    row = columns_of(read_inputs(train.inputs, np.arange(1)))
    named = {name for name, column in row.items() if column.dtype.kind not in "biuf"}
    forms = forms_of(train.inputs, train.keys)
    words = tuple(form for form in forms if form.name in named)
    decimals = [form.decimals for form in forms if form not in words]
    return words, np.array([np.nan if digits is None else digits for digits in decimals], float)


def _dimensions(tree: Any, train: Split, points: Floats) -> float:
    some = np.argsort(train.keys, kind="stable")[:_SAMPLE_ROWS]
    some = some[np.isfinite(points[some]).all(1)]
    if tree.n <= NEIGHBOURS or not len(some):
        return float("inf")
    distances, _ = tree.query(points[some], k=NEIGHBOURS + 1, workers=-1)
    return dimensions_of(distances[:, 1:])


def allowed_ratio(dimensions: float, rows: int) -> float:
    """The largest ratio of nearest to tenth nearest distance that honest rows do not reach by chance.

    Within a small ball of m dimensions the nine nearer neighbours lie evenly, so that the m-th power of the
    ratio is the least of nine uniform numbers: it is below u with a probability of at most 9 u.

    Args:
        dimensions: m, in which the rows spread.
        rows: how many rows are asked about.

    Example:
        >>> allowed_ratio(1, 1000) < 0.001, allowed_ratio(8, 1000)
        (True, 0.05)
    """
    return float(min(RATIO, (_FALSE_ROWS / ((NEIGHBOURS - 1) * rows)) ** (1 / dimensions)))


def dimensions_of(distances: Floats) -> float:
    """The number of dimensions in which rows spread (Levina & Bickel 2004, the median over the rows).

    Args:
        distances: to the ten nearest rows (n, 10), rising; the nearest, which copies falsify, is left out.

    Example:
        >>> round(dimensions_of(np.arange(1, 11)[None] ** 0.5), 1)
        2.2
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(distances[:, -1:] / np.maximum(distances[:, 1:-1], 1e-300))
        # A row of which no distance is known says nothing, and would only warn.
        spread = np.nanmean(logs[~np.isnan(logs).all(axis=1)], axis=1)
    positive = spread[np.isfinite(spread) & (spread > 0)]
    return float(_MEAN_LOG / np.median(positive)) if len(positive) else float("inf")


def _upper_bound(index: Index, held: Held, rows: NDArray[np.intp], nearest: NDArray[np.intp]) -> Floats:
    """What the tenth nearest distance (n,) cannot exceed: the farthest of any ten train rows."""
    farthest = np.zeros(len(rows))
    at_once = max(1, _PAIR_VALUES_AT_ONCE // (NEIGHBOURS * index.space.width))
    for start in range(0, len(rows), at_once):
        part = slice(start, start + at_once)
        ours = np.repeat(rows[part], NEIGHBOURS)
        distances, _ = _compare(index, held, ours, index.positions[nearest[part].reshape(-1)])
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
            yield np.repeat(places, counts[places]), index.positions[twins]


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
        apart = left[ours[part]].astype(float) - right[theirs[part]]
        differences[part] = np.abs(apart).max(1)
        distances[part] = index.space.length(apart)
    return distances, differences


def _tenth_distance(index: Index, held: Held, row: int) -> float:
    """The distance of one row to its tenth nearest train row, by looking at all of them."""
    own = numbers(read_inputs(held.inputs, np.array([row]))).astype(float)
    train = index.held
    apart = [index.space.length(numbers(batch) - own) for batch in batches(train.inputs, len(train))]
    distances = np.concatenate(apart)
    return float(np.partition(distances[np.isfinite(distances)], NEIGHBOURS - 1)[NEIGHBOURS - 1])


def _nothing() -> Near:
    return Near(np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0), np.empty(0))


def why_not(splits: Splits) -> str:
    """Why nearness says nothing about these rows, or nothing."""
    row = columns_of(read_inputs(splits.train.inputs, np.arange(1)))
    width = sum(column[:1].size for column in row.values() if column.dtype.kind in "biuf")
    if width < MINIMUM_WIDTH:
        return f"rows of fewer than {MINIMUM_WIDTH} numbers are often near each other by chance"
    if len(splits.train) <= NEIGHBOURS:
        return f"train has no more than {NEIGHBOURS} rows to compare with"
    return ""
