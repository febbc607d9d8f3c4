"""What are the bounds of a number that is told of classes: recalls, rankings, calibration errors?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from wdgate.evaluation.evaluation import Evaluation
from wdgate.evaluation.labels import Labels
from wdgate.evaluation.named import Share, share
from wdgate.evaluation.ranking import Ranked, Ranking, macro, precision_recall, roc
from wdgate.evaluation.tasks import Classification, Task
from wdgate.gates.bounds import Bounds, mean_bounds
from wdgate.gates.class_bounds import balanced_bounds, mean_over_classes
from wdgate.gates.miscalibration import PERFECT, l2_bounds
from wdgate.gates.paired import difference_bounds
from wdgate.gates.ranked import ranked_bounds

Rows = NDArray[np.intp]
Classes = Classification | Labels

RANKED: Mapping[str, Ranked] = {"auc": roc, "average_precision": precision_recall}


def class_bounds(name: str, evaluation: Evaluation, task: Task, alpha: float) -> Bounds | None:
    """The bounds of a number of classes at error probability `alpha`; None where it is no such number."""
    if not isinstance(task, Classes):
        return None
    part = _share(name, evaluation, task)
    if part is not None:
        return _of_share(part, evaluation, task, name, alpha)
    if name not in evaluation.metrics:
        return None
    if name == "balanced_accuracy":
        units = (evaluation.groups, evaluation.weights)
        return balanced_bounds(_right(evaluation), evaluation.targets, task.classes, *units, alpha)
    if name in RANKED:
        return _ranked(name, _ranking(name, evaluation), evaluation, task, alpha)
    if name == "l2_ece":
        return l2_bounds(evaluation, alpha)
    if name.endswith(PERFECT):
        nan = float("nan")
        return Bounds(evaluation.metrics[name], nan, nan, len(evaluation), remark="it is no estimate")
    return None


def class_improvement(
    name: str, ours: Evaluation, theirs: Evaluation, task: Task, alpha: float
) -> Bounds | None:
    """The bounds of how much better `ours` is, on the same rows; None where it is no number of classes.

    Precisions, which are of other rows of either model, and `l2_ece`, which is 0 for many models, are bounded
    each for itself at half of alpha: that holds whatever the two have to do with one another.
    """
    if not isinstance(task, Classes):
        return None
    if name.startswith("precision") or name == "l2_ece":
        return _apart(name, ours, theirs, task, alpha)
    if name in RANKED and name in ours.metrics:
        first, second = _ranking(name, ours), _ranking(name, theirs)
        change = Ranking(first.value - second.value, first.added - second.added)
        return _ranked(name, change, ours, task, alpha, span=(-1.0, 1.0))
    if name == "balanced_accuracy":
        first_right, second_right = _right(ours), _right(theirs)
        return mean_over_classes(
            lambda rows, share: _difference(first_right[rows], second_right[rows], rows, ours, share),
            ours.targets,
            task.classes,
            ours.groups,
            alpha,
        )
    parts = [_share(name, one, task) for one in (ours, theirs)]
    if parts[0] is None or parts[1] is None:
        return None
    return _difference(parts[0].values, parts[1].values, parts[0].positions, ours, alpha)


def _right(evaluation: Evaluation) -> NDArray[np.float64]:
    return np.asarray(evaluation.predictions["predicted"] == evaluation.targets, np.float64)


def _share(name: str, evaluation: Evaluation, task: Classes) -> Share | None:
    return share(name, task.classes, evaluation.predictions, evaluation.targets)


def _of_share(part: Share, evaluation: Evaluation, task: Classes, name: str, alpha: float) -> Bounds:
    if len(part.positions):
        return _mean(part.values, part.positions, evaluation, alpha)
    which = "is predicted to be" if name.startswith("precision") else "is"
    of_class = name.partition("/")[2] if "/" in name else task.classes[1]
    nan = float("nan")
    return Bounds(nan, nan, nan, 0, remark=f"no test row {which} of class {of_class}")


def _mean(values: NDArray[np.floating], rows: Rows, evaluation: Evaluation, alpha: float) -> Bounds:
    groups, weights = _units(rows, evaluation)
    return mean_bounds(values, alpha, groups, weights, (0.0, 1.0))


def _difference(
    ours: NDArray[np.floating],
    theirs: NDArray[np.floating],
    rows: Rows,
    evaluation: Evaluation,
    alpha: float,
) -> Bounds:
    groups, weights = _units(rows, evaluation)
    return difference_bounds(ours, theirs, alpha, groups, weights)


def _units(
    rows: Rows, evaluation: Evaluation
) -> tuple[NDArray[np.generic] | None, NDArray[np.floating] | None]:
    groups = None if evaluation.groups is None else evaluation.groups[rows]
    return groups, None if evaluation.weights is None else evaluation.weights[rows]


def _ranking(name: str, evaluation: Evaluation) -> Ranking:
    return macro(RANKED[name], evaluation.predictions["probs"], evaluation.targets, evaluation.weights)


def _ranked(
    name: str,
    ranking: Ranking,
    evaluation: Evaluation,
    task: Classes,
    alpha: float,
    span: tuple[float, float] = (0.0, 1.0),
) -> Bounds:
    return ranked_bounds(
        ranking, evaluation.targets, task.classes, evaluation.groups, evaluation.weights, alpha, span
    )


def _apart(name: str, ours: Evaluation, theirs: Evaluation, task: Classes, alpha: float) -> Bounds | None:
    each = [class_bounds(name, one, task, alpha / 2) for one in (ours, theirs)]
    if each[0] is None or each[1] is None:
        return None
    first, second = (each[0], each[1]) if task.higher_is_better.get(name) else (each[1], each[0])

    def method(times: float) -> tuple[float, float]:
        (low, high), (least, most) = first.on_times_the_rows(times), second.on_times_the_rows(times)
        return low - most, high - least

    lower, upper = first.lower - second.upper, first.upper - second.lower
    return Bounds(first.observed - second.observed, lower, upper, len(ours), method, _why(each))


def _why(each: list[Bounds | None]) -> str:
    unknown = [bounds for bounds in each if bounds is not None and not np.isfinite(bounds.lower)]
    return unknown[0].remark if unknown else ""
