"""How does a training go from step to step, and on from where it was stopped?"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from data_checks.errors import TrainingDivergedError
from wd_train.averaging import Average
from wd_train.checkpoints import Checkpoints
from wd_train.configuration import Training
from wd_train.costs import Meter
from wd_train.decay import WeightDecay
from wd_train.diagnostics import Diagnosis, Reading, TensorReading, Watch
from wd_train.gathering import (
    SharedCheckpoints,
    any_of,
    as_one,
    check,
    counted_once,
    largest,
    measured,
    of_each,
)
from wd_train.generators import generator_states, set_generator_states
from wd_train.gradients import BatchGradients
from wd_train.losses import TrainLoss
from wd_train.measuring import Best, Seen
from wd_train.network import Network
from wd_train.optimizers import optimizer_of
from wd_train.parallel import spread
from wd_train.precision import Precise
from wd_train.provenance import norm
from wd_train.rehearsing import rehearse
from wd_train.rows import Rows, Tensors
from wd_train.sampling import Order, chances_of
from wd_train.steps import take_watched_step
from wd_train.stopping import asked, stop
from wd_train.world import World
from wdgate.evaluation.tasks import Task


class Stateful(Protocol):
    """A part of a training that changes while it trains."""

    def state_dict(self) -> dict[str, Any]:
        """What must be kept to go on."""

    def load_state_dict(self, state: Any) -> object:
        """Go on from what was kept."""


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
        seconds: since the first step, without what passed between a stop and going on.
    """

    epoch: int
    step: int
    train_loss: float
    train_score: float
    validation_loss: float
    validation_score: float
    weight_norm: float
    learning_rate: float
    seconds: float = field(default=0.0, compare=False)


# What a checkpoint may hold besides tensors and plain values.
torch.serialization.add_safe_globals([Epoch, Reading, TensorReading, Diagnosis])


@dataclass(frozen=True, eq=False)
class Work:
    """What is trained, on what.

    Args:
        network: on its device.
        rows: to fit on.
        validation: to measure on.
        task: what is predicted, and how it is scored.
        training: optimizer, schedule, length.
        rates: the learning rate of every step (steps,).
        world: the processes that train.
    """

    network: Network
    rows: Rows
    validation: Rows
    task: Task
    training: Training
    rates: list[float]
    world: World = field(default_factory=World)


