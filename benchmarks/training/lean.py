"""The training that one would write by hand if nothing but speed counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from wd_train.rows import Rows
from wd_train.training import Training


def train(
    net: nn.Module, rows: Rows, validation: Rows, training: Training, on_epoch: Callable[[int], None]
) -> nn.Module:
    """Fused AdamW on the cross-entropy, a cosine, decay of matrices and filters, validation as asked."""
    optimizer = torch.optim.AdamW(decayed_apart(net, training.weight_decay), lr=1e-3, fused=True)
    rates = iter(training.rates(len(rows)))
    for epoch in range(1, training.epochs + 1):
        net.train()
        for inputs, targets in slices(rows, training.batches(len(rows))):
            rate = next(rates)
            for group in optimizer.param_groups:
                group["lr"] = rate
            loss = nn.functional.cross_entropy(net(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if training.measured(epoch):
            validate(net, validation)
            on_epoch(epoch)
    return net


def decayed_apart(net: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    return [
        {"params": [p for p in net.parameters() if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in net.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]


def slices(rows: Rows, batches: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches of one epoch, by slicing tensors."""
    for at in torch.randperm(len(rows)).tensor_split(batches):
        yield rows.prepared.index_select(0, at), rows.targets.index_select(0, at)


@torch.no_grad()
def validate(net: nn.Module, rows: Rows) -> tuple[float, float]:
    """Loss and accuracy."""
    net.eval()
    outputs = net(rows.prepared)
    loss = nn.functional.cross_entropy(outputs, rows.targets)
    return float(loss), float((outputs.argmax(1) == rows.targets).float().mean())
