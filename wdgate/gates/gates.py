"""What must a model show, and which answers do these rows allow?

A gate is a frozen dataclass with one method, `answer`. It compares a confidence bound with its limit,
never the observed number, and it fails closed: what was not measured does not pass.

    WD200 no gate          WD203 calibration      WD206 not worse than the anchor
    WD201 clean data       WD204 robustness       WD207 skill
    WD202 a score's limit  WD205 not worse than the champion  WD208 a look is left

In files of their own: WD209 the effect of the decay, WD210 slices, WD211 better than the champion,
WD212 the generalization gap.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np

from data_checks.errors import PipelineError
from wdgate.evaluation.corruptions import CORRUPTED
from wdgate.evaluation.evaluation import Evaluation, Incomparable
from wdgate.evaluation.out_of_distribution import OOD, is_ood
from wdgate.evaluation.places import corruption_names
from wdgate.evaluation.tasks import Task
from wdgate.gates import decoys, sentences
from wdgate.gates.answers import not_measured, result
from wdgate.gates.bad import Bad
from wdgate.gates.decoys import Decoy
from wdgate.gates.limits import among, out_of_span
from wdgate.gates.measuring import direction, improvement, incomparable, measured, skill_over_constant
from wdgate.gates.results import GateResult

# Skill must be above 0, not at 0: a constant predictor is not better than itself.
ABOVE_ZERO = float(np.nextafter(0.0, 1.0))


@dataclass(frozen=True, eq=False)
class Case:
    """What the gates of one judgement are asked about.

    Args:
        evaluation: of the candidate, on the test rows that are left for judging.
        champion, anchor: the same rows, predicted by the versions in use; None where there is none yet.
        task: what is predicted, and how it is scored.
        alpha: the error probability of each gate at this look.
        train: of the candidate, on train rows; None where nobody predicted them.
        effect: what the trainer says that the decay did; None where it says nothing.
    """

    evaluation: Evaluation
    champion: Evaluation | Incomparable | None
    anchor: Evaluation | Incomparable | None
    task: Task
    alpha: float
    train: Evaluation | None = None
    effect: Mapping[str, Any] | None = None

    @cached_property
    def bad(self) -> Bad:
        """Bad models with the candidate's predictions, each made once."""
        return Bad(self.evaluation, self.task)


class Gate(Protocol):
    """A question about a model.

    A gate may bring decoys too: `decoys(case)` gives cases that it must not let pass.
    """

    def answer(self, case: Case) -> tuple[GateResult, ...]:
        """One result, or more where the gate asks more than one question."""
        ...

    def as_dict(self) -> dict[str, Any]:
        """The question as plain values: equal questions have equal dictionaries."""
        ...

    def problem(self, task: Task) -> str | None:
        """Why this question cannot be asked about a task, or None."""
        ...


@dataclass(frozen=True)
class Limit:
    """A score or metric keeps to a limit.

    Args:
        kind: `at_least` and `at_most` compare one bound with the limit (WD202); `within` compares both
            with it and with its negative (WD203), and two one-sided tests err no more than one.
        score: what is bounded.
        limit: what it is compared with.
    """

    kind: Literal["at_least", "at_most", "within"]
    score: str
    limit: float

    def answer(self, case: Case) -> tuple[GateResult, ...]:
        """Whether the bounds are on the right side of the limit."""
        return (self.answer_as("WD203" if self.kind == "within" else "WD202", case),)

    def answer_as(self, code: str, case: Case) -> GateResult:
        """The answer under another gate's code."""
        low, high = self._range
        name = sentences.question(self.score, low, high)
        bounds = measured(self.score, case.evaluation, case.task, case.alpha)
        if bounds is None:
            return not_measured(code, name, sentences.no_measurement(self.score), self.limit)
        return result(code, name, bounds, low, high, self.limit, sentences.absolute(self.score))

    def decoys(self, case: Case) -> Iterator[Decoy]:
        """Models beyond the limit."""
        return decoys.of_limit(self.score, *self._range, case)

    @property
    def _range(self) -> tuple[float, float]:
        low = {"at_least": self.limit, "at_most": -math.inf, "within": -self.limit}[self.kind]
        return low, math.inf if self.kind == "at_least" else self.limit

    def as_dict(self) -> dict[str, Any]:
        """The question as plain values."""
        return {"gate": self.kind, "score": self.score, "limit": self.limit}

    def problem(self, task: Task) -> str | None:
        """A score that the task does not have, whose better side is the other one, or that is never there."""
        right = direction(self.score, task)
        side = None
        if right is True and self.kind != "at_least":
            side = f"{self.score}, which is better when higher: ask at_least({self.score!r}, ...)"
        if right is False and self.kind == "at_least":
            side = f"{self.score}, which is better when lower: ask at_most({self.score!r}, ...)"
        return unknown_score(self.score, task) or side or out_of_span(self.score, self.limit)


