"""How far from the observed mean may the true one be?

All bounds are one-sided: each is wrong with probability alpha, so a lower and an upper one together
make an interval of level 1 - 2 alpha. Where rows belong to groups, the group is the unit: rows of one
patient are not independent, and a bound that takes them for that is far too narrow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.floating]
# A number, or an array of numbers, which gives an array back: one a simulated test set.
Number = Any


@dataclass(frozen=True)
class Bounds:
    """An observed number between its one-sided confidence bounds, and the rows that it comes from.

    Args:
        observed: the number.
        lower, upper: its bounds.
        rows: how many rows it comes from.
        method: gives the bounds that the same number would have on so many times the rows; None where
            only the common rule is known, that they come nearer with the square root of the rows.
        remark: a clause that is said with the answer: why there are no bounds, or what to compare them with.
    """

    observed: float
    lower: float
    upper: float
    rows: int
    method: Callable[[float], tuple[float, float]] | None = field(default=None, compare=False, repr=False)
    remark: str = ""

    def on_times_the_rows(self, times: float) -> tuple[float, float]:
        """The bounds, were there so many times the rows and nothing else different."""
        if self.method is not None:
            return self.method(times)
        nearer = times**0.5
        below, above = (self.observed - self.lower) / nearer, (self.upper - self.observed) / nearer
        return self.observed - below, self.observed + above


def mean_bounds(
    values: Floats,
    alpha: float,
    groups: NDArray[Any] | None = None,
    weights: Floats | None = None,
    span: tuple[float, float] = (-np.inf, np.inf),
) -> Bounds:
    """Bounds of the (weighted) mean of scores (N,), each at error probability `alpha`.

    Scores of 0 and 1 alone are a proportion: Clopper & Pearson (1934) on independent rows; on groups or
    weighted rows the same on the effective number of rows, after Korn & Graubard (1998), or
    `studentized` where that is wider, as it is when a few groups are much worse than the rest. Other
    scores: `studentized`, with room for what no row has shown where the score's `span` (the least and
    the most that it can be) is finite. NaN where there is no row or a score is not finite.

    Example:
        >>> bounds = mean_bounds(np.repeat([1.0, 0.0], [654, 46]), alpha=0.0025)
        >>> round(bounds.observed, 4), round(bounds.lower, 4)
        (0.9343, 0.9037)
    """
    if not len(values) or not np.isfinite(values).all():
        return Bounds(float("nan"), float("nan"), float("nan"), len(values))
    proportion = bool(np.isin(values, (0.0, 1.0)).all())
    if proportion and groups is None and weights is None:
        return proportion_bounds(float(values.sum()), len(values), alpha)
    units = linearized(values, groups, weights)
    return Bounds(units.mean, *unit_bounds(units, alpha, proportion, span), len(values))


def unit_bounds(
    units: Units, alpha: float, proportion: bool, span: tuple[float, float] = (-np.inf, np.inf)
) -> tuple[Number, Number]:
    """The bounds of the mean of units that are groups, or weighted, or no proportion; see `mean_bounds`.

    Units of several test sets (S, G) give the bounds of each (S,).
    """
    lower, upper = studentized(units.mean, units.deviations, alpha)
    if proportion:
        rows = effective_rows(units, units.mean * (1 - units.mean), alpha)
        least, most = clopper_pearson(units.mean * rows, rows, alpha)
        lower, upper = _larger(0.0, _smaller(lower, least)), _smaller(1.0, _larger(upper, most))
    elif np.isfinite(span).all():
        lower, upper = _with_room(units, (lower, upper), span, alpha)
    return lower, upper


def _with_room(
    units: Units, bounds: tuple[Number, Number], span: tuple[float, float], alpha: float
) -> tuple[Number, Number]:
    """Bounds that hold too if a share of units lies at the end of the span, and none of them was drawn.

    All of n units miss a share of 1 - alpha^(1 / n) with probability alpha. Where the units are much
    alike nothing else widens the bounds.
    """
    unseen = 1 - alpha ** (1 / units.deviations.shape[-1])
    lower, upper = bounds
    return (
        _smaller(lower, units.mean - (units.mean - span[0]) * unseen),
        _larger(upper, units.mean + (span[1] - units.mean) * unseen),
    )


def proportion_bounds(successes: float, rows: int, alpha: float) -> Bounds:
    """Exact bounds of the share of independent rows that are successes, each at error probability `alpha`."""
    return Bounds(
        successes / rows,
        *clopper_pearson(successes, rows, alpha),
        rows,
        method=lambda times: clopper_pearson(successes * times, rows * times, alpha),
    )


def clopper_pearson(successes: Number, rows: Number, alpha: float) -> tuple[Number, Number]:
    """Exact one-sided bounds of a proportion (Clopper & Pearson 1934); rows may be an effective number.

    Wilson's interval is shorter and errs more often than it says (.055 instead of .05 at 288 rows).
    Arrays of successes give arrays of bounds.

    Example:
        >>> [round(bound, 4) for bound in clopper_pearson(0, 100, alpha=0.05)]
        [0.0, 0.0295]
    """
    failures = rows - successes
    none, all_of_them = np.less_equal(successes, 0), np.less_equal(failures, 0)
    some, any_wrong = np.where(none, 1, successes), np.where(all_of_them, 1, failures)
    lower = np.where(none, 0.0, special.betaincinv(some, np.maximum(failures, 0) + 1, alpha))
    upper = np.where(all_of_them, 1.0, special.betaincinv(np.maximum(successes, 0) + 1, any_wrong, 1 - alpha))
    return (lower, upper) if lower.ndim else (float(lower), float(upper))


@dataclass(frozen=True, eq=False)
class Units:
    """A mean over independent units: rows, or groups of rows. Of several test sets all are (S, ...).

    Args:
        mean: the weighted mean over all rows.
        deviations: what each unit adds to it (G,); they add up to 0, and G / (G - 1) times the sum of
            their squares estimates its variance (Taylor linearization of a ratio).
        weights: what each unit weighs (G,).
        rows: how many rows there are.
    """

    mean: Number
    deviations: Floats
    weights: Floats
    rows: int

    @property
    def variance(self) -> Number:
        """Of the mean; NaN with fewer than two units."""
        count = self.deviations.shape[-1]
        return _plain((self.deviations**2).sum(axis=-1) * count / (count - 1)) if count > 1 else float("nan")


def linearized(values: Floats, groups: NDArray[Any] | None = None, weights: Floats | None = None) -> Units:
    """What each unit of scores (N,) adds to their mean; rows are the units where `groups` is None.

    Scores of several test sets (S, N) have no groups: the mean of a group is one score of it.
    """
    mass = np.ones(values.shape[-1]) if weights is None else np.asarray(weights, np.float64)
    total = mass.sum()
    mean = (mass * values).sum(axis=-1) / total if total > 0 else np.full(values.shape[:-1], np.nan)
    deviations = mass * (values - mean[..., None]) / (total or 1.0)
    if groups is None:
        return Units(_plain(mean), deviations, mass, values.shape[-1])
    _, unit = np.unique(groups, return_inverse=True)
    by_group = [np.asarray(np.bincount(unit.ravel(), each), np.float64) for each in (deviations, mass)]
    return Units(_plain(mean), by_group[0], by_group[1], len(values))


def studentized(observed: Number, deviations: Floats, alpha: float) -> tuple[Number, Number]:
    """Bounds of a mean from what each of G independent units adds to it (G,), corrected for skewness.

    Student's t alone errs too often on the side of the longer tail: (confidence - correct) of a good
    model is small on most rows and large on a few. Hall's (1992) monotone cubic transformation of the
    t statistic takes the skewness out, here with the quantiles of t with G - 1 degrees of freedom. Each
    bound is the wider of the two, for the correction may overshoot on the other side.

    NaN with fewer than two units; both bounds are `observed` where all units are alike. Means (S,) with
    deviations (S, G) give bounds (S,).
    """
    count = deviations.shape[-1]
    if count < 2 or not np.isfinite(deviations).all():
        nothing = np.full(deviations.shape[:-1], np.nan)
        return _plain(nothing), _plain(nothing)
    size = np.abs(deviations).max(axis=-1)
    # In units of the largest, so that the cubes of very small ones are not lost.
    deviations = deviations / np.where(size == 0, 1.0, size)[..., None]
    squares = (deviations**2).sum(axis=-1)
    error = size * np.sqrt(squares * count / (count - 1))
    quantile = float(special.stdtrit(count - 1, 1 - alpha))
    # The skewness of a unit over the root of their number: all that the correction needs.
    skewness = (deviations**3).sum(axis=-1) / np.where(squares == 0, 1.0, squares) ** 1.5
    upwards = np.maximum(quantile, _hall(quantile, skewness))
    downwards = np.maximum(quantile, -_hall(-quantile, skewness))
    return _plain(observed - error * upwards), _plain(observed + error * downwards)


def effective_rows(units: Units, row_variance: Number, alpha: float) -> Number:
    """How many independent rows would determine the mean as well as these grouped or weighted ones do.

    The variance of one row over the variance of the mean, less what the few degrees of freedom of the
    latter cost (Korn & Graubard 1998). Never more than there are groups, weighted rows counting as Kish
    (1965) counts them: a few groups in which everything is wrong can be missing from a sample by chance,
    and its variance does not tell (with 30 groups of 20 rows a bound without this limit erred 9 % of the
    time at alpha .0025).
    """
    kish = float(units.weights.sum() ** 2 / (units.weights**2).sum())
    count, variance = units.deviations.shape[-1], units.variance
    # Written as "above 0", so that NaN counts as not known.
    known = np.logical_and(np.greater(variance, 0), np.greater(row_variance, 0))
    if count < 2 or not known.any():
        return _plain(np.full(np.shape(known), kish))
    few = float(special.ndtri(1 - alpha) / special.stdtrit(count - 1, 1 - alpha))
    rows = row_variance / np.where(known, variance, 1.0) * few**2
    return _plain(np.where(known, np.minimum(rows, kish), kish))


def _hall(quantile: float, skewness: Number) -> Number:
    skewed = np.abs(skewness) >= 1e-9
    safe = np.where(skewed, skewness, 1.0)
    inside = 1 + safe * (quantile - safe / 6)
    return np.where(skewed, 3 / safe * (np.cbrt(inside) - 1), quantile)


def _plain(value: Any) -> Number:
    """A number as one, an array as an array: what is recorded of one test set holds no arrays."""
    return value if np.ndim(value) else float(value)


def _smaller(one: Number, other: Number) -> Number:
    return _plain(np.minimum(one, other))


def _larger(one: Number, other: Number) -> Number:
    return _plain(np.maximum(one, other))
