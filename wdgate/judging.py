"""Do all gates let a model pass, at the error rate that was promised for this look?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from data_checks.report import DataReport
from wdgate.evaluation.evaluation import Evaluation, Incomparable
from wdgate.evaluation.tasks import Task
from wdgate.gates.beside import on_new_rows, surpassing
from wdgate.gates.gates import Case, Gate, check_gates
from wdgate.gates.proving import prove, voided
from wdgate.gates.results import GateDecision, GateResult


def judge(
    gates: Sequence[Gate],
    report: DataReport,
    evaluation: Evaluation,
    *,
    champion: Evaluation | Incomparable | None,
    anchor: Evaluation | Incomparable | None,
    task: Task,
    alpha: float,
    looks: int,
    look: int,
    onnx: bytes | None = None,
    train: Evaluation | None = None,
    effect: Mapping[str, Any] | None = None,
    earlier: Sequence[float] = (),
) -> GateDecision:
    """Ask whether the data are clean, then every gate at error probability alpha / looks.

    All must let the model pass, so that no correction for their number is due: a bad model is promoted
    only if the one gate that should stop it errs (an intersection-union test, Berger 1982). The looks
    share alpha, because each is another chance (Bonferroni), and they are counted: a look beyond the
    last is refused. Afterwards each gate is asked about decoys, models that it must refuse; one that passes
    voids the decision.

    Args:
        gates: what the model must show; without one it is refused.
        report: of the checks of the data, all test rows of it.
        evaluation: of the candidate, on the test rows that the report does not leave out.
        champion: of the version in use, on the same rows; None where there is none yet.
        anchor: of the frozen reference beside it, likewise.
        task: what is predicted, and how it is scored.
        alpha: the probability of a wrong promotion over all looks, between 0 and 1.
        looks: how many judgements on these test rows are planned.
        look: which of them this one is, from 1.
        onnx: the candidate's bytes, for the decoy with one flipped bit.
        train: of the candidate, on train rows; only the generalization gap asks for it.
        effect: what the trainer says that the decay did, as `DecayEffect.as_dict` gives it.
        earlier: what other models reached in the task's primary score on these rows before.

    Raises:
        PipelineError: a gate that cannot be asked about this task.
    """
    check_gates(gates, task)
    case = Case(evaluation, champion, anchor, task, alpha / max(looks, 1), train, effect)
    results = [clean_data(report, evaluation), *_no_gate(gates), *_no_look(look, looks, alpha)]
    results += [result for gate in gates for result in gate.answer(case)]
    decoys = prove(gates, case, onnx)
    answers = (*results, *voided(decoys))
    return GateDecision(
        answers, alpha, looks, look, decoys, surpassing(case), on_new_rows(case, earlier, look)
    )


def clean_data(report: DataReport, evaluation: Evaluation) -> GateResult:
    """Whether no check of the data blocks, and the rows judged on are the rows checked (WD201)."""
    kept = int((~report.left_out).sum())
    same = kept == len(evaluation) and (
        bool(report.left_out.any()) or report.fingerprints.get("test") == evaluation.fingerprint
    )
    if not same:
        sentence = "The rows that the model was evaluated on are not the test rows that were checked."
        return GateResult("WD201", "clean data", "failed", sentence)
    left_out = len(report.left_out) - kept
    rows = (
        "test row that is nearly a train row was"
        if left_out == 1
        else "test rows that are nearly train rows were"
    )
    aside = f" {left_out:,} {rows} left out." if left_out else ""
    return GateResult("WD201", "clean data", "passed" if report.passed else "failed", report.sentence + aside)


def _no_gate(gates: Sequence[Gate]) -> list[GateResult]:
    if gates:
        return []
    sentence = "No gate was asked, so nothing speaks for this model."
    return [GateResult("WD200", "a gate is asked", "failed", sentence)]


def _no_look(look: int, looks: int, alpha: float) -> list[GateResult]:
    # Written as "not within" so that NaN, which compares false, is refused.
    if 1 <= look <= looks and 0 < alpha < 1:
        return []
    sentence = (
        f"This would be look {look} of {looks} at a total error probability of {alpha:g}: "
        "the test rows are worn out and must be renewed."
    )
    return [GateResult("WD208", "a look is left", "failed", sentence)]
