"""Which rows are in which batch?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from data_checks.errors import TrainingError
from wd_train.configuration import Training
from wd_train.losses import classes_of
from wd_train.rows import Rows
from wdgate.evaluation.tasks import Task


def batches(
    rows: int, training: Training, generator: torch.Generator, chances: Tensor | None = None
) -> Iterator[Tensor]:
    """One epoch of row indices (B,), drawn from the generator.

    With chances (N,) as many rows as there are, are drawn by them with replacement. Without, every row is
    there once; a full batch is all rows as they are then, and nothing is drawn. The batches differ by one
    row at most, so that none is too small for a batch norm.
    """
    if chances is not None:
        order = drawn(chances, rows, generator)
    elif training.batch_size is None:
        order = torch.arange(rows)
    else:
        order = torch.randperm(rows, generator=generator)
    return iter(order.tensor_split(training.batches(rows)))


def drawn(chances: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Rows (count,) drawn in proportion to their chances (N,), with replacement.

    In double precision, and for any number of rows: `torch.multinomial` takes 2^24 at most.

    Example:
        >>> drawn(torch.tensor([0.0, 2.0, 0.0]), 4, torch.Generator())
        tensor([1, 1, 1, 1])
    """
    heights = chances.double().cumsum(0)
    uniform = torch.rand(count, generator=generator, dtype=torch.float64)
    return torch.searchsorted(heights / heights[-1], uniform, right=True)


def chances_of(training: Training, task: Task, rows: Rows) -> Tensor | None:
    """How likely each row (N,) is drawn, in proportion; None where every row is in an epoch once.

    Raises:
        TrainingError: a sampler that needs classes, or weights, where there are none.
    """
    if training.sampler == "shuffle":
        return None
    if training.sampler == "balanced":
        return _balanced(classes_of(task, "sampler 'balanced'"), rows)
    if rows.weights is None:
        raise TrainingError("sampler 'weighted' draws rows by their weights, but the train split has none")
    # Written as "not", so that NaN, which compares false, is refused.
    if not (bool((rows.weights >= 0).all()) and 0 < float(rows.weights.sum()) < math.inf):
        raise TrainingError("sampler 'weighted' needs weights of at least 0, of which one is above it")
    return rows.weights.cpu()


def _balanced(classes: int, rows: Rows) -> Tensor:
    counts = torch.bincount(rows.targets, minlength=classes)
    return (1 / counts.double())[rows.targets].cpu()


class Order:
    """The batches of a training, epoch by epoch; what is left of one can be asked for again.

    Args:
        rows: how many there are.
        training: the size of the batches, and the seed.
        chances: how likely each row (N,) is drawn; None shows each once an epoch.

    Attributes:
        taken: batches of this epoch that are trained.
    """

    def __init__(self, rows: int, training: Training, chances: Tensor | None = None) -> None:
        self._rows, self._training, self._chances = rows, training, chances
        self._generator = torch.Generator().manual_seed(training.seed)
        self._epoch_began = self._generator.get_state()
        self.taken = 0

    def rest(self) -> Iterator[Tensor]:
        """The batches (B,) of this epoch that are not trained yet."""
        self._generator.set_state(self._epoch_began)
        every = list(batches(self._rows, self._training, self._generator, self._chances))
        return iter(every[self.taken :])

    def end_epoch(self) -> None:
        """Go on to the next epoch."""
        self._epoch_began = self._generator.get_state()
        self.taken = 0

    def state_dict(self) -> dict[str, Any]:
        """The position in the data."""
        return {"epoch_began": self._epoch_began, "taken": self.taken}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a position."""
        self._epoch_began, self.taken = state["epoch_began"], state["taken"]
