"""How does decay act on an optimizer that somebody else steps?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from weakref import WeakSet

import torch
from torch import nn

from data_checks.errors import TrainingError
from wd_train.decay import Decay, WeightDecay
from wd_train.provenance import TensorDecay, check_decayable, tensor_decays

_decayed: WeakSet[torch.optim.Optimizer] = WeakSet()
"""Optimizers that have a decay, which a second one would double."""


class Attached:
    """A decay that acts at every step of an optimizer, whoever takes it, until it is removed.

    Learning-rate schedulers, gradient scalers and other people's loops go on with the optimizer that they
    know. A step that a gradient scaler skips decays nothing.

    Args:
        optimizer: any of torch's; its own decay is set to 0.
        model: whose parameters it steps.
        weight_decay: the coefficient.
        decay: how it acts.
        steps: of the whole training; needed where the coefficient has a schedule over them.

    Attributes:
        tensors: which are decayed and why, one entry a parameter of the model.

    Raises:
        TrainingError: no tensor that is decayed, a step that would overshoot, a schedule without `steps`, or
            an optimizer that has a decay already.

    Example:
        >>> model = nn.Linear(3, 2)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> decay = Attached(optimizer, model, 0.01, Decay("cautious"))
        >>> [tensor.name for tensor in decay.tensors if tensor.decayed]
        ['weight']
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        model: nn.Module,
        weight_decay: float,
        decay: Decay | None = None,
        *,
        steps: int | None = None,
    ) -> None:
        decay = decay or Decay()
        _check(optimizer, decay, steps)
        self.tensors = _stepped_by(optimizer, model, tensor_decays(model, decay))
        check_decayable(self.tensors, weight_decay)
        self._optimizer = optimizer
        self._decays = [
            self._of(group, model, weight_decay, decay, steps or 1) for group in optimizer.param_groups
        ]
        self._hooks = (
            optimizer.register_step_pre_hook(self._before),
            optimizer.register_step_post_hook(self._after),
        )
        _decayed.add(optimizer)

    def remove(self) -> None:
        """Let the optimizer step without decay from now on."""
        for hook in self._hooks:
            hook.remove()
        _decayed.discard(self._optimizer)

    def state_dict(self) -> dict[str, Any]:
        """What must be kept to go on after this step."""
        return {"groups": [decay.state_dict() for decay in self._decays]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was called."""
        for decay, kept in zip(self._decays, state["groups"], strict=True):
            decay.load_state_dict(kept)

    def _of(
        self, group: dict[str, Any], model: nn.Module, weight_decay: float, decay: Decay, steps: int
    ) -> WeightDecay:
        decayed = {tensor.name: tensor.normalized for tensor in self.tensors if tensor.decayed}
        ours = {id(parameter) for parameter in group["params"]}
        parameters = {name: p for name, p in model.named_parameters() if id(p) in ours and name in decayed}
        full_rate = _full_rate(group)
        decay.check_overshoot(full_rate, weight_decay)
        return WeightDecay(
            parameters,
            weight_decay,
            decay,
            full_rate=full_rate,
            steps=steps,
            normalized=[name for name in parameters if decayed[name]],
        )

    def _before(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        if any(callable(argument) for argument in (*args, *kwargs.values())):
            raise TrainingError("a closure makes the gradients too late for a decay: call step() without one")
        if getattr(optimizer, "grad_scale", None) is not None:
            raise TrainingError("a fused optimizer is handed scaled gradients by its GradScaler: fused=False")
        if len(optimizer.param_groups) != len(self._decays):
            raise TrainingError("the optimizer got another group of parameters after the decay was attached")
        # Asked anew at every step, for loading a state replaces the groups and brings their own decay back.
        for group, decay in zip(optimizer.param_groups, self._decays, strict=True):
            group["weight_decay"] = 0.0
            decay.before_step(float(group["lr"]))

    def _after(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        for group, decay in zip(optimizer.param_groups, self._decays, strict=True):
            decay.after_step(float(group["lr"]))


def _check(optimizer: torch.optim.Optimizer, decay: Decay, steps: int | None) -> None:
    if optimizer in _decayed:
        raise TrainingError("the optimizer has a decay already: remove() that one first")
    if steps is None and decay.schedule not in ("constant", "gradient_norm"):
        raise TrainingError(f"schedule={decay.schedule!r} needs the steps of the whole training, got none")
    if decay.form == "l2" and any(group.get("maximize") for group in optimizer.param_groups):
        raise TrainingError("decay 'l2' adds to the gradient, expected an optimizer that minimizes")


def _stepped_by(
    optimizer: torch.optim.Optimizer, model: nn.Module, tensors: tuple[TensorDecay, ...]
) -> tuple[TensorDecay, ...]:
    """The tensors; those that the optimizer does not step are not decayed."""
    stepped = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    names = {name for name, parameter in model.named_parameters() if id(parameter) in stepped}
    return tuple(
        tensor
        if tensor.name in names or not tensor.decayed
        else replace(tensor, decayed=False, reason="the optimizer does not step it")
        for tensor in tensors
    )


def _full_rate(group: Mapping[str, Any]) -> float:
    """The learning rate at the top of a group's schedule, which a scheduler may have lowered already."""
    rates = [float(group[name]) for name in ("lr", "initial_lr", "max_lr") if group.get(name) is not None]
    if not max(rates) > 0:
        raise TrainingError(f"the optimizer's learning rate must be above 0, got {max(rates)}")
    return max(rates)
