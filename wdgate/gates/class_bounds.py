"""How far may the mean over classes be from what a few rows of each have shown?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wdgate.gates.bounds import Bounds, Floats, effective_rows, linearized, mean_bounds
from wdgate.gates.chernoff import mean_share_lower

Rows = NDArray[np.intp]
# The bounds of some rows at an error probability.
Part = Callable[[Rows, float], Bounds]


def balanced_bounds(
    right: Floats,
    targets: NDArray[Any],
    classes: Sequence[str],
    groups: NDArray[Any] | None,
    weights: Floats | None,
    alpha: float,
) -> Bounds:
    """Bounds of the mean over classes of the share of rows (N,) that are right, at error probability `alpha`.

    Chernoff's (1952), which hold for any numbers of rows; where there are groups or weights, on the effective
    numbers, or those of `mean_over_classes` where they are wider; those alone where a group holds rows of
    several classes. Adding the distances of exact bounds as squares, without more, errs up to .03 at alpha
    .0025 where recalls of a few rows are near 0.
    """
    units: list[tuple[float, float]] = []

    def part(rows: Rows, share: float) -> Bounds:
        some = (None if groups is None else groups[rows], None if weights is None else weights[rows])
        found = linearized(right[rows], *some)
        plain = groups is None and weights is None
        count = len(rows) if plain else effective_rows(found, found.mean * (1 - found.mean), share)
        units.append((found.mean, float(count)))
        return mean_bounds(right[rows], share, *some)

    wide = mean_over_classes(part, targets, classes, groups, alpha)
    if not np.isfinite(wide.observed) or not _independent(targets, groups):
        return wide
    shares, counts = np.array(units).T

    def method(times: float) -> tuple[float, float]:
        lower = mean_share_lower(shares, counts * times, alpha)
        upper = 1 - mean_share_lower(1 - shares, counts * times, alpha)
        if groups is None and weights is None:
            return lower, upper
        least, most = wide.on_times_the_rows(times)
        return min(lower, least), max(upper, most)

    return Bounds(wide.observed, *method(1.0), len(targets), method)


def mean_over_classes(
    part: Part, targets: NDArray[Any], classes: Sequence[str], groups: NDArray[Any] | None, alpha: float
) -> Bounds:
    """Bounds of the mean over classes of what `part` bounds in each, at error probability `alpha`.

    Rows of different classes are independent: the distances of the classes' own bounds, each at alpha, are
    added as squares (MOVER, Zou & Donner 2008). Where a group holds rows of several classes they are not: the
    classes are bounded at alpha over their number, and the distances added as they are (Bonferroni).

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
    apart = _independent(targets, groups)
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


def _independent(targets: NDArray[Any], groups: NDArray[Any] | None) -> bool:
    """Whether no group holds rows of several classes."""
    if groups is None:
        return True
    _, unit = np.unique(groups, return_inverse=True)
    pairs = np.unique(np.stack([unit.ravel(), targets]), axis=1)
    return bool(pairs.shape[1] == unit.max(initial=-1) + 1)


def _kish(masses: Floats) -> float:
    squares = float((masses**2).sum())
    return float(masses.sum() ** 2 / squares) if squares > 0 else 0.0
