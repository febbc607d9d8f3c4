"""Does the model know how often it is right?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Reliability:
    """Confidence beside accuracy, a bin: what a reliability plot shows.

    Args:
        confidence: mean confidence of the rows in each bin (B,).
        accuracy: share of them that is right (B,).
        count: how many rows they are (B,).
        weight: what they weigh (B,); the count where rows have no weights.
    """

    confidence: Floats
    accuracy: Floats
    count: NDArray[np.integer]
    weight: Floats


def confidence(probs: Floats) -> Floats:
    """The probability of the most probable class (N,), from probs (N, C)."""
    return np.asarray(np.max(probs, axis=1), np.float64)


def reliability(
    confidence: Floats, correct: Floats, weights: Floats | None = None, bins: int = 15
) -> Reliability:
    """Rows (N,) in `bins` bins of equal mass, from the least to the most confident; empty bins are left out.

    Equal mass rather than equal width, because most rows of a good network lie in the last bin of
    equal width (Nguyen & O'Connor 2015). Rows of the same confidence share a bin, so that the order
    of the rows changes nothing.

    Example:
        >>> table = reliability(np.array([0.6, 0.7, 0.8, 0.9]), np.array([0.0, 1.0, 1.0, 1.0]), bins=2)
        >>> table.confidence.round(2).tolist(), table.accuracy.tolist(), table.count.tolist()
        ([0.65, 0.85], [0.5, 1.0], [2, 2])
    """
    counted = np.ones(len(confidence)) if weights is None else np.asarray(weights, np.float64)
    place = _bin_of_each(np.asarray(confidence, np.float64), counted, bins)
    weight = np.asarray(np.bincount(place, counted, bins), np.float64)
    filled = weight > 0
    # Dividing empty bins would warn; they are dropped instead.
    return Reliability(
        confidence=np.bincount(place, counted * confidence, bins)[filled] / weight[filled],
        accuracy=np.bincount(place, counted * correct, bins)[filled] / weight[filled],
        count=np.bincount(place, minlength=bins)[filled],
        weight=weight[filled],
    )


def ece(confidence: Floats, correct: Floats, weights: Floats | None = None, bins: int = 15) -> float:
    """Expected calibration error: the mean |confidence - accuracy| over bins of equal mass; NaN without rows.

    It overstates the error of a well calibrated model on few rows (.028 on 360 for a perfect one), so
    a bound from above is on the safe side.

    Example:
        >>> round(ece(np.array([0.6, 0.7, 0.8, 0.9]), np.array([0.0, 1.0, 1.0, 1.0]), bins=2), 3)
        0.15
    """
    table = reliability(confidence, correct, weights, bins)
    if not table.weight.sum() > 0:
        return float("nan")
    return float(np.average(np.abs(table.confidence - table.accuracy), weights=table.weight))


def _bin_of_each(confidence: Floats, weights: Floats, bins: int) -> NDArray[np.intp]:
    _, level = np.unique(confidence, return_inverse=True)
    mass = np.bincount(level, weights)
    # The middle of a level's mass decides its bin, which is never beyond the last one.
    middle = np.cumsum(mass) - mass / 2
    total = mass.sum() if mass.size else 0.0
    return np.minimum(bins * middle / (total or 1.0), bins - 1).astype(np.intp)[level]
