"""What is one call of `promote` asked, from its first step to its last?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from data_checks.report import DataReport
from data_checks.splits import Split, Splits
from wdgate.booking import TEST
from wdgate.canonical import sha256
from wdgate.evaluation.tasks import Task, described
from wdgate.registry import Registry

if TYPE_CHECKING:  # a promotion that is answered from the ledger needs neither
    from wdgate.evaluation.evaluation import Evaluation
    from wdgate.gates.gates import Gate

Step = Callable[[Callable[..., Any]], Callable[..., Any]]
# What predicts and scores rows with a file: takes and gives what `evaluate` does.
Evaluates = Callable[..., "Evaluation"]


def plainly(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself: a step where no flow engine runs it."""
    return function


@dataclass(frozen=True, eq=False)
class Asked:
    """The arguments of one call of `promote`, and what was predicted on the way."""

    onnx: bytes
    splits: Splits
    task: Task
    gates: Sequence[Gate]
    report: DataReport
    run_id: str
    alpha: float
    looks: int
    evidence: Mapping[str, Any]
    registry: Registry
    step: Step
    evaluates: Evaluates
    only_judge: bool
    # By the file's hash: the champion is often the anchor too, and a lost race judges the same bytes again.
    evaluations: dict[str, Evaluation] = field(default_factory=dict)

    @cached_property
    def rows(self) -> Split:
        """The test rows that may be judged on."""
        return self.splits.test.take(~self.report.left_out)

    @cached_property
    def onnx_sha256(self) -> str:
        """The hash of the candidate's file."""
        return sha256(self.onnx)

    @property
    def rows_looked_at(self) -> dict[str, Split]:
        """The test rows, and each further test set that a gate asks about: what a look is paid for."""
        asked = (gate.as_dict() for gate in self.gates)
        names = {question["name"] for question in asked if question.get("gate") == "on"}
        also = {name: split for name, split in self.splits.also.items() if name in names}
        return {TEST: self.splits.test, **also}

    @property
    def question(self) -> dict[str, Any]:
        """What an answer depends on, but for the champion and the anchor."""
        fingerprints = {name: split.fingerprint for name, split in self.rows_looked_at.items()}
        return {
            "onnx_sha256": self.onnx_sha256,
            "test": fingerprints.pop(TEST),
            "also": fingerprints,
            "rows": self.rows.fingerprint,
            "train": self.splits.train.fingerprint,
            "validation": self.splits.validation.fingerprint,
            "task": described(self.task),
            "gates": [gate.as_dict() for gate in self.gates],
            "alpha": self.alpha,
            "looks": self.looks,
        }
