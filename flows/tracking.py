"""What does MLflow hold for a run?

One run a training, found again by its content: a run that was killed is opened again and goes on,
one that finished is not repeated.
"""

from __future__ import annotations

import getpass
import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param
from mlflow.exceptions import MlflowException

from data_checks.errors import RegistryError
from data_checks.splits import read_inputs
from flows.candidate import Candidate
from flows.decoys_told import decoys_line
from flows.figures import (
    at_the_end,
    decay_points,
    gate_bounds,
    of_decay,
    of_file,
    on_further_sets,
    on_new_rows,
    on_test,
    shares_found,
    under_corruptions,
)
from flows.page import page
from flows.plots import curves, decay_curves, reliability
from flows.report import Summary
from flows.settings import Settings
from wdgate.evaluation.onnx_file import OnnxModel
from wdgate.store import reason

if TYPE_CHECKING:
    from data_checks.report import DataReport
    from data_checks.splits import Splits
    from flows.fitting import Fitted
    from pipelines.pipeline import Plan
    from wd_train.diagnostics import Reading
    from wd_train.export import ExportedModel
    from wd_train.training import Epoch
    from wdgate.evaluation.evaluation import Evaluation

NOTE = "mlflow.note.content"
FRESH = "wdgate.fresh"
FIRST_WATCH = "0"
"""The name of the first `watch` of a run, see `wd_train.watching.watching_for`."""
MOST_AT_ONCE = 1000
"""Metrics that MLflow takes in one call."""
# Kept beside the pages for the next asking; `report.json` says the same.
_KEPT_HERE = ("evidence.parquet", "found.json")
# What rows hold, in a page and in a table: of private data neither leaves this machine.
_HOLDS_ROWS = ("rows.html", "rows.csv")


@dataclass(frozen=True)
class Run:
    """A run that is open in MLflow.

    Args:
        settings: where MLflow is.
        run_id: the id of the run.
        logged_epoch: the last epoch that its curves held when it was opened.
        logged_steps: the last step that the curves of each `watch` held then, by what their names begin with.
        goes_on_fresh: it was begun by `--fresh`, was stopped, and goes on.
    """

    settings: Settings
    run_id: str
    logged_epoch: int = 0
    logged_steps: Mapping[str, int] = field(default_factory=dict)
    goes_on_fresh: bool = False

    @property
    def client(self) -> MlflowClient:
        """MLflow's client for this run."""
        return MlflowClient(self.settings.tracking_uri)

    def tag(self, **tags: Any) -> None:
        """Set tags, cut to what MLflow stores."""
        for name, value in tags.items():
            self.client.set_tag(self.run_id, name, str(value)[:5000])

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Log numbers; one that is not finite becomes a tag, for MLflow stores infinity as 1.8e308."""
        finite = {name: value for name, value in values.items() if abs(value) < float("inf")}
        self.points([(name, value, step) for name, value in finite.items()])
        self.tag(**{name: values[name] for name in values.keys() - finite.keys()})

    def points(self, points: Sequence[tuple[str, float, int]]) -> None:
        """Log finite numbers of several steps at once: (name, value, step) each, in their order."""
        now = int(time.time() * 1000)
        metrics = [Metric(name, float(value), now, step) for name, value, step in points]
        for first in range(0, len(metrics), MOST_AT_ONCE):
            self.client.log_batch(self.run_id, metrics[first : first + MOST_AT_ONCE])

    def file(self, name: str, text: str) -> None:
        """Store a text file."""
        self.client.log_text(self.run_id, text, name)

    def picture(self, name: str, png: bytes) -> None:
        """Store a picture."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_bytes(png)
            self.client.log_artifact(self.run_id, str(path))

    def upload(self, path: Path, name: str) -> None:
        """Store a file or a folder in the folder `name`."""
        if path.is_dir():
            self.client.log_artifacts(self.run_id, str(path), f"{name}/{path.name}")
        else:
            self.client.log_artifact(self.run_id, str(path), name)


@contextmanager
def answering(settings: Settings) -> Iterator[None]:
    """Turn MLflow's errors within this context into one sentence that names the server."""
    try:
        yield
    except MlflowException as error:
        raise RegistryError(f"MLflow at {settings.tracking_uri}: {reason(error)}") from error


