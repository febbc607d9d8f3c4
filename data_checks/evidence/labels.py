"""Which rows are of another class than the rows around them, as if their label were wrong?

A row of a wrong label lies as deep among the rows of another class as rows of that class do, and an honest
row that is hard to tell lies near the border. How deep is the ratio of two distances: to the fifth nearest
train row of its own class, and to the fifth nearest of the class that is nearest otherwise. How many honest
rows lie beyond the border is seen close to it, and falls off further on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.chance import alpha
from data_checks.evidence.columns import lowest
from data_checks.evidence.features import picture_blocks, wide_blocks
from data_checks.evidence.pictures import picture_axes
from data_checks.evidence.schema import columns_of, form
from data_checks.evidence.space import fit_space, numbers
from data_checks.evidence.table import Evidence, first_rows
from data_checks.splits import Array, Split, Splits, read_inputs

Floats = NDArray[np.float64]

ROWS, READER_ROWS = 5000, 1000
"""Of train and of test, so many rows of the lowest keys are looked at."""
NEIGHBOURS, AGREEING = 10, 8
FEWEST = 50
SEPARABLE = 0.9
_NEAREST = 5
_WIDEST = 256
_FEWEST_OF_A_CLASS = 2 * NEIGHBOURS
_MARGIN = 25
_BY_CHANCE = 0.5
_SLOWEST = 0.95
_DISTANCES_AT_ONCE = 4_000_000


@dataclass(frozen=True, eq=False)
class Points:
    """The rows of a split that are looked at and complete.

    Args:
        positions: in the split (n,).
        values: in steps (n, D).
        labels: their classes (n,).
    """

    positions: NDArray[np.intp]
    values: Floats
    labels: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Around:
    """What is around some rows.

    Args:
        depth: how deep each row (n,) lies in another class: above 1, nearer to that than to its own.
        nearest: the other class (n,) that is nearest.
        agreeing: how many of the ten nearest train rows (n,) are of that class.
        right: whether most of the ten are of the row's own class (n,).
    """

    depth: Floats
    nearest: NDArray[np.int64]
    agreeing: NDArray[np.intp]
    right: NDArray[np.bool_]


@dataclass(frozen=True)
class Mislabelled:
    """How many rows seem mislabelled, of how many that were looked at, and how many would by chance."""

    found: int
    looked_at: int
    expected: float


def measure(splits: Splits) -> Evidence:
    """Rows of train and test that seem mislabelled, where they are more than chance would give.

    Returns:
        `mislabelled`: whether a row seems so; `mislabelled_as`: the class around it, or -1. The facts are a
        `Mislabelled`.
    """
    index = points(splits.train)
    asked = {"train": index, "test": points(splits.test)}
    around = {name: look_around(index, part, alone=name == "test") for name, part in asked.items()}
    limit = margin(around["train"])
    deep = {name: (a.depth >= limit) & (a.agreeing >= AGREEING) for name, a in around.items()}
    looked_at = sum(len(found) for found in deep.values())
    expected = looked_at * _share_by_chance(around["train"].depth, limit)
    told = Mislabelled(sum(int(found.sum()) for found in deep.values()), looked_at, expected)
    return Evidence(_flags(splits, asked, around, deep if beyond_chance(told) else {}), told)


def _flags(
    splits: Splits,
    asked: Mapping[str, Points],
    around: Mapping[str, Around],
    deep: Mapping[str, NDArray[np.bool_]],
) -> dict[str, Array]:
    label = np.full(sum(len(split) for split in splits.named().values()), -1)
    for name, found in deep.items():
        rows = first_rows(splits)[name] + asked[name].positions[found]
        label[rows] = around[name].nearest[found]
    return {"mislabelled": label >= 0, "mislabelled_as": label}


def points(split: Split) -> Points:
    """The rows of the lowest keys that are complete, in standard deviations of each value of theirs."""
    in_memory = isinstance(split.inputs, np.ndarray | Mapping)
    chosen = lowest(split, ROWS if in_memory else READER_ROWS)
    values = _values(split, chosen)
    complete = np.isfinite(values).all(1)
    labels = split.targets[chosen[complete]].astype(np.int64)
    return Points(chosen[complete], values[complete], labels)


def _values(split: Split, chosen: NDArray[np.intp]) -> Floats:
    rows, axes = read_inputs(split.inputs, chosen), picture_axes(split)
    if axes is not None and not isinstance(rows, Mapping):
        return picture_blocks(rows, axes)
    flat = numbers(rows).astype(np.float64)
    return flat if flat.shape[1] <= _WIDEST else wide_blocks(flat)


def look_around(index: Points, asked: Points, alone: bool) -> Around:
    """What train rows are around some rows.

    Args:
        index: train rows.
        asked: the rows.
        alone: whether they are others; the train rows themselves are not around themselves.
    """
    classes = [int(c) for c in np.unique(index.labels) if (index.labels == c).sum() >= _FEWEST_OF_A_CLASS]
    order = np.argsort(index.labels, kind="stable")
    order = order[np.isin(index.labels[order], classes)]
    step = _steps(index)
    theirs, ours = (index.values / step)[order], asked.values / step
    ends = np.searchsorted(index.labels[order], classes, "right")
    itself = np.full(len(asked.labels), -1) if alone else np.argsort(np.r_[order, _others(order, index)])
    parts = [
        _nearest_of_each(theirs, ours[rows], ends, itself[rows]) for rows in _batches(len(ours), len(theirs))
    ]
    return _judge(np.concatenate(parts), np.array(classes), asked.labels)


def _others(order: NDArray[np.intp], index: Points) -> NDArray[np.intp]:
    return np.setdiff1d(np.arange(len(index.labels)), order)


def _batches(rows: int, index: int) -> list[slice]:
    at_once = max(1, _DISTANCES_AT_ONCE // max(1, index))
    return [slice(start, start + at_once) for start in range(0, rows, at_once)]


def _steps(index: Points) -> Floats:
    """One step of each value (D,): a standard deviation, or one of all where they share a unit."""
    scale = fit_space(Split(index.values, index.labels)).scale
    return np.asarray(scale, np.float64)


def _nearest_of_each(
    theirs: Floats, ours: Floats, ends: NDArray[np.intp], itself: NDArray[np.intp]
) -> Floats:
    """The squared distances (n, classes, 10) of rows to the nearest train rows of each class, rising.

    Args:
        theirs: train rows, class by class.
        ours: the rows (n, D).
        ends: where each class ends in `theirs`.
        itself: where each row stands in `theirs`; beyond it, where it does not.
    """
    squares = np.square(ours).sum(1)[:, None] + np.square(theirs).sum(1)[None] - 2 * ours @ theirs.T
    own = np.flatnonzero((itself >= 0) & (itself < len(theirs)))
    squares[own, itself[own]] = np.inf
    starts = np.r_[0, ends[:-1]]
    nearest = [
        np.sort(np.partition(squares[:, start:end], NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS], axis=1)
        for start, end in zip(starts, ends, strict=True)
    ]
    # What differs by rounding alone is equal.
    return np.maximum(np.round(np.stack(nearest, axis=1), 9), 1e-9)


def _judge(nearest: Floats, classes: NDArray[np.int64], labels: NDArray[np.int64]) -> Around:
    """What is around rows, from their squared distances (n, classes, 10) to the nearest of each class."""
    place = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
    known, rows = classes[place] == labels, np.arange(len(labels))
    fifth = nearest[:, :, _NEAREST - 1]
    own = fifth[rows, place]
    rival = fifth.copy()
    rival[rows, place] = np.inf
    other = rival.argmin(1)
    depth = np.where(known, np.sqrt(own / rival[rows, other]), 0.0)
    tenth = np.partition(nearest.reshape(len(labels), -1), NEIGHBOURS - 1, axis=1)[:, NEIGHBOURS - 1]
    votes = (nearest <= tenth[:, None, None]).sum(2)
    right = known & (votes[rows, place] == votes.max(1))
    return Around(depth, classes[other], votes[rows, other], right)


def margin(train: Around) -> float:
    """How deep among rows of its own class all but a quarter of the rows are that are on the right side."""
    inside = train.depth[(train.depth > 0) & (train.depth < 1)]
    return float(1 / np.percentile(inside, 100 - _MARGIN)) if len(inside) else np.inf


def _share_by_chance(depth: Floats, limit: float) -> float:
    """The share of rows that would be so deep if their number fell off as it does near the border."""
    halfway = np.sqrt(limit)
    before, first, second = np.histogram(depth, np.array([1 / halfway, 1, halfway, limit]))[0].tolist()
    # How the number falls from one stretch to the next, before the border and behind it. Tails fall faster
    # and faster, and mislabelled rows add to later stretches, so that either estimate errs on the safe side.
    early, late = (min((b + 1) / (a + 2), _SLOWEST) for a, b in ((before, first), (first, second)))
    return float(min(first * early**2 / (1 - early), second * late / (1 - late)) / len(depth))


def beyond_chance(told: Mislabelled) -> bool:
    """Whether so many rows are hardly ever there by chance.

    Example:
        >>> beyond_chance(Mislabelled(2, 900, 0.1)), beyond_chance(Mislabelled(9, 900, 0.1))
        (False, True)
    """
    from scipy.stats import poisson

    return bool(poisson.sf(told.found - 1, told.expected + _BY_CHANCE) < alpha())


def separable(split: Split) -> bool:
    """Whether nine of ten rows are of the class of most rows around them."""
    index = points(split)
    return bool(look_around(index, index, alone=False).right.mean() >= SEPARABLE)


def why_not(splits: Splits) -> str:
    """Why neighbours say nothing about the labels, or nothing."""
    if any(split.targets.dtype.kind not in "iub" for split in splits.named().values()):
        return "the targets are values, not classes"
    first = columns_of(read_inputs(splits.train.inputs, np.arange(1)))
    if not any(column.dtype.kind in "biuf" for column in first.values()):
        return "rows without numbers have no neighbours"
    if form(splits.train) != form(splits.test):
        return "test has other columns than train"
    complete = {name: len(points(splits.named()[name]).labels) for name in ("train", "test")}
    few = [name for name, rows in complete.items() if rows < FEWEST]
    if few:
        return f"{' and '.join(few)} must have {FEWEST} complete rows"
    large = (np.unique(points(splits.train).labels, return_counts=True)[1] >= _FEWEST_OF_A_CLASS).sum()
    return "" if large > 1 else f"no two classes have {_FEWEST_OF_A_CLASS} complete train rows"
