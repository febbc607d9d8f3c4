"""What do M networks of one architecture give for the batches of S seeds, and what are their gradients?

Members are ordered by seed, K to each of S seeds, so that M = S x K; those of one seed see the same batches.
A plain chain of matrices and activations is written out here, with the rows last: its first layer is one
product a seed, and nothing is copied. Everything else goes through `torch.vmap`, once over S and once over K.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._pytree import tree_leaves, tree_map

from wd_train.replay import Replay
from wd_train.rows import Tensors
from wdgate.evaluation.tasks import Task

ACTIVATIONS = (
    nn.Identity,
    nn.ReLU,
    nn.LeakyReLU,
    nn.ELU,
    nn.GELU,
    nn.SiLU,
    nn.Tanh,
    nn.Sigmoid,
    nn.Softplus,
)

LANES = 16
"""Numbers that a processor takes at once: where rows stand last, one row more costs as much as so many."""

Gradients = list[Tensor | None]
Step = tuple[list[Tensor], Replay]  # the places of the arguments, and what is run on them


class Stack:
    """M networks of one architecture, as one.

    Args:
        nets: the networks, ordered by seed, with as many of each.
        seeds: how many seeds they have, S.
        task: whose loss is minimized.

    Attributes:
        parameters: what is trained, by name, each (M, ...).
        lanes: what the number of rows of a batch should be a multiple of. Rows of weight 0 may fill it up:
            where it is not 1, no row knows of another.
    """

    def __init__(self, nets: Sequence[nn.Module], seeds: int, task: Task) -> None:
        self._net, self._task, self._seeds = nets[0], task, seeds
        self._each = len(nets) // seeds
        parameters, self._buffers = stack_module_state(list(nets))
        trained = {name for name, parameter in nets[0].named_parameters() if parameter.requires_grad}
        self.parameters = {name: p.detach() for name, p in parameters.items() if name in trained}
        self._fixed = {name: p.detach() for name, p in parameters.items() if name not in trained}
        self._layers = _chain(nets[0])
        self.lanes = LANES if self._layers else 1
        self._steps: dict[int, Step] = {}  # by the number of rows
        self._measures: dict[int, Step] = {}

    def batch(self, inputs: Tensors, targets: Tensor, weights: Tensor | None) -> tuple[Tensor, Gradients]:
        """Mean losses (M,), and the gradient of each of the parameters, or None where it has no part in them.

        Both lie where the next call with as many rows writes.

        Args:
            inputs: a batch a seed (S, B, ...).
            targets: (S, B).
            weights: (S, B), or None.
        """
        given = (inputs, targets, *([] if weights is None else [weights]))
        rows = targets.shape[1]
        if rows not in self._steps:
            self._net.train()
            places = tree_map(torch.clone, given)
            replay = Replay(self._differentiated, list(self.parameters.values()), *places)
            self._steps[rows] = tree_leaves(places), replay
        results = self._run(self._steps[rows], given)
        return results[0], results[1:]

    def losses(self, inputs: Tensors, targets: Tensor) -> Tensor:
        """Losses (M, B) of all members for the same rows (B, ...), in evaluation mode.

        They lie where the next call with as many rows writes.
        """
        given = tree_map(lambda t: t[None], (inputs, targets))
        rows = targets.shape[0]
        if rows not in self._measures:
            self._net.eval()
            places = tree_map(torch.clone, given)
            replay = Replay(self._measured, list(self.parameters.values()), *places)
            self._measures[rows] = tree_leaves(places), replay
        losses: Tensor = self._run(self._measures[rows], given)[0]
        return losses

    def _run(self, step: Step, given: tuple[Any, ...]) -> list[Any]:
        places, replay = step
        for place, value in zip(places, tree_leaves(given), strict=True):
            place.copy_(value)
        replay.run()
        return replay.results

    def _measured(self, values: list[Tensor], inputs: Tensors, targets: Tensor) -> tuple[Tensor]:
        outputs = self._forward(dict(zip(self.parameters, values, strict=True)), inputs, 1)
        return (self._losses(outputs, targets).flatten(0, 1),)

    def _losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Losses (S, K, B) of outputs (S, K, B, C) for targets (S, B)."""
        losses: Tensor = torch.vmap(torch.vmap(self._task.loss, in_dims=(0, None)))(outputs, targets)
        return losses

    def _differentiated(
        self, values: list[Tensor], inputs: Tensors, targets: Tensor, weights: Tensor | None = None
    ) -> tuple[Tensor | None, ...]:
        with torch.enable_grad():
            leaves = [value.detach().requires_grad_() for value in values]
            outputs = self._forward(dict(zip(self.parameters, leaves, strict=True)), inputs, self._seeds)
            means = _means(self._losses(outputs, targets), weights).flatten()  # (M,)
            gradients = torch.autograd.grad(means, leaves, torch.ones_like(means), allow_unused=True)
        # The fused optimizers go through parameters and gradients in the order of their memory.
        return means.detach(), *(None if g is None else g.contiguous() for g in gradients)

    def _forward(self, parameters: dict[str, Tensor], inputs: Tensors, seeds: int) -> Tensor:
        """Outputs (S, K, B, C) of the parameters (M, ...) for a batch a seed (S, B, ...)."""
        parameters = {**parameters, **self._fixed}
        if self._layers and isinstance(inputs, Tensor):
            rows = inputs.flatten(2) if isinstance(self._layers[0], nn.Flatten) else inputs
            if rows.ndim == 3:
                return self._chained(parameters, rows.mT).mT.unflatten(0, (seeds, -1))  # type: ignore[no-untyped-call, no-any-return]
        grouped = [
            {name: t.view(seeds, -1, *t.shape[1:]) for name, t in tensors.items()}
            for tensors in (parameters, self._buffers)
        ]
        of_a_seed = torch.vmap(self._one, in_dims=(0, 0, None))
        with _attention_by_products():
            outputs: Tensor = torch.vmap(of_a_seed)(grouped[0], grouped[1], inputs)
        return outputs

    def _one(self, parameters: dict[str, Tensor], buffers: dict[str, Tensor], inputs: Tensors) -> Any:
        return functional_call(self._net, (parameters, buffers), (inputs,))

    def _chained(self, parameters: dict[str, Tensor], hidden: Tensor) -> Tensor:
        """Outputs (M, C, B) of a chain for inputs (S, D, B)."""
        names = {id(parameter): name for name, parameter in self._net.named_parameters()}
        for layer in self._layers:
            if isinstance(layer, nn.Linear):
                hidden = _products(parameters[names[id(layer.weight)]], hidden)
                if layer.bias is not None:
                    hidden = hidden + parameters[names[id(layer.bias)]][:, :, None]
            elif not isinstance(layer, nn.Flatten):
                hidden = layer(hidden)
        return hidden


