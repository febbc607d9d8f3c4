"""Would a model of somebody else's be let pass, given its ONNX file or its predictions, and rows?

Nothing is registered and no look is counted: whoever judges often on the same rows must count by himself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from data_checks.errors import DataCheckFailed, ModelError, PipelineError, Refused
from data_checks.report import DataReport
from data_checks.splits import Split, Splits
from wdgate.evaluation.bounded import Numbers, bounded, bounded_also
from wdgate.evaluation.class_names import refuse_other_order
from wdgate.evaluation.evaluation import Evaluation, Incomparable, evaluate_with, evaluation_of
from wdgate.evaluation.foreign import ForeignModel, Meaning
from wdgate.evaluation.found_slices import found_slices
from wdgate.evaluation.labels import Labels
from wdgate.evaluation.predictions import Predictions, predictions_of
from wdgate.evaluation.slices import Slice, all_slices
from wdgate.evaluation.tasks import Classification, Task
from wdgate.gates.gates import Case, Gate, check_gates, skill
from wdgate.gates.proving import prove, voided
from wdgate.gates.results import LARGEST_ALPHA, GateDecision, GateResult
from wdgate.judging import clean_data

_COMPARES = ("no_worse", "better")

Model: TypeAlias = "bytes | str | Path | Predictions | Mapping[str, Any]"
Opened: TypeAlias = "ForeignModel | Predictions"


@dataclass(frozen=True, eq=False)
class Judgement:
    """What was found about a model.

    Args:
        decision: every gate's answer.
        evaluation: what it did on the test rows, and on the further test sets.
        task: what its predictions could be scored in: `Labels` where it gives no probabilities.
        report: of the checks of the data; None where no train rows were given.
        slices: the slices of every attribute of the test rows, the worst first; and where there are
            validation rows, the region in which the model errs most on them, bounded on the test rows.
        numbers: every score and metric of the test rows, with its bounds.
        also: the same of each further test set, by its name.
    """

    decision: GateDecision
    evaluation: Evaluation
    task: Task
    report: DataReport | None = None
    slices: Mapping[str, Sequence[Slice]] = field(default_factory=dict)
    numbers: Numbers = field(default_factory=dict)
    also: Mapping[str, Numbers] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether every gate lets the model pass."""
        return self.decision.passed

    @property
    def outcome(self) -> Literal["passed", "refused"]:
        """The verdict in a word."""
        return "passed" if self.passed else "refused"

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        return self.decision.sentence

    @property
    def results(self) -> tuple[GateResult, ...]:
        """One answer a gate, or more where a gate asks more than one question."""
        return self.decision.results

    def raise_if_refused(self) -> None:
        """Raise `Refused` with the sentence, `DataCheckFailed` where the rows leak, unless it passed."""
        if not self.passed:
            dirty = self.report is not None and not self.report.passed
            raise (DataCheckFailed if dirty else Refused)(self.sentence)

    def as_dict(self) -> dict[str, Any]:
        """The judgement as plain values, without a row: what `wdgate judge --json` prints."""
        return {
            "outcome": self.outcome,
            **self.decision.as_dict(),
            "findings": [] if self.report is None else self.report.as_dict()["findings"],
            "sha256": self.evaluation.onnx_sha256,
            "rows": len(self.evaluation),
            "numbers": self.numbers,
            "slices": {name: [one.as_dict() for one in found] for name, found in self.slices.items()},
            "also": dict(self.also),
        }


