"""How far from the observed mean may the true one be?

All bounds are one-sided: each is wrong with probability alpha, so a lower and an upper one together
make an interval of level 1 - 2 alpha. Where rows belong to groups, the group is the unit: rows of one
patient are not independent, and a bound that takes them for that is far too narrow. How alike they are is
seen in the differences between groups, so that many rows a group do help where the groups are alike; fewer
than 30 groups show too little of it, and count as one row each. Units of different size or weight are as
many as Kish (1965) counts. Groups that are wrong as a whole, and that
the sample missed, have a price of their own where a score has a least and a most value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from wdgate.gates.enough import kish, too_few_differ, too_few_units, why_untold

Floats = NDArray[np.floating]
# A number, or an array of numbers, which gives an array back: one a simulated test set.
Number = Any

FEW_GROUPS = 30
"""Fewer groups than this count as one row each: how alike their rows are cannot be told from so few."""

MISSED = 4.0
"""A bound on groups errs up to about so many times alpha where groups may be wrong as a whole."""


SHARE, UNKNOWN = (0.0, 1.0), (-np.inf, np.inf)
"""The least and the most of a score that is right or wrong, and of one of which nobody said."""


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
        groups: how many groups the rows are in; None where each row stands for itself, or nobody said.
    """

    observed: float
    lower: float
    upper: float
    rows: int
    method: Callable[[float], tuple[float, float]] | None = field(default=None, compare=False, repr=False)
    remark: str = ""
    groups: int | None = None

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
    span: tuple[float, float] = UNKNOWN,
) -> Bounds:
    """Bounds of the (weighted) mean of scores (N,), each at error probability `alpha`.

    Scores of 0 and 1 alone are a proportion, if their `span` does not say otherwise:
    Clopper & Pearson (1934) on independent rows; on groups or
    weighted rows the same on the effective number of rows, after Korn & Graubard (1998), or `studentized`
    where that is wider, as it is when a few groups are much worse than the rest. Other scores:
    `studentized`. Where the score's `span` (the least and the most that it can be) is finite there is room
    for what was not drawn: see `with_room`. NaN where there is no row, a score is not finite, or the spread
    of what is no proportion is not known: see `spread_bounds`.

    Example:
        >>> bounds = mean_bounds(np.repeat([1.0, 0.0], [654, 46]), alpha=0.0025)
        >>> round(bounds.observed, 4), round(bounds.lower, 4)
        (0.9343, 0.9037)
    """
    if not len(values) or not np.isfinite(values).all():
        return Bounds(float("nan"), float("nan"), float("nan"), len(values))
    # Errors that happen to be 0 and 1 on these rows may be 100 on others, if they are said to have no end.
    proportion = span in (SHARE, UNKNOWN) and bool(np.isin(values, (0.0, 1.0)).all())
    if proportion and groups is None and weights is None:
        return proportion_bounds(float(values.sum()), len(values), alpha)
    units = linearized(values, groups, weights)

    def method(times: float) -> tuple[float, float]:
        return unit_bounds(units, alpha, proportion, span, times)

    many, (lower, upper) = None if groups is None else len(units.weights), method(1.0)
    remark = "" if np.isfinite(lower) else why_untold(units.independent, groups is not None)
    return Bounds(units.mean, lower, upper, len(values), method, remark, many)


def unit_bounds(
    units: Units,
    alpha: float,
    proportion: bool,
    span: tuple[float, float] = (-np.inf, np.inf),
    times: float = 1.0,
) -> tuple[Number, Number]:
    """The bounds of the mean of units that are groups, or weighted, or no proportion; see `mean_bounds`.

    Units of several test sets (S, G) give the bounds of each (S,); `times` is as if there were so many
    times the units.
    """
    if proportion:
        span, rows = (0.0, 1.0), effective_rows(units, units.mean * (1 - units.mean), alpha, times)
        least, most = clopper_pearson(units.mean * rows, rows, alpha)
        bounds = studentized(units.mean, units.deviations / times**0.5, alpha, units.independent)
        bounds = _larger(0.0, _smaller(bounds[0], least)), _smaller(1.0, _larger(bounds[1], most))
        return with_room(units, bounds, span, alpha, times)
    finite = bool(np.isfinite(span).all())
    bounds = spread_bounds(units, alpha, times, bounded=finite)
    return with_room(units, bounds, span, alpha, times) if finite else bounds


def spread_bounds(
    units: Units, alpha: float, times: float = 1.0, bounded: bool = False
) -> tuple[Number, Number]:
    """The bounds of a mean by the spread of its units alone; NaN where that is not known.

    It is not where there are fewer than ten units, as Kish (1965) counts them; nor, of a score that is not
    `bounded`, where fewer than ln(1 / alpha) of them differ from the rest: if |error| differs on 2 % of 100
    rows, none of these is drawn 1 time in 8, and the observed mean would be its own bound.
    """
    lower, upper = studentized(units.mean, units.deviations / times**0.5, alpha, units.independent)
    untold: Any = too_few_units(units.independent, times)
    if not untold and not bounded:
        untold = too_few_differ(units.deviations, units.weights, units.mean, alpha, times)
    return _plain(np.where(untold, np.nan, lower)), _plain(np.where(untold, np.nan, upper))


