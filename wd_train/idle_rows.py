"""Which rows of a tensor have never been used, and only shrink?"""

from __future__ import annotations

import torch
from torch import Tensor

SAME_DIRECTION = 1e-4
"""How far a row of unit norm may have turned and still count as only shrunk: float32 rounds every step."""


class IdleRows:
    """The rows of one tensor, along its first dimension, that have had no gradient at any watched step.

    A row that was used between two watched steps has turned. One that only shrinks keeps its direction: its
    norm and its projection on a fixed random direction have fallen by the same factor, and remembering
    these takes two numbers a row instead of a copy of the tensor.
    """

    def __init__(self, tensor: Tensor) -> None:
        rows = as_rows(tensor)
        generator = torch.Generator().manual_seed(0)
        direction = torch.randn(rows.shape[1], generator=generator, dtype=rows.dtype)
        self._direction = direction.to(rows.device)
        self._norms, self._projections = self._measure(rows)
        # A row of one number cannot turn, and says nothing of having been used.
        self._idle = torch.full((len(rows),), rows.shape[1] > 1, device=rows.device)

    @property
    def some(self) -> bool:
        """Whether any row may be unused."""
        return bool(self._idle.any())

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
        return int((self._idle & (ratios < 1 - least) & ~turned).sum())

    def _measure(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        return torch.linalg.vector_norm(rows, dim=1), rows @ self._direction


def as_rows(tensor: Tensor) -> Tensor:
    """A tensor as rows along its first dimension (rows, numbers); a vector or a scalar is one row."""
    return tensor.reshape(len(tensor) if tensor.ndim > 1 else 1, -1)
