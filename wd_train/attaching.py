"""How does decay act on an optimizer that somebody else steps?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from data_checks.errors import TrainingError
from wd_train.decay import Decay, WeightDecay
from wd_train.provenance import TensorDecay, check_decayable, tensor_decays


class Attached:
    """A decay that acts at every step of an optimizer, whoever takes it, until it is removed.

    Learning-rate schedulers, gradient scalers and other people's loops go on with the optimizer that they
    know. A step that is skipped decays nothing.

    Args:
        optimizer: any of torch's; its own decay is set to 0.
        model: whose parameters it steps.
        weight_decay: the coefficient.
        decay: how it acts.
        steps: of the whole training; needed where the coefficient has a schedule over them.

    Raises:
        TrainingError: no tensor that is decayed, or a schedule without `steps`.

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
        if steps is None and decay.schedule not in ("constant", "gradient_norm"):
            raise TrainingError(
                f"schedule={decay.schedule!r} needs the steps of the whole training, got none"
            )
        self.tensors: tuple[TensorDecay, ...] = tensor_decays(model, decay)
        check_decayable(self.tensors, weight_decay)
        if decay.form == "l2" and any(group.get("maximize") for group in optimizer.param_groups):
            raise TrainingError("decay 'l2' adds to the gradient, expected an optimizer that minimizes")
        self._groups = optimizer.param_groups
        self._decays = [
            self._of(group, model, weight_decay, decay, steps or 1) for group in optimizer.param_groups
        ]
        self._hooks = (
            optimizer.register_step_pre_hook(self._before),
            optimizer.register_step_post_hook(self._after),
        )

    def remove(self) -> None:
        """Let the optimizer step without decay from now on."""
        for hook in self._hooks:
            hook.remove()

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
        group["weight_decay"] = 0.0
        decayed = {tensor.name: tensor.normalized for tensor in self.tensors if tensor.decayed}
        ours = {id(parameter) for parameter in group["params"]}
        parameters = {name: p for name, p in model.named_parameters() if id(p) in ours and name in decayed}
        return WeightDecay(
            parameters,
            weight_decay,
            decay,
            full_rate=float(group["lr"]),
            steps=steps,
            normalized=[name for name in parameters if decayed[name]],
        )

    def _before(self, *_: Any) -> None:
        for group, decay in zip(self._groups, self._decays, strict=True):
            decay.before_step(float(group["lr"]))

    def _after(self, *_: Any) -> None:
        for group, decay in zip(self._groups, self._decays, strict=True):
            decay.after_step(float(group["lr"]))
