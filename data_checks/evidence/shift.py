"""Can rows of test, or of validation, be told from those of train?

A classifier two-sample test (Lopez-Paz & Oquab 2017): ridge regression learns on four fifths of the rows
which split a row is of, and is asked about the last fifth, five times. How well it does where nothing can be
learned is seen when splits are dealt out again at random; rows that belong together are dealt together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.chance import alpha
from data_checks.evidence.columns import Column, lowest
from data_checks.evidence.features import columns_over, features
from data_checks.evidence.table import Evidence, by_split
from data_checks.splits import Split, Splits

Floats = NDArray[np.float64]

ROWS = 2000
READER_ROWS = 1000
_FOLDS = 5
# Beside features of deviation 1: rather the sum of small differences than a fit to few rows.
_PENALTY = 1.0
_DEALS = 1199
_DEALS_AT_ONCE = 100
_NAMED = 3


@dataclass(frozen=True)
class Shift:
    """How well a split is told from train.

    Args:
        area: the area under the ROC curve, of rows that were not learned from.
        unlike: whether it is larger than chance makes it.
        columns: those that differ most.
    """

    area: float
    unlike: bool
    columns: tuple[str, ...]


def measure(name: str) -> Callable[[Splits], Evidence]:
    """A measure of `test_unlike_train`, or of any other split: whether it differs; facts: a `Shift`."""

    def of_split(splits: Splits) -> Evidence:
        shift = compare(splits.train, splits.named()[name])
        flags = by_split(splits, lambda other, split: shift.unlike and other == name)
        return Evidence({f"{name}_unlike_train": flags}, shift)

    return of_split


def compare(train: Split, other: Split) -> Shift:
    """How well rows of `other` are told from those of `train`, of a sample of both."""
    parts = [_sample(train), _sample(other)]
    columns = list(columns_over(parts))
    table = features(columns)
    judged = np.repeat([False, True], [len(part) for part in parts])
    units = _units(parts)
    if table.size == 0:
        return Shift(0.5, unlike=False, columns=())
    predict = _cross_fit(table, units % _FOLDS)
    area = float(areas(predict(_centred(judged[:, None])), judged[:, None])[0])
    unlike = _beyond_chance(predict, area, judged, units)
    return Shift(area, unlike, _most_different(columns, judged) if unlike else ())


def _sample(split: Split) -> Split:
    in_memory = isinstance(split.inputs, np.ndarray | Mapping)
    return split.take(lowest(split, ROWS if in_memory else READER_ROWS))


def _units(parts: list[Split]) -> NDArray[np.intp]:
    """What is dealt out together, as a number a row (n,): groups; equal rows, if all were; else rows."""
    if all(part.groups is not None for part in parts):
        names = [np.asarray(part.groups).astype(str) for part in parts]
    elif np.isin(parts[0].keys, parts[1].keys).any():
        return np.arange(sum(len(part) for part in parts))
    else:
        names = [part.keys.astype(str) for part in parts]
    # A group on both sides is two units, each of which is of one split.
    sided = np.concatenate([np.char.add(f"{side} ", part) for side, part in enumerate(names)])
    return np.asarray(np.unique(sided, return_inverse=True)[1].reshape(-1))


def _cross_fit(table: Floats, folds: NDArray[np.intp]) -> Callable[[Floats], Floats]:
    """A function that predicts targets (n, b) of every row from those of the rows of other folds."""
    learned = []
    for fold in range(_FOLDS):
        asked, others = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        if len(asked) and len(others):
            inputs = table[others]
            penalty = _PENALTY * np.eye(table.shape[1])
            learned.append(
                (asked, others, np.linalg.solve(inputs.T @ inputs / len(others) + penalty, inputs.T))
            )

    def predict(targets: Floats) -> Floats:
        predicted = np.zeros(targets.shape)
        for asked, others, fitted in learned:
            predicted[asked] = table[asked] @ (fitted @ targets[others] / len(others))
        # What differs by rounding alone is equal.
        return np.round(predicted, 9)

    return predict


def _centred(judged: NDArray[np.bool_]) -> Floats:
    return np.asarray(judged - judged.mean(0), np.float64)


def areas(scores: Floats, judged: NDArray[np.bool_]) -> Floats:
    """The areas under the ROC curves (b,) of scores (n, b); equal scores count half.

    Example:
        >>> areas(np.array([[0.1], [0.4], [0.4], [0.9]]), np.array([[0], [1], [0], [1]]) > 0).tolist()
        [0.875]
    """
    from scipy.stats import rankdata

    positive = judged.sum(0)
    ranks = np.where(judged, rankdata(scores, axis=0), 0).sum(0)
    pairs = np.maximum(positive * (len(judged) - positive), 1)
    return np.asarray((ranks - positive * (positive + 1) / 2) / pairs)


def _beyond_chance(
    predict: Callable[[Floats], Floats], area: float, judged: NDArray[np.bool_], units: NDArray[np.intp]
) -> bool:
    """Whether so few random deals reach the area that it is no chance; no more are made than it takes."""
    rng = np.random.default_rng(0)
    sides = np.zeros(units.max() + 1, dtype=bool)
    sides[units] = judged
    allowed, reached = int(alpha() * (_DEALS + 1)) - 1, 0
    for start in range(0, _DEALS, _DEALS_AT_ONCE):
        deals = range(start, min(start + _DEALS_AT_ONCE, _DEALS))
        dealt = np.stack([rng.permutation(sides)[units] for _ in deals], axis=1)
        reached += int((areas(predict(_centred(dealt)), dealt) >= area).sum())
        if reached > allowed:
            return False
    return True


def _most_different(columns: list[Column], judged: NDArray[np.bool_]) -> tuple[str, ...]:
    apart = {column.name: difference(column, judged) for column in columns}
    return tuple(sorted(apart, key=lambda name: (-apart[name], name))[:_NAMED])


def difference(column: Column, judged: NDArray[np.bool_]) -> float:
    """The largest difference between two distributions, 0 to 1; of texts, half the sum of all differences."""
    import pandas as pd

    numbers = None if column.numbers is None else np.nan_to_num(column.numbers, nan=-np.inf)
    codes = pd.factorize(column.texts if numbers is None else numbers, sort=numbers is not None)[0]
    shares = [np.bincount(codes[rows], minlength=codes.max() + 1) / rows.sum() for rows in (judged, ~judged)]
    apart = shares[0] - shares[1]
    return float(np.abs(apart).sum() / 2 if column.texts is not None else np.abs(np.cumsum(apart)).max())


measure_test = measure("test")
measure_validation = measure("validation")


def why_not_validation(splits: Splits) -> str:
    """Why validation cannot be compared with train, or nothing."""
    return "" if len(splits.validation) else "there are no validation rows"
