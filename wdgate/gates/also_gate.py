"""Does a model show on a further test set what it must show on the first?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from data_checks.errors import PipelineError
from wdgate.evaluation.evaluation import Evaluation, Incomparable
from wdgate.evaluation.tasks import Task
from wdgate.gates.answers import not_measured
from wdgate.gates.decoys import Decoy
from wdgate.gates.gates import Case, Gate
from wdgate.gates.results import GateResult


@dataclass(frozen=True)
class On:
    """A gate that is asked on a further test set (`Splits.also`); its answers keep their codes.

    Args:
        name: of the further test set.
        gate: the question.
    """

    name: str
    gate: Gate

    def answer(self, case: Case) -> tuple[GateResult, ...]:
        """The gate's answers there, the champion and the anchor being asked there too."""
        there = case.evaluation.also.get(self.name)
        if there is None:
            known = ", ".join(case.evaluation.also) or "none"
            return tuple(self._unmeasured(answer, known) for answer in self.gate.answer(case))
        champion, anchor = self._there(case.champion), self._there(case.anchor)
        answers = self.gate.answer(replace(case, evaluation=there, champion=champion, anchor=anchor))
        return tuple(
            replace(answer, name=self._named(answer), sentence=f"On {self.name}: {answer.sentence}")
            for answer in answers
        )

    def decoys(self, case: Case) -> Iterator[Decoy]:
        """The gate's own decoys, made of the rows of the further test set."""
        there, brought = case.evaluation.also.get(self.name), getattr(self.gate, "decoys", None)
        if there is None or brought is None:
            yield Decoy("its own decoy", None, f"there is none on {self.name}")
            return
        champion, anchor = self._there(case.champion), self._there(case.anchor)
        for decoy in brought(replace(case, evaluation=there, champion=champion, anchor=anchor)):
            yield decoy if decoy.case is None else replace(decoy, case=self._outside(decoy.case))

    def as_dict(self) -> dict[str, Any]:
        """The question as plain values."""
        return {"gate": "on", "name": self.name, "asked": self.gate.as_dict()}

    def problem(self, task: Task) -> str | None:
        """What the gate cannot be asked anywhere, and robustness, which is measured on the test set alone."""
        asked = self.gate.as_dict()
        if asked["gate"] == "robust" or str(asked.get("score", "")).startswith("corrupted_"):
            return f"corrupted_{task.primary}, which is measured on the test set alone, not on {self.name}"
        return self.gate.problem(task)

    def _unmeasured(self, answer: GateResult, known: str) -> GateResult:
        reason = f"there is no further test set {self.name} (there is {known})"
        return replace(not_measured(answer.code, self._named(answer), reason, 0.0), limit=answer.limit)

    def _named(self, answer: GateResult) -> str:
        return f"{answer.name} on {self.name}"

    def _outside(self, case: Case) -> Case:
        """A case of the further test set as one in which that set is asked for."""
        evaluation = replace(case.evaluation, also={self.name: case.evaluation})
        others = [
            replace(other, also={self.name: other}) if isinstance(other, Evaluation) else other
            for other in (case.champion, case.anchor)
        ]
        return replace(case, evaluation=evaluation, champion=others[0], anchor=others[1])

    def _there(self, other: Evaluation | Incomparable | None) -> Evaluation | Incomparable | None:
        if not isinstance(other, Evaluation):
            return other
        return other.also.get(self.name) or Incomparable(f"it was not evaluated on {self.name}")


def on(name: str, gate: Gate) -> On:
    """Ask a gate on a further test set (`Splits.also`) rather than on the test rows.

    Raises:
        PipelineError: a name that is none, or something that is no gate of one test set.

    Example:
        >>> from wdgate.gates.gates import at_least
        >>> on("winter", at_least("accuracy", 0.8)).as_dict()["asked"]
        {'gate': 'at_least', 'score': 'accuracy', 'limit': 0.8}
    """
    if not isinstance(name, str) or not name:
        raise PipelineError(f"on(name, gate) needs the name of a further test set, got {name!r}")
    if isinstance(gate, On) or not callable(getattr(gate, "answer", None)):
        raise PipelineError(f"on({name!r}, gate) needs a gate such as at_least('accuracy', .9), got {gate!r}")
    return On(name, gate)
