"""Right of the bar: load the rows, check them, predict, judge, release. It trusts nothing but the bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from prefect import flow

from data_checks.errors import RegistryError
from flows import tracking
from flows.check_data import check, load_splits
from flows.checked import data_docs
from flows.report import Summary, of_promotion
from flows.settings import Settings, read_settings
from flows.steps import step
from pipelines.pipeline import Plan, load_pipeline
from wdgate import __version__
from wdgate.canonical import sha256
from wdgate.evaluation.bounded import reported
from wdgate.evaluation.evaluation import Evaluation, evaluate
from wdgate.evaluation.found_slices import found_by
from wdgate.promotion import Promotion
from wdgate.promotion import promote as promote_bytes
from wdgate.registry import Registry
from wdgate.standing import Standing

if TYPE_CHECKING:
    from data_checks.splits import Splits
    from flows.candidate import Candidate


@flow(name="promote", persist_result=False)
def promote(run_id: str) -> Summary:
    """Judge the exported bytes of a finished run, and release them if every gate passes.

    A refusal is a returned result, recorded with the run; nothing of it is an exception.
    """
    settings = read_settings()
    candidate = tracking.read_candidate(settings, run_id)
    registry = open_registry(settings, candidate.model)
    plan = step(load_judge, "Loading the pipeline for the judgement")(settings, registry, candidate)
    splits = step(load_splits, "Loading the rows for the judgement")(plan)
    same_rows(candidate, splits)
    onnx = candidate_onnx(registry, candidate)
    # In the embedded store trainer and promoter are one person, who has checked these rows already.
    report = step(check, "Checking the data for the judgement")(
        plan, splits, data_docs(settings, splits), again=not settings.embedded
    )
    promotion = promote_bytes(
        onnx,
        splits,
        plan.pipeline.task,
        plan.pipeline.gates,
        report,
        name=plan.pipeline.name,
        run_id=run_id,
        alpha=plan.pipeline.alpha,
        looks=plan.pipeline.looks,
        evidence=evidence(plan, candidate),
        registry=registry,
        step=step,
    )
    summary = of_promotion(candidate, promotion, report.as_dict()["findings"])

    def predicted() -> Evaluation | None:
        # A look that was paid before; without a decision none was taken, and none is taken here.
        rows, task = splits.test.take(~report.left_out), plan.pipeline.task
        if not promotion.decision:
            return None
        return evaluate(onnx, rows, task, reference=splits.train, also=splits.also)

    def beside(evaluation: Evaluation | None) -> dict[str, Any]:
        task, alpha = plan.pipeline.task, plan.pipeline.alpha / plan.pipeline.looks
        found = found_by(onnx, splits, report.left_out, evaluation, task, alpha) if evaluation else {}
        return reported(evaluation, task, alpha, found)

    return _record(settings, predicted, beside, registry, promotion, summary)


def open_registry(settings: Settings, name: str) -> Registry:
    """The registry of a model; in the embedded store it is made when it is missing."""
    registry = Registry(name, settings.tracking_uri, artifact_location=settings.artifact_location)
    if settings.embedded:
        registry.init()
    return registry


def load_judge(settings: Settings, registry: Registry, candidate: Candidate) -> Plan:
    """The pipeline whose gates the candidate is asked: the one that its model was opened for.

    Raises:
        RegistryError: the run names another pipeline, or on a server nobody has said which one is right.
            What a run names is the trainer's word, which chooses neither the gates nor the code run here.
    """
    name = candidate.model
    if registry.pipeline is None and not settings.embedded:
        advice = f"open it with `wdgate init {name} --pipeline PIPELINE`"
        raise RegistryError(f"the ledger of {name} does not say whose gates it must pass: {advice}")
    if registry.pipeline not in (None, candidate.locator):
        raise RegistryError(
            f"run {candidate.run_id} is of {candidate.locator}, but {name} is for {registry.pipeline}"
        )
    plan = load_pipeline(candidate.locator, candidate.arguments)
    if registry.pipeline is not None:
        _refuse_own_gates(plan)
    if plan.pipeline.name != name:
        raise RegistryError(
            f"run {candidate.run_id} is for {name}, but {plan.locator} makes {plan.pipeline.name}"
        )
    return plan


def candidate_onnx(registry: Registry, candidate: Candidate) -> bytes:
    """The bytes of the run's model, if they are those that its training exported.

    Raises:
        RegistryError: the run logged another model since.
    """
    onnx = registry.candidate_onnx(candidate.run_id)
    if sha256(onnx) != candidate.onnx_sha256:
        raise RegistryError(
            f"the model of run {candidate.run_id} is not the one that was exported at its end"
        )
    return onnx


def _refuse_own_gates(plan: Plan) -> None:
    """A run's arguments are the trainer's word too, and may not change what the model must show."""
    usual = load_pipeline(plan.locator).pipeline
    for part in ("name", "task", "gates", "looks", "alpha"):
        asked, expected = (pipeline.as_dict()[part] for pipeline in (plan.pipeline, usual))
        if asked != expected:
            given = ", ".join(f"{name}={value}" for name, value in plan.arguments.items())
            raise RegistryError(
                f"with {given} the pipeline {plan.locator} has other {part}: {asked}, not {expected}"
            )


def same_rows(candidate: Candidate, splits: Splits) -> None:
    """Raise unless the rows are those that the candidate was trained beside.

    Raises:
        RegistryError: naming the split. What is a test row now may have been a train row then.
    """
    trained = candidate.data["fingerprints"]
    for name, fingerprint in splits.fingerprints.items():
        if trained.get(name) != fingerprint:
            raise RegistryError(
                f"the {name} rows are others than when run {candidate.run_id} was trained: train it again"
            )


def evidence(plan: Plan, candidate: Candidate) -> dict[str, Any]:
    """What the certificate binds beside the numbers of the judgement."""
    return {
        "pipeline": plan.as_dict(),
        # Read from the run, which the trainer wrote; nothing of it was measured here.
        "claimed_by_trainer": {
            "run_id": candidate.run_id,
            "decay": dict(candidate.decay),
            "decay_effect": dict(candidate.effect),
            "training": dict(candidate.training),
        },
        "code": {"wdgate": __version__, "pipeline_sha256": plan.code_sha256},
        "environment": environment(),
    }


def environment() -> dict[str, str]:
    """The versions that the judgement ran on."""
    import platform
    from importlib.metadata import version

    packages = ("mlflow", "numpy", "onnxruntime", "prefect", "scipy", "torch")
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        **{p: version(p) for p in packages},
    }


def _record(
    settings: Settings,
    predict: Callable[[], Evaluation | None],
    beside: Callable[[Evaluation | None], dict[str, Any]],
    registry: Registry,
    promotion: Promotion,
    summary: Summary,
) -> Summary:
    """Store the verdict with the run; one that is there already stays as it was, with all its numbers."""
    told = tracking.recorded_verdict(settings, summary.run_id)
    if summary.outcome == "unchanged" and told[0] != "promoted" and _is_champions(registry, summary.run_id):
        # It was killed between its promotion and this line, and ends as if nothing had happened.
        sentence = promotion.decision["sentence"] if promotion.decision else summary.sentence
        summary = replace(summary, outcome="promoted", reason="passed", sentence=sentence)
    if (summary.outcome, summary.reason) == told or (summary.outcome, told[0]) == ("unchanged", "promoted"):
        return summary
    evaluation = promotion.evaluation or predict()
    summary = replace(summary, **beside(evaluation))
    return step(tracking.record_verdict, "Recording the verdict")(settings, summary, evaluation)


def _is_champions(registry: Registry, run_id: str) -> bool:
    champion = Standing.of(registry.ledger.entries()).champion
    return champion is not None and champion.body["run_id"] == run_id
