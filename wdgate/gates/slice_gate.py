"""Does a model do well enough on every declared part of the rows (WD210)?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from data_checks.errors import PipelineError
from wdgate.evaluation.evaluation import Evaluation
from wdgate.evaluation.slices import MOST_SLICES, Slice, labels_of, slices_by
from wdgate.evaluation.tasks import Task
from wdgate.gates import sentences
from wdgate.gates.answers import not_measured, result
from wdgate.gates.decoys import Decoy, of_limit
from wdgate.gates.gates import Case
from wdgate.gates.limits import out_of_span
from wdgate.gates.measuring import direction
from wdgate.gates.results import GateResult

CODE = "WD210"
# What is told of several slices: the first of these that any of them has.
_WORST = ("failed", "not applicable", "inconclusive", "passed")


@dataclass(frozen=True)
class Slices:
    """The task's primary score keeps to a limit in every slice of an attribute (WD210).

    Args:
        attribute: what the rows are broken down by, a name in `Split.attributes`.
        kind: the better side of the limit.
        limit: what each slice's bound is compared with.
        values: slices that must be there; one without rows fails the gate.
    """

    attribute: str
    kind: str
    limit: float
    values: tuple[str, ...] = ()

    def answer(self, case: Case) -> tuple[GateResult, ...]:
        """The answer of the worst slice; every slice's bound errs with alpha over their number."""
        reason = self._unmeasurable(case.evaluation)
        if reason is not None:
            return (not_measured(CODE, self._name(case.task), reason, self.limit),)
        found = slices_by(self.attribute, case.evaluation, case.task, case.alpha, self.values)
        empty = [one.value for one in found if not one.bounds.rows]
        if empty:
            return (self._empty(empty, case.task),)
        answers = [self._of(one, len(found), case.task) for one in found]
        return (min(answers, key=lambda answer: _WORST.index(answer.status)),)

    def decoys(self, case: Case) -> Iterator[Decoy]:
        """Models whose score is beyond the limit on all rows together, and so in one slice at least."""
        low, high = (self.limit, math.inf) if self.kind == "at_least" else (-math.inf, self.limit)
        return of_limit(case.task.primary, low, high, case)

    def as_dict(self) -> dict[str, Any]:
        """The question as plain values."""
        values = {"values": list(self.values)} if self.values else {}
        return {"gate": "slices", "attribute": self.attribute, self.kind: self.limit, **values}

    def problem(self, task: Task) -> str | None:
        """A limit on the worse side of the task's primary score, or one that it never comes to."""
        right = "at_least" if direction(task.primary, task) else "at_most"
        if self.kind == right:
            return out_of_span(task.primary, self.limit)
        side = "higher" if right == "at_least" else "lower"
        return f"{task.primary}, which is better when {side}: ask slices({self.attribute!r}, {right}=...)"

    def _unmeasurable(self, evaluation: Evaluation) -> str | None:
        if self.attribute not in evaluation.attributes:
            known = ", ".join(evaluation.attributes) or "none"
            return f"the rows have no attribute {self.attribute} (they have {known})"
        count = len(np.unique(labels_of(evaluation.attributes[self.attribute])))
        if count > MOST_SLICES:
            return f"{self.attribute} has {count:,} values, expected at most {MOST_SLICES}"
        return None

    def _of(self, one: Slice, count: int, task: Task) -> GateResult:
        low, high = (self.limit, math.inf) if self.kind == "at_least" else (-math.inf, self.limit)
        words = sentences.absolute(task.primary)
        answer = result(CODE, self._name(task), one.bounds, low, high, self.limit, words)
        said = answer.sentence[0].lower() + answer.sentence[1:]
        which = f"In the worst of {count:,} slices by {self.attribute}" if count > 1 else "In the only slice"
        return replace(answer, sentence=f"{which}, {self.attribute} {one.value}, {said}")

    def _empty(self, values: list[str], task: Task) -> GateResult:
        named = f"slice {values[0]}" if len(values) == 1 else f"slices {', '.join(values)}"
        sentence = f"No test row is of the {named} of {self.attribute}: nothing speaks for the model there."
        return GateResult(CODE, self._name(task), "failed", sentence, limit=self.limit)

    def _name(self, task: Task) -> str:
        low, high = (self.limit, math.inf) if self.kind == "at_least" else (-math.inf, self.limit)
        return f"{sentences.question(task.primary, low, high)} in each {self.attribute}"


def slices(
    attribute: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    values: Iterable[object] = (),
) -> Slices:
    """Ask that the task's primary score keeps to a limit in every slice of an attribute (WD210).

    Args:
        attribute: what the rows are broken down by, a name in `Split.attributes`.
        at_least: the limit of a score that is better when higher, such as accuracy.
        at_most: the limit of a score that is better when lower, such as absolute error.
        values: slices that must be there; one without test rows fails.

    Raises:
        PipelineError: no limit, both of them, or one that is no finite number.

    Example:
        >>> slices("site", at_least=0.8).as_dict()
        {'gate': 'slices', 'attribute': 'site', 'at_least': 0.8}
    """
    if not isinstance(attribute, str) or not attribute:
        raise PipelineError(f"slices needs the name of an attribute, got {attribute!r}")
    limits = {"at_least": at_least, "at_most": at_most}
    given = {kind: limit for kind, limit in limits.items() if limit is not None}
    if len(given) != 1:
        raise PipelineError(
            f"slices({attribute!r}) needs at_least=LIMIT or at_most=LIMIT, got {'both' if given else 'none'}"
        )
    ((kind, limit),) = given.items()
    if isinstance(limit, bool) or not isinstance(limit, int | float | np.number) or not math.isfinite(limit):
        raise PipelineError(f"{kind} must be a finite number, got {limit!r}")
    named = (values,) if isinstance(values, str) else tuple(values)
    return Slices(attribute, kind, float(limit), tuple(str(value) for value in named))