class Loop:
    """A training under way.

    Args:
        work: what is trained, on what.
        decay: of its tensors.
        watch: over them.
        on_epoch: told of every measured epoch; of those before it was stopped, too.
        on_reading: told the watch's readings from before it was stopped; the watch tells the others.
        checkpoints: where it goes on from, and what it leaves for that; None leaves nothing.
        tell: told, in a sentence, what a person should know of it.

    Attributes:
        history: the measured epochs.
        seconds: that it trained before it was stopped.
        meter: of what it spends besides time.
    """

    def __init__(
        self,
        work: Work,
        decay: WeightDecay,
        watch: Watch,
        *,
        on_epoch: Callable[[Epoch], None] | None = None,
        on_reading: Callable[[Reading], None] | None = None,
        checkpoints: Checkpoints | None = None,
        tell: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        net, training, world = work.network.net, work.training, work.world
        self._work, self._decay, self._watch = work, decay, watch
        self._tell_epoch, self._tell_reading = on_epoch or _nobody, on_reading or _nobody
        self._tell = tell
        self._checkpoints = checkpoints if world.alone else SharedCheckpoints(world, checkpoints)
        self._optimizer = optimizer_of(training, net)
        precise = Precise(work.rows.targets.device, training.precision)
        loss = TrainLoss(work.task, work.rows, training)
        self._gradients = BatchGradients(net, loss, precise, tell, training.clip_norm)
        if not world.alone:
            self._spread_gradients()
        self._order = Order(len(work.rows), training, chances_of(training, work.task, work.rows))
        self._seen = Seen(0, work.task, work.rows)
        self._average = Average(net, training.average)
        self._best = Best(self._average.net, training.patience)
        self.history: list[Epoch] = []
        self._epoch, self._step, self._over = 1, 0, False
        self._saved = 0  # the step of the last checkpoint
        self._started, self.seconds = time.monotonic(), 0.0
        self.meter = Meter(work.rows.targets.device)

    @property
    def steps(self) -> int:
        """Taken so far, before it was stopped too."""
        return self._step

    def _spread_gradients(self) -> None:
        """Let every process find the gradients of its slice; all know then how to cut it."""
        world, net, rows = self._work.world, self._work.network.net, self._work.rows
        slice_length = math.ceil(len(rows) / self._work.training.batches(len(rows)) / world.size)
        (unused,) = any_of(world, rehearse(net, self._gradients, rows, slice_length))
        self._gradients.spread(spread(net, unused=unused), world.size, largest(world, self._gradients.pieces))

    def run(self) -> int:
        """Train to the end, and keep the best weights; of which epoch they are."""
        self._resume()
        while not self._over:
            with self._last_checkpoint_named():
                self._train_epoch()
                self._end_epoch()
        if self._checkpoints is not None:
            self._checkpoints.finish(self.state_dict)
        best_epoch = self._best.restore()
        self._average.keep()
        return best_epoch

    def _train_epoch(self) -> None:
        self._work.network.net.train()
        for batch, inputs in self._batches():
            indices = self._work.world.share(batch)
            loss, outputs = self._gradients.of(inputs, indices, batch)
            rate = self._work.rates[self._step]
            take_watched_step(self._watch, self._step + 1, self._optimizer, rate, self._decay)
            self._average.follow()
            self._seen.add(loss, outputs, indices)
            self._step += 1
            self._order.taken += 1
            self._pause()

    @contextmanager
    def _last_checkpoint_named(self) -> Iterator[None]:
        try:
            yield
        except TrainingDivergedError as error:
            if not self._saved:
                raise
            raise TrainingDivergedError(
                f"{error}; the last good checkpoint is of step {self._saved}"
            ) from None

    def _batches(self) -> Iterator[tuple[Tensor, Tensors]]:
        """The batches (B,) that are left of this epoch, each with the inputs of this process's rows."""
        world, batches = self._work.world, list(self._order.rest())
        # A process without a row takes part in the step with one of another's, which counts for nothing.
        shown = (batch[:1] if len(batch) <= world.rank else world.share(batch) for batch in batches)
        stream = self._work.rows.stream(shown, self._step + 1)
        return ((batch, inputs) for batch, (_, inputs) in zip(batches, stream, strict=True))

    def _pause(self) -> None:
        """Leave a checkpoint where one is due, or where the training is asked to stop."""
        due = self._checkpoints is not None and self._checkpoints.due()
        due, stopping = any_of(self._work.world, due, asked())
        if self._checkpoints is not None and (due or stopping):
            self._check_finite()
            self._checkpoints.save(self.state_dict)
            self._saved = self._step
        if stopping:
            stop()

    def _check_finite(self) -> None:
        """What has diverged is not worth keeping."""
        check(self._work.world, self._seen)
        trained: list[Tensor] = [p for p in self._work.network.net.parameters() if p.requires_grad]
        if not torch.stack([norm.float() for norm in torch._foreach_norm(trained)]).sum().isfinite():
            raise TrainingDivergedError(
                f"the training diverged: after step {self._step} its weights are no finite numbers"
            )

    def _end_epoch(self) -> None:
        training, epoch = self._work.training, self._epoch
        self._seen = as_one(self._work.world, self._seen, self._work.task, self._work.rows)
        train_loss = self._seen.mean_loss()
        if training.measured(epoch):
            self._measure(epoch, train_loss)
            self._over = self._best.stops(epoch, self.history[-1].validation_loss)
        self._seen = Seen(self._step, self._work.task, self._work.rows)
        self._order.end_epoch()
        self._epoch += 1
        self._over = self._over or epoch == training.epochs

    def _measure(self, epoch: int, train_loss: float) -> None:
        work = self._work
        loss, score = measured(work.world, self._average.net, work.validation, work.task)
        train_score = self._seen.score(work.task, work.rows)
        weight_norm, rate = norm(self._watch.tensors), work.rates[self._step - 1]
        seen = (train_loss, train_score, loss, score, weight_norm, rate, self._seconds())
        self.history.append(Epoch(epoch, self._step, *seen))
        self._tell_epoch(self.history[-1])

    def _seconds(self) -> float:
        return self.seconds + time.monotonic() - self._started

    def _resume(self) -> None:
        state = None if self._checkpoints is None else self._checkpoints.load()
        if state is None or not self._fits(state):
            return
        told = len(self._watch.readings)
        self.load_state_dict(state)
        self._tell(f"going on from step {self._step:,} of {len(self._work.rates):,}, where it was stopped")
        self._tell_again(self._watch.readings[told:])

    def _fits(self, state: Mapping[str, Any]) -> bool:
        """Whether a state is of this network."""
        parts = state.get("parts")
        net = self._work.network.net.state_dict()
        fits = isinstance(parts, Mapping) and _shapes(parts["net"]) == _shapes(net)
        if not fits:
            self._tell("the checkpoint is of a network with other weights: the training begins anew")
        return fits

    def _tell_again(self, readings: list[Reading]) -> None:
        """Whoever draws the curves may have been stopped before it drew what was told."""
        for epoch in self.history:
            while readings and readings[0].step <= epoch.step:
                self._tell_reading(readings.pop(0))
            self._tell_epoch(epoch)
        for reading in readings:
            self._tell_reading(reading)

    def _parts(self) -> dict[str, Stateful]:
        return {
            "net": self._work.network.net,
            "buffers": PassingBuffers(self._work.network.net),
            "gradients": self._gradients,
            "optimizer": self._optimizer,
            "decay": self._decay,
            "watch": self._watch,
            "average": self._average,
            "order": self._order,
            "seen": self._seen,
            "best": self._best,
            "meter": self.meter,
        }

    def state_dict(self) -> dict[str, Any]:
        """Everything that changes while it trains, as it is between two steps."""
        parts = {name: part.state_dict() for name, part in self._parts().items()}
        return {
            "parts": {**parts, "seen": of_each(self._work.world, parts["seen"])},
            "epoch": self._epoch,
            "step": self._step,
            "over": self._over,
            "history": list(self.history),
            "seconds": self._seconds(),
            "generators": of_each(self._work.world, generator_states(self._device)),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        world, device = self._work.world, self._device
        parts = {**state["parts"], "seen": counted_once(world, state["parts"]["seen"])}
        for name, part in self._parts().items():
            kept = parts[name]
            # Generators stand on the CPU; what torch loads itself, it also moves.
            part.load_state_dict(kept if name == "order" else tree_map_only(Tensor, on(device), kept))
        self._epoch, self._step, self._over = state["epoch"], state["step"], state["over"]
        self._saved = self._step
        self.history, self.seconds = list(state["history"]), state["seconds"]
        # Of a process that was not there before, dropout begins anew.
        for states in state["generators"][world.rank : world.rank + 1]:
            set_generator_states(states, device)

    @property
    def _device(self) -> torch.device:
        return self._work.rows.targets.device


class PassingBuffers:
    """The buffers of a network that its own state leaves out; they may change with every step."""

    def __init__(self, net: nn.Module) -> None:
        self._net = net

    def state_dict(self) -> dict[str, Tensor]:
        """The buffers by name."""
        known = self._net.state_dict()
        return {name: buffer for name, buffer in self._net.named_buffers() if name not in known}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on with these."""
        for name, buffer in self.state_dict().items():
            buffer.copy_(state[name])


def _shapes(tensors: Mapping[str, Any]) -> dict[str, Any]:
    return {name: getattr(values, "shape", None) for name, values in tensors.items()}


def on(device: torch.device) -> Callable[[Tensor], Tensor]:
    """A function that brings a tensor to the device."""
    return lambda tensor: tensor.to(device)


def _nobody(_: object) -> None:
    pass
