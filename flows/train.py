"""Left of the bar: check the data, train, measure the decay, export. It needs no right on the registry."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from prefect import flow

from data_checks.splits import Splits
from flows import tracking
from flows.candidate import Candidate
from flows.check_data import check, load_splits
from flows.checked import data_docs
from flows.fitting import attack, export, fit, measure
from flows.interrupting import stopping_between_steps
from flows.progress import say
from flows.settings import read_settings
from flows.steps import step
from flows.under_way import alone, checkpoints_of
from pipelines.pipeline import Plan, load_pipeline
from wdgate import __version__
from wdgate.power import require_power

if TYPE_CHECKING:  # torch takes seconds to import, and is imported while the data are checked
    from wd_train.checkpoints import Checkpoints


@flow(name="train", persist_result=False)
def train(pipeline: str, parameters: dict[str, Any] | None = None, fresh: bool = False) -> Candidate:
    """Train `pipeline` and leave a candidate in MLflow; the same content is not trained twice.

    Data that fail a check stop it before any training: the report is recorded, the candidate says `refused`.

    Args:
        pipeline: where it is found.
        parameters: what it is called with.
        fresh: check the data and train again, in a run of its own, as if nothing were known of either.
    """
    settings = read_settings()
    plan = step(load_pipeline, "Loading the pipeline")(pipeline, parameters or {})
    splits = step(load_splits, "Loading the rows")(plan)
    require_power(plan.pipeline.gates, splits.test, plan.pipeline.alpha, plan.pipeline.looks)
    key = content_key(plan, splits)
    with alone(settings, key), stopping_between_steps():
        run, finished = tracking.open_run(settings, plan, splits, key, fresh=fresh)
        if finished is not None:
            say(f"trained already, in run {run.run_id}: nothing is trained again (--fresh does)")
            return finished
        with tracking.closed_on_failure(run):
            return _train(plan, splits, run, checkpoints_of(settings, key), fresh)


def content_key(plan: Plan, splits: Splits) -> str:
    """What makes two trainings the same: the pipeline, its arguments, the rows, the code."""
    content = [plan.as_dict(), splits.fingerprints, __version__]
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _train(plan: Plan, splits: Splits, run: tracking.Run, checkpoints: Checkpoints, fresh: bool) -> Candidate:
    if fresh and not run.goes_on_fresh:
        checkpoints.clear()
    docs = data_docs(run.settings, splits)
    report = step(check, "Checking the data")(plan, splits, docs, again=fresh)
    tracking.log_data(run, report, docs, public=splits.public)
    # Those that were given: what the others are, the pipeline says again when it is loaded for the judgement.
    arguments = {name: plan.as_dict()["arguments"][name] for name in plan.given}
    candidate = Candidate(run.run_id, plan.pipeline.name, plan.locator, arguments, report.as_dict())
    if not report.passed:
        return tracking.finish(run, candidate, "refused", "data", report.sentence)
    fitted = step(fit, "Training")(plan, splits, run, checkpoints)
    fitted = step(attack, "Attacking the network")(plan, splits, fitted)
    effect = step(measure, "Measuring what the decay did")(plan, splits, fitted, fresh=fresh)
    exported = step(export, "Exporting to ONNX")(plan, splits, fitted)
    complete = replace(
        candidate,
        onnx_sha256=exported.sha256,
        training=fitted.facts,
        decay=fitted.decay,
        effect=effect.as_dict(),
        export=exported.as_dict(),
    )
    trained = step(tracking.log_candidate, "Logging to MLflow")(run, complete, exported, fitted, splits)
    checkpoints.clear()
    return trained
