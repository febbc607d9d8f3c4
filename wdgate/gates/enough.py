"""Have enough rows that differ been seen, for their spread to bound a mean?

A spread says nothing of values that were not drawn. Rows that are alike have none at all, so that a bound by
it alone would be the observed mean itself, on two rows as on two thousand.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

FEWEST = 10
"""Independent rows, or groups, from which on a spread is taken to be known."""

# Values that differ by less, relative to the largest, differ by rounding.
ROUNDING = 1e-9


def kish(masses: Floats) -> Any:
    """How many units of equal weight say as much as these (..., G) do (Kish 1965); NaN where none weighs.

    Example:
        >>> float(kish(np.array([1.0, 1.0, 0.0]))), round(float(kish(np.array([100.0] + [1.0] * 100))), 2)
        (2.0, 3.96)
    """
    squares = (masses**2).sum(axis=-1)
    return np.where(squares > 0, masses.sum(axis=-1) ** 2 / np.where(squares > 0, squares, 1.0), np.nan)[()]


def too_few_units(independent: float, times: float = 1.0) -> bool:
    """Whether there are fewer than ten units; blocks that differ by a row count as equal ones do."""
    return not round(times * np.nan_to_num(independent)) >= FEWEST


def too_few_differ(deviations: Floats, weights: Floats, mean: Any, alpha: float, times: float = 1.0) -> Any:
    """Whether so few units differ from the most frequent value that their share cannot be told.

    Of a kind of units that a sample misses altogether with probability alpha, it holds ln(1 / alpha) on
    average: 6 at .0025, 3 at .05. Fewer than these do not show how large the others may be.

    Args:
        deviations: what each unit adds to the mean (..., G).
        weights: what each unit weighs (G,), above 0.
        mean: of the units (...); it says which differences are rounding.
        alpha: the error probability of a bound.
        times: as if there were so many times the units.
    """
    values = deviations / (weights / weights.sum())
    # The middle one is the most frequent, where the others are few.
    middle = np.sort(values, axis=-1)[..., values.shape[-1] // 2, None]
    size = np.abs(values).max(axis=-1, initial=0.0) + np.abs(mean)
    differ = np.abs(values - middle) > ROUNDING * size[..., None]
    return times * np.nan_to_num(kish(np.where(differ, weights, 0.0))) < math.log(1 / alpha)


def why_untold(independent: float, groups: bool) -> str:
    """Why there are no bounds, as a clause."""
    unit = "groups of test rows" if groups else "independent test rows"
    if too_few_units(independent):
        return f"it takes {FEWEST} {unit}, and there are {independent:.3g}"
    return f"too few {unit} differ from the others to tell how far the rest may"
