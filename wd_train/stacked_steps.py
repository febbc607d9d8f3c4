"""How does a stack of parameters follow its gradients, each member at its own rate and with its own decay?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from wd_train.configuration import Training
from wd_train.decay import Decay, WeightDecay
from wd_train.forms import spread
from wd_train.optimizers import make_optimizer
from wd_train.provenance import check_decayable, tensor_decays
from wd_train.stacked_networks import Gradients


class Steps:
    """The optimizer and the decay of a stack of parameters.

    Where the learning rates differ, the optimizer steps at a rate of 1 from 0, and each member follows at its
    own rate: the updates of SGD and Adam are proportional to it.
    """

    def __init__(
        self, parameters: dict[str, Tensor], net: nn.Module, members: Sequence[Training], rows: int
    ) -> None:
        rates = torch.tensor([member.rates(rows) for member in members], dtype=torch.float64)
        full = torch.tensor([member.learning_rate for member in members], dtype=torch.float64)
        self._one_rate = bool((full == full[0]).all())
        self._rates = rates[0].tolist() if self._one_rate else list(rates.T.unbind())
        self._parameters = list(parameters.values())
        self._moved = self._parameters if self._one_rate else [torch.zeros_like(p) for p in self._parameters]
        self._optimizer = _optimizer(members[0], self._moved)
        chosen = {t.name: t for t in tensor_decays(net, decay_of(members)) if t.decayed}
        check_decayable(tensor_decays(net, decay_of(members)), max(m.weight_decay for m in members))
        self._decay = WeightDecay(
            {name: parameters[name] for name in chosen},
            torch.tensor([member.weight_decay for member in members], dtype=torch.float64),
            decay_of(members),
            full_rate=members[0].learning_rate if self._one_rate else full,
            steps=rates.shape[1],
            normalized=[name for name, tensor in chosen.items() if tensor.normalized],
        )
        self._step = 0

    def take(self, losses: Tensor, gradients: Gradients) -> Tensor:
        """Follow the gradients by one step, and give the losses (M,) back in memory of their own."""
        rate = self._rates[self._step]
        for parameter, gradient in zip(self._parameters, gradients, strict=True):
            parameter.grad = gradient
        self._decay.before_step(rate)
        for group in self._optimizer.param_groups:
            group["lr"] = rate if self._one_rate else 1.0
        if self._one_rate:
            self._optimizer.step()
        else:
            self._follow(rate)
        self._decay.after_step(rate)
        self._step += 1
        return losses.clone()

    def state_dict(self) -> dict[str, Any]:
        """What must be kept to go on after this step."""
        decay = self._decay.state_dict()
        return {"step": self._step, "optimizer": self._optimizer.state_dict(), "decay": decay}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._step = state["step"]
        self._optimizer.load_state_dict(state["optimizer"])
        self._decay.load_state_dict(state["decay"])

    @torch.no_grad()
    def _follow(self, rates: Tensor) -> None:
        for parameter, moved in zip(self._parameters, self._moved, strict=True):
            moved.grad = parameter.grad
        self._optimizer.step()
        for parameter, moved in zip(self._parameters, self._moved, strict=True):
            parameter.add_(moved * spread(rates, parameter))
            moved.zero_()


class _Adam:
    """Adam by the kernel of `torch.optim.Adam(fused=True)`, whose bookkeeping takes as long again."""

    def __init__(self, parameters: list[Tensor], betas: tuple[float, float]) -> None:
        self.param_groups: list[dict[str, Any]] = [{}]
        self._parameters, self._betas = parameters, betas
        self._first = [torch.zeros_like(parameter) for parameter in parameters]
        self._second = [torch.zeros_like(parameter) for parameter in parameters]
        self._taken = torch.zeros(())

    @torch.no_grad()
    def step(self) -> None:
        """Take a step along the gradients of those parameters that have one."""
        self._taken += 1
        every = zip(self._parameters, self._first, self._second, strict=True)
        found = [(p, p.grad, first, second) for p, first, second in every if p.grad is not None]
        parameters, gradients, firsts, seconds = (list(column) for column in zip(*found, strict=True))
        torch._fused_adam_(
            parameters,
            gradients,
            firsts,
            seconds,
            [],
            [self._taken] * len(found),
            lr=self.param_groups[0]["lr"],
            beta1=self._betas[0],
            beta2=self._betas[1],
            weight_decay=0.0,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )

    def state_dict(self) -> dict[str, Any]:
        """The moving averages, and how many steps they hold."""
        return {"first": self._first, "second": self._second, "taken": self._taken}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._first, self._second = list(state["first"]), list(state["second"])
        self._taken = state["taken"]


def _optimizer(training: Training, parameters: list[Tensor]) -> _Adam | torch.optim.Optimizer:
    if training.optimizer == "sgd":
        return make_optimizer(training, parameters)  # type: ignore[arg-type]  # plain leaves, too
    return _Adam(parameters, training.betas)


def decay_of(members: Sequence[Training]) -> Decay:
    """How decay acts on those that have any; a member without decay fits every form."""
    return next((member.decay for member in members if member.weight_decay > 0), members[0].decay)