def judge(
    model: Model,
    rows: Split | Splits,
    task: Task,
    gates: Sequence[Gate] = (),
    *,
    champion: Model | None = None,
    also: Mapping[str, Split] | None = None,
    report: DataReport | None = None,
    output: Meaning | None = None,
    alpha: float = 0.05,
    looks: int = 20,
) -> Judgement:
    """Ask gates about a model that no pipeline of wdgate has trained.

    Args:
        model: an ONNX file, as its bytes or its path; or predictions, as `read_predictions` gives them, or
            a mapping of `probs` (N, C) and `predicted` (N,) to arrays in the order of the test rows.
        rows: train and test, which are checked for leakage first; or test rows alone, of which nobody can say
            whether they leak.
        task: what is predicted; its classes are in the order of the model's columns, unless the file names
            them itself.
        gates: what the model must show; `skill()` where none is given.
        champion: a model to compare with, in any form that `model` may have.
        also: further test sets by name, besides those of `Splits.also`.
        report: what `check_splits` found about the same rows, so that they are not checked again.
        output: what the only output of an ONNX file is, where its name does not say it.
        alpha: the probability of letting a bad model pass over all looks.
        looks: how many judgements are planned on these test rows; each gets its share of alpha.

    Raises:
        ModelError: a file that cannot be opened, or predictions that are not this task's.
        DataError: rows that are not this task's.
        PipelineError: gates that cannot be asked about this task, of predictions, or without a champion.
    """
    asked = tuple(gates) or (skill(),)
    refuse_numbers(alpha, looks)
    if champion is None:
        _refuse_comparisons(asked)
    splits = rows if isinstance(rows, Splits) else None
    whole = rows.test if isinstance(rows, Splits) else rows
    candidate = _opened(model, whole, task, output)
    check_gates_of(asked, candidate)
    rival = None if champion is None else _opened(champion, whole, task, None)
    report = _checked(splits) if report is None and splits is not None else report
    case = _case(candidate, rival, whole, splits, report, also or {}, asked, alpha / looks)
    results = [_clean(report, case.evaluation), *(r for gate in asked for r in gate.answer(case))]
    decoys = prove(asked, case)
    results += [*voided(decoys), *_untold(asked, case, splits)]
    decision = GateDecision(tuple(results), alpha, looks, 1, decoys)
    return Judgement(
        decision,
        case.evaluation,
        case.task,
        report,
        {
            **all_slices(case.evaluation, case.task, case.alpha),
            **_found(candidate, case, whole, splits, report),
        },
        bounded(case.evaluation, case.task, case.alpha),
        bounded_also(case.evaluation, case.task, case.alpha),
    )


def _opened(model: Model, rows: Split, task: Task, output: Meaning | None) -> Opened:
    if isinstance(model, Predictions):
        return model
    if isinstance(model, Mapping):
        return predictions_of(model, rows, task)
    return ForeignModel(model if isinstance(model, bytes) else _read(Path(model)), task, output)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error


def check_gates_of(gates: Sequence[Gate], candidate: Opened) -> None:
    """Refuse gates that cannot be asked of a model that says so much.

    Raises:
        PipelineError: a score that its task does not have, or robustness of predictions.
    """
    try:
        check_gates(gates, candidate.task)
    except PipelineError as error:
        why = "; the model gives classes without probabilities" if _says_labels(candidate) else ""
        raise PipelineError(f"{error}{why}") from error
    if isinstance(candidate, Predictions) and needs_corruptions(gates):
        raise PipelineError(
            "robustness can be asked of a model, but not of predictions, which are of the rows as they are"
        )


def _refuse_comparisons(gates: Sequence[Gate]) -> None:
    for gate in gates:
        asked = gate.as_dict()
        kind = asked.get("asked", asked)["gate"]
        if kind in _COMPARES:
            raise PipelineError(
                f"gate {kind} compares with another model, but none was given: hand over a champion "
                "(--champion FILE), or judge under a name (--name NAME), whose champion its ledger knows"
            )


def _says_labels(candidate: Opened) -> bool:
    return isinstance(candidate.task, Labels)


def needs_corruptions(gates: Sequence[Gate]) -> bool:
    """Whether a gate asks what corrupted rows would do."""
    asked = [gate.as_dict() for gate in gates]
    names = [str(one.get("score", "")) for one in asked]
    return any(one["gate"] == "robust" for one in asked) or any(
        name == "ood_auroc" or name.startswith("corrupted_") for name in names
    )


def _checked(splits: Splits) -> DataReport:
    from data_checks.checks import check_splits

    return check_splits(splits, needs_validation=bool(len(splits.validation)))


