"""How good is each prediction, and how good are they together?

Pure functions of NumPy arrays. A score is one number a row (N,); a metric is no mean of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Integers = NDArray[np.integer]

# A softmax in single precision returns 0 where the logits are more than about 100 apart. The smallest
# normal number in its place keeps the score finite, at 87 nats for the row.
SMALLEST = float(np.finfo(np.float32).tiny)


def correct(predicted: Integers, targets: Integers) -> Floats:
    """1 where the predicted class is the true one, else 0; (N,)."""
    return np.asarray(predicted == targets, np.float64)


def nll(probs: Floats, targets: Integers) -> Floats:
    """Negative log-likelihood of the true class in nats, a row (N,), from probs (N, C).

    Example:
        >>> nll(np.array([[0.5, 0.5], [0.0, 1.0]]), np.array([0, 1])).round(3).tolist()
        [0.693, -0.0]
    """
    return np.asarray(-np.log(np.maximum(_of_truth(probs, targets), SMALLEST)))


def brier(probs: Floats, targets: Integers) -> Floats:
    """Squared distance of probs (N, C) to the one-hot truth, summed over classes, a row (N,): 0 to 2.

    This is the multiclass score of Brier (1950). For two classes it is twice the one of one column.

    Example:
        >>> brier(np.array([[0.5, 0.5], [0.0, 1.0]]), np.array([0, 1])).tolist()
        [0.5, 0.0]
    """
    squares = (np.asarray(probs, np.float64) ** 2).sum(axis=1)
    return np.asarray(squares - 2 * _of_truth(probs, targets) + 1)


def balanced_accuracy(predicted: Integers, targets: Integers, weights: Floats | None = None) -> float:
    """The mean recall of the classes that occur; NaN without rows.

    Example:
        >>> balanced_accuracy(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]))
        0.75
    """
    counted = np.ones(len(targets)) if weights is None else weights
    totals = np.bincount(targets, counted)
    hits = np.bincount(targets, counted * (predicted == targets), minlength=len(totals))
    occurs = totals > 0
    return float((hits[occurs] / totals[occurs]).mean()) if occurs.any() else float("nan")


def r2(predicted: Floats, targets: Floats, weights: Floats | None = None) -> float:
    """The share of the targets' variance that the predictions explain; NaN where the targets are constant.

    Example:
        >>> r2(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]))
        0.5
    """
    counted = np.ones(len(targets)) if weights is None else weights
    truth = np.asarray(targets, np.float64)
    if not counted.sum() > 0:
        return float("nan")
    unexplained = float((counted * squared(truth - predicted)).sum())
    spread = float((counted * squared(truth - np.average(truth, weights=counted))).sum())
    known = 0 < spread < float("inf") and unexplained < float("inf")
    return 1 - unexplained / spread if known else float("nan")


def squared(error: Floats) -> Floats:
    """The squares (N,) of errors; infinite where one has too many digits, which no gate lets pass."""
    with np.errstate(over="ignore"):
        return np.asarray(np.asarray(error, np.float64) ** 2)


def pinball(quantiles: Floats, targets: Floats, levels: Sequence[float]) -> Floats:
    """Mean over levels q of max(q e, (q - 1) e), e being the target minus the quantile, a row (N,).

    Args:
        quantiles: predicted ones (N, Q).
        targets: true values (N,).
        levels: of the quantiles (Q,), each above 0 and below 1.

    Example:
        >>> pinball(np.array([[1.0], [3.0]]), np.array([2.0, 2.0]), [0.9]).round(3).tolist()
        [0.9, 0.1]
    """
    error = np.asarray(targets, np.float64)[:, None] - quantiles
    share = np.asarray(levels, np.float64)
    return np.asarray(np.maximum(share * error, (share - 1) * error).mean(axis=1))


def _of_truth(probs: Floats, targets: Integers) -> NDArray[Any]:
    return np.asarray(probs, np.float64)[np.arange(len(targets)), targets]


def as_counts(weights: Floats | None, rows: int) -> Floats:
    """How many rows each of some rows stands for (N,), `rows` together; one each where nothing has a weight.

    Example:
        >>> as_counts(np.array([3.0, 1.0]), 2).tolist(), as_counts(None, 2).tolist()
        ([1.5, 0.5], [1.0, 1.0])
    """
    if weights is None or not weights.sum() > 0:
        return np.ones(rows)
    return np.asarray(weights * (rows / weights.sum()), np.float64)
