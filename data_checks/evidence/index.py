"""What is known of train rows, so that rows can be looked for among them by how far apart they are?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import DataError
from data_checks.evidence.cells import Form, as_numbers, forms_of, holds_numbers
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
_AROUND = 2 * NEIGHBOURS + 2
# Of a distance to the next nearer one: honest neighbours lie evenly, copies apart from the others.
_GAP = 5
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


def numeric(train: Split) -> Split:
    """The rows with numbers where text or objects hold nothing else, but for gaps."""
    if not isinstance(train.inputs, np.ndarray | Mapping):
        return train
    columns = columns_of(train.inputs)
    some = lowest(train.keys, _SAMPLE_ROWS)
    changed = {
        name: _as_numbers(column, len(train), column.shape[1:])
        for name, column in columns.items()
        if _all_numbers(column[some]) and _all_numbers(column)
    }
    if not changed:
        return train
    columns = {**columns, **changed}
    return replace(train, inputs=columns if isinstance(train.inputs, Mapping) else columns["inputs"])


def _all_numbers(column: Array) -> bool:
    flat = column.reshape(len(column), -1)
    return column.dtype.kind in "OSU" and all(holds_numbers(flat[:, place]) for place in range(flat.shape[1]))


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
    """Train rows, ready to be searched, as points in few dimensions.

    Args:
        train: the rows, with numbers wherever they are nothing else.
        held: their inputs and keys, decoded where they fit.
        space: units and directions.
        tree: of the points of all rows.
        asked: how many rows are looked for.
        dimensions: how many the rows spread in.
        ratio: the largest ratio of the nearest to the tenth nearest distance that no honest row has.
        words: the columns that are no numbers.
        decimals: how many each number has in train at most (D,); NaN where that is more than six.
    """

    train: Split
    held: Held
    space: Space
    tree: Any
    asked: int
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
    """The train rows, ready for `asked` rows to be looked for among them.

    Raises:
        DataError: too few rows to say what is near, or none with numbers.
    """
    from scipy.spatial import cKDTree

    if len(train) <= NEIGHBOURS:
        raise DataError(f"train must have more than {NEIGHBOURS} rows to look among, got {len(train):,}")
    train = numeric(train)
    space, held = fit_space(train), hold(train)
    tree = cKDTree(project(space, held))
    spread = spread_at(tree, tree.data[lowest(train.keys, _SAMPLE_ROWS)])
    known = spread[~np.isnan(spread)]
    dimensions = float(1 / np.median(known)) if len(known) else float("inf")
    words, decimals = _columns(held)
    ratio = allowed_ratio(dimensions, asked)
    return Index(train, held, space, tree, asked, dimensions, ratio, words, decimals)


def project(space: Space, held: Held) -> Floats:
    """The rows as points (N, k)."""
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


def spread_at(tree: Any, points: Floats) -> Floats:
    """1 / m around some points (n, k) of a tree, where rows spread in m dimensions; NaN if unknown."""
    distances, _ = tree.query(points, k=min(_AROUND, tree.n), workers=-1)
    return inverse_dimensions(distances)


def inverse_dimensions(distances: Floats) -> Floats:
    """1 / m (n,) from the distances to nearest rows (n, K), rising (Levina & Bickel 2004).

    Of ten neighbours in m dimensions, m times the logarithm of the last to each other distance is 1 on
    average. Neighbours before a gap are copies, and not counted. NaN where all are at one place.

    Example:
        >>> inverse_dimensions(np.arange(1, 23)[None] ** 0.5).round(1).tolist()
        [0.4]
    """
    count = distances.shape[1]
    looked = min(NEIGHBOURS + 1, count - 1)
    gaps = distances[:, 1 : looked + 1] > _GAP * distances[:, :looked]
    copies = np.where(gaps.any(1), looked - np.argmax(gaps[:, ::-1], axis=1), 0)
    places = np.minimum(copies[:, None] + np.arange(NEIGHBOURS), count - 1)
    honest = np.take_along_axis(distances, places, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(honest[:, -1:] / np.maximum(honest[:, :-1], 1e-300)).mean(1)
    return np.where(np.isfinite(logs) & (logs > 0), logs, np.nan)


def dimensions_from(spread: Floats) -> Floats:
    """The number of dimensions (n,) in which rows spread, by the mean of 1 / m at some places (n, p) each."""
    known = ~np.isnan(spread)
    total = np.where(known, spread, 0).sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total > 0, known.sum(1) / total, np.inf)


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
