"""Which tensors, or rows of tables, had no gradient at any watched step and only shrink?"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

SAME_DIRECTION = 1e-4
"""How far a row of unit norm may have turned and still count as only shrunk: float32 rounds every step."""


def tables(model: nn.Module) -> frozenset[str]:
    """The names of a model's parameters whose rows are used one by one, as of embeddings and stacked experts.

    A row of a linear layer or a convolution is a unit. Of units some are dead from the start wherever there
    are ReLUs, 3 to 8 % of those in digits, which is nothing to be told of at every training.

    Example:
        >>> sorted(tables(nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 2))))
        ['0.weight']
    """
    return frozenset(
        name
        for name, _ in model.named_parameters()
        if not isinstance(model.get_submodule(name.rpartition(".")[0]), nn.Linear | _ConvNd | nn.RNNBase)
    )


class IdleRows:
    """The rows of one tensor, along its first dimension, that have had no gradient at any watched step.

    A row that was used between two watched steps has turned. One that only shrinks keeps its direction: its
    norm and its projection on a fixed random direction have fallen by the same factor, and remembering
    these takes two numbers a row instead of a copy of the tensor.

    Args:
        tensor: before the first step.
        table: whether a single row is worth knowing of; otherwise only all of them are.
    """

    @torch.no_grad()
    def __init__(self, tensor: Tensor, *, table: bool = True) -> None:
        self._table = table
        rows = as_rows(tensor)
        generator = torch.Generator().manual_seed(0)
        direction = torch.randn(rows.shape[1], generator=generator, dtype=rows.dtype)
        self._direction = direction.to(rows.device)
        self._norms, self._projections = self._measure(rows)
        # A row of one number cannot turn, and says nothing of having been used.
        self._idle = torch.full((len(rows),), rows.shape[1] > 1, device=rows.device)

    @property
    def some(self) -> bool:
        """Whether anything that is worth knowing may be unused."""
        return bool(self._idle.any() if self._table else self._idle.all())

    @property
    def state(self) -> tuple[Tensor, Tensor, Tensor]:
        """What has been seen: first norms, first projections, and which rows were idle, each (rows,)."""
        return self._norms, self._projections, self._idle

    @state.setter
    def state(self, state: tuple[Tensor, Tensor, Tensor]) -> None:
        device = self._idle.device
        self._norms, self._projections, self._idle = (part.to(device).clone() for part in state)

    def note(self, gradient: Tensor | None) -> None:
        """Strike out the rows that have a gradient."""
        if gradient is not None:
            dense = gradient.to_dense() if gradient.is_sparse else gradient
            self._idle &= (as_rows(dense) == 0).all(1)

    def shrunk(self, tensor: Tensor, least: float) -> int:
        """How many idle rows have lost at least the share `least` of their norm, and nothing but norm."""
        norms, projections = self._measure(as_rows(tensor))
        ratios = norms / self._norms
        turned = (projections - ratios * self._projections).abs() > SAME_DIRECTION * norms
        shrunk = self._idle & (ratios < 1 - least) & ~turned
        return int(shrunk.sum()) if self._table or bool(shrunk.all()) else 0

    def _measure(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        return torch.linalg.vector_norm(rows, dim=1), rows @ self._direction


def as_rows(tensor: Tensor) -> Tensor:
    """A tensor as rows along its first dimension (rows, numbers); a vector or a scalar is one row."""
    return tensor.reshape(len(tensor) if tensor.ndim > 1 else 1, -1)