def is_chain(net: nn.Module) -> bool:
    """Whether a network is a plain chain of matrices and activations.

    Example:
        >>> is_chain(nn.Sequential(nn.Flatten(), nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)))
        True
        >>> is_chain(nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.Linear(8, 2)))
        False
    """
    return bool(_chain(net))


@contextmanager
def _attention_by_products() -> Iterator[None]:
    """Attend by plain products: torch's fused attention goes through the members of a stack one by one."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _products(weights: Tensor, hidden: Tensor) -> Tensor:
    """Products (M, H, B) of weights (M, H, D) and their inputs: (M, D, B), or (S, D, B) at first."""
    # The matrices of one seed stand below each other (S, K x H, D), which copies nothing.
    below = weights.view(len(hidden), -1, weights.shape[2])
    return torch.bmm(below, hidden).view(len(weights), -1, hidden.shape[2])


def _chain(net: nn.Module) -> list[nn.Module]:
    """The layers of a network that is a plain chain of matrices and activations; empty of any other."""
    layers = [net] if type(net) is not nn.Sequential or _is_hooked(net) else list(_parts(net))
    first, others = layers[:1], layers[1:]
    flat = bool(first) and type(first[0]) is nn.Flatten and first[0].start_dim == 1 and first[0].end_dim == -1
    plain = all(
        type(layer) in (nn.Linear, *ACTIVATIONS) and not _is_hooked(layer)
        for layer in (others if flat else layers)
    )
    return layers if plain and any(type(layer) is nn.Linear for layer in layers) else []


def _parts(net: nn.Sequential) -> Iterator[nn.Module]:
    for part in net:
        if type(part) is nn.Sequential and not _is_hooked(part):
            yield from _parts(part)
        else:
            yield part


def _is_hooked(module: nn.Module) -> bool:
    """Whether calling a module does more than its class says."""
    return bool(module._forward_hooks or module._forward_pre_hooks or module._backward_hooks) or (
        "forward" in vars(module)
    )


def _means(losses: Tensor, weights: Tensor | None) -> Tensor:
    """Mean losses (S, K) of losses (S, K, B), weighted where there are weights (S, B)."""
    if weights is None:
        return losses.mean(dim=2)
    return (losses * weights[:, None]).sum(dim=2) / weights.sum(dim=1, keepdim=True)