def open_run(
    settings: Settings, plan: Plan, splits: Splits, key: str, *, fresh: bool = False
) -> tuple[Run, Candidate | None]:
    """The run of this content: the one there is, or a new one; with its candidate when it has finished.

    A fresh one takes no finished run for an answer, but goes on with one of its own that was stopped.
    """
    with answering(settings):
        client = MlflowClient(settings.tracking_uri)
        experiment = experiment_of(client, settings, plan.pipeline.name)
        found = client.search_runs([experiment], f"tags.`wdgate.key` = '{key}'", max_results=1)
        if not found:
            return _new_run(client, settings, experiment, plan, splits, key, fresh=fresh), None
        run_id = found[0].info.run_id
        again = found[0].data.tags.get(FRESH) == "true"
        run = Run(settings, run_id, _last_epoch(client, run_id), _last_readings(client, found[0]), again)
        if _is_finished(found[0]):
            if fresh:
                return _new_run(client, settings, experiment, plan, splits, key, fresh=True), None
            return run, read_candidate(settings, run.run_id)
        client.update_run(run.run_id, status="RUNNING")
        if "error" in found[0].data.tags:
            client.delete_tag(run.run_id, "error")
        client.set_tag(run.run_id, FRESH, str(fresh).lower())
        _describe(run, plan, splits)
        return run, None


@contextmanager
def closed_on_failure(run: Run) -> Iterator[None]:
    """Close the run as failed or killed when this context is left by an exception, which travels on."""
    try:
        yield
    except BaseException as error:
        with suppress(MlflowException):
            run.tag(error=error)
            interrupted = isinstance(error, KeyboardInterrupt)
            run.client.set_terminated(run.run_id, "KILLED" if interrupted else "FAILED")
        raise


def read_candidate(settings: Settings, run_id: str) -> Candidate:
    """The candidate of a finished run.

    Raises:
        RegistryError: there is no such run, or it holds no candidate.
    """
    with answering(settings):
        client = MlflowClient(settings.tracking_uri)
        run = client.get_run(run_id)
        if "wdgate.key" not in run.data.tags or not _is_finished(run):
            raise RegistryError(
                f"run {run_id} is no finished training of wdgate, but {run.info.status.lower()}"
            )
        candidate = Candidate(**json.loads(_read_text(client, run_id, "candidate.json")))
        if candidate.run_id != run_id:
            raise RegistryError(f"candidate.json of run {run_id} is about another run, {candidate.run_id}")
        return candidate


def log_epoch(run: Run, epoch: Epoch, primary: str, readings: Sequence[Reading] = ()) -> None:
    """Add one epoch to the curves, with what was read of the decay up to it, unless they hold it already.

    Args:
        run: the open run.
        epoch: what was seen of it.
        primary: the name of its score.
        readings: those since the epoch before; they come at steps, not at epochs.
    """
    if epoch.epoch <= run.logged_epoch:
        return
    curves = {name.replace("score", primary): value for name, value in asdict(epoch).items()}
    named = [name for name in curves if name not in ("epoch", "step", "seconds")]
    for reading in readings:
        log_reading(run, reading)
    # Last, and in one call: where the epoch is there, all of it is, and its readings are.
    run.points([(name, curves[name], epoch.epoch) for name in named])


def log_reading(run: Run, reading: Reading, watch: str = FIRST_WATCH) -> None:
    """Add what was read in a loop of the user's own to the curves, unless they hold it already.

    Args:
        run: the open run.
        reading: what was read.
        watch: the name of the `watch` that read it; from the second on the curves' names begin with it.
    """
    before = "" if watch == FIRST_WATCH else f"watch {watch}/"
    if reading.step > run.logged_steps.get(before, -1):
        run.points([(f"{before}{name}", value, step) for name, value, step in decay_points(reading)])


def log_data(run: Run, report: DataReport, docs: Path, *, public: bool) -> None:
    """Store what the checks found: the report, the pages beside it, and what rows hold if that is public."""
    with answering(run.settings):
        run.file("data/report.json", json.dumps(report.as_dict(), indent=1))
        stays = _KEPT_HERE if public else (*_KEPT_HERE, *_HOLDS_ROWS)
        for path in sorted(path for path in docs.iterdir() if path.name not in stays):
            run.upload(path, "data")
        statuses = [finding.status.replace(" ", "_") for finding in report.findings]
        counts = {f"data/{status}": float(statuses.count(status)) for status in statuses}
        found = {**counts, **shares_found(report), "data/left_out_rows": float(report.left_out.sum())}
        # Of a run that goes on they are there already, and a second point would be drawn beside the first.
        known = run.client.get_run(run.run_id).data.metrics
        run.metrics({name: value for name, value in found.items() if known.get(name) != value})


