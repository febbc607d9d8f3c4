"""What is known of train rows, so that rows can be looked for among them by how far apart they are?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.cells import Form, as_numbers, forms_of
from data_checks.evidence.lookup import has_any
from data_checks.evidence.schema import batches, columns_of
from data_checks.evidence.space import Floats, Space, fit_space, numbers
from data_checks.evidence.table import lowest
from data_checks.splits import Array, Inputs, Split, Splits, read_inputs

# Of the distance to the nearest train row, to that to the tenth nearest. Measured on Fashion-MNIST: a row
# that was encoded again has .02; the next, pictures that were retouched by hand, begin at .08.
RATIO = 0.05
NEIGHBOURS = 10
# The number of honest rows, of all test rows together, that may have so small a ratio by chance.
_FALSE_ROWS = 0.01
_SAMPLE_ROWS = 1000
# In one dimension, of the logarithms that are left when the nearest of nine is left out: (9 - H9) / 8.
_MEAN_LOG = 0.771
# What a reader's rows may take once decoded; above, they are decoded as often as they are looked at.
_DECODED_BYTES = 1 << 30


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

    @cached_property
    def sorted_keys(self) -> NDArray[np.bytes_]:
        """The keys of all train rows, in order."""
        return np.sort(self.held.keys)

    def equal_to(self, keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
        """Whether a train row has each of the keys (n,)."""
        return has_any(self.sorted_keys, keys)


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


def _columns(train: Held) -> tuple[tuple[Form, ...], Floats]:
    """The columns that have no distance, and the decimals (D,) of those that have."""
    row = columns_of(read_inputs(train.inputs, np.arange(1)))
    named = {name for name, column in row.items() if column.dtype.kind not in "biuf"}
    forms = forms_of(train.inputs, train.keys)
    words = tuple(form for form in forms if form.name in named)
    decimals = [form.decimals for form in forms if form not in words]
    return words, np.array([np.nan if digits is None else digits for digits in decimals], float)


def _dimensions(tree: Any, train: Split, points: Floats) -> float:
    some = lowest(train.keys, _SAMPLE_ROWS)
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
