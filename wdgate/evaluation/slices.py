"""How does a model do on parts of the rows, and on which part worst?

A mean hides where a model fails: 95 % overall may be 60 % in one hospital. Slices are told by a split's
`attributes`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wdgate.evaluation.evaluation import Evaluation
from wdgate.evaluation.tasks import Task
from wdgate.gates.bounds import Bounds
from wdgate.gates.measuring import direction, measured

# An attribute of more values than this names rows, not groups of rows.
MOST_SLICES = 100
MISSING = "missing"


@dataclass(frozen=True)
class Slice:
    """A part of the rows, and the bounds of the task's primary score on it.

    Args:
        attribute: what the rows are broken down by.
        value: what they have in common, in words.
        bounds: of the score's mean; NaN where the part has no rows, or too few to say anything.
    """

    attribute: str
    value: str
    bounds: Bounds

    def as_dict(self) -> dict[str, Any]:
        """As plain values, None in place of NaN."""
        bounds = self.bounds
        numbers = {"observed": bounds.observed, "lower": bounds.lower, "upper": bounds.upper}
        finite = {name: value if np.isfinite(value) else None for name, value in numbers.items()}
        return {"attribute": self.attribute, "value": self.value, "rows": bounds.rows, **finite}


def slices_by(
    attribute: str, evaluation: Evaluation, task: Task, alpha: float, declared: Iterable[str] = ()
) -> tuple[Slice, ...]:
    """The slices of one attribute, the worst first; all bounds hold together.

    Each of S slices is bounded at error probability alpha / S (Bonferroni), so that the worst may be
    pointed out after all have been seen, and its bound still be true.

    Args:
        attribute: a name in `evaluation.attributes`.
        evaluation: what the model did, row by row.
        task: its primary score is bounded.
        alpha: the error probability of all lower bounds together, and of all upper bounds together.
        declared: values that must be there; one without rows has NaN for bounds.

    Returns:
        A slice for each value among the rows, and for each declared one; none where the attribute is unknown.
    """
    if attribute not in evaluation.attributes:
        return ()
    labels = labels_of(evaluation.attributes[attribute])
    values = list(dict.fromkeys([*map(str, declared), *np.unique(labels).tolist()]))
    share = alpha / max(len(values), 1)
    found = [
        Slice(attribute, value, _bounds(part(evaluation, labels == value), task, share)) for value in values
    ]
    return tuple(sorted(found, key=lambda one: _badness(one.bounds, task)))


def all_slices(evaluation: Evaluation, task: Task, alpha: float) -> dict[str, tuple[Slice, ...]]:
    """The slices of every attribute that has few enough values, by its name, the worst slice first."""
    few = [
        name
        for name, column in evaluation.attributes.items()
        if len(np.unique(labels_of(column))) <= MOST_SLICES
    ]
    return {name: slices_by(name, evaluation, task, alpha) for name in few}


def labels_of(column: NDArray[Any]) -> NDArray[np.str_]:
    """The values of an attribute (N,) in words; missing cells are a slice of their own.

    Example:
        >>> labels_of(np.array([1.0, np.nan])).tolist(), labels_of(np.array([True, None], object)).tolist()
        (['1', 'missing'], ['True', 'missing'])
    """
    return np.array([_label(value) for value in np.asarray(column).tolist()], dtype=str)


def part(evaluation: Evaluation, mask: NDArray[np.bool_]) -> Evaluation:
    """The scores of some rows of an evaluation; metrics, and what corrupted rows showed, are of all rows."""
    rows = np.flatnonzero(mask)
    scores = {name: values[rows] for name, values in evaluation.scores.items() if len(values) == len(mask)}
    return replace(
        evaluation,
        predictions={name: values[rows] for name, values in evaluation.predictions.items()},
        targets=evaluation.targets[rows],
        scores=scores,
        metrics={},
        robustness={},
        groups=None if evaluation.groups is None else evaluation.groups[rows],
        weights=None if evaluation.weights is None else evaluation.weights[rows],
        baseline={name: values[rows] for name, values in evaluation.baseline.items()},
        corrupted_rows=None,
        attributes={name: values[rows] for name, values in evaluation.attributes.items()},
        also={},
        permuted=None,
    )


def _bounds(evaluation: Evaluation, task: Task, alpha: float) -> Bounds:
    bounds = measured(task.primary, evaluation, task, alpha)
    return Bounds(float("nan"), float("nan"), float("nan"), len(evaluation)) if bounds is None else bounds


def _badness(bounds: Bounds, task: Task) -> tuple[bool, float]:
    """Slices without an answer first, then by how bad they may be."""
    worst = bounds.lower if direction(task.primary, task) else -bounds.upper
    return bool(np.isfinite(worst)), worst if np.isfinite(worst) else -bounds.rows


def _label(value: Any) -> str:
    if value is None or value != value:
        return MISSING
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