@dataclass(frozen=True)
class Robust:
    """The task's primary score, averaged over all corruptions of a row, keeps to a limit (WD204)."""

    limit: float

    def answer(self, case: Case) -> tuple[GateResult, ...]:
        """Whether the bound of the corrupted score is on the better side of the limit."""
        return (self._limit(case.task).answer_as("WD204", case),)

    def decoys(self, case: Case) -> Iterator[Decoy]:
        """Models beyond the limit."""
        return self._limit(case.task).decoys(case)

    def _limit(self, task: Task) -> Limit:
        score = f"{CORRUPTED}{task.primary}"
        return Limit("at_least" if direction(score, task) else "at_most", score, self.limit)

    def as_dict(self) -> dict[str, Any]:
        """The question as plain values."""
        return {"gate": "robust", "limit": self.limit}

    def problem(self, task: Task) -> str | None:
        """A limit that the primary score never comes to."""
        return out_of_span(f"corrupted_{task.primary}", self.limit)


@dataclass(frozen=True)
class NoWorse:
    """A score is not worse by a margin than the champion's (WD205) nor than the anchor's (WD206).

    Args:
        score: what is compared.
        margin: the loss that is allowed.
        disagreement: the share of rows on which the two are expected to differ; None where nobody said.
    """

    score: str
    margin: float
    # It changes no answer, and so is no part of the question: what was judged before is not asked again.
    disagreement: float | None = None

    def answer(self, case: Case) -> tuple[GateResult, ...]:
        """One result for the champion and one for the anchor, each on the same rows as the candidate."""
        both = [other.onnx_sha256 for other in (case.champion, case.anchor) if isinstance(other, Evaluation)]
        if len(both) == 2 and both[0] == both[1]:
            anchor = self._not_asked("WD206", "anchor", "the anchor is the champion itself")
        else:
            anchor = self._against("anchor", "WD206", case.anchor, case)
        return self._against("champion", "WD205", case.champion, case), anchor

    def decoys(self, case: Case) -> Iterator[Decoy]:
        """Models that are worse by more than the margin than the champion, and than the anchor."""
        higher = direction(self.score, case.task) is not False
        for whom, other in (("champion", case.champion), ("anchor", case.anchor)):
            if whom == "champion" or other is not None:
                yield from decoys.of_margin(self.score, self.margin, higher, whom, other, case)

    def as_dict(self) -> dict[str, Any]:
        """The question as plain values."""
        return {"gate": "no_worse", "score": self.score, "margin": self.margin}

    def problem(self, task: Task) -> str | None:
        """A score that the task does not have, or that has no better side."""
        if direction(self.score, task) is None and self.score in task.higher_is_better:
            return f"{self.score}, which is best at 0 and has no worse side: ask within({self.score!r}, ...)"
        if self.disagreement is not None and self.score != "accuracy":
            return f"{self.score} with a disagreement, which two models have in accuracy alone: leave it out"
        return unknown_score(self.score, task) or out_of_span(self.score, self.margin, "margin")

    def _against(
        self, whom: str, code: str, other: Evaluation | Incomparable | None, case: Case
    ) -> GateResult:
        if other is None:
            return self._not_asked(code, whom, f"there is no {whom} yet")
        reason = incomparable(self.score, case.evaluation, other)
        if isinstance(other, Incomparable) or reason is not None:
            why = f"the {whom} cannot be compared with, because {reason}"
            return not_measured(code, self._name(whom), why, -self.margin)
        bounds = improvement(self.score, case.evaluation, other, case.task, case.alpha)
        words = sentences.paired(self.score, whom)
        return result(code, self._name(whom), bounds, -self.margin, math.inf, -self.margin, words)

    def _not_asked(self, code: str, whom: str, reason: str) -> GateResult:
        sentence = (
            f"{reason[0].upper()}{reason[1:]}, so {sentences.spoken(self.score)} was not compared with it."
        )
        return GateResult(
            code, self._name(whom), "not applicable", sentence, limit=-self.margin, required=False
        )

    def _name(self, whom: str) -> str:
        return f"{self.score} no worse than the {whom}'s by {self.margin:g}"


@dataclass(frozen=True)
class Skill:
    """The task's proper score is better than that of a predictor that ignores its inputs (WD207)."""

    def answer(self, case: Case) -> tuple[GateResult, ...]:
        """Whether the lower bound of the paired difference to the constant predictor is above 0."""
        score = case.task.proper
        name = f"better than a constant by {score}"
        bounds = skill_over_constant(score, case.evaluation, case.alpha)
        if bounds is None:
            return (not_measured("WD207", name, f"{score} of the constant predictor was not measured", 0.0),)
        return (result("WD207", name, bounds, ABOVE_ZERO, math.inf, 0.0, sentences.skill(score)),)

    def decoys(self, case: Case) -> Iterator[Decoy]:
        """The constant predictor, and what is worse."""
        return decoys.of_skill(case.task.proper, case)

    def as_dict(self) -> dict[str, Any]:
        """The question as plain values."""
        return {"gate": "skill"}

    def problem(self, task: Task) -> str | None:
        """None: every task has a proper score."""
        return None