def log_candidate(
    run: Run,
    candidate: Candidate,
    exported: ExportedModel,
    fitted: Fitted,
    splits: Splits,
) -> Candidate:
    """Store what was trained, and close its run: a candidate is a finished run with a logged model."""
    with answering(run.settings):
        _log_model(run, exported, _example(splits))
        run.metrics({**at_the_end(candidate.training), **of_decay(candidate), **of_file(candidate.export)})
        run.tag(opset=exported.opset)
        if fitted.history:
            run.picture("curves.png", curves(fitted.history))
        _log_decay(run, candidate, fitted.readings)
    return finish(run, candidate, "trained", "not-judged", candidate.effect["sentence"])


def recorded_verdict(settings: Settings, run_id: str) -> tuple[str, str]:
    """The outcome and the reason that a run's record names; `trained` before any judgement."""
    with answering(settings):
        tags = MlflowClient(settings.tracking_uri).get_run(run_id).data.tags
        return tags.get("decision", ""), tags.get("reason", "")


def record_verdict(settings: Settings, summary: Summary, evaluation: Evaluation | None) -> Summary:
    """Store the verdict with the run: numbers with bounds, tags, the note, the page to read first."""
    with answering(settings):
        run = Run(settings, summary.run_id)
        further = {**on_further_sets(summary.also), **under_corruptions(summary.corruptions)}
        further |= on_new_rows(summary.expected)
        run.metrics({**on_test(evaluation), **gate_bounds(summary.gates), **further})
        decay = _read_decay(run)
        pictures = {**_pictures(run, evaluation), **_decay_pictures(decay.get("readings", ()))}
        run.file("verdict.json", json.dumps(summary.as_dict(), indent=1))
        run.file("report.html", page(summary, pictures, decay))
        note = "\n\n".join(filter(None, (summary.sentence, decoys_line(summary.decoys))))
        run.tag(**{"decision": summary.outcome, "reason": summary.reason, NOTE: note})
        if summary.corruptions:
            run.tag(worst_corruption=summary.corruptions["worst_corruption"])
        if summary.outcome == "promoted":
            run.tag(version=summary.version)
    return summary


def finish(run: Run, candidate: Candidate, decision: str, reason: str, sentence: str) -> Candidate:
    """Store the candidate and close its run."""
    with answering(run.settings):
        run.file("candidate.json", json.dumps(candidate.as_dict(), indent=1))
        run.tag(**{"decision": decision, "reason": reason, NOTE: sentence})
        run.client.set_terminated(run.run_id, "FINISHED")
    return candidate


def _is_finished(run: Any) -> bool:
    # The status alone is not enough: MLflow sets it when the model is logged, before the candidate is.
    return bool(run.info.status == "FINISHED" and run.data.tags.get("decision") != "training")


def experiment_of(client: MlflowClient, settings: Settings, name: str) -> str:
    """The id of a model's experiment, which is made when it is missing."""
    found = client.get_experiment_by_name(name)
    if found is None:
        # Without its kind MLflow takes the experiment for traces of a chat, and shows an empty page first.
        tags = {"mlflow.experimentKind": "custom_model_development"}
        where = settings.artifact_location
        try:
            return str(client.create_experiment(name, artifact_location=where, tags=tags))
        except MlflowException:
            found = client.get_experiment_by_name(name)
            if found is None:  # else another process made it meanwhile
                raise
    return str(found.experiment_id)


def _new_run(
    client: MlflowClient,
    settings: Settings,
    experiment: str,
    plan: Plan,
    splits: Splits,
    key: str,
    *,
    fresh: bool,
) -> Run:
    tags = {
        "wdgate.key": key,
        FRESH: str(fresh).lower(),
        "pipeline": plan.locator,
        "decision": "training",
        "mlflow.source.name": plan.locator,
        "mlflow.user": getpass.getuser(),
    }
    run_name = " ".join(f"{name}={plan.arguments[name]}" for name in plan.given) or plan.pipeline.name
    run = Run(settings, client.create_run(experiment, tags=tags, run_name=run_name[:250]).info.run_id)
    _describe(run, plan, splits)
    return run


