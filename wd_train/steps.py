"""What happens in one step of a training, and what is kept of it?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from data_checks.errors import TrainingDivergedError, TrainingError
from wd_train.decay import WeightDecay
from wd_train.diagnostics import Decaying, Watch
from wd_train.network import predict, scores_of
from wd_train.rows import Rows
from wdgate.evaluation.tasks import Task

if TYPE_CHECKING:
    from wd_train.training import Training

SMALL_STEP = 1e9
"""Floating-point operations a step below which a second thread costs more than it gives."""


def pick_device(name: str) -> torch.device:
    """The device called `name`; `auto` takes CUDA, then MPS, then the CPU.

    Raises:
        TrainingError: a device that torch does not know, or that is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise TrainingError(f"device {name!r} cannot be used: {str(error).splitlines()[0]}") from error


@contextmanager
def threads_for(operations: float) -> Iterator[None]:
    """Take one thread for steps of few floating-point operations; as many as before, afterwards.

    Small matrices gain nothing from a second thread, and on shared cores they wait for it.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1 if operations < SMALL_STEP else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def make_optimizer(training: Training, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimizer without a decay of its own: `adamw` is `adam`, and `take_step` decays."""
    rate = training.learning_rate
    if training.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=rate, momentum=training.momentum, weight_decay=0.0, fused=True)
    return torch.optim.Adam(parameters, lr=rate, betas=training.betas, weight_decay=0.0, fused=True)


def take_step(optimizer: torch.optim.Optimizer, rate: float, decay: Decaying) -> None:
    """Decay, and follow the gradients at the learning rate `rate`."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    decay.before_step(rate)
    optimizer.step()
    decay.after_step(rate)


def take_watched_step(
    watch: Watch, step: int, optimizer: torch.optim.Optimizer, rate: float, decay: WeightDecay
) -> None:
    """Take step number `step`, from 1; the watch reads it where it is due."""
    if not watch.due(step):
        return take_step(optimizer, rate, decay)
    watch.before_step()
    take_step(optimizer, rate, watch.measured(decay))
    watch.after_step(step, rate)
    return None


def batches(rows: int, training: Training, generator: torch.Generator) -> Iterator[Tensor]:
    """One epoch of row indices (B,), in an order drawn from the generator.

    A full batch is all rows as they are, and nothing is drawn. The batches differ by one row at most, so
    that none is too small for a batch norm.
    """
    if training.batch_size is None:
        return iter([torch.arange(rows)])
    return iter(torch.randperm(rows, generator=generator).tensor_split(training.batches(rows)))


def mean_loss(task: Task, outputs: Tensor, rows: Rows, indices: Tensor) -> Tensor:
    """The mean loss of a batch with outputs (B, C), weighted where the rows are weighted."""
    at = indices.to(rows.targets.device)
    losses = task.loss(outputs, rows.targets[at])
    return weighted_mean(losses, None if rows.weights is None else rows.weights[at])


def weighted_mean(values: Tensor, weights: Tensor | None) -> Tensor:
    """The mean of the values (N,), weighted where there are weights (N,)."""
    return values.mean() if weights is None else (values * weights).sum() / weights.sum()


def measure(net: nn.Module, rows: Rows, task: Task) -> tuple[float, float]:
    """Mean loss and mean primary score of the rows, without dropout.

    Raises:
        TrainingDivergedError: a loss that is not finite.
    """
    outputs = predict(net, rows)
    with torch.no_grad():
        loss = float(weighted_mean(task.loss(outputs, rows.targets), rows.weights))
    if not math.isfinite(loss):
        raise TrainingDivergedError(
            f"the training diverged: the loss of the rows that it is measured on is {loss}"
        )
    return loss, float(scores_of(task, outputs, rows.targets)[task.primary].mean())


class Seen:
    """The losses and outputs of one epoch's batches."""

    def __init__(self, first_step: int) -> None:
        self._first_step = first_step
        self._losses: list[Tensor] = []
        self._outputs: list[Tensor] = []
        self._indices: list[Tensor] = []

    def add(self, loss: Tensor, outputs: Tensor, indices: Tensor) -> None:
        """Keep a batch's loss, outputs (B, C) and row indices (B,)."""
        self._losses.append(loss.detach())
        self._outputs.append(outputs.detach())
        self._indices.append(indices)

    def mean_loss(self) -> float:
        """The mean of the batches' losses.

        Raises:
            TrainingDivergedError: a loss that is not finite, with the step that gave it.
        """
        losses = torch.stack(self._losses)
        wrong = torch.nonzero(~losses.isfinite())
        if len(wrong):
            step, loss = self._first_step + int(wrong[0]) + 1, float(losses[wrong[0]])
            raise TrainingDivergedError(
                f"the training diverged: its loss was {loss} at step {step}, not a finite number"
            )
        return float(losses.mean())

    def score(self, task: Task, rows: Rows) -> float:
        """The mean primary score of the outputs as they were given."""
        targets = rows.targets[torch.cat(self._indices).to(rows.targets.device)]
        return float(scores_of(task, torch.cat(self._outputs), targets)[task.primary].mean())


class Best:
    """The weights that are kept: the last ones, or with patience those of the best validation loss."""

    def __init__(self, net: nn.Module, patience: int | None) -> None:
        self._net = net
        self._patience = patience
        self._state: dict[str, Any] = {}
        self._loss = math.inf
        self._epoch = 0

    def stops(self, epoch: int, loss: float) -> bool:
        """Note an epoch's validation loss; whether patience has run out."""
        if self._patience is None:
            self._epoch = epoch
            return False
        if loss < self._loss:
            self._loss, self._epoch = loss, epoch
            self._state = {name: values.clone() for name, values in self._net.state_dict().items()}
        return epoch - self._epoch >= self._patience

    def restore(self) -> int:
        """Put the kept weights into the network, and say of which epoch they are."""
        if self._state:
            self._net.load_state_dict(self._state)
        return self._epoch
