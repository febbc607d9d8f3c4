"""Is a model better than the champion, and not merely no worse (WD211)?

No model has to be: `no_worse` is what a promotion asks for. The frozen anchor moves by the same question,
asked against the anchor.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import PipelineError
from wdgate.evaluation.corruptions import clean_score
from wdgate.evaluation.evaluation import Evaluation, Incomparable
from wdgate.evaluation.tasks import Task
from wdgate.gates import sentences
from wdgate.gates.answers import not_measured, result
from wdgate.gates.bad import HAIR, mean_of
from wdgate.gates.bounds import Bounds, missed_by
from wdgate.gates.decoys import Decoy
from wdgate.gates.gates import Case, unknown_score
from wdgate.gates.limits import out_of_span
from wdgate.gates.measuring import SPANS, direction, improvement, incomparable
from wdgate.gates.paired import mcnemar_mid_p
from wdgate.gates.pairing import pair
from wdgate.gates.results import GateResult, GateStatus
from wdgate.gates.sentences import Words

CODE = "WD211"

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Better:
    """A score is better than the champion's by more than `by`.

    Args:
        score: what is compared.
        by: the least improvement that is not enough yet, in the score's own unit.
    """

    score: str
    by: float = 0.0

    def answer(self, case: Case) -> tuple[GateResult, ...]:
        """Whether the lower bound of the improvement, on the same rows, is above `by`."""
        champion = case.champion
        if champion is None:
            return (self._not_asked(),)
        reason = incomparable(self.score, case.evaluation, champion)
        if isinstance(champion, Incomparable) or reason is not None:
            why = f"the champion cannot be compared with, because {reason}"
            return (not_measured(CODE, self._name, why, self.by),)
        bounds = gain(self.score, case.evaluation, champion, case.task, case.alpha)
        low, words = _just_above(self.by), _words(self.score, self.by)
        return (result(CODE, self._name, bounds, low, math.inf, self.by, words),)

    def decoys(self, case: Case) -> Iterator[Decoy]:
        """The champion itself, and models that are better by too little, by nothing, or not at all."""
        champion, bad = case.champion, case.bad
        if not isinstance(champion, Evaluation) or incomparable(self.score, case.evaluation, champion):
            yield Decoy("the champion itself", None, "there is no champion to be compared with")
            return
        # On the rows that the champion has not learned from, on which the gate compares.
        _, champion = pair(case.evaluation, champion, case.task)
        case = replace(case, champion=champion)
        yield Decoy("the champion itself", replace(case, evaluation=champion))
        if self.score not in case.evaluation.scores:
            return
        made = self._too_little(case, champion)
        name, reason = f"{self.score} {self.by:g} better than the champion's", "too few rows are wrong"
        yield Decoy(name, None, reason) if made is None else Decoy(name, replace(case, evaluation=made))
        yield Decoy(f"{self.score} not a number", replace(case, evaluation=bad.nothing))

    def as_dict(self) -> dict[str, Any]:
        """The question as plain values."""
        return {"gate": "better", "score": self.score, "by": self.by}

    def problem(self, task: Task) -> str | None:
        """A score that the task does not have, or that has no better side."""
        if direction(self.score, task) is None and self.score in task.higher_is_better:
            return f"{self.score}, which is best at 0 and has no better side: ask within({self.score!r}, ...)"
        return unknown_score(self.score, task) or out_of_span(self.score, self.by, "by")

    def _too_little(self, case: Case, champion: Evaluation) -> Evaluation | None:
        """The champion's scores, better by just `by` or a hair less."""
        theirs = np.asarray(champion.scores[self.score], np.float64)
        weights = champion.rows_of(self.score).weights
        if not self.by or not len(theirs):
            return None  # that is the champion itself
        sign = -1 if direction(self.score, case.task) is False else 1
        if np.isin(theirs, (0.0, 1.0)).all():
            ours = _won(theirs, weights, self.by)
        else:
            ours = theirs + sign * (self.by - HAIR * self.by)
        reached = sign * (mean_of(ours, weights) - mean_of(theirs, weights))
        # With fewer wrong rows than that the score is perfect, and still no better by so much.
        enough = 0 < reached <= self.by
        return replace(champion, scores={**champion.scores, self.score: ours}) if enough else None

    def _not_asked(self) -> GateResult:
        sentence = f"There is no champion yet, so {sentences.spoken(self.score)} was not compared with it."
        return GateResult(CODE, self._name, "not applicable", sentence, limit=self.by, required=False)

    @property
    def _name(self) -> str:
        more = f" by more than {self.by:g}" if self.by else ""
        return f"{self.score} better than the champion's{more}"


def better(score: str, by: float = 0.0) -> Better:
    """Ask that a score is better than the champion's by more than `by` (WD211).

    For a champion that is to be replaced only by what surpasses it. The first model has no champion to
    surpass, and is not held up by this gate.

    Args:
        score: the name of a score or metric that has a better side.
        by: how much better is not enough, in the score's own unit: .01 is a point of accuracy.

    Raises:
        PipelineError: a score that is no name, or `by` below 0 or not finite.

    Example:
        >>> better("accuracy", by=0.01).as_dict()
        {'gate': 'better', 'score': 'accuracy', 'by': 0.01}
    """
    if not isinstance(score, str) or not score:
        raise PipelineError(f"better needs the name of a score such as 'accuracy', got {score!r}")
    number = isinstance(by, int | float | np.number) and not isinstance(by, bool)
    if not (number and math.isfinite(by) and by >= 0):
        raise PipelineError(
            f"by must be a finite number, at least 0, got {by!r}; a loss is allowed with no_worse"
        )
    return Better(score, float(by))


