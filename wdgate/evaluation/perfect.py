"""Which calibration error would a perfectly calibrated model show, on as many rows and as sure of them?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wdgate.evaluation.cells import Grid, equal_mass, fine_grid

Floats = NDArray[np.floating]

# Random numbers a figure, which keep it below a tenth of a second; a thousand draws are within 1 %.
NUMBERS = 2_000_000
MOST_DRAWS, FEWEST_DRAWS = 1000, 20


def ece_if_perfect(confidence: Floats, weights: Floats | None = None, bins: int = 15) -> float:
    """The mean `ece` of a model that is right as often as it says, on rows of these confidences (N,).

    By simulation with a fixed seed: each row is right with the probability of its confidence, independently
    of the others. The same rows in another order give the same figure. NaN without rows.

    Example:
        >>> [round(ece_if_perfect(np.linspace(0.94, 1, rows)), 2) for rows in (100, 360)]
        [0.05, 0.03]
    """
    return _mean_error(*_sorted(confidence, weights), bins=bins)


def smooth_ece_if_perfect(confidence: Floats, weights: Floats | None = None) -> float:
    """The mean `smooth_ece` of a model that is right as often as it says; see `ece_if_perfect`."""
    return _mean_error(*_sorted(confidence, weights), bins=None, cost=10)


def classwise_ece_if_perfect(probs: Floats, weights: Floats | None = None, bins: int = 15) -> float:
    """The mean `classwise_ece` of a model whose probs (N, C) are true; see `ece_if_perfect`."""
    classes = probs.shape[1]
    every = [_mean_error(*_sorted(probs[:, k], weights), bins=bins, cost=classes) for k in range(classes)]
    return float(np.mean(every))


def _sorted(confidence: Floats, weights: Floats | None) -> tuple[Floats, Floats]:
    values = np.clip(np.asarray(confidence, np.float64), 0.0, 1.0)
    counted = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    order = np.lexsort((counted, values))
    return values[order], counted[order]


def _mean_error(confidence: Floats, weights: Floats, bins: int | None, cost: int = 1) -> float:
    if not weights.sum() > 0 or not np.isfinite(confidence).all():
        return float("nan")
    grid = fine_grid(confidence) if bins is None else equal_mass(confidence, weights, bins)
    draws = int(
        np.clip(NUMBERS / cost / len(confidence), FEWEST_DRAWS, max(MOST_DRAWS // cost, FEWEST_DRAWS))
    )
    generator = np.random.default_rng(0)
    share = weights / weights.sum()
    return float(np.mean([_one_error(grid, confidence, share, generator) for _ in range(draws)]))


def _one_error(grid: Grid, confidence: Floats, share: Floats, generator: np.random.Generator) -> float:
    right = generator.random(len(confidence)) < confidence
    sums = np.asarray(np.bincount(grid.place, share * (confidence - right), grid.cells), np.float64)
    return grid.error(sums)
