"""What are the bounds of a score or metric that a gate names, alone or against another model?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wdgate.evaluation.corruptions import clean_score
from wdgate.evaluation.evaluation import Evaluation, Incomparable
from wdgate.evaluation.named import says_share
from wdgate.evaluation.out_of_distribution import apart, is_ood
from wdgate.evaluation.quantiles import Quantiles
from wdgate.evaluation.tasks import Classification, Task
from wdgate.gates.bounds import SHARE, UNKNOWN, Bounds, mean_bounds
from wdgate.gates.coverage import coverage_bounds
from wdgate.gates.miscalibration import PERFECT, allowing_for_noise, at_least_the_gap
from wdgate.gates.of_classes import class_bounds, class_improvement
from wdgate.gates.ood import ood_bounds, ood_improvement
from wdgate.gates.paired import difference_bounds
from wdgate.gates.pairing import left_out, pair
from wdgate.gates.resampling import jackknife_bounds

Rows = NDArray[np.intp]

# The least and the most that a score can be; one that is not named is a share if it is 0 and 1 alone.
SPANS = {
    "accuracy": SHARE,
    "confidence_gap": (-1.0, 1.0),
    "brier": (0.0, 2.0),
    **dict.fromkeys(("nll", "squared_error", "absolute_error", "pinball"), (0.0, np.inf)),
}


def measured(name: str, evaluation: Evaluation, task: Task, alpha: float) -> Bounds | None:
    """The bounds of a score's mean or of a metric; None where the evaluation has neither."""
    if name == "coverage_gap" and isinstance(task, Quantiles) and name in evaluation.scores:
        return coverage_bounds(evaluation, task.nominal, alpha)
    if name in evaluation.scores:
        rows = evaluation.rows_of(name)
        span = SPANS.get(clean_score(name), UNKNOWN)
        return mean_bounds(evaluation.scores[name], alpha, rows.groups, rows.weights, span)
    if is_ood(name):
        return ood_bounds(name, evaluation, alpha)
    known = class_bounds(name, evaluation, task, alpha)
    if known is not None or name not in evaluation.metrics:
        return known
    bounds = jackknife_bounds(
        lambda r: _metric(name, evaluation, task, r), len(evaluation), alpha, evaluation.groups
    )
    perfect = evaluation.metrics.get(name + PERFECT)
    bounds = bounds if perfect is None else allowing_for_noise(bounds, perfect)
    gap = measured("confidence_gap", evaluation, task, alpha) if name == "smooth_ece" else None
    return bounds if gap is None else at_least_the_gap(bounds, gap)


def improvement(name: str, ours: Evaluation, theirs: Evaluation, task: Task, alpha: float) -> Bounds:
    """The bounds of how much better `ours` is than `theirs`, in the score's own better direction.

    On the rows that `theirs` has not learned from; the remark says how many were left out.
    """
    bounds = _improvement(name, *pair(ours, theirs, task), task, alpha)
    remarks = [remark for remark in (bounds.remark, left_out(theirs)) if remark]
    return replace(bounds, remark="; ".join(remarks))


def _improvement(name: str, ours: Evaluation, theirs: Evaluation, task: Task, alpha: float) -> Bounds:
    sign = -1.0 if direction(name, task) is False else 1.0
    if name in ours.scores:
        rows = ours.rows_of(name)
        first, second = (ours, theirs) if sign > 0 else (theirs, ours)
        pair_of = first.scores[name], second.scores[name]
        return difference_bounds(*pair_of, alpha, rows.groups, rows.weights, _is_share(name))
    known = ood_improvement(name, ours, theirs, alpha) if is_ood(name) else None
    if known is not None:
        return known
    known = class_improvement(name, ours, theirs, task, alpha)
    if known is not None:
        return known
    return jackknife_bounds(
        lambda r: sign * (_metric(name, ours, task, r) - _metric(name, theirs, task, r)),
        len(ours),
        alpha,
        ours.groups,
    )


def direction(name: str, task: Task) -> bool | None:
    """Whether more of a score or metric is better; None where 0 is best, or the task has no such score."""
    if is_ood(name):
        return True if isinstance(task, Classification) else None
    return task.higher_is_better.get(clean_score(name))


def skill_over_constant(name: str, evaluation: Evaluation, alpha: float) -> Bounds | None:
    """The bounds of how much lower a score is than the constant predictor's; None where one is missing."""
    if name not in evaluation.scores or name not in evaluation.baseline:
        return None
    theirs, ours = evaluation.baseline[name], evaluation.scores[name]
    # A constant that is rounded otherwise is the same constant.
    ours = np.where(np.isclose(ours, theirs, rtol=1e-12, atol=0), theirs, ours)
    if len(ours) and np.array_equal(ours, theirs):
        return Bounds(0.0, 0.0, 0.0, len(ours))  # it is that constant, whatever other rows would show
    return difference_bounds(theirs, ours, alpha, evaluation.groups, evaluation.weights, _is_share(name))


def incomparable(name: str, ours: Evaluation, theirs: Evaluation | Incomparable) -> str | None:
    """Why two models cannot be compared by a score or metric, as a clause; None where they can."""
    if isinstance(theirs, Incomparable):
        return theirs.reason
    if ours.fingerprint != theirs.fingerprint or len(ours) != len(theirs):
        return "it was evaluated on other rows"
    if {k: v.shape for k, v in ours.predictions.items()} != {
        k: v.shape for k, v in theirs.predictions.items()
    }:
        return "it predicts other things, such as other classes"
    if theirs.unseen is not None and not len(theirs.unseen):
        return f"it was trained or chosen on all {len(theirs):,} test rows"
    if not (_has(name, ours) and _has(name, theirs)):
        return f"{name} was not measured for both"
    if not np.array_equal(ours.rows_of(name).positions, theirs.rows_of(name).positions):
        return f"{name} was measured on other rows"
    return None


def _is_share(name: str) -> bool:
    return SPANS.get(clean_score(name), SHARE) == SHARE


def _has(name: str, evaluation: Evaluation) -> bool:
    known = name in evaluation.scores or name in evaluation.metrics
    if is_ood(name):
        return apart(name, evaluation) is not None
    return known or says_share(name, evaluation.predictions)


def _metric(name: str, evaluation: Evaluation, task: Task, rows: Rows) -> float:
    weights = None if evaluation.weights is None else evaluation.weights[rows]
    predictions = {output: values[rows] for output, values in evaluation.predictions.items()}
    return task.metrics(predictions, evaluation.targets[rows], weights).get(name, float("nan"))
