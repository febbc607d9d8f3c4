"""Which rows are in which batch?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from wd_train.configuration import Training


def batches(rows: int, training: Training, generator: torch.Generator) -> Iterator[Tensor]:
    """One epoch of row indices (B,), in an order drawn from the generator.

    A full batch is all rows as they are, and nothing is drawn. The batches differ by one row at most, so
    that none is too small for a batch norm.
    """
    if training.batch_size is None:
        return iter([torch.arange(rows)])
    return iter(torch.randperm(rows, generator=generator).tensor_split(training.batches(rows)))


class Order:
    """The batches of a training, epoch by epoch; what is left of one can be asked for again.

    Args:
        rows: how many there are.
        training: the size of the batches, and the seed.

    Attributes:
        taken: batches of this epoch that are trained.
    """

    def __init__(self, rows: int, training: Training) -> None:
        self._rows, self._training = rows, training
        self._generator = torch.Generator().manual_seed(training.seed)
        self._epoch_began = self._generator.get_state()
        self.taken = 0

    def rest(self) -> Iterator[Tensor]:
        """The batches (B,) of this epoch that are not trained yet."""
        self._generator.set_state(self._epoch_began)
        every = list(batches(self._rows, self._training, self._generator))
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
