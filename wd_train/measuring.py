"""What is measured while a network trains, and which weights are kept?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from data_checks.errors import TrainingDivergedError
from wd_train.network import predict, scores_of
from wd_train.rows import Rows
from wdgate.evaluation.tasks import Task


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
    return measure_outputs(predict(net, rows), rows, task)


def measure_outputs(outputs: Tensor, rows: Rows, task: Task) -> tuple[float, float]:
    """Mean loss and mean primary score of the outputs (N, C) of all rows.

    Raises:
        TrainingDivergedError: a loss that is not finite.
    """
    with torch.no_grad():
        loss = float(weighted_mean(task.loss(outputs, rows.targets), rows.weights))
    if not math.isfinite(loss):
        raise TrainingDivergedError(
            f"the training diverged: the loss of the rows that it is measured on is {loss}"
        )
    return loss, float(scores_of(task, outputs, rows.targets)[task.primary].mean())


KEPT_OUTPUTS = 2**24
"""Numbers among an epoch's outputs (64 MiB as float32) beyond which they are folded into their scores."""


class Seen:
    """The losses and outputs of one epoch's batches.

    Args:
        first_step: steps taken before the epoch.
        task: scores the outputs that are too many to keep; where None is given, all are kept.
        rows: what the outputs are scored against.
    """

    def __init__(self, first_step: int = 0, task: Task | None = None, rows: Rows | None = None) -> None:
        self._first_step, self._task, self._rows = first_step, task, rows
        self._losses: list[Tensor] = []
        self._outputs: list[Tensor] = []
        self._indices: list[Tensor] = []
        self._folded, self._sum = 0, 0.0
        self._numbers = 0  # in the outputs that are kept

    def add(self, loss: Tensor, outputs: Tensor, indices: Tensor) -> None:
        """Keep a batch's loss, outputs (B, C) and row indices (B,)."""
        self._losses.append(loss.detach())
        self._outputs.append(outputs.detach())
        self._indices.append(indices)
        self._numbers += outputs.numel()
        # Counted from what is kept, and so at the same batch after a checkpoint as without one.
        if self._numbers > KEPT_OUTPUTS and self._task is not None and self._rows is not None:
            self._fold(self._task, self._rows)

    def folded(self, task: Task, rows: Rows) -> Seen:
        """The same, with all outputs folded into their scores."""
        if any(len(indices) for indices in self._indices):
            self._fold(task, rows)
        self._outputs, self._indices, self._numbers = [], [], 0
        return self

    def _fold(self, task: Task, rows: Rows) -> None:
        scores = self._kept_scores(task, rows)
        self._folded, self._sum = self._folded + len(scores), self._sum + float(scores.sum(dtype=np.float64))
        self._outputs, self._indices, self._numbers = [], [], 0

    def _kept_scores(self, task: Task, rows: Rows) -> NDArray[Any]:
        targets = rows.targets[torch.cat(self._indices).to(rows.targets.device)]
        return scores_of(task, torch.cat(self._outputs), targets)[task.primary]

    def mean_loss(self) -> float:
        """The mean of the batches' losses.

        Raises:
            TrainingDivergedError: a loss that is not finite, with the step that gave it.
        """
        self.check()
        return float(torch.stack(self._losses).mean())

    def check(self) -> None:
        """Look whether all losses are finite.

        Raises:
            TrainingDivergedError: one is not, with the step that gave it.
        """
        losses = torch.stack(self._losses)
        wrong = torch.nonzero(~losses.isfinite())
        if len(wrong):
            step, loss = self._first_step + int(wrong[0]) + 1, float(losses[wrong[0]])
            raise TrainingDivergedError(
                f"the training diverged: its loss was {loss} at step {step}, not a finite number"
            )

    def score(self, task: Task, rows: Rows) -> float:
        """The mean primary score of the outputs as they were given."""
        if not self._folded:
            return float(self._kept_scores(task, rows).mean())
        if self._outputs:
            self._fold(task, rows)
        return self._sum / self._folded

    def state_dict(self) -> dict[str, Any]:
        """What was seen, batch by batch, and what was folded of it."""
        batches = {"losses": self._losses, "outputs": self._outputs, "indices": self._indices}
        kept = {name: list(values) for name, values in batches.items()}
        return {"first_step": self._first_step, "folded": self._folded, "sum": self._sum, **kept}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what was seen."""
        self._first_step, self._folded, self._sum = state["first_step"], state["folded"], state["sum"]
        self._losses, self._outputs = list(state["losses"]), list(state["outputs"])
        # Where the order of the rows is drawn, whatever device the outputs are on.
        self._indices = [indices.cpu() for indices in state["indices"]]
        self._numbers = sum(outputs.numel() for outputs in self._outputs)


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

    def state_dict(self) -> dict[str, Any]:
        """The best epoch so far, its loss and its weights."""
        return {"epoch": self._epoch, "loss": self._loss, "weights": self._state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from the best epoch so far."""
        self._epoch, self._loss, self._state = state["epoch"], state["loss"], state["weights"]
