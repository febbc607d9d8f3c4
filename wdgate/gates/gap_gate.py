"""How much better is a model on its train rows than on the test rows (WD212)?

The generalization gap: a large one says that the model has learnt the train rows by heart. It is about the
two numbers that the file reaches here, not those that the trainer logged.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from data_checks.errors import PipelineError
from data_checks.splits import Split
from wdgate.evaluation.evaluation import Evaluation
from wdgate.evaluation.tasks import Task
from wdgate.gates import sentences
from wdgate.gates.answers import not_measured, result
from wdgate.gates.bad import mean_of
from wdgate.gates.bounds import Bounds, Number
from wdgate.gates.decoys import Decoy
from wdgate.gates.effect_gate import compared
from wdgate.gates.gates import Case, unknown_score
from wdgate.gates.limits import out_of_span
from wdgate.gates.measuring import direction, measured
from wdgate.gates.results import GateResult, GateStatus
from wdgate.gates.sentences import Words

CODE = "WD212"

MOST_TRAIN_ROWS = 10_000
"""Of more train rows, those with the smallest content keys are predicted: a draw that nobody chooses."""


@dataclass(frozen=True)
class GapAtMost:
    """A score is better on train rows than on test rows by at most `limit`.

    Args:
        score: what is compared.
        limit: the largest gap that is allowed, in the score's own unit.
    """

    score: str
    limit: float

    def answer(self, case: Case) -> tuple[GateResult, ...]:
        """Whether the upper bound of the gap is at most the limit."""
        bounds = generalization_gap(self.score, case.train, case.evaluation, case.task, case.alpha)
        if bounds is None:
            reason = f"{self.score} was not measured on train rows and test rows both"
            return (not_measured(CODE, self._name, reason, self.limit),)
        words = _words(self.score)
        return (result(CODE, self._name, bounds, -math.inf, self.limit, self.limit, words),)

    def decoys(self, case: Case) -> Iterator[Decoy]:
        """Models that are worse on the test rows than on the train rows by more than the limit."""
        train, score, just = case.train, self.score, f"a gap just above {self.limit:g}"
        if train is None or score not in train.scores or score not in case.evaluation.scores:
            yield Decoy(
                f"a gap just above {self.limit:g}", None, f"{score} of train and test rows is not there"
            )
            return
        higher = direction(score, case.task) is not False
        mean = mean_of(train.scores[score], train.rows_of(score).weights)
        made = case.bad.with_mean(score, mean - self.limit if higher else mean + self.limit, above=not higher)
        reason = "test rows of this score cannot have such a mean"
        yield Decoy(just, None, reason) if made is None else Decoy(just, replace(case, evaluation=made))
        yield Decoy(f"{score} not a number", replace(case, evaluation=case.bad.nothing))

    def as_dict(self) -> dict[str, Any]:
        """The question as plain values."""
        return {"gate": "gap_at_most", "score": self.score, "limit": self.limit}

    def problem(self, task: Task) -> str | None:
        """A score that the task does not have, that has no better side, or that train rows do not have."""
        if direction(self.score, task) is None and self.score in task.higher_is_better:
            return f"{self.score}, which is best at 0 and has no better side"
        if self.score.startswith("corrupted_"):
            return f"{self.score}, but train rows are not corrupted: ask for {task.primary}"
        return unknown_score(self.score, task) or out_of_span(self.score, self.limit)

    @property
    def _name(self) -> str:
        return f"generalization gap in {self.score} at most {self.limit:g}"


def gap_at_most(score: str, limit: float) -> GapAtMost:
    """Ask that a score is better on train rows than on test rows by at most `limit` (WD212).

    Raises:
        PipelineError: a score that is no name, or a limit that is not above 0.

    Example:
        >>> gap_at_most("accuracy", 0.08).as_dict()
        {'gate': 'gap_at_most', 'score': 'accuracy', 'limit': 0.08}
    """
    if not isinstance(score, str) or not score:
        raise PipelineError(f"gap_at_most needs the name of a score such as 'accuracy', got {score!r}")
    number = isinstance(limit, int | float | np.number) and not isinstance(limit, bool)
    if not (number and math.isfinite(limit) and limit > 0):
        raise PipelineError(f"limit must be a finite number above 0, got {limit!r}")
    return GapAtMost(score, float(limit))


def asks_for_train(gates: Iterable[Any]) -> bool:
    """Whether a gate needs the train rows predicted, which costs as much as as many test rows."""
    # A gate may be asked on a further test set, and stands in another one then.
    return any(isinstance(getattr(gate, "gate", gate), GapAtMost) for gate in gates)


def train_rows(train: Split) -> Split:
    """The train rows that a gap is measured on: all, or the 10,000 with the smallest content keys."""
    if len(train) <= MOST_TRAIN_ROWS:
        return train
    return train.take(np.sort(np.argsort(train.keys, kind="stable")[:MOST_TRAIN_ROWS]))


def generalization_gap(
    score: str, train: Evaluation | None, test: Evaluation, task: Task, alpha: float
) -> Bounds | None:
    """The bounds of how much better a score or metric is on train rows than on test rows.

    Each at error probability `alpha`, from the bounds of the two by the method of variance estimates recovery
    (Zou & Donner 2008; for proportions Newcombe 1998). None where one of them was not measured.

    Example:
        >>> from wdgate.evaluation.tasks import Classification
        >>> def rows(right):
        ...     correct = np.repeat([1.0, 0.0], [right, 100 - right])
        ...     return Evaluation("a", "rows", {}, correct, {"accuracy": correct}, {}, {})
        >>> task = Classification(("cat", "dog"))
        >>> bounds = generalization_gap("accuracy", rows(98), rows(90), task, alpha=0.05)
        >>> [round(value, 3) for value in (bounds.lower, bounds.observed, bounds.upper)]
        [0.019, 0.08, 0.146]
    """
    sides = [None if each is None else measured(score, each, task, alpha) for each in (train, test)]
    if sides[0] is None or sides[1] is None:
        return None
    ours, theirs = sides[0], sides[1]
    if direction(score, task) is False:
        ours, theirs = _turned(ours), _turned(theirs)

    def method(times: float) -> tuple[float, float]:
        # The train rows stay as many as they are.
        lower, upper = theirs.on_times_the_rows(times)
        return recovered(ours, replace(theirs, lower=lower, upper=upper))

    return Bounds(ours.observed - theirs.observed, *recovered(ours, theirs), theirs.rows, method)


def recovered(ours: Bounds, theirs: Bounds) -> tuple[Number, Number]:
    """The bounds of ours minus theirs, of two independent numbers with bounds of their own."""
    gap = ours.observed - theirs.observed
    below = np.hypot(ours.observed - ours.lower, theirs.upper - theirs.observed)
    above = np.hypot(ours.upper - ours.observed, theirs.observed - theirs.lower)
    return (gap - below, gap + above) if np.ndim(gap) else (float(gap - below), float(gap + above))


def _turned(bounds: Bounds) -> Bounds:
    def method(times: float) -> tuple[float, float]:
        lower, upper = bounds.on_times_the_rows(times)
        return -upper, -lower

    return Bounds(-bounds.observed, -bounds.upper, -bounds.lower, bounds.rows, method)


def _words(score: str) -> Words:
    number, said = sentences.improved(score), compared(score)

    def say(status: GateStatus, b: Bounds, low: float, high: float) -> str:
        gap = f"{sentences.spoken(score)} is {said(b.observed)} on train rows than on {b.rows:,} test rows"
        gap, limit = gap[0].upper() + gap[1:], number(high)
        return {
            "passed": f"{gap}, with confidence at most {said(b.upper)} - within the {limit} allowed",
            "failed": f"{gap}, with confidence at least {said(b.lower)} - beyond the {limit} allowed",
        }.get(status, f"{gap}, and maybe {said(b.upper)}: these rows cannot tell if it is within {limit}")

    return Words(say)
