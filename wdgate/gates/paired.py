"""How much better or worse is one model than another on the same rows?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from wdgate.gates.bounds import Bounds, Number, Units, effective_rows, linearized, spread_bounds, studentized
from wdgate.gates.enough import why_untold

Floats = NDArray[np.floating]


def difference_bounds(
    ours: Floats,
    theirs: Floats,
    alpha: float,
    groups: NDArray[Any] | None = None,
    weights: Floats | None = None,
    share: bool = True,
) -> Bounds:
    """Bounds of mean(ours - theirs), scores (N,) of the same rows, each at error probability `alpha`.

    Where both scores are 0 and 1 alone, and not errors without an end (`share`): Tango's
    (1998) score interval for paired proportions; on groups
    or weighted rows the same on the effective number of rows, in the manner of Rao & Scott (1992), or
    studentized where that is wider. Other scores: studentized with a correction for skewness, a group being
    a unit where there are groups. There is no room for groups that are lost as a whole and were not drawn:
    among 100 groups they could be 6 points at alpha .0025, and no model could show that it keeps a margin.

    Example:
        >>> ours, theirs = np.array([1.0, 1, 0, 1] * 100), np.array([1.0, 1, 1, 1] * 100)
        >>> bounds = difference_bounds(ours, theirs, alpha=0.05)
        >>> bounds.observed, round(bounds.lower, 3)
        (-0.25, -0.287)
    """
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    difference = ours - theirs
    if not len(difference) or not np.isfinite(difference).all():
        return Bounds(float("nan"), float("nan"), float("nan"), len(difference))
    units = linearized(difference, groups, weights)
    many = None if groups is None else len(units.weights)
    if not share or not np.isin([ours, theirs], (0.0, 1.0)).all():
        return _spread(units, len(difference), alpha, many)
    better = linearized((difference > 0).astype(np.float64), None, weights).mean
    worse = linearized((difference < 0).astype(np.float64), None, weights).mean
    independent = groups is None and weights is None

    def method(times: float) -> tuple[Number, Number]:
        rows = times * len(difference)
        if independent:
            return tango(better * rows, worse * rows, rows, alpha)
        return unit_difference_bounds(units, better, worse, alpha, times)

    return Bounds(units.mean, *method(1.0), len(difference), method, groups=many)


def unit_difference_bounds(
    units: Units, better: Number, worse: Number, alpha: float, times: float = 1.0
) -> tuple[Number, Number]:
    """The bounds of a difference of paired proportions on groups or weighted rows; see `difference_bounds`.

    Args:
        units: of the differences; those of several test sets (S, G) give the bounds of each (S,).
        better: the share of rows that only the first got right.
        worse: the share of rows that only the second got right.
        alpha: the error probability of each bound.
        times: as if there were so many times the rows.
    """
    rows = effective_rows(units, better + worse - (better - worse) ** 2, alpha, times)
    lower, upper = tango(better * rows, worse * rows, rows, alpha)
    # The wider of the two: a few groups that differ a lot are seen by one, rare changes by the other.
    least, most = studentized(units.mean, units.deviations / times**0.5, alpha, units.independent)
    lower, upper = np.fmax(-1.0, np.minimum(lower, least)), np.fmin(1.0, np.maximum(upper, most))
    return (lower, upper) if np.ndim(lower) else (float(lower), float(upper))


def _spread(units: Units, rows: int, alpha: float, groups: int | None) -> Bounds:
    def method(times: float) -> tuple[Number, Number]:
        return spread_bounds(units, alpha, times)

    lower, upper = method(1.0)
    remark = "" if np.isfinite(lower) else why_untold(units.independent, groups is not None)
    return Bounds(units.mean, lower, upper, rows, method, remark, groups)


def mcnemar_mid_p(better: Number, worse: Number) -> Number:
    """How likely an equally good model is to look so much better: McNemar's test, one-sided, mid-p.

    Of the rows that only one of two models got right, half are the first one's if they are equally good: an
    exact binomial test, in which what was observed counts by half (Fagerland, Lydersen & Laake 2013, BMC
    Medical Research Methodology 13). The exact test is conservative; this one reaches its level, and exceeds
    it hardly ever. For independent rows: with groups, ask for a lower bound of `difference_bounds` above 0.

    Arrays of counts give an array.

    Args:
        better: rows that only the first got right.
        worse: rows that only the second got right.

    Returns:
        The p value; .5 where the two never differ.

    Example:
        >>> round(mcnemar_mid_p(7, 1), 4), mcnemar_mid_p(0, 0)
        (0.0195, 0.5)
    """
    # P(X >= better) and P(X > better) of a binomial X, as incomplete beta functions.
    some, any_worse = np.maximum(better, 1), np.maximum(worse, 1)
    at_least = np.where(np.greater(better, 0), special.betainc(some, np.add(worse, 1), 0.5), 1.0)
    more = np.where(np.greater(worse, 0), special.betainc(np.add(better, 1), any_worse, 0.5), 0.0)
    middle = (at_least + more) / 2
    return middle if middle.ndim else float(middle)


def tango(better: Number, worse: Number, rows: Number, alpha: float) -> tuple[Number, Number]:
    """One-sided bounds of the difference of two paired proportions (Tango 1998, Statistics in Medicine 17).

    Arrays of counts give arrays of bounds.

    Args:
        better: rows that only the first got right.
        worse: rows that only the second got right.
        rows: all rows; like the others it may be an effective number.
        alpha: the error probability of each bound.

    Example:
        >>> [round(bound, 4) for bound in tango(6, 16, 161, alpha=0.025)]
        [-0.124, -0.0054]
    """
    quantile = float(special.ndtri(1 - alpha))
    lower = _tango_lower(better, worse, rows, quantile)
    return lower, -_tango_lower(worse, better, rows, quantile)


def tango_score(better: Number, worse: Number, rows: Number, difference: Number) -> Number:
    """Tango's statistic: how far the counts are from a supposed difference, in standard errors.

    A lower bound is at or above a difference where this is at or above the bound's quantile.
    """
    # The probability of `worse` that is most likely among those with this difference.
    linear = (2 * rows - better + worse) * difference - better - worse
    constant = -worse * difference * (1 - difference)
    share = (np.sqrt(linear**2 - 8 * rows * constant) - linear) / (4 * rows)
    variance = rows * (2 * share + difference * (1 - difference))
    distance = better - worse - rows * difference
    # Every row is said to differ in one direction: the counts agree with that, or are impossible under it.
    impossible = np.where(distance == 0, 0.0, np.copysign(np.inf, distance))
    scaled = distance / np.sqrt(np.where(variance > 0, variance, 1.0))
    return np.where(variance > 0, scaled, impossible)[()]


def _tango_lower(better: Number, worse: Number, rows: Number, quantile: float) -> Number:
    # The score falls steadily as the supposed difference grows, so the bound is found by halving.
    low: Number = -1.0
    high = (better - worse) / rows
    for _ in range(60):
        middle = (low + high) / 2
        beyond = tango_score(better, worse, rows, middle) > quantile
        low, high = np.where(beyond, middle, low), np.where(beyond, high, middle)
    # A plain number of plain numbers: what is recorded holds no arrays.
    return low if np.ndim(low) else float(low)