def with_room(
    units: Units, bounds: tuple[Number, Number], span: tuple[float, float], alpha: float, times: float = 1.0
) -> tuple[Number, Number]:
    """Bounds that hold too if some rows or groups lie at the end of the span, and none of them was drawn.

    All of n rows miss a share of 1 - alpha^(1 / n) with probability alpha. Groups that are wrong as a whole
    are rarer than rows that are: the share is that which all groups miss with probability 4 alpha, so that
    a bound errs that often where there are such groups. Taking alpha itself would cost so much (5.8 points
    on 100 groups at alpha .0025, instead of 4.5) that good models are stopped wherever there are none.
    """
    rows, groups = times * units.rows, times * units.independent
    unseen = np.maximum(1 - alpha ** (1 / rows), missed_by(groups, alpha))
    lower, upper = bounds
    return (
        _smaller(lower, units.mean - (units.mean - span[0]) * unseen),
        _larger(upper, units.mean + (span[1] - units.mean) * unseen),
    )


def missed_by(groups: float, alpha: float) -> float:
    """The share of groups wrong as a whole, of which so many groups hold none with probability 4 alpha."""
    return float(1 - min(1.0, MISSED * alpha) ** (1 / groups))


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
        deviations: what each unit adds to it (G,); they add up to 0, and k / (k - 1) times the sum of their
            squares estimates its variance (Taylor linearization of a ratio), k being `independent`.
        weights: what each unit weighs (G,), above 0: what has no weight is no unit.
        rows: how many rows there are; where they weigh differently, as many as Kish (1965) counts. As many
            as units where the rows of each are alike, for they may be copies of one row.
    """

    mean: Number
    deviations: Floats
    weights: Floats
    rows: Number

    @property
    def variance(self) -> Number:
        """Of the mean; NaN with fewer than two units."""
        count = self.independent
        return _plain((self.deviations**2).sum(axis=-1) * count / (count - 1)) if count > 1 else float("nan")

    @property
    def independent(self) -> float:
        """How many units there are, as Kish (1965) counts those of different weights."""
        return float(kish(self.weights))


def linearized(
    values: Floats, groups: NDArray[Any] | None = None, weights: Floats | None = None, each: int = 1
) -> Units:
    """What each unit of scores (N,) adds to their mean; rows are the units where `groups` is None.

    Scores of several test sets (S, N) have no groups: a score is the mean of a group of `each` rows.
    """
    mass = np.ones(values.shape[-1]) if weights is None else np.asarray(weights, np.float64)
    total = mass.sum()
    mean = (mass * values).sum(axis=-1) / total if total > 0 else np.full(values.shape[:-1], np.nan)
    deviations = mass * (values - mean[..., None]) / (total or 1.0)
    seen = mass > 0
    if groups is None:
        # Shares of the rows of a group: 0, 1 and -1 are those of rows that are alike.
        alike = np.isin(values, (-1.0, 0.0, 1.0)).all(axis=-1)
        rows = kish(mass) * np.where(alike, 1, each)
        return Units(_plain(mean), deviations[..., seen], mass[seen], _plain(rows))
    _, unit = np.unique(np.asarray(groups).ravel()[seen], return_inverse=True)
    unit = unit.ravel()
    added, masses = (np.asarray(np.bincount(unit, part[seen]), np.float64) for part in (deviations, mass))
    own = masses if _all_alike(values[seen], unit) else mass
    return Units(_plain(mean), added, masses, float(kish(own)))


def _all_alike(values: Floats, unit: NDArray[np.intp]) -> bool:
    """Whether the rows of each unit (N,) have one and the same value."""
    some = np.zeros(int(unit.max(initial=-1)) + 1)
    some[unit] = values
    return bool(np.array_equal(some[unit], values))


def studentized(
    observed: Number, deviations: Floats, alpha: float, independent: float | None = None
) -> tuple[Number, Number]:
    """Bounds of a mean from what each of G independent units adds to it (G,), corrected for skewness.

    Student's t alone errs too often on the side of the longer tail: (confidence - correct) of a good
    model is small on most rows and large on a few. Hall's (1992) monotone cubic transformation of the
    t statistic takes the skewness out, here with the quantiles of t with k - 1 degrees of freedom. Each
    bound is the wider of the two, for the correction may overshoot on the other side. The units are as many
    as they are said to be `independent` (k; G where nothing is said): one group of 1,000 rows beside 99 of 10
    makes 4, and with 99 degrees of freedom a bound at alpha .05 erred in .29 of samples.

    NaN with no more than one unit; both bounds are `observed` where all units are alike. Means (S,) with
    deviations (S, G) give bounds (S,).
    """
    count = deviations.shape[-1] if independent is None else independent
    if not count > 1 + 1e-9 or not np.isfinite(deviations).all():
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


def effective_rows(units: Units, row_variance: Number, alpha: float, times: float = 1.0) -> Number:
    """How many independent rows would determine the mean as well as these grouped or weighted ones do.

    The variance of one row over the variance of the mean, less what the few degrees of freedom of the
    latter cost (Korn & Graubard 1998). Never more than there are rows, weighted ones counting as Kish (1965)
    counts them; and no more than there are groups where these are fewer than 30, for the variance of so few
    says nothing of those that are rare (paired bounds on 10 groups of 100 rows erred up to .16 at alpha
    .0025). As many as that where all units are alike. `times` is as if there were so many times the units.
    """
    groups, variance = units.independent, units.variance
    # Rounded, because blocks of 100 and 101 rows are a little fewer than as many equal ones.
    most = times * (units.rows if round(times * groups) >= FEW_GROUPS else groups)
    # Written as "above 0", so that NaN counts as not known.
    known = np.logical_and(np.greater(variance, 0), np.greater(row_variance, 0))
    if not groups > 1 + 1e-9 or not known.any():
        return _plain(np.broadcast_to(most, np.shape(known)).astype(float))
    few = float(special.ndtri(1 - alpha) / special.stdtrit(groups - 1, 1 - alpha))
    rows = times * row_variance / np.where(known, variance, 1.0) * few**2
    return _plain(np.where(known, np.minimum(rows, most), most))


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
