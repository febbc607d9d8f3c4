"""Does the weight decay help, by the trainer's own measurement (WD209)?

The promoter has the exported file alone: trainings without decay were made by the trainer, and compared on
validation rows. So the answer is the trainer's word, at the trainer's own level of 95 %. It may stop a
promotion, and never carries one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from data_checks.errors import PipelineError
from wdgate.evaluation.tasks import Task
from wdgate.gates import sentences
from wdgate.gates.answers import not_measured, settle
from wdgate.gates.bad import HAIR
from wdgate.gates.bounds import Bounds
from wdgate.gates.decoys import Decoy
from wdgate.gates.gates import Case, unknown_score
from wdgate.gates.measuring import direction
from wdgate.gates.results import GateResult

CODE = "WD209"


@dataclass(frozen=True)
class DecayHelps:
    """A score is better with the decay than without by at least `at_least`, by the trainer's measurement.

    Args:
        score: what was compared.
        at_least: the least improvement in the score's better direction; 0: the decay does no harm.
    """

    score: str
    at_least: float = 0.0

    def answer(self, case: Case) -> tuple[GateResult, ...]:
        """Whether the lower bound of the improvement is at or above the limit; unmeasured, it blocks."""
        found = _measured(self.score, direction(self.score, case.task), case.effect)
        if isinstance(found, str):
            return (not_measured(CODE, self._name, found, self.at_least),)
        bounds, pairs = found
        status, _ = settle(bounds, self.at_least, math.inf)
        sentence, limit = self._sentence(status, bounds, pairs), self.at_least
        numbers = (bounds.observed, bounds.lower, bounds.upper, limit)
        return (GateResult(CODE, self._name, status, sentence, *numbers),)

    def decoys(self, case: Case) -> Iterator[Decoy]:
        """Trainings in which the decay helped too little, and those that were not measured."""
        yield Decoy("an effect that was not measured", replace(case, effect=None))
        effect, higher = case.effect, direction(self.score, case.task)
        if isinstance(_measured(self.score, higher, effect), str) or effect is None:
            yield Decoy(f"an effect just below {self.at_least:g}", None, "no effect was measured")
            return
        low = self.at_least - HAIR * max(1.0, abs(self.at_least))
        ends = (low, low + 1.0) if higher else (-low - 1.0, -low)
        yield Decoy(
            f"an effect just below {self.at_least:g}", replace(case, effect=self._with(effect, *ends))
        )
        ends = (math.nan, math.nan)
        yield Decoy("an effect that is not a number", replace(case, effect=self._with(effect, *ends)))

    def as_dict(self) -> dict[str, Any]:
        """The question as plain values."""
        return {"gate": "decay_helps", "score": self.score, "at_least": self.at_least}

    def problem(self, task: Task) -> str | None:
        """A score that the task does not have, or that has no better side."""
        if direction(self.score, task) is None and self.score in task.higher_is_better:
            return f"{self.score}, which is best at 0 and has no better side"
        return unknown_score(self.score, task)

    @property
    def _name(self) -> str:
        return f"decay improves {self.score} by {self.at_least:g} or more"

    def _with(self, effect: Mapping[str, Any], lower: float, upper: float) -> dict[str, Any]:
        ends = {"lower": lower, "upper": upper, "difference": (lower + upper) / 2}
        changed = [{**one, **ends} if one.get("score") == self.score else one for one in effect["effects"]]
        return {**effect, "effects": changed}

    def _sentence(self, status: str, bounds: Bounds, pairs: int) -> str:
        said, limit = compared(self.score), sentences.improved(self.score)(self.at_least)
        verdict = {
            "passed": f"at least the {limit} asked for",
            "failed": f"less than the {limit} asked for",
        }.get(status, f"which cannot tell if it is {limit} or more")
        return (
            f"With the decay {sentences.spoken(self.score)} is {said(bounds.observed)} "
            f"({said(bounds.lower)} to {said(bounds.upper)}), {verdict}; this is the trainer's measurement, "
            f"on validation rows, of {pairs} pairs of trainings at 95 %."
        )


def compared(score: str) -> Callable[[float], str]:
    """How an improvement is said, in either direction.

    Example:
        >>> compared("accuracy")(0.02), compared("nll")(-0.021)
        ('2 points better', '0.021 worse')
    """
    number = sentences.improved(score)
    return lambda value: f"{number(abs(value))} {'worse' if value < 0 else 'better'}"


def decay_helps(score: str, at_least: float = 0.0) -> DecayHelps:
    """Ask that the decay makes a score better by `at_least`, by the trainer's measurement (WD209).

    Raises:
        PipelineError: a score that is no name, or a limit that is no finite number.

    Example:
        >>> decay_helps("nll", at_least=0.01).as_dict()
        {'gate': 'decay_helps', 'score': 'nll', 'at_least': 0.01}
    """
    if not isinstance(score, str) or not score:
        raise PipelineError(f"decay_helps needs the name of a score such as 'accuracy', got {score!r}")
    number = isinstance(at_least, int | float | np.number) and not isinstance(at_least, bool)
    if not number or not math.isfinite(at_least):
        raise PipelineError(f"at_least must be a finite number, got {at_least!r}")
    return DecayHelps(score, float(at_least))


def _measured(
    score: str, higher_is_better: bool | None, effect: Mapping[str, Any] | None
) -> tuple[Bounds, int] | str:
    """The bounds of the improvement and how many pairs they are of, or why there are none."""
    if not effect:
        return "the trainer says nothing of an effect"
    if effect.get("status") != "measured":
        return f"by the trainer's word there is {effect.get('status', 'nothing')}"
    found = [one for one in effect.get("effects", ()) if one.get("score") == score]
    if not found:
        return f"the trainer measured no effect on {score}"
    one = found[0]
    if not _count(one.get("pairs")) > 1:
        return "it takes two pairs of trainings or more to tell an effect from another seed's luck"
    ends = [one.get(name) for name in ("difference", "lower", "upper")]
    if not all(isinstance(end, int | float) and math.isfinite(end) for end in ends):
        return f"the trainer's effect on {score} is no finite number"
    middle, lower, upper = ends if higher_is_better else (-ends[0], -ends[2], -ends[1])
    return Bounds(middle, lower, upper, rows=0), int(one["pairs"])


def _count(pairs: Any) -> float:
    return float(pairs) if isinstance(pairs, int | float) else 0.0
