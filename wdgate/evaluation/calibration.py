"""Does the model know how often it is right?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wdgate.evaluation.cells import Grid, equal_mass, fine_grid

Floats = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Reliability:
    """Confidence beside accuracy, a bin: what a reliability plot shows.

    Args:
        confidence: mean confidence of the rows in each bin (B,).
        accuracy: share of them that is right (B,).
        count: how many rows they are (B,).
        weight: what they weigh (B,); the count where rows have no weights.
        effective: how many rows of equal weight would tell as much (B,), after Kish (1965).
    """

    confidence: Floats
    accuracy: Floats
    count: NDArray[np.integer]
    weight: Floats
    effective: Floats


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
    place = equal_mass(confidence, counted, bins).place
    weight = np.asarray(np.bincount(place, counted, bins), np.float64)
    filled = weight > 0
    # Dividing empty bins would warn; they are dropped instead.
    return Reliability(
        confidence=np.bincount(place, counted * confidence, bins)[filled] / weight[filled],
        accuracy=np.bincount(place, counted * correct, bins)[filled] / weight[filled],
        count=np.bincount(place, minlength=bins)[filled],
        weight=weight[filled],
        effective=weight[filled] ** 2 / np.bincount(place, counted**2, bins)[filled],
    )


def ece(confidence: Floats, correct: Floats, weights: Floats | None = None, bins: int = 15) -> float:
    """Expected calibration error: the mean |confidence - accuracy| over bins of equal mass; NaN without rows.

    It overstates the error of a well calibrated model on few rows; `ece_if_perfect` says by how much a
    perfect one would show.

    Example:
        >>> round(ece(np.array([0.6, 0.7, 0.8, 0.9]), np.array([0.0, 1.0, 1.0, 1.0]), bins=2), 3)
        0.15
    """
    return _measured(equal_mass(confidence, weights, bins), confidence, correct, weights)


def smooth_ece(confidence: Floats, correct: Floats, weights: Floats | None = None) -> float:
    """Smooth calibration error of Blasiok & Nakkiran (2023), which has no bins to choose; NaN without rows.

    Confidence minus correct is smoothed over the confidences with a Gaussian kernel reflected at 0 and 1,
    and its absolute value integrated; the kernel's width is the one that equals the error it gives.

    Example:
        >>> round(smooth_ece(np.full(10, 0.8), np.repeat([1.0, 0.0], 5)), 3)
        0.3
    """
    return _measured(fine_grid(confidence), confidence, correct, weights)


def l2_ece(confidence: Floats, correct: Floats, weights: Floats | None = None, bins: int = 15) -> float:
    """Debiased root mean squared calibration error (Kumar, Liang & Ma 2019); NaN without rows.

    The root of `squared_ece`, 0 where that is negative, as it is of every other perfect model.

    Example:
        >>> round(l2_ece(np.full(400, 0.8), np.repeat([1.0, 0.0], 200)), 3)
        0.299
    """
    squared = squared_ece(confidence, correct, weights, bins)
    return float(np.sqrt(np.maximum(squared, 0.0)))


def squared_ece(confidence: Floats, correct: Floats, weights: Floats | None = None, bins: int = 15) -> float:
    """The sum over bins of equal mass of p_b ((conf_b - acc_b)^2 - acc_b (1 - acc_b) / (n_b - 1)).

    p_b is the bin's share of the mass, and n_b its rows; of weighted rows, as many as Kish (1965) counts.
    What is subtracted estimates the variance of acc_b, so that the mean over many test sets is the true
    squared error of the binned model (Kumar, Liang & Ma 2019, the debiased estimator of section 4). Bins hold
    two rows or more, unless equal confidences part them; of a single row, which has no variance,
    conf_b (1 - conf_b) is subtracted.
    """
    table = reliability(confidence, correct, weights, max(1, min(bins, len(confidence) // 2)))
    if not table.weight.sum() > 0:
        return float("nan")
    spread = table.accuracy * (1 - table.accuracy) / np.maximum(table.effective - 1, 1e-9)
    alone = table.effective < 1 + 1e-6
    noise = np.where(alone, table.confidence * (1 - table.confidence), spread)
    return float(np.average((table.confidence - table.accuracy) ** 2 - noise, weights=table.weight))


def classwise_ece(
    probs: Floats, targets: NDArray[np.integer], weights: Floats | None = None, bins: int = 15
) -> float:
    """The mean over classes of the `ece` of each class's probability (Kull et al. 2019).

    Args:
        probs: of every class (N, C).
        targets: true classes (N,).
        weights: of the rows (N,), or None.
        bins: of each class.
    """
    classes = range(probs.shape[1])
    return float(np.mean([ece(probs[:, k], targets == k, weights, bins) for k in classes]))


def _measured(grid: Grid, confidence: Floats, correct: Floats, weights: Floats | None) -> float:
    counted = np.ones(len(confidence)) if weights is None else np.asarray(weights, np.float64)
    sums = np.bincount(grid.place, counted * (np.asarray(confidence, np.float64) - correct), grid.cells)
    return grid.error(sums / counted.sum()) if counted.sum() > 0 else float("nan")
