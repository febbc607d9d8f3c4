"""What must be known of a training in several processes before its first step?"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wd_train.gradients import BatchGradients
from wd_train.rows import Rows


def rehearse(net: nn.Module, gradients: BatchGradients, rows: Rows, count: int) -> bool:
    """Find the gradients of `count` rows, and leave everything as it was but the number of pieces.

    What doesn't fit into memory is found here, where no other process waits.

    Returns:
        Whether a parameter takes no part in the loss.
    """
    buffers = [buffer.clone() for buffer in net.buffers()]
    device = rows.targets.device
    indices = torch.arange(min(count, len(rows)))
    net.train()
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        gradients.of(rows.inputs(indices), indices)
    unused = any(p.requires_grad and p.grad is None for p in net.parameters())
    net.zero_grad()
    _put_back(net, buffers)
    return unused


@torch.no_grad()
def _put_back(net: nn.Module, buffers: list[Tensor]) -> None:
    for buffer, kept in zip(net.buffers(), buffers, strict=True):
        buffer.copy_(kept)
