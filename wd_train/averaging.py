"""Which weights are measured and kept: those of the last step, or their moving average?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


class Average:
    """A moving average of a network's parameters and buffers; without a share, the network itself.

    At step t the average keeps min(share, (1 + t) / (10 + t)) of itself, so that it forgets the first
    weights in a short training, too (the convention of TensorFlow's `ExponentialMovingAverage`). Statistics
    of batch norms are averaged as the weights are; whole numbers, such as tables of positions, are copied.

    Args:
        net: what is trained.
        share: below 1; None averages nothing.

    Attributes:
        net: the network to measure.

    Example:
        >>> trained = nn.Linear(1, 1, bias=False)
        >>> average = Average(trained, 0.1)
        >>> for value in (0.0, 1.0):
        ...     _ = nn.init.constant_(trained.weight, value)
        ...     average.follow()
        >>> round(average.net.weight.item(), 3)
        0.9
    """

    def __init__(self, net: nn.Module, share: float | None) -> None:
        self._trained, self._share = net, share
        self._averaged: AveragedModel | None = None
        if share is not None:
            self._averaged = AveragedModel(net, avg_fn=self._mix, use_buffers=True)
        self.net: nn.Module = net if self._averaged is None else self._averaged.module

    def follow(self) -> None:
        """Take the weights after a step into the average."""
        if self._averaged is not None:
            self._averaged.update_parameters(self._trained)

    def keep(self) -> None:
        """Put the average into the network that was trained."""
        if self._averaged is not None:
            self._trained.load_state_dict(self.net.state_dict())

    def state_dict(self) -> dict[str, Any]:
        """The average, and how many steps are in it."""
        return {} if self._averaged is None else dict(self._averaged.state_dict())

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from an average."""
        if self._averaged is not None:
            self._averaged.load_state_dict(state)

    @torch.no_grad()
    def _mix(self, averaged: Tensor, current: Tensor, taken: Tensor | int) -> Tensor:
        assert self._share is not None  # noqa: S101 - nothing is averaged without one
        if not averaged.is_floating_point():
            return current
        share = min(self._share, (1 + int(taken)) / (10 + int(taken)))
        # What doesn't change is not mixed: the difference of two infinities, as masks hold them, is NaN.
        return torch.where(averaged == current, current, averaged.lerp(current, 1 - share))
