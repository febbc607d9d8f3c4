"""In which order is a model booked, judged, released and made the champion, so that a crash harms nothing?

`judged` entry, certificate, bytes released and read back, `promoted` entry, version, alias. The ledger
decides; the version and the alias follow from it. Each step goes on from what an earlier run left.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from data_checks.errors import DataError, PipelineError, RegistryError
from data_checks.report import DataReport
from data_checks.splits import Splits
from wdgate import releases
from wdgate.asked import Asked, Evaluates, Step, plainly
from wdgate.booking import Booking, book, judged_of
from wdgate.canonical import plain
from wdgate.certificate import Certificate, certify
from wdgate.evaluation.onnx_file import OnnxModel
from wdgate.evaluation.tasks import Task
from wdgate.gates.results import LARGEST_ALPHA
from wdgate.keys import refuse_untrusted, signing_time
from wdgate.ledger import ATTEMPTS, Entry
from wdgate.registry import Registry
from wdgate.standing import Standing, onnx_of
from wdgate.used import earlier_scores

if TYPE_CHECKING:  # a promotion that is answered from the ledger needs neither
    from wdgate.evaluation.evaluation import Evaluation
    from wdgate.gates.gates import Gate
    from wdgate.gates.results import GateDecision

Outcome = Literal["promoted", "unchanged", "refused", "passed"]


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
    asked = Asked(
        onnx, splits, task, gates, report, run_id, alpha, looks, said, registry, step, by, only_judge
    )
    _validate(asked, name)
    finished = registry.project()
    if not report.passed:
        return _ends(asked, "refused", "data", report.sentence)
    if not gates:
        return _ends(
            asked,
            "refused",
            "gates",
            "Refused. No gate was given, so there is nothing that the model has shown.",
        )
    if evaluates is None:
        OnnxModel(onnx)  # what cannot be opened is said before a look is paid
    for _ in range(ATTEMPTS):
        ended = _known(asked, finished) or _attempt(asked)
        if ended is not None:
            return ended
    raise RegistryError(f"the champion of {name} changed {ATTEMPTS} times during one promotion; try again")


def release(asked: Asked, booking: Booking, judged: Entry, certificate: Certificate) -> Entry | None:
    """Upload what passed, record the promotion, and make the version and the alias follow.

    Returns:
        The `promoted` entry, or None when the champion or the anchor is no longer the one that was compared
        with, or the bytes were promoted by somebody else and rolled back meanwhile.
    """
    from wdgate.comparing import learned_from, predictions_of

    def still(entries: tuple[Entry, ...]) -> bool:
        now = Standing.of(entries)
        same = (now.champion, now.anchor) == (booking.champion, booking.anchor)
        return same and certificate.onnx_sha256 not in now.rolled_back

    registry, decision = asked.registry, judged.body["decision"]
    run_id = releases.upload(registry, asked.onnx, certificate)
    body = {
        "onnx_sha256": certificate.onnx_sha256,
        "certificate_sha256": certificate.sha256,
        "judged": judged.hash,
        "release_run_id": run_id,
        "run_id": asked.run_id,
        "task": booking.entry.body["question"]["task"],
        "learned_from": learned_from(asked, registry.ledger.opened()),
        "predictions": predictions_of(asked, run_id),
        "superior": decision["superior"],
        "sentence": decision["sentence"],
        "gates": ", ".join(f"{gate['code']} {gate['status']}" for gate in decision["gates"]),
    }
    entry = registry.ledger.append("promoted", body, still)
    if entry is not None:
        registry.project()
    return entry


def _validate(asked: Asked, name: str) -> None:
    from wdgate.gates.gates import check_gates

    if name != asked.registry.name:
        raise RegistryError(f"the registry is for {asked.registry.name!r}, but {name!r} is to be promoted")
    if not (math.isfinite(asked.alpha) and 0 < asked.alpha <= LARGEST_ALPHA):
        raise PipelineError(f"alpha must be above 0 and at most {LARGEST_ALPHA}, got {asked.alpha}")
    if not asked.looks >= 1:
        raise PipelineError(f"looks must be at least 1, got {asked.looks}")
    if dict(asked.report.fingerprints) != asked.splits.fingerprints:
        raise DataError("the data report is about other rows than those that the model is to be judged on")
    check_gates(asked.gates, asked.task)
    if not asked.only_judge:  # a look that was paid for what nobody can sign would be lost
        refuse_untrusted(asked.registry.signing_key, asked.registry.trusted)


def _known(asked: Asked, finished: bool) -> Promotion | None:
    """The end, where these bytes need no judgement; `finished`: a promotion was completed just now."""
    entries = asked.registry.ledger.opened()
    standing, version = Standing.of(entries), None
    if standing.champion and onnx_of(standing.champion) == asked.onnx_sha256:
        _, certificate = releases.read_promoted(asked.registry, standing.champion)
        decision = next(e.body["decision"] for e in entries if e.hash == standing.champion.body["judged"])
        version = asked.registry.version_of(standing.champion)
        more = {"decision": decision, "certificate": certificate.as_dict()}
        if finished:
            return _ends(asked, "promoted", "passed", decision["sentence"], **more)
        return _ends(
            asked,
            "unchanged",
            "same-bytes",
            f"These bytes are the champion already, version {version}.",
            **more,
        )
    if asked.onnx_sha256 in standing.rolled_back:
        sentence = "Refused. These bytes were the champion and were rolled back; a rollback brings them back."
        return _ends(asked, "refused", "rolled-back", sentence)
    return None


def _attempt(asked: Asked) -> Promotion | None:
    """One judgement against the champion of now; None when it changed before the end."""
    booking = asked.step(book)(asked.registry, asked.question, asked.rows_looked_at, asked.run_id)
    if booking is None:
        spent = f"All {asked.looks} planned looks at these test rows are spent"
        sentence = f"Refused. {spent}; new test rows are needed."
        return _ends(asked, "refused", "looks-spent", sentence)
    judged = booking.judged or _judge(asked, booking)
    decision = judged.body["decision"]
    if decision["passed"] is not True:
        return _ends(asked, "refused", "gates", decision["sentence"], decision=decision)
    if asked.only_judge:
        return _ends(asked, "passed", "passed", decision["sentence"], decision=decision)
    certificate = _certify(asked, booking, judged)
    if asked.step(release)(asked, booking, judged, certificate) is None:
        return None
    more = {"decision": decision, "certificate": certificate.as_dict()}
    return _ends(asked, "promoted", "passed", decision["sentence"], **more)


def _judge(asked: Asked, booking: Booking) -> Entry:
    """The `judged` entry of a booking: predict, ask the gates, and record what they said."""
    from wdgate.comparing import candidate_of, on_train, version_of
    from wdgate.judging import judge

    candidate = candidate_of(asked)
    decision: GateDecision = asked.step(judge)(
        asked.gates,
        asked.report,
        candidate,
        champion=version_of(asked, booking.champion),
        anchor=version_of(asked, booking.anchor),
        task=asked.task,
        alpha=asked.alpha,
        looks=asked.looks,
        look=booking.look,
        onnx=asked.onnx,
        train=on_train(asked),
        effect=asked.evidence.get("claimed_by_trainer", {}).get("decay_effect"),
        earlier=earlier_scores(asked.registry, booking.entry, asked.task.primary),
    )
    ledger = asked.registry.ledger
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


def _ends(asked: Asked, outcome: Outcome, reason: str, sentence: str, **more: Any) -> Promotion:
    registry = asked.registry
    champion = Standing.of(registry.ledger.entries()).champion
    version = registry.version_of(champion) if champion else None
    found = {
        "report": plain(asked.report.as_dict()),
        "evaluation": asked.evaluations.get(asked.onnx_sha256),
    }
    return Promotion(outcome, reason, sentence, registry.name, version, asked.run_id, **found, **more)


def _certify(asked: Asked, booking: Booking, judged: Entry) -> Certificate:
    return certify(
        asked.onnx_sha256,
        asked.registry.signing_key,
        signed_at=signing_time(asked.registry, judged),
        model=asked.registry.name,
        judged=judged.body,
        ledger={"booked": booking.entry.hash, "judged": judged.hash, "at": judged.at, "by": judged.by},
        fingerprints=asked.splits.fingerprints,
        report=asked.report.as_dict(),
        evidence=asked.evidence,
    )
