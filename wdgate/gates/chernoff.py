"""How low may a mean of several proportions be, each of which a few rows have shown?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TILTS = 200
HALVINGS = 30


def mean_share_lower(shares: Floats, rows: Floats, alpha: float) -> float:
    """A lower bound of the mean of proportions (C,) of independent rows, at error probability `alpha`.

    The smallest mean under which so large an observed one has Chernoff's (1952) probability of alpha or more,
    whatever the single proportions are: those with that mean that make it largest are looked for. It errs at
    most at alpha for any numbers of rows. Of one proportion that is always 1 it is Clopper & Pearson's bound,
    and elsewhere about a quarter further away.

    Args:
        shares: observed proportions (C,).
        rows: of each (C,); effective numbers where rows are weighted.
        alpha: the error probability.

    Example:
        >>> bound = mean_share_lower(np.array([1.0]), np.array([100.0]), 0.0025)
        >>> round(bound, 4), round(0.0025**0.01, 4)
        (0.9418, 0.9418)
    """
    observed = float(np.mean(shares))
    low, high = 0.0, observed
    tilts = np.geomspace(0.1, 60 * len(rows) * max(float(rows.max()), 1.0), TILTS)[:, None]
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        likely = _log_tail(observed, middle, rows, tilts) >= np.log(alpha)
        low, high = (low, middle) if likely else (middle, high)
    return low


def _log_tail(observed: float, mean: float, rows: Floats, tilts: Floats) -> float:
    """The logarithm of a probability that a mean of at least `observed` does not exceed."""
    powers = tilts / (len(rows) * rows)  # (S, C)
    with np.errstate(over="ignore"):
        worst = _worst(mean, rows, 1 / np.expm1(powers))
    # The logarithm of 0 is meant: a proportion of 0 or 1 is among those that may be worst.
    with np.errstate(divide="ignore"):
        moments = np.logaddexp(np.log1p(-worst), np.log(worst) + powers)
    return float(((rows * moments).sum(axis=1) - tilts[:, 0] * observed).min())


def _worst(mean: float, rows: Floats, inverse: Floats) -> Floats:
    """The proportions (S, C) of this mean under which the tilted sum is largest: a concave maximum."""
    low = np.zeros((len(inverse), 1))
    high = ((1 + inverse) / rows).max(axis=1, keepdims=True)
    for _ in range(2 * HALVINGS):
        middle = (low + high) / 2
        enough = np.clip(rows * middle - inverse, 0, 1).mean(axis=1, keepdims=True) >= mean
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.asarray(np.clip(rows * high - inverse, 0, 1), np.float64)
