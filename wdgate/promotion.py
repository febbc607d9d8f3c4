"""In which order is a model booked, judged, released and made the champion, so that a crash harms nothing?

`judged` entry, certificate, bytes released and read back, `promoted` entry, version, alias. The ledger
decides; the version and the alias follow from it. Each step goes on from what an earlier run left.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from data_checks.errors import DataError, ModelError, PipelineError, RegistryError
from data_checks.report import DataReport
from data_checks.splits import Split, Splits
from wdgate import releases
from wdgate.booking import Booking, book, judged_of
from wdgate.canonical import plain, sha256
from wdgate.certificate import Certificate, certify
from wdgate.evaluation.onnx_file import OnnxModel
from wdgate.evaluation.tasks import Task, described
from wdgate.gates.results import LARGEST_ALPHA
from wdgate.keys import refuse_untrusted, signing_time
from wdgate.ledger import ATTEMPTS, Entry
from wdgate.registry import Registry
from wdgate.standing import Standing, onnx_of

if TYPE_CHECKING:  # a promotion that is answered from the ledger needs neither
    from wdgate.evaluation.evaluation import Evaluation, Incomparable
    from wdgate.gates.gates import Gate
    from wdgate.gates.results import GateDecision

Step = Callable[[Callable[..., Any]], Callable[..., Any]]
Outcome = Literal["promoted", "unchanged", "refused", "passed"]
# What predicts and scores rows with a file: takes and gives what `evaluate` does.
Evaluates = Callable[..., "Evaluation"]


def plainly(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself: a step where no flow engine runs it."""
    return function


