"""How well does a probability order the rows, and what does each row add to that?

A ranking is no mean of rows, but its change with the weight of each row is known in closed form, so
that its bound needs no measuring again without them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Ranking:
    """A number between 0 and 1, and what each row adds to it.

    Args:
        value: NaN where the rows do not define it.
        added: weight times the derivative of `value` in it, a row (N,); they add up to 0.
    """

    value: float
    added: Floats


Ranked = Callable[[Floats, Flags, Floats | None], Ranking]


def roc(confidence: Floats, positive: Flags, weights: Floats | None = None) -> Ranking:
    """The area under the ROC curve: how probably a positive row has more confidence than a negative one.

    Ties count half (Hanley & McNeil 1982). What a row adds is the share of the other class that it is on
    the right side of, less the area (DeLong, DeLong & Clarke-Pearson 1988).

    Example:
        >>> roc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])).value
        0.75
    """
    level, positives, negatives = _levels(confidence, positive, weights)
    up, down = positives.sum(), negatives.sum()
    if not (up > 0 and down > 0):
        return Ranking(float("nan"), np.full(len(positive), np.nan))
    below = (np.cumsum(negatives) - negatives / 2) / down
    above = (up - np.cumsum(positives) + positives / 2) / up
    value = float((positives * below).sum() / up)
    mass = _mass(positive, weights)
    right, of_class = np.where(positive, below[level], above[level]), np.where(positive, up, down)
    return Ranking(value, mass * (right - value) / of_class)


def precision_recall(confidence: Floats, positive: Flags, weights: Floats | None = None) -> Ranking:
    """Average precision: the mean over positive rows of the share of positives among rows at least as sure.

    Rows of the same confidence share a step, as in scikit-learn; nothing is interpolated.

    Example:
        >>> confidence, positive = np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])
        >>> round(precision_recall(confidence, positive).value, 3)
        0.833
    """
    level, positives, negatives = _levels(confidence, positive, weights)
    up = positives.sum()
    if not up > 0:
        return Ranking(float("nan"), np.full(len(positive), np.nan))
    hits = _from_above(positives)
    called = hits + _from_above(negatives)
    precision = np.divide(hits, called, out=np.zeros_like(hits), where=called > 0)
    value = float((positives * precision).sum() / up)
    # A row lowers the precision of every positive that is not surer than it, or raises it if it is positive.
    share = np.divide(positives, called, out=np.zeros_like(hits), where=called > 0)
    lowers, raises = np.cumsum(share * precision), np.cumsum(share)
    change = positive * (precision[level] - value + raises[level]) - lowers[level]
    return Ranking(value, _mass(positive, weights) * change / up)


def macro(
    ranked: Ranked, probs: Floats, targets: NDArray[np.integer], weights: Floats | None = None
) -> Ranking:
    """The mean over classes of each class against the rest; of two classes, that of the second alone.

    Args:
        ranked: `roc` or `precision_recall`.
        probs: of every class (N, C).
        targets: true classes (N,).
        weights: of the rows (N,), or None.

    Returns:
        NaN where a class has no row: what is known of the others is no mean over all.
    """
    classes = [1] if probs.shape[1] == 2 else range(probs.shape[1])
    value, added = 0.0, np.zeros(len(targets))
    for one in classes:
        of_class = ranked(probs[:, one], targets == one, weights)
        value, added = value + of_class.value / len(classes), added + of_class.added / len(classes)
    return Ranking(value, added)


def _levels(
    confidence: Floats, positive: Flags, weights: Floats | None
) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Each row's place among the different confidences, and the mass of either class at each of them."""
    _, level = np.unique(confidence, return_inverse=True)
    mass = _mass(positive, weights)
    positives, negatives = np.bincount(level, mass * positive), np.bincount(level, mass * ~positive)
    return level, np.asarray(positives, np.float64), np.asarray(negatives, np.float64)


def _mass(positive: Flags, weights: Floats | None) -> Floats:
    return np.ones(len(positive)) if weights is None else np.asarray(weights, np.float64)


def _from_above(values: Floats) -> Floats:
    return np.asarray(np.cumsum(values[::-1])[::-1])
