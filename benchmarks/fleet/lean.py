"""What does one training take, in a loop that wastes nothing and in the loop of the tutorials?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

Rows = tuple[Tensor, Tensor]
Batches = Callable[[Rows, int], Iterator[Rows]]


def mlp(widths: tuple[int, ...]) -> nn.Sequential:
    inputs, hidden, classes = widths
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, classes))


def slices(rows: Rows, batch_size: int) -> Iterator[Rows]:
    """The batches of one epoch, by slicing tensors; they differ by one row at most."""
    inputs, targets = rows
    order = torch.randperm(len(targets))
    for indices in order.tensor_split(-(-len(targets) // batch_size)):
        yield inputs.index_select(0, indices), targets.index_select(0, indices)


def loaded(rows: Rows, batch_size: int) -> Iterator[Rows]:
    """The batches of one epoch, by torch's DataLoader."""
    return iter(DataLoader(TensorDataset(*rows), batch_size=batch_size, shuffle=True))


def train(
    rows: Rows,
    widths: tuple[int, ...],
    batch_size: int,
    *,
    epochs: int,
    weight_decay: float,
    batches: Batches = slices,
) -> nn.Module:
    """A network trained by fused AdamW on the cross-entropy; its learning rate falls along a cosine."""
    net = mlp(widths)
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=weight_decay, fused=True)
    steps = epochs * -(-len(rows[1]) // batch_size)
    rates = (3e-3 * (1 + torch.linspace(0, torch.pi, steps).cos()) / 2).tolist()
    at = iter(rates)
    for _ in range(epochs):
        for inputs, targets in batches(rows, batch_size):
            for group in optimizer.param_groups:
                group["lr"] = next(at)
            loss = nn.functional.cross_entropy(net(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return net


def microseconds_a_step(
    rows: Rows, widths: tuple[int, ...], batch_size: int, epochs: int, batches: Batches
) -> float:
    """Processor time of this thread a step."""
    started = time.thread_time()
    train(rows, widths, batch_size, epochs=epochs, weight_decay=0.1, batches=batches)
    return 1e6 * (time.thread_time() - started) / (epochs * -(-len(rows[1]) // batch_size))