@dataclass(frozen=True)
class Promotion:
    """How it ended.

    Args:
        outcome: `promoted`, `unchanged`, `refused`, or `passed` where it was only to be judged.
        reason: one of `passed`, `same-bytes`, `data`, `gates`, `looks-spent`, `rolled-back`.
        sentence: the verdict for a reader who is no specialist.
        model: name of the registered model.
        version: its champion's version; None where it has none.
        run_id: the candidate's run.
        decision: every gate's answer; None where none was asked.
        certificate: the certificate of the champion that was promoted or found unchanged.
        report: what the checks of the data found.
        evaluation: what the candidate did on the test rows; None where it was not predicted this time.
    """

    outcome: Outcome
    reason: str
    sentence: str
    model: str
    version: int | None
    run_id: str
    decision: Mapping[str, Any] | None = None
    certificate: Mapping[str, Any] | None = None
    report: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Evaluation | None = field(default=None, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """The promotion as plain values, `gates` and `findings` at the top; no row of the test set."""
        own = {name: value for name, value in vars(self).items() if name not in ("report", "evaluation")}
        gates = (self.decision or {}).get("gates", [])
        return {**own, "gates": gates, "findings": self.report.get("findings", [])}


@dataclass(frozen=True, eq=False)
class _Case:
    """What one call of `promote` was asked, unchanged from its first to its last step."""

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
        return sha256(self.onnx)

    def ends(self, outcome: Outcome, reason: str, sentence: str, **more: Any) -> Promotion:
        champion = Standing.of(self.registry.ledger.entries()).champion
        version = self.registry.version_of(champion) if champion else None
        found = {
            "report": plain(self.report.as_dict()),
            "evaluation": self.evaluations.get(self.onnx_sha256),
        }
        return Promotion(outcome, reason, sentence, self.registry.name, version, self.run_id, **found, **more)


def promote(
    onnx: bytes,
    splits: Splits,
    task: Task,
    gates: Sequence[Gate],
    report: DataReport,
    *,
    name: str,
    run_id: str,
    alpha: float,
    looks: int,
    evidence: Mapping[str, Any],
    registry: Registry,
    step: Step = plainly,
    evaluates: Evaluates | None = None,
    only_judge: bool = False,
) -> Promotion:
    """Judge an ONNX file, and make it the champion if every gate lets it pass.

    Args:
        onnx: the candidate's bytes; nothing else of it is taken on trust.
        splits: the rows, loaded by the promoter.
        task: what is predicted, and how it is scored.
        gates: what the model must show.
        report: what the promoter's own check of the data found.
        name: the registered model, the one that `registry` is for.
        run_id: the candidate's run, for the record.
        alpha: the probability of a wrong promotion over all planned looks.
        looks: how many judgements are planned on these test rows.
        evidence: what the certificate binds beside the judgement: the decay, the code, the environment.
        registry: where the model is kept, and its ledger.
        step: wraps `book`, `evaluate`, `judge` and `release` before each is called, for a flow engine.
        evaluates: in place of `evaluate`, for files whose inputs and outputs have names of their own. It is
            asked about the candidate, the champion and the anchor.
        only_judge: a look is paid and the answer recorded, and nothing is released.

    Returns:
        How it ended; a refusal is a result, not an exception.

    Raises:
        CannotProceed: the file, the rows or the registry do not allow a judgement; nothing was promoted.
    """
    said, by = plain(evidence), evaluates or evaluate
    case = _Case(
        onnx, splits, task, gates, report, run_id, alpha, looks, said, registry, step, by, only_judge
    )
    _validate(case, name)
    finished = registry.project()
    if not report.passed:
        return case.ends("refused", "data", report.sentence)
    if not gates:
        return case.ends(
            "refused", "gates", "Refused. No gate was given, so there is nothing that the model has shown."
        )
    if evaluates is None:
        OnnxModel(onnx)  # what cannot be opened is said before a look is paid
    for _ in range(ATTEMPTS):
        ended = _known(case, finished) or _attempt(case)
        if ended is not None:
            return ended
    raise RegistryError(f"the champion of {name} changed {ATTEMPTS} times during one promotion; try again")


def release(
    registry: Registry,
    onnx: bytes,
    booking: Booking,
    judged: Entry,
    certificate: Certificate,
    run_id: str,
) -> Entry | None:
    """Upload what passed, record the promotion, and make the version and the alias follow.

    Returns:
        The `promoted` entry, or None when the champion is no longer the one that was compared with, or the
        bytes were promoted by somebody else and rolled back meanwhile.
    """

    def still(entries: tuple[Entry, ...]) -> bool:
        now = Standing.of(entries)
        return now.champion == booking.champion and certificate.onnx_sha256 not in now.rolled_back

    body = {
        "onnx_sha256": certificate.onnx_sha256,
        "certificate_sha256": certificate.sha256,
        "judged": judged.hash,
        "release_run_id": releases.upload(registry, onnx, certificate),
        "run_id": run_id,
        "task": booking.entry.body["question"]["task"],
        "sentence": judged.body["decision"]["sentence"],
        "gates": ", ".join(f"{gate['code']} {gate['status']}" for gate in judged.body["decision"]["gates"]),
    }
    entry = registry.ledger.append("promoted", body, still)
    if entry is not None:
        registry.project()
    return entry


def _validate(case: _Case, name: str) -> None:
    from wdgate.gates.gates import check_gates

    if name != case.registry.name:
        raise RegistryError(f"the registry is for {case.registry.name!r}, but {name!r} is to be promoted")
    if not (math.isfinite(case.alpha) and 0 < case.alpha <= LARGEST_ALPHA):
        raise PipelineError(f"alpha must be above 0 and at most {LARGEST_ALPHA}, got {case.alpha}")
    if not case.looks >= 1:
        raise PipelineError(f"looks must be at least 1, got {case.looks}")
    if dict(case.report.fingerprints) != case.splits.fingerprints:
        raise DataError("the data report is about other rows than those that the model is to be judged on")
    check_gates(case.gates, case.task)
    if not case.only_judge:  # a look that was paid for what nobody can sign would be lost
        refuse_untrusted(case.registry.signing_key, case.registry.trusted)


def _known(case: _Case, finished: bool) -> Promotion | None:
    """The end, where these bytes need no judgement; `finished`: a promotion was completed just now."""
    entries = case.registry.ledger.opened()
    standing, version = Standing.of(entries), None
    if standing.champion and onnx_of(standing.champion) == case.onnx_sha256:
        _, certificate = releases.read_promoted(case.registry, standing.champion)
        decision = next(e.body["decision"] for e in entries if e.hash == standing.champion.body["judged"])
        version = case.registry.version_of(standing.champion)
        more = {"decision": decision, "certificate": certificate.as_dict()}
        if finished:
            return case.ends("promoted", "passed", decision["sentence"], **more)
        return case.ends(
            "unchanged", "same-bytes", f"These bytes are the champion already, version {version}.", **more
        )
    if case.onnx_sha256 in standing.rolled_back:
        sentence = "Refused. These bytes were the champion and were rolled back; a rollback brings them back."
        return case.ends("refused", "rolled-back", sentence)
    return None


def _attempt(case: _Case) -> Promotion | None:
    """One judgement against the champion of now; None when it changed before the end."""
    booking = case.step(book)(case.registry, _question(case), case.splits.test, case.run_id)
    if booking is None:
        sentence = (
            f"Refused. All {case.looks} planned looks at these test rows are spent; new test rows are needed."
        )
        return case.ends("refused", "looks-spent", sentence)
    judged = booking.judged or _judge(case, booking)
    decision = judged.body["decision"]
    if decision["passed"] is not True:
        return case.ends("refused", "gates", decision["sentence"], decision=decision)
    if case.only_judge:
        return case.ends("passed", "passed", decision["sentence"], decision=decision)
    certificate = _certify(case, booking, judged)
    if case.step(release)(case.registry, case.onnx, booking, judged, certificate, case.run_id) is None:
        return None
    more = {"decision": decision, "certificate": certificate.as_dict()}
    return case.ends("promoted", "passed", decision["sentence"], **more)


def _question(case: _Case) -> dict[str, Any]:
    return {
        "onnx_sha256": case.onnx_sha256,
        "test": case.splits.test.fingerprint,
        "rows": case.rows.fingerprint,
        "train": case.splits.train.fingerprint,
        "validation": case.splits.validation.fingerprint,
        "task": described(case.task),
        "gates": [gate.as_dict() for gate in case.gates],
        "alpha": case.alpha,
        "looks": case.looks,
    }


def _judge(case: _Case, booking: Booking) -> Entry:
    """The `judged` entry of a booking: predict, ask the gates, and record what they said."""
    from wdgate.judging import judge

    candidate = _evaluation(case, case.onnx)
    decision: GateDecision = case.step(judge)(
        case.gates,
        case.report,
        candidate,
        champion=_evaluation_of(case, booking.champion),
        anchor=_evaluation_of(case, booking.anchor),
        task=case.task,
        alpha=case.alpha,
        looks=case.looks,
        look=booking.look,
        onnx=case.onnx,
        train=_on_train(case),
        effect=case.evidence.get("claimed_by_trainer", {}).get("decay_effect"),
    )
    ledger = case.registry.ledger
    body = {
        "booked": booking.entry.hash,
        "question": booking.entry.body["question"],
        "decision": decision.as_dict(),
    }
    judged = ledger.append("judged", body, still=lambda entries: judged_of(entries, booking.entry) is None)
    # None: another process went on with the same booking, and its answer counts.
    return judged or next(
        e for e in ledger.entries() if e.kind == "judged" and e.body["booked"] == booking.entry.hash
    )


def evaluate(*asked: Any, **more: Any) -> Evaluation:
    """`wdgate.evaluation.evaluation.evaluate`, imported late: what the ledger answers needs none."""
    from wdgate.evaluation import evaluation

    return evaluation.evaluate(*asked, **more)


def _evaluation(case: _Case, onnx: bytes) -> Evaluation:
    key = sha256(onnx)
    if key not in case.evaluations:
        case.evaluations[key] = case.step(case.evaluates)(
            onnx,
            case.rows,
            case.task,
            reference=case.splits.train.targets,
            also=case.splits.also,
        )
    return case.evaluations[key]


def _on_train(case: _Case) -> Evaluation | None:
    """What the candidate does on train rows, where a gate asks for the generalization gap."""
    from wdgate.gates.gap_gate import asks_for_train, train_rows

    if not asks_for_train(case.gates):
        return None
    train = case.splits.train
    return case.evaluates(case.onnx, train_rows(train), case.task, reference=train.targets, corruptions=())


def _evaluation_of(case: _Case, entry: Entry | None) -> Evaluation | Incomparable | None:
    from wdgate.evaluation.evaluation import Incomparable

    if entry is None:
        return None
    if entry.body.get("task") != plain(described(case.task)):
        return Incomparable("it was promoted for another task, or other classes")
    onnx, _ = releases.read_promoted(case.registry, entry)
    try:
        return _evaluation(case, onnx)
    except ModelError as error:  # rows of another shape than it was made for; the gates say what that means
        return Incomparable(str(error))


def _certify(case: _Case, booking: Booking, judged: Entry) -> Certificate:
    return certify(
        case.onnx_sha256,
        case.registry.signing_key,
        signed_at=signing_time(case.registry, judged),
        model=case.registry.name,
        judged=judged.body,
        ledger={"booked": booking.entry.hash, "judged": judged.hash, "at": judged.at, "by": judged.by},
        fingerprints=case.splits.fingerprints,
        report=case.report.as_dict(),
        evidence=case.evidence,
    )