def _describe(run: Run, plan: Plan, splits: Splits) -> None:
    """What is trained, on which rows; told again to a run that was killed while it was told."""
    params = [Param(name, str(value)[:6000]) for name, value in plan.arguments.items()]
    run.client.log_batch(run.run_id, params=params)
    run.file("pipeline.json", json.dumps(plan.as_dict(), indent=1))
    known = run.client.get_run(run.run_id).inputs
    if not (known and known.dataset_inputs):
        run.client.log_inputs(run.run_id, [_dataset(splits, name) for name in splits.named()])


def _last_epoch(client: MlflowClient, run_id: str) -> int:
    return max((point.step for point in client.get_metric_history(run_id, "train_loss")), default=0)


def _last_readings(client: MlflowClient, run: Any) -> dict[str, int]:
    """The last step that the curves of each `watch` hold, by what their names begin with."""
    # A root mean square is in every reading, unlike the distance from equilibrium.
    curves = {name.partition("decay/rms/")[0]: name for name in run.data.metrics if "decay/rms/" in name}
    return {
        before: max(point.step for point in client.get_metric_history(run.info.run_id, name))
        for before, name in curves.items()
    }


def _dataset(splits: Splits, name: str) -> DatasetInput:
    split = splits.named()[name]
    profile = json.dumps({"num_rows": len(split)})
    source = json.dumps({"source": splits.source})
    dataset = Dataset(name, split.fingerprint, "wdgate", source, profile=profile)
    return DatasetInput(dataset, [InputTag("mlflow.data.context", name)])


def _example(splits: Splits) -> Any:
    """Two rows that show the form of the inputs: zeros where the rows are private."""
    rows = read_inputs(splits.train.inputs, np.arange(min(2, len(splits.train))))
    if splits.public:
        return rows
    if isinstance(rows, Mapping):
        return {name: np.zeros_like(column) for name, column in rows.items()}
    return np.zeros_like(rows)


def _log_model(run: Run, exported: ExportedModel, few: Any) -> None:
    import onnx
    import onnxruntime
    from mlflow.models import infer_signature
    from mlflow.onnx import log_model

    predictions = OnnxModel(exported.onnx).predict(few)
    # MLflow's model functions speak to its active run alone.
    mlflow.set_tracking_uri(run.settings.tracking_uri)
    with mlflow.start_run(run_id=run.run_id):
        log_model(
            onnx.load_from_string(exported.onnx),
            name="model",
            signature=infer_signature(few, predictions),
            input_example=few,
            # Otherwise the file becomes a stub beside randomly named external data, and its hash is lost.
            save_as_external_data=False,
            # Naming it keeps MLflow from importing everything in a subprocess to find out.
            onnx_execution_providers=["CPUExecutionProvider"],
            pip_requirements=[f"onnxruntime=={onnxruntime.__version__}"],
        )


def _read_text(client: MlflowClient, run_id: str, name: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        return Path(client.download_artifacts(run_id, name, folder)).read_text()


def _log_decay(run: Run, candidate: Candidate, readings: Sequence[Mapping[str, Any]]) -> None:
    """Which tensors are decayed, which are not and why, and what the decay did to each, as it was read."""
    if candidate.decay:
        run.file("decay.json", json.dumps({**candidate.decay, "readings": readings}, indent=1))
    for picture in _decay_pictures(readings).values():
        run.picture("decay.png", picture)


def _read_decay(run: Run) -> dict[str, Any]:
    """What `decay.json` of the run says; nothing where a loop of the user's own left none."""
    if not any(file.path == "decay.json" for file in run.client.list_artifacts(run.run_id)):
        return {}
    read: dict[str, Any] = json.loads(_read_text(run.client, run.run_id, "decay.json"))
    return read


def _decay_pictures(readings: Sequence[Mapping[str, Any]]) -> dict[str, bytes]:
    if not any(reading["tensors"] for reading in readings):
        return {}
    return {"The decayed tensors while they trained": decay_curves(readings)}


def _pictures(run: Run, evaluation: Evaluation | None) -> dict[str, bytes]:
    if evaluation is None or "probs" not in evaluation.predictions:
        return {}
    picture = reliability(evaluation)
    run.picture("reliability.png", picture)
    return {"Reliability on the test rows": picture}
