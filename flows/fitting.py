"""How does a pipeline become an exported model, by wdgate's loop or by the user's own?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_checks.errors import ModelError, PipelineError
from data_checks.splits import Splits
from flows import tracking
from flows.followers import call_to_train
from flows.kept import kept_outcomes
from flows.progress import now, say, share_done
from wd_train.world import read_world

if TYPE_CHECKING:  # torch takes seconds to import, and is imported while the data are checked
    from pipelines.pipeline import Pipeline, Plan
    from wd_train.checkpoints import Checkpoints
    from wd_train.costs import Cost
    from wd_train.diagnostics import Reading
    from wd_train.effects import DecayEffect
    from wd_train.export import ExportedModel
    from wd_train.training import Epoch, TrainedModel


@dataclass(frozen=True, eq=False)
class Fitted:
    """What training gave back.

    Args:
        model: a network from raw inputs to outputs, or an ONNX file as bytes or as a path.
        seconds: how long it took.
        history: what was seen after each measured epoch; empty for a loop of the user's own.
        facts: what is worth keeping of the training, as plain values.
        decay: which tensors were decayed and how far, and what a person should know of it, as plain values.
        readings: what the decayed tensors did at the steps that were watched.
    """

    model: Any
    seconds: float
    history: tuple[Mapping[str, Any], ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    decay: Mapping[str, Any] = field(default_factory=dict)
    readings: tuple[Mapping[str, Any], ...] = ()


def fit(plan: Plan, splits: Splits, run: tracking.Run, checkpoints: Checkpoints) -> Fitted:
    """Train on the train rows and choose on the validation rows; nothing here is handed a test row.

    A training that was stopped goes on from its last checkpoint, and draws the curves on from there.
    """
    from wd_train.training import train

    pipeline, world = plan.pipeline, read_world()
    call_to_train(world)
    if pipeline.model is None:
        # Its checkpoints are of one process: the others would begin anew where this one went on.
        return _own_loop(pipeline, splits, run, checkpoints if world.alone else None)

    unlogged: list[Reading] = []
    diagnosed = _telling_diagnoses(run)

    def on_reading(reading: Reading) -> None:
        unlogged.append(reading)
        diagnosed(reading)

    def on_epoch(epoch: Epoch) -> None:
        tracking.log_epoch(run, epoch, pipeline.task.primary, unlogged)
        unlogged.clear()
        share_done(epoch.epoch / pipeline.training.epochs)

    trained = train(
        pipeline.model,
        pipeline.preprocess,
        splits.train,
        splits.validation,
        pipeline.task,
        pipeline.training,
        augment=pipeline.augment,
        on_epoch=on_epoch,
        on_reading=on_reading,
        checkpoints=checkpoints,
        tell=say,
        world=world,
    )
    return _fitted(trained, pipeline.task.primary)


def attack(plan: Plan, splits: Splits, fitted: Fitted) -> Fitted:
    """What was fitted, with what attacks on its validation rows do, among its facts."""
    from torch import nn

    from wd_train.attacks import Attacks, attacks_on

    task, training = plan.pipeline.task, plan.pipeline.training
    if not isinstance(fitted.model, nn.Module):
        found = Attacks(task.primary, reason="an ONNX file has no gradients")
    elif not len(splits.validation):
        found = Attacks(task.primary, reason="there are no validation rows")
    else:
        passes = len(splits.train) * training.epochs
        found = attacks_on(fitted.model, splits.validation, task, passes, training.seed)
    return replace(fitted, facts={**fitted.facts, "attacks": found.as_dict()})


def measure(plan: Plan, splits: Splits, fitted: Fitted, *, fresh: bool = False) -> DecayEffect:
    """What the decay did, against trainings without; those only measure.

    Their outcomes are kept for later runs and sweeps, and `fresh` asks for none of before.
    """
    from wd_train.answers import own_loop
    from wd_train.controls import Main, measure_decay

    pipeline = plan.pipeline
    if pipeline.model is None:
        return own_loop()
    return measure_decay(
        pipeline.model,
        pipeline.preprocess,
        splits.train,
        splits.validation,
        pipeline.task,
        pipeline.training,
        seeds=pipeline.control.seeds,
        budget=pipeline.control.budget,
        rows=pipeline.control.rows,
        main=Main(fitted.seconds, fitted.model, fitted.facts["best_epoch"]),
        kept=kept_outcomes(plan, splits, fresh=fresh),
        augment=pipeline.augment,
        on_progress=now,
    )


def export(plan: Plan, splits: Splits, fitted: Fitted) -> ExportedModel:
    """The ONNX file of what was trained, compared with it on train rows, and how long it takes to answer."""
    from wdgate.evaluation.latency import latency

    exported = _exported(plan.pipeline, splits, fitted.model)
    return replace(exported, latency=latency(exported.onnx, splits.train.inputs))


def _exported(pipeline: Pipeline, splits: Splits, model: Any) -> ExportedModel:
    from torch import nn

    from wd_train.export import adopt
    from wd_train.export import export as export_network
    from wd_train.tempering import temperature_of

    if not isinstance(model, nn.Module):
        if pipeline.calibrate:
            say("no temperature: the file of the pipeline's own loop stays as it is")
        return adopt(model, pipeline.task, splits.train)
    if not pipeline.calibrate:
        return export_network(model, pipeline.task, splits.train)
    found = temperature_of(model, splits.validation)
    exported = export_network(model, pipeline.task, splits.train, found.value)
    return replace(exported, tempered=found)


def _fitted(trained: TrainedModel, primary: str) -> Fitted:
    facts = {
        "seconds": round(trained.seconds, 3),
        "best_epoch": trained.best_epoch,
        f"train_{primary}": trained.train_score,
        f"validation_{primary}": trained.validation_score,
        "cost": _told(trained.cost),
    }
    return Fitted(
        model=trained.network,
        seconds=trained.seconds,
        history=tuple(asdict(epoch) for epoch in trained.history),
        facts=facts,
        decay={**trained.decay.as_dict(), "diagnoses": [asdict(found) for found in trained.diagnoses]},
        readings=tuple(reading.as_dict() for reading in trained.readings),
    )


def _telling_diagnoses(run: tracking.Run) -> Callable[[Reading], None]:
    found: list[str] = []

    def tell(reading: Reading) -> None:
        for diagnosis in reading.diagnoses:
            found.append(diagnosis.name)
            say(f"{diagnosis.name}: {diagnosis.sentence}")
            run.tag(decay_diagnoses=", ".join(found))

    return tell


def _own_loop(
    pipeline: Pipeline, splits: Splits, run: tracking.Run, checkpoints: Checkpoints | None
) -> Fitted:
    """The user's loop; what it watches is drawn as for wdgate's own, and goes on from its checkpoints."""
    from torch import nn

    from wd_train.costs import Cost, peak_memory
    from wd_train.stopping import asked, stop
    from wd_train.watching import watching_for

    if pipeline.train is None:
        raise PipelineError(f"pipeline {pipeline.name} has neither a model nor a train function")
    readings: list[Reading] = []
    diagnosed = _telling_diagnoses(run)

    def on_reading(watch: str, reading: Reading) -> None:
        if watch == tracking.FIRST_WATCH:  # the picture is of one model: others may have other tensors
            readings.append(reading)
        tracking.log_reading(run, reading, watch)
        diagnosed(reading)

    started = time.monotonic()
    with watching_for(None if checkpoints is None else checkpoints.part, on_reading, say):
        model = pipeline.train(splits.train, splits.validation, pipeline.training)
    if asked():  # in a loop that was left before its end
        stop()
    if not isinstance(model, nn.Module | bytes | str | Path):
        expected = "a torch.nn.Module, or an ONNX file as bytes or as a path"
        raise ModelError(
            f"the pipeline's own train gave back {type(model).__name__}, but {expected} was expected"
        )
    cost = Cost(seconds=time.monotonic() - started, memory=peak_memory())
    model = Path(model) if isinstance(model, str) else model
    return Fitted(
        model,
        cost.seconds,
        facts={"cost": _told(cost)},
        readings=tuple(reading.as_dict() for reading in readings),
    )


def _told(cost: Cost) -> dict[str, Any]:
    return {**cost.as_dict(), "sentence": cost.sentence()}
