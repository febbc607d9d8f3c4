"""How far may a calibration error be from what was observed, which is never quite 0?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wdgate.evaluation import calibration, scores
from wdgate.evaluation.evaluation import Evaluation
from wdgate.gates.bounds import Bounds
from wdgate.gates.resampling import jackknife_bounds

PERFECT = "_if_perfect"


def allowing_for_noise(bounds: Bounds, perfect: float) -> Bounds:
    """The bounds of an error that a perfect model would show too, with what a perfect one would show.

    On average an error of few rows is above the true one by at most what a perfect model shows, |a + b| being
    at most |a| + |b|: the lower bound is that much lower, so that chance is not called a fault. The upper
    bound stays, and is on the safe side.
    """

    def method(times: float) -> tuple[float, float]:
        nearer = times**0.5
        # What is chance becomes less with more rows; the rest stays.
        middle = max(0.0, bounds.observed - perfect * (1 - 1 / nearer))
        lower = middle - (bounds.observed - bounds.lower + perfect) / nearer
        return max(0.0, lower), middle + (bounds.upper - bounds.observed) / nearer

    lower = max(0.0, bounds.lower - perfect)
    remark = f"a perfectly calibrated model would show {perfect:.2g} on as many rows"
    # NaN stays NaN: the larger of 0 and NaN is 0 in one order of the two.
    lower = lower if np.isfinite(bounds.lower) else bounds.lower
    return replace(bounds, lower=lower, method=method, remark=remark)


def at_least_the_gap(bounds: Bounds, gap: Bounds) -> Bounds:
    """The bounds of an error that is never below |mean confidence - accuracy|, given the bounds of that.

    A small `smooth_ece` changes little with any row, which says nothing of how large the true one is: without
    this its upper bound erred in .02 of test sets at alpha .0025.
    """

    def method(times: float) -> tuple[float, float]:
        lower, upper = bounds.on_times_the_rows(times)
        return lower, max(upper, *(abs(side) for side in gap.on_times_the_rows(times)))

    # Written so that NaN of the error stays: the largest of numbers and NaN depends on their order.
    upper = np.max([bounds.upper, abs(gap.lower), abs(gap.upper)])
    return replace(bounds, upper=float(upper), method=method)


def l2_bounds(evaluation: Evaluation, alpha: float) -> Bounds:
    """Bounds of the debiased `l2_ece` at error probability `alpha`: the roots of those of its square.

    The jackknife's variance of the square, whose mean is no longer normal where the error is 0, is on average
    too large rather than too small (Efron & Stein 1981).
    """
    sure = calibration.confidence(evaluation.predictions["probs"])
    correct = scores.correct(evaluation.predictions["predicted"], evaluation.targets)
    weights = np.ones(len(evaluation)) if evaluation.weights is None else evaluation.weights
    square = jackknife_bounds(
        lambda rows: calibration.squared_ece(sure[rows], correct[rows], weights[rows]),
        len(evaluation),
        alpha,
        evaluation.groups,
    )
    roots = [float(np.sqrt(np.maximum(part, 0.0))) for part in (square.observed, square.lower, square.upper)]
    return Bounds(roots[0], roots[1], roots[2], square.rows)
