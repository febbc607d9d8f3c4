"""How far may the mean over classes be from what a few rows of each have shown?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wdgate.gates.bounds import Bounds, Floats

Rows = NDArray[np.intp]
# The bounds of some rows at an error probability.
Part = Callable[[Rows, float], Bounds]


def mean_over_classes(
    part: Part, targets: NDArray[Any], classes: Sequence[str], groups: NDArray[Any] | None, alpha: float
) -> Bounds:
    """Bounds of the mean over classes of what `part` bounds in each, at error probability `alpha`.

    Rows of different classes are independent: the distances of the classes' own bounds, each at alpha, are
    added as squares (MOVER, Zou & Donner 2008), which with exact bounds of each class keeps alpha on a handful
    of rows too. Where a group holds rows of several classes they are not independent: the classes are bounded
    at alpha over their number, and the distances added as they are (Bonferroni).

    Args:
        part: bounds a class, given its rows.
        targets: true classes (N,).
        classes: their names; without a row of one of them nothing is known of the mean.
        groups: the unit of each row (N,), or None.
        alpha: the error probability of each bound.
    """
    rows = [np.flatnonzero(targets == one) for one in range(len(classes))]
    missing = next((name for name, some in zip(classes, rows, strict=True) if not len(some)), None)
    if missing is not None:
        nan = float("nan")
        return Bounds(nan, nan, nan, len(targets), remark=f"no test row is of class {missing}")
    apart = groups is None or _one_class_a_group(targets, groups)
    each = [part(some, alpha if apart else alpha / len(classes)) for some in rows]

    def method(times: float) -> tuple[float, float]:
        return _combined(each, times, squares=apart)

    observed = float(np.mean([bounds.observed for bounds in each]))
    return Bounds(observed, *method(1.0), len(targets), method)


def rows_of_classes(
    targets: NDArray[Any], count: int, groups: NDArray[Any] | None, weights: Floats | None
) -> Floats:
    """The independent rows of each class (C,): groups that hold it, weighted ones as Kish (1965) counts.

    Example:
        >>> rows_of_classes(np.array([0, 0, 1, 1]), 2, np.array([0, 0, 1, 2]), None).tolist()
        [1.0, 2.0]
    """
    mass = np.ones(len(targets)) if weights is None else np.asarray(weights, np.float64)
    unit = np.arange(len(targets)) if groups is None else np.unique(groups, return_inverse=True)[1].ravel()
    of_class = [np.bincount(unit[targets == one], mass[targets == one]) for one in range(count)]
    return np.array([_kish(np.asarray(masses, np.float64)) for masses in of_class])


def _combined(each: Sequence[Bounds], times: float, squares: bool) -> tuple[float, float]:
    pairs = np.array([bounds.on_times_the_rows(times) for bounds in each])  # (C, 2)
    observed = np.array([bounds.observed for bounds in each])
    below, above = observed - pairs[:, 0], pairs[:, 1] - observed
    sides = [float(np.sqrt((side**2).sum()) if squares else side.sum()) for side in (below, above)]
    middle = float(observed.mean())
    return middle - sides[0] / len(each), middle + sides[1] / len(each)


def _one_class_a_group(targets: NDArray[Any], groups: NDArray[Any]) -> bool:
    _, unit = np.unique(groups, return_inverse=True)
    return len(np.unique(np.stack([unit.ravel(), targets]), axis=1).T) == int(unit.max(initial=-1)) + 1


def _kish(masses: Floats) -> float:
    squares = float((masses**2).sum())
    return float(masses.sum() ** 2 / squares) if squares > 0 else 0.0
