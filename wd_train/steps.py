"""What happens in one step of a training?"""

from __future__ import annotations

import torch

from wd_train.decay import WeightDecay
from wd_train.diagnostics import Decaying, Watch


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
