"""How is a network trained with weight decay, from the first step to the last?"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

import torch
from torch import nn

from data_checks.errors import TrainingError
from data_checks.splits import Split
from wd_train.decay import Decay, WeightDecay
from wd_train.diagnostics import Diagnosis, Reading, Watch
from wd_train.idle_rows import tables
from wd_train.network import (
    BuildModel,
    BuildPreprocess,
    Network,
    build_network,
    channels_last,
    check_network,
    seeded,
)
from wd_train.provenance import DecayRecord, check_decayable, decay_record, norm, tensor_decays
from wd_train.rows import Augment, Rows
from wd_train.schedules import SCHEDULES
from wd_train.steps import (
    Best,
    Seen,
    batches,
    make_optimizer,
    mean_loss,
    measure,
    pick_device,
    take_watched_step,
    threads_for,
)
from wdgate.evaluation.tasks import Task

OptimizerName = Literal["adamw", "adam", "sgd"]
ScheduleName = Literal["constant", "cosine", "linear"]


@dataclass(frozen=True)
class Training:
    """How a network is trained.

    Args:
        weight_decay: the coefficient; with every optimizer, a step of the default form shrinks a weight by
            lr_t x weight_decay.
        decay: in which form, on which tensors and with which schedule the coefficient acts.
        learning_rate: at the top of the schedule.
        optimizer: `adamw` and `adam` are one, for `decay` says what decays; `sgd` has the momentum below.
        betas: of Adam's two moving averages.
        momentum: of SGD.
        schedule: how the learning rate falls.
        warmup: steps over which the learning rate rises first.
        epochs: passes over the train rows.
        batch_size: rows a step; None means all of them.
        patience: epochs without a better validation loss after which training stops, and the weights of the
            best epoch are kept; None trains to the end and keeps the last weights.
        seed: of the initial weights, the order of the rows, dropout and augmentation.
        measure_every: epochs between two measurements on validation; the last epoch is always measured.
        device: `auto` takes CUDA, then MPS, then the CPU.

    Raises:
        TrainingError: a value out of its range.

    Example:
        >>> Training(weight_decay=-0.1)
        Traceback (most recent call last):
        data_checks.errors.TrainingError: weight_decay must be at least 0, got -0.1
    """

    weight_decay: float
    decay: Decay = field(default_factory=Decay)
    learning_rate: float = 1e-3
    optimizer: OptimizerName = "adamw"
    betas: tuple[float, float] = (0.9, 0.999)
    momentum: float = 0.9
    schedule: ScheduleName = "cosine"
    warmup: int = 0
    epochs: int = 20
    batch_size: int | None = 64
    patience: int | None = None
    seed: int = 0
    measure_every: int = 1
    device: str = "auto"

    def __post_init__(self) -> None:
        _number(self, 0, "weight_decay", "momentum")
        _whole(self, 0, "warmup", "seed")
        _whole(self, 1, "epochs", "measure_every")
        _whole(self, 1, "batch_size", "patience", optional=True)
        _one_of(self, "optimizer", get_args(OptimizerName))
        _one_of(self, "schedule", get_args(ScheduleName))
        if not 0 < self.learning_rate < math.inf:
            raise TrainingError(f"learning_rate must be above 0, got {self.learning_rate}")
        if not (self.momentum < 1 and len(self.betas) == 2 and all(0 <= beta < 1 for beta in self.betas)):
            raise TrainingError(f"momentum and betas must be below 1, got {self.momentum} and {self.betas}")
        if not isinstance(self.decay, Decay):
            raise TrainingError(f"decay must be a Decay, such as Decay('cautious'), got {self.decay!r}")
        self.decay.check_overshoot(self.learning_rate, self.weight_decay)

    def batches(self, rows: int) -> int:
        """How many steps an epoch of `rows` train rows takes."""
        return 1 if self.batch_size is None else math.ceil(rows / self.batch_size)

    def measured(self, epoch: int) -> bool:
        """Whether an epoch, counted from 1, ends with a measurement on validation."""
        return epoch % self.measure_every == 0 or epoch == self.epochs

    def rates(self, rows: int) -> list[float]:
        """The learning rate of every step (steps,), for `rows` train rows."""
        steps = self.epochs * self.batches(rows)
        if self.warmup >= steps:
            raise TrainingError(f"warmup must be below the {steps} steps of the training, got {self.warmup}")
        factor = SCHEDULES[self.schedule](steps, self.warmup)
        return [self.learning_rate * factor(step) for step in range(steps)]

    def as_dict(self) -> dict[str, Any]:
        """The fields as plain values."""
        return {**asdict(self), "decay": self.decay.as_dict()}


@dataclass(frozen=True)
class Epoch:
    """What was seen of a training up to the end of one epoch.

    Args:
        epoch: from 1.
        step: steps taken so far.
        train_loss: mean over the epoch's batches, each before its own step, with dropout and augmentation.
        train_score: the task's primary score over the same rows, measured in the same way.
        validation_loss: mean over the validation rows after the epoch.
        validation_score: the task's primary score over the same rows.
        weight_norm: Euclidean norm of the decayed tensors.
        learning_rate: of the epoch's last step.
    """

    epoch: int
    step: int
    train_loss: float
    train_score: float
    validation_loss: float
    validation_score: float
    weight_norm: float
    learning_rate: float


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A trained network with what is known of its training.

    Args:
        network: one module from a batch as it was read to the outputs, on the CPU, in evaluation mode.
        history: the measured epochs.
        decay: which tensors were decayed, and how far.
        seconds: wall time.
        best_epoch: the epoch whose weights were kept.
        train_score: mean primary score of the kept weights on the train rows as they are.
        validation_score: the same on the validation rows.
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
        on_epoch: told of every measured epoch.
        on_reading: told of what the decay does at the steps that are watched, the first, the last and few
            between; before the first step of what is known by then, if that must be known.

    Raises:
        TrainingError: a loss that is not finite, with its step.
        ModelError: a network that cannot take the rows, or that gives the wrong number of outputs.
    """
    started = time.perf_counter()
    device = pick_device(training.device)
    network = build_network(build_model, build_preprocess, train, training.seed)
    operations = check_network(network, train, task) * 3 * len(train) / training.batches(len(train))
    rates = training.rates(len(train))
    record = _record(network.net, training, rates, len(train))
    network.to(device)
    channels_last(network.net)
    decayed, decay = decaying(network.net, training, len(rates))
    watch = watching(decayed, training, rates, record.total_shrink, tables(network.net), on_reading)
    with seeded(training.seed, device), threads_for(operations):
        rows = Rows(train, network.preprocess, device, augment)
        validation_rows = Rows(validation, network.preprocess, device)
        history, best_epoch = _fit(
            network.net, rows, validation_rows, task, training, rates, decay, watch, on_epoch
        )
        train_score = measure(
            network.net, Rows(train, network.preprocess, device) if augment else rows, task
        )[1]
        validation_score = measure(network.net, validation_rows, task)[1]
    return TrainedModel(
        network=network.cpu().to(memory_format=torch.contiguous_format).eval(),  # type: ignore[call-overload]
        history=history,
        decay=record,
        seconds=time.perf_counter() - started,
        best_epoch=best_epoch,
        train_score=train_score,
        validation_score=validation_score,
        readings=tuple(watch.readings),
        diagnoses=tuple(watch.diagnoses),
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


def _fit(
    net: nn.Module,
    rows: Rows,
    validation: Rows,
    task: Task,
    training: Training,
    rates: list[float],
    decay: WeightDecay,
    watch: Watch,
    on_epoch: Callable[[Epoch], None] | None,
) -> tuple[tuple[Epoch, ...], int]:
    optimizer = make_optimizer(training, [p for p in net.parameters() if p.requires_grad])
    generator = torch.Generator().manual_seed(training.seed)
    history: list[Epoch] = []
    best = Best(net, training.patience)
    step = 0
    for epoch in range(1, training.epochs + 1):
        net.train()
        seen = Seen(first_step=step)
        for indices in batches(len(rows), training, generator):
            outputs = net(rows.inputs(indices, generator))  # (B, C)
            loss = mean_loss(task, outputs, rows, indices)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            take_watched_step(watch, step + 1, optimizer, rates[step], decay)
            seen.add(loss, outputs, indices)
            step += 1
        train_loss = seen.mean_loss()
        if not training.measured(epoch):
            continue
        loss_and_score = measure(net, validation, task)
        train_score = seen.score(task, rows)
        history.append(
            Epoch(epoch, step, train_loss, train_score, *loss_and_score, norm(watch.tensors), rates[step - 1])
        )
        if on_epoch is not None:
            on_epoch(history[-1])
        if best.stops(epoch, loss_and_score[0]):
            break
    return tuple(history), best.restore()


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


def _number(training: Training, limit: float, *names: str) -> None:
    for name in names:
        value = getattr(training, name)
        if not isinstance(value, int | float) or not limit <= value < math.inf:
            raise TrainingError(f"{name} must be at least {limit}, got {value!r}")


def _whole(training: Training, limit: int, *names: str, optional: bool = False) -> None:
    for name in names:
        value = getattr(training, name)
        if (value is None and optional) or (type(value) is int and value >= limit):
            continue
        raise TrainingError(f"{name} must be a whole number of at least {limit}, got {value!r}")


def _one_of(training: Training, name: str, known: tuple[str, ...]) -> None:
    value = getattr(training, name)
    if value not in known:
        raise TrainingError(f"{name} must be one of {', '.join(known)}, got {value!r}")
