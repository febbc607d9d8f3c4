"""What are all numbers of an evaluation, each with its bounds?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wdgate.evaluation.corruption_errors import corruption_errors
from wdgate.evaluation.evaluation import Evaluation
from wdgate.evaluation.out_of_distribution import OOD, apart
from wdgate.evaluation.slices import Slice, all_slices
from wdgate.evaluation.tasks import Task
from wdgate.gates.measuring import measured

Numbers = dict[str, dict[str, Any]]

# The others take long to bound, and can be asked for in a gate.
METRICS = ("ece", "balanced_accuracy", "auc", "r2")


def bounded(evaluation: Evaluation, task: Task, alpha: float) -> Numbers:
    """Every score, and the usual metrics: `observed`, `lower`, `upper` and `rows`, None in place of NaN.

    Args:
        evaluation: of one test set.
        task: what is predicted.
        alpha: the error probability of each single bound.
    """
    names = [*evaluation.scores, *(name for name in METRICS if name in evaluation.metrics)]
    names += [OOD] if apart(OOD, evaluation) is not None else []
    return {name: _as_dict(name, evaluation, task, alpha) for name in names}


def bounded_also(evaluation: Evaluation, task: Task, alpha: float) -> dict[str, Numbers]:
    """The same of each further test set, by its name, and how well confidence tells it from the test set."""
    found = {name: bounded(there, task, alpha) for name, there in evaluation.also.items()}
    for name, numbers in found.items():
        if apart(f"{OOD}/{name}", evaluation) is not None:
            numbers[OOD] = _as_dict(f"{OOD}/{name}", evaluation, task, alpha)
    return found


def reported(
    evaluation: Evaluation | None,
    task: Task,
    alpha: float,
    found: Mapping[str, Sequence[Slice]] | None = None,
) -> dict[str, Any]:
    """What is told beside the gates as plain values: `also`, `slices`, the worst first, and `corruptions`.

    Args:
        evaluation: of the test rows; None where nobody predicted them.
        task: what is predicted.
        alpha: the error probability of each bound.
        found: slices that nobody has declared, as `found_slices` gives them.
    """
    if evaluation is None:
        return {"also": {}, "slices": {}, "corruptions": {}}
    slices = {**all_slices(evaluation, task, alpha), **(found or {})}
    errors = corruption_errors(evaluation, task)
    return {
        "corruptions": {} if errors is None else errors.as_dict(),
        "also": bounded_also(evaluation, task, alpha),
        "slices": {name: [one.as_dict() for one in each] for name, each in slices.items()},
    }


def _as_dict(name: str, evaluation: Evaluation, task: Task, alpha: float) -> dict[str, Any]:
    bounds = measured(name, evaluation, task, alpha)
    assert bounds is not None  # noqa: S101 - the name is one of the evaluation's own
    numbers = {"observed": bounds.observed, "lower": bounds.lower, "upper": bounds.upper}
    finite = {side: float(value) if np.isfinite(value) else None for side, value in numbers.items()}
    return {**finite, "rows": bounds.rows}