def at_least(score: str, limit: float) -> Limit:
    """Ask that a score or metric is at least `limit`, by its lower confidence bound (WD202).

    Raises:
        PipelineError: a limit that is no finite number.

    Example:
        >>> at_least("accuracy", 0.88).as_dict()
        {'gate': 'at_least', 'score': 'accuracy', 'limit': 0.88}
    """
    return Limit("at_least", _name(score), _number("limit", limit))


def at_most(score: str, limit: float) -> Limit:
    """Ask that a score or metric is at most `limit`, by its upper confidence bound (WD202).

    Raises:
        PipelineError: a limit that is no finite number.
    """
    return Limit("at_most", _name(score), _number("limit", limit))


def within(score: str, limit: float) -> Limit:
    """Ask that a score lies between -`limit` and `limit`, by both confidence bounds (WD203).

    `within("confidence_gap", .06)` asks for |mean confidence - accuracy| <= .06.

    Raises:
        PipelineError: a limit that is not above 0.
    """
    return Limit("within", _name(score), _positive("limit", limit))


def no_worse(score: str, margin: float, disagreement: float | None = None) -> NoWorse:
    """Ask that a score is not worse by `margin` than the champion's, nor than the anchor's (WD205, WD206).

    Where `disagreement` is given, the share of rows that one model gets right and the other wrong, a run is
    refused before training if its test rows are too few to decide the margin.

    Raises:
        PipelineError: a margin that is not above 0; with a margin of 0 no finite number of rows decides. A
            disagreement that is not above 0, or above 1.
    """
    if disagreement is not None and not _positive("disagreement", disagreement) <= 1:
        raise PipelineError(f"disagreement must be a share of rows, at most 1, got {disagreement!r}")
    if disagreement is not None and score == "accuracy" and _positive("margin", margin) > disagreement:
        raise PipelineError(
            f"margin {margin:g} is above disagreement {disagreement:g}, but a model cannot be worse on more "
            "rows than those on which the two differ"
        )
    return NoWorse(_name(score), _positive("margin", margin), disagreement)


def robust(limit: float) -> Robust:
    """Ask that the primary score under corruptions is on the better side of `limit` (WD204).

    Raises:
        PipelineError: a limit that is no finite number.
    """
    return Robust(_number("limit", limit))


def skill() -> Skill:
    """Ask that the model is better than the constant predictor, on the task's proper score (WD207)."""
    return Skill()


def check_gates(gates: Iterable[Gate], task: Task) -> None:
    """Refuse questions that cannot be asked about this task; called where a pipeline is loaded.

    Raises:
        PipelineError: an object that is no gate, a score that the task does not have (naming the
            nearest one that it has), or one that is asked for on its worse side.

    Example:
        >>> from wdgate.evaluation.tasks import Regression
        >>> check_gates([at_least("r3", 0.5)], Regression())
        Traceback (most recent call last):
        ...
        data_checks.errors.PipelineError: gate at_least asks for the score r3, ... did you mean r2?
    """
    for gate in gates:
        if not callable(getattr(gate, "problem", None)):
            raise PipelineError(
                "gates must be made by at_least, at_most, within, no_worse, better, robust or skill, "
                f"got {gate!r}"
            )
        problem = gate.problem(task)
        if problem is not None:
            raise PipelineError(f"gate {gate.as_dict()['gate']} asks for the score {problem}")


def unknown_score(score: str, task: Task) -> str | None:
    """That a task has no such score or metric, with the nearest one that it has; None where it has it."""
    corrupted = f"{CORRUPTED}{task.primary}"
    known = [*task.higher_is_better, corrupted]
    single = [f"{corrupted}/{name}" for name in corruption_names()]
    told = [OOD] if direction(OOD, task) else []
    if score in known or score in single or (told and is_ood(score)):
        return None
    near = difflib.get_close_matches(score, [*known, *single, *told], n=1, cutoff=0.0)
    return f"{score}, which is none of {among(score, known)}; did you mean {near[0]}?"


def _name(score: str) -> str:
    if not isinstance(score, str) or not score:
        raise PipelineError(f"a gate's score must be a name such as 'accuracy', got {score!r}")
    return score


def _number(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not math.isfinite(value):
        raise PipelineError(f"{name} must be a finite number, got {value!r}")
    return float(value)


def _positive(name: str, value: float) -> float:
    if not _number(name, value) > 0:
        raise PipelineError(f"{name} must be above 0, got {value!r}")
    return float(value)