def gain_in_common(
    ours: Evaluation, theirs: Evaluation | Incomparable | None, task: Task, alpha: float
) -> tuple[str, Bounds] | None:
    """The score that two models have in common, and the bounds of how much better `ours` is in it.

    The task's primary score, or its proper one where the two have no primary one in common. Where its lower
    bound is above 0, the anchor moves to `ours`. What cannot be compared has none: the anchor stays.

    Args:
        ours: the model in question.
        theirs: the anchor, on the same rows.
        task: what is predicted, and how it is scored.
        alpha: the error probability of this look.
    """
    for score in (task.primary, task.proper):
        if isinstance(theirs, Evaluation) and incomparable(score, ours, theirs) is None:
            return score, gain(score, ours, theirs, task, alpha)
    return None


def gain(score: str, ours: Evaluation, theirs: Evaluation, task: Task, alpha: float) -> Bounds:
    """The bounds of how much better `ours` is; the lower one is above 0 where McNemar's test says so.

    McNemar's mid-p is for scores of 0 and 1 on independent rows, the better side being 1. Where Tango's bound
    lies on the other side of 0 than the test, it is moved to 0: the test errs as promised there, the bound
    elsewhere. With groups there is room for those that are lost as a whole and were not drawn.
    """
    bounds = _with_room(score, improvement(score, ours, theirs, task, alpha), alpha)
    counts = _counts(score, ours, theirs, task)
    if counts is None or not math.isfinite(bounds.lower):
        return bounds
    if mcnemar_mid_p(*counts) <= alpha:
        return replace(bounds, lower=max(float(bounds.lower), _just_above(0.0)))
    return replace(bounds, lower=min(float(bounds.lower), 0.0))


def _with_room(score: str, bounds: Bounds, alpha: float) -> Bounds:
    """The lower bound that holds too if some groups are worse by the whole span, and none of them was drawn.

    `no_worse` has no such room, because no model could show with it that it keeps a margin. Here there is no
    margin to keep: without the room, 2 % of rows won and 2 % of groups lost made .54 of samples of 30 groups
    call a model better that is not.
    """
    span, groups = SPANS.get(clean_score(score)), bounds.groups
    if span is None or not math.isfinite(span[1]) or groups is None:
        return bounds

    def method(times: float) -> tuple[float, float]:
        lower, upper = bounds.on_times_the_rows(times)
        most = bounds.observed + span[1] - span[0]
        return min(lower, bounds.observed - most * missed_by(times * groups, alpha)), upper

    return replace(bounds, lower=method(1.0)[0], method=method)


def _counts(score: str, ours: Evaluation, theirs: Evaluation, task: Task) -> tuple[int, int] | None:
    """How many rows only the one, and only the other got right; None where McNemar's test is not for them."""
    if score not in ours.scores or direction(score, task) is False:
        return None
    ours, theirs = pair(ours, theirs, task)
    rows, pairs = ours.rows_of(score), np.array([ours.scores[score], theirs.scores[score]], np.float64)
    if rows.groups is not None or rows.weights is not None or not np.isin(pairs, (0.0, 1.0)).all():
        return None
    return int((pairs[0] > pairs[1]).sum()), int((pairs[0] < pairs[1]).sum())


def _won(theirs: Floats, weights: Floats | None, by: float) -> Floats:
    """Wrong rows (0) are won, from the first on, as long as they make less than `by`."""
    mass = np.ones(len(theirs)) if weights is None else np.asarray(weights, np.float64)
    won = np.cumsum(mass * (1 - theirs)) / (mass.sum() or 1.0)
    return np.where(won <= by * (1 - HAIR), 1.0, theirs)


def _just_above(value: float) -> float:
    # More than a number, not the number itself.
    return float(np.nextafter(value, math.inf))


def _words(score: str, by: float) -> Words:
    number = sentences.improved(score)
    asked = f"better by more than {number(by)}" if by else "better"

    def said(value: float) -> str:
        return f"{number(abs(value))} {'worse' if value < 0 else 'better'}"

    def least(value: float) -> str:
        return number(round(value, 12))  # what is only just above 0 is said as 0

    def say(status: GateStatus, b: Bounds, low: float, high: float) -> str:
        name = sentences.spoken(score)
        observed = f"{name[0].upper()}{name[1:]} is {said(b.observed)} than the champion's"
        observed = f"{observed} on the same {b.rows:,} test rows"
        return {
            "passed": f"{observed}, with confidence by {least(b.lower)} or more - {asked}, as was asked for",
            "failed": f"{observed}, at best {said(b.upper)} - not {asked}, as was asked for",
        }.get(status, f"{observed} and may be {said(b.lower)}: these rows cannot tell if it is {asked}")

    return Words(say)
