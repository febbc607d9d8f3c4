"""How is a network trained with weight decay, from the first step to the last?"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from torch import nn

from data_checks.splits import Split
from wd_train.checkpoints import Checkpoints
from wd_train.configuration import Training
from wd_train.costs import Cost, cost_of
from wd_train.decay import WeightDecay
from wd_train.devices import repeatable, threads_for
from wd_train.diagnostics import Diagnosis, Reading, Watch
from wd_train.gathering import measured
from wd_train.idle_rows import tables
from wd_train.loop import Epoch, Loop, Work
from wd_train.network import (
    BuildModel,
    BuildPreprocess,
    Network,
    build_network,
    channels_last,
    check_network,
    seeded,
)
from wd_train.parallel import check_slices, joined, norms_together, pick_own_device
from wd_train.provenance import DecayRecord, check_decayable, decay_record, tensor_decays
from wd_train.rows import Augment, Rows
from wd_train.stopping import stoppable
from wd_train.world import World
from wdgate.evaluation.tasks import Task

__all__ = ["Epoch", "TrainedModel", "Training", "train"]


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A trained network with what is known of its training.

    Args:
        network: one module from a batch as it was read to the outputs, on the CPU, in evaluation mode.
        history: the measured epochs.
        decay: which tensors were decayed, and how far.
        seconds: wall time, without what passed between a stop and going on.
        best_epoch: the epoch whose weights were kept.
        train_score: mean primary score of the kept weights on the train rows as they are.
        validation_score: the same on the validation rows.
        cost: of the training, in time, memory, arithmetic and energy.
        readings: what the decayed tensors did at the steps that were watched.
        diagnoses: what a person should know of the decay; empty where it is in order.
    """

    network: Network
    history: tuple[Epoch, ...]
    decay: DecayRecord
    seconds: float
    best_epoch: int
    train_score: float
    validation_score: float
    cost: Cost
    readings: tuple[Reading, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()


def train(
    build_model: BuildModel,
    build_preprocess: BuildPreprocess | None,
    train: Split,
    validation: Split,
    task: Task,
    training: Training,
    *,
    augment: Augment | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
    on_reading: Callable[[Reading], None] | None = None,
    checkpoints: Checkpoints | None = None,
    tell: Callable[[str], None] = lambda sentence: None,
    world: World | None = None,
) -> TrainedModel:
    """Train a network, the same bit for bit on the same machine's CPU for the same arguments.

    Args:
        build_model: the network, given the train rows.
        build_preprocess: what stands before it, fitted on the train rows; None turns numbers into float32.
        train: the rows to fit on.
        validation: the rows that patience is measured on.
        task: what is predicted, and how it is scored.
        training: optimizer, decay, schedule, length.
        augment: changes a training batch as it was read, given a generator.
        on_epoch: told of every measured epoch; after a stop, once more of those before it.
        on_reading: told of what the decay does at the steps that are watched, the first, the last and few
            between; before the first step of what is known by then, if that must be known.
        checkpoints: where it goes on from if it was stopped, and what it leaves for that; it ends with the
            same bytes as if it had not been stopped.
        tell: told, in a sentence, what a person should know, such as a batch that does not fit into memory.
        world: the processes that train together, see `read_world`: each calls this with the same arguments,
            and all are given the same network. Rank 0 alone keeps checkpoints and tells.

    Raises:
        KeyboardInterrupt: it was asked to stop, and left a checkpoint.
        TrainingError: a loss that is not finite, with its step.
        ModelError: a network that cannot take the rows, or that gives the wrong number of outputs.
    """
    started, world = time.monotonic(), world or World()
    device = pick_own_device(world, training.device)
    network = build_network(build_model, build_preprocess, train, training.seed)
    operations = check_network(network, train, task) * 3 * len(train) / training.batches(len(train))
    rates = training.rates(len(train))
    record = _record(network.net, training, rates, len(train))
    check_slices(world, network.net, training, len(train), device)
    network.to(device)
    channels_last(network.net)
    if not world.first:
        on_epoch, on_reading, tell = None, None, _nothing
    # What is drawn for a row - dropout, augmentation - may not be the same in two processes.
    seed = world.seed(training.seed)
    with (
        joined(world, device),
        seeded(seed, device),
        threads_for(operations / world.size),
        repeatable(training.deterministic, device),
        stoppable(),
    ):
        rows = Rows(train, network.preprocess, device, augment, seed)
        work = Work(network, rows, Rows(validation, network.preprocess, device), task, training, rates, world)
        decayed, decay = decaying(network.net, training, len(rates))
        watch = watching(decayed, training, rates, record.total_shrink, tables(network.net), on_reading)
        with norms_together(world, network.net, device):
            loop = Loop(
                work,
                decay,
                watch,
                checkpoints=checkpoints,
                on_epoch=on_epoch,
                on_reading=on_reading,
                tell=tell,
            )
            best_epoch = loop.run()
        return _trained(work, loop, watch, record, best_epoch, started)


def _nothing(_: object) -> None:
    pass


def _trained(
    work: Work, loop: Loop, watch: Watch, record: DecayRecord, best_epoch: int, started: float
) -> TrainedModel:
    network, task = work.network, work.task
    train_score = measured(work.world, network.net, work.rows, task)[1]
    validation_score = measured(work.world, network.net, work.validation, task)[1]
    seconds = loop.seconds + time.monotonic() - started
    cost = cost_of(network.net, work.rows, work.training, loop.steps, loop.meter, seconds, work.world.size)
    return TrainedModel(
        network=network.cpu().to(memory_format=torch.contiguous_format).eval(),  # type: ignore[call-overload]
        history=tuple(loop.history),
        decay=record,
        seconds=seconds,
        best_epoch=best_epoch,
        train_score=train_score,
        validation_score=validation_score,
        readings=tuple(watch.readings),
        diagnoses=tuple(watch.diagnoses),
        cost=cost,
    )


def _record(net: nn.Module, training: Training, rates: list[float], rows: int) -> DecayRecord:
    record = decay_record(
        net,
        training.weight_decay,
        rates,
        training.decay,
        batches=training.batches(rows),
        momentum=training.momentum if training.optimizer == "sgd" else None,
    )
    check_decayable(record.tensors, training.weight_decay)
    return record


def decaying(net: nn.Module, training: Training, steps: int) -> tuple[dict[str, nn.Parameter], WeightDecay]:
    """The decayed tensors of a network by name, and the decay that acts on them over `steps`."""
    chosen = {tensor.name: tensor for tensor in tensor_decays(net, training.decay) if tensor.decayed}
    parameters = {name: p for name, p in net.named_parameters() if name in chosen}
    decay = WeightDecay(
        parameters,
        training.weight_decay,
        training.decay,
        full_rate=training.learning_rate,
        steps=steps,
        normalized=[name for name, tensor in chosen.items() if tensor.normalized],
    )
    return parameters, decay


def watching(
    decayed: dict[str, nn.Parameter],
    training: Training,
    rates: list[float],
    total_shrink: float | None,
    named_by_row: Collection[str] = (),
    on_reading: Callable[[Reading], None] | None = None,
) -> Watch:
    """The watch over a training's decayed tensors, which knows what cannot be measured of its decay."""
    shares = None
    if training.optimizer == "sgd" and training.decay.form == "l2" and total_shrink is not None:
        # What goes through the gradient is multiplied by the momentum, over the steps that follow.
        lasting = training.weight_decay / (1 - training.momentum)
        factors = training.decay.coefficients(len(rates))
        shares = [rate * factor * lasting for rate, factor in zip(rates, factors, strict=True)]
    return Watch(
        decayed,
        steps=len(rates),
        scale_free=training.optimizer != "sgd",
        total_shrink=total_shrink,
        shares=shares,
        tables=named_by_row,
        on_reading=on_reading,
    )
