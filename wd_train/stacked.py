"""How do many small networks train as one?

Parameters of M networks of one architecture are stacked to (M, ...): one forward pass by `torch.vmap` and one
optimizer step serve all of them. The optimizers work on each number alone, so a stack is like any tensor.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state

from data_checks.splits import Split
from wd_train.decay import WeightDecay
from wd_train.network import CPU, BuildModel, BuildPreprocess, build_network, check_network, predict, seeded
from wd_train.provenance import tensor_decays
from wd_train.rows import Rows, Tensors, map_tensors
from wd_train.steps import batches, make_optimizer, take_step, weighted_mean
from wd_train.training import Training
from wdgate.evaluation.tasks import Task

SMALL_STEP = 3e7
"""Floating-point operations of a member's step above which a stack is no faster than one by one."""


def fit_stacked(
    nets: list[nn.Module], rows: Rows, validation: Rows, task: Task, members: Sequence[Training]
) -> list[nn.Module]:
    """Train M networks of one architecture on preprocessed rows, in place, as one stack of parameters."""
    shared, net = members[0], nets[0].train()
    stacked, buffers = stack_module_state(nets)  # each parameter (M, ...)
    chosen = {t.name: t.normalized for t in tensor_decays(net, shared.decay) if t.decayed}
    optimizer = make_optimizer(shared, [p for p in stacked.values() if p.requires_grad])
    generators = [torch.Generator().manual_seed(member.seed) for member in members]
    forward = _forward(net, buffers, each_its_own=shared.batch_size is not None)
    rates = shared.rates(len(rows))
    decay = WeightDecay(
        {name: stacked[name] for name in chosen},
        torch.tensor([member.weight_decay for member in members], dtype=torch.float64),
        shared.decay,
        full_rate=shared.learning_rate,
        steps=len(rates),
        normalized=[name for name in chosen if chosen[name]],
    )
    best = BestMembers(stacked, shared.patience, len(members))
    step = 0
    for epoch in range(1, shared.epochs + 1):
        for indices in zip(*(batches(len(rows), shared, generator) for generator in generators), strict=True):
            outputs = forward(stacked, _inputs(rows, indices, shared))  # (M, B, C)
            optimizer.zero_grad()
            _losses(task, outputs, rows, indices).sum().backward()  # type: ignore[no-untyped-call]
            take_step(optimizer, rates[step], decay)
            step += 1
        if shared.measured(epoch) and best.stops(
            epoch, lambda: _validation_losses(nets, stacked, validation, task)
        ):
            break
    _unstack(best.restored(), nets)
    return nets


class BestMembers:
    """The weights that are kept of each member, as `wd_train.steps.Best` keeps them of one network."""

    def __init__(self, stacked: dict[str, Tensor], patience: int | None, members: int) -> None:
        self._stacked = stacked
        self._patience = patience
        self._kept = (
            {name: values.detach().clone() for name, values in stacked.items()} if patience else stacked
        )
        self._losses = torch.full((members,), torch.inf, dtype=torch.float64)
        self._epochs = torch.zeros(members)
        self._stopped = torch.zeros(members, dtype=torch.bool)

    def stops(self, epoch: int, validation_losses: Callable[[], Tensor]) -> bool:
        """Note the members' validation losses (M,); whether patience has run out for all of them."""
        if self._patience is None:
            return False
        losses = validation_losses()
        better = (losses < self._losses) & ~self._stopped
        self._losses[better], self._epochs[better] = losses[better], float(epoch)
        for name, values in self._stacked.items():
            self._kept[name][better] = values.detach()[better]
        self._stopped |= epoch - self._epochs >= self._patience
        return bool(self._stopped.all())

    def restored(self) -> dict[str, Tensor]:
        """The kept parameters, each (M, ...)."""
        return self._kept


def stacks(
    build_model: BuildModel,
    build_preprocess: BuildPreprocess | None,
    train: Split,
    task: Task,
    training: Training,
) -> bool:
    """Whether a network trains in a fleet as it would alone, and gains by it.

    It must be small, and its rows must lie in memory; it must have no filters, which are slow in a stack on
    the CPU; and a forward pass must neither draw random numbers nor change a buffer.
    """
    network = build_network(build_model, build_preprocess, train, training.seed)
    operations = check_network(network, train, task) * 3 * len(train) / training.batches(len(train))
    if operations > SMALL_STEP or any(
        isinstance(module, nn.modules.conv._ConvNd) for module in network.modules()
    ):
        return False
    if not isinstance(train.inputs, np.ndarray | dict):
        return False
    few = Rows(train.take(np.arange(min(2, len(train)))), network.preprocess, CPU)
    return _is_pure(network.net, few) and _is_vectorized(network.net, few)


def _is_pure(net: nn.Module, rows: Rows) -> bool:
    net = copy.deepcopy(net).train()
    before = {name: buffer.clone() for name, buffer in net.named_buffers()}
    with seeded(0), torch.no_grad():
        state = torch.get_rng_state()
        net(rows.inputs(torch.arange(len(rows))))
        drew = not torch.equal(state, torch.get_rng_state())
    return not drew and all(torch.equal(before[name], buffer) for name, buffer in net.named_buffers())


def _is_vectorized(net: nn.Module, rows: Rows) -> bool:
    stacked, buffers = stack_module_state([net, net])
    forward = _forward(net.train(), buffers, each_its_own=False)
    try:
        with torch.no_grad():
            forward(stacked, rows.inputs(torch.arange(len(rows))))
    except (RuntimeError, TypeError, ValueError):
        # What vmap cannot do, such as a branch on a value, it says by one of these.
        return False
    return True


def _forward(net: nn.Module, buffers: dict[str, Tensor], each_its_own: bool) -> Callable[..., Tensor]:
    def one(parameters: dict[str, Tensor], held: dict[str, Tensor], inputs: Tensors) -> Any:
        return functional_call(net, (parameters, held), (inputs,))

    members = torch.vmap(one, in_dims=(0, 0, 0 if each_its_own else None))
    return lambda stacked, inputs: members(stacked, buffers, inputs)


def _inputs(rows: Rows, indices: tuple[Tensor, ...], training: Training) -> Tensors:
    if training.batch_size is None:
        return rows.inputs(indices[0])
    members, size = len(indices), len(indices[0])
    return map_tensors(lambda t: t.reshape(members, size, *t.shape[1:]), rows.inputs(torch.cat(indices)))


def _losses(task: Task, outputs: Tensor, rows: Rows, indices: tuple[Tensor, ...]) -> Tensor:
    losses = task.loss(outputs.flatten(0, 1), rows.targets[torch.cat(indices)]).unflatten(
        0, outputs.shape[:2]
    )
    weights = [None if rows.weights is None else rows.weights[member] for member in indices]
    return torch.stack([weighted_mean(*pair) for pair in zip(losses, weights, strict=True)])


def _validation_losses(nets: list[nn.Module], stacked: dict[str, Tensor], rows: Rows, task: Task) -> Tensor:
    _unstack(stacked, nets)
    with torch.no_grad():
        means = [weighted_mean(task.loss(predict(net, rows), rows.targets), rows.weights) for net in nets]
    return torch.stack(means).double()


def _unstack(stacked: dict[str, Tensor], nets: list[nn.Module]) -> None:
    for member, net in enumerate(nets):
        with torch.no_grad():
            for name, parameter in net.named_parameters():
                parameter.copy_(stacked[name][member])