def _case(
    candidate: Opened,
    rival: Opened | None,
    whole: Split,
    splits: Splits | None,
    report: DataReport | None,
    also: Mapping[str, Split],
    gates: Sequence[Gate],
    alpha: float,
) -> Case:
    """What the gates are asked about: both models on the rows that are left for judging."""
    kept = whole if report is None else whole.take(~report.left_out)
    asked: dict[str, Any] = {
        "split": kept,
        "also": {**(splits.also if splits else {}), **also},
        "reference": None if splits is None else splits.train,
        "robust": needs_corruptions(gates),
    }
    ours = evaluated(candidate, **asked)
    theirs: Evaluation | Incomparable | None = None
    if rival is not None:
        try:
            theirs = evaluated(rival, **asked)
        except ModelError as error:
            theirs = Incomparable(str(error))
    return Case(ours, theirs, None, candidate.task, alpha, _on_train(candidate, splits, gates))


def _on_train(candidate: Opened, splits: Splits | None, gates: Sequence[Gate]) -> Evaluation | None:
    """What the model does on rows that it was fitted on, where a gate asks for the gap."""
    if splits is None or not any(gate.as_dict()["gate"] == "gap_at_most" for gate in gates):
        return None
    from wdgate.gates.gap_gate import train_rows

    return evaluated(candidate, train_rows(splits.train), {}, None, robust=False)


def evaluated(
    model: Opened, split: Split, also: Mapping[str, Split], reference: Any, *, robust: bool
) -> Evaluation:
    """What a model does on rows; corruptions are measured only where something asks for them.

    Raises:
        ModelError: predictions that are not this task's, or whose classes are in another order.
    """
    if isinstance(model, Predictions):
        known = {"reference": reference}
        there = {
            name: evaluation_of(model.sha256, model.of(rows), rows, model.task, **known)
            for name, rows in also.items()
        }
        found = evaluation_of(model.sha256, model.of(split), split, model.task, **known, also=there)
    else:
        chosen = None if robust else ()
        found = evaluate_with(
            model, model.sha256, split, model.task, reference=reference, corruptions=chosen, also=also
        )
    if isinstance(model.task, Classification):
        refuse_other_order(found.predictions, model.task)
    return found


def _found(
    candidate: Opened, case: Case, whole: Split, splits: Splits | None, report: DataReport | None
) -> dict[str, tuple[Slice, ...]]:
    """The region of the columns in which the model errs most on validation rows, bounded on test rows."""
    if splits is None or not len(splits.validation) or isinstance(candidate, Predictions):
        return {}
    chosen_on = evaluated(candidate, splits.validation, {}, None, robust=False)
    kept = whole if report is None else whole.take(~report.left_out)
    return found_slices(chosen_on, splits.validation, case.evaluation, kept, case.task, case.alpha)


def _clean(report: DataReport | None, evaluation: Evaluation) -> GateResult:
    if report is not None:
        return clean_data(report, evaluation)
    sentence = "The train rows are not given, so that nobody asked whether test rows are among them."
    return GateResult("WD201", "no test row in train", "not applicable", sentence, required=False)


def _untold(gates: Sequence[Gate], case: Case, splits: Splits | None) -> list[GateResult]:
    """What would have been asked, had the train rows been given."""
    if splits is not None or not any(gate.as_dict()["gate"] == "skill" for gate in gates):
        return []
    name = f"better than train's constant by {case.task.proper}"
    sentence = (
        "The train rows are not given, so that skill is measured from the constant that is best on the test "
        "rows, which is harder to beat than theirs."
    )
    return [GateResult("WD207", name, "not applicable", sentence, required=False)]


def refuse_numbers(alpha: float, looks: int) -> None:
    """Refuse an error probability or a number of looks that cannot be.

    Raises:
        PipelineError: naming the value.
    """
    # Written as "not within" so that NaN, which compares false, is refused.
    if not (math.isfinite(alpha) and 0 < alpha <= LARGEST_ALPHA):
        raise PipelineError(f"alpha must be above 0 and at most {LARGEST_ALPHA}, got {alpha}")
    if not (isinstance(looks, int | np.integer) and looks >= 1):
        raise PipelineError(f"looks must be a whole number from 1, got {looks}")
