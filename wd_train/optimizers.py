"""Which optimizer takes the steps of a training?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from data_checks.errors import TrainingError
from wd_train.configuration import Training
from wd_train.provenance import EMBEDDINGS, NORMS, TensorDecay, tensor_decays


def optimizer_of(training: Training, net: nn.Module) -> torch.optim.Optimizer:
    """The optimizer of a network's trained parameters.

    Raises:
        TrainingError: `muon` for a network without a hidden matrix.
    """
    if training.optimizer == "muon":
        return MuonAndAdam(training, net)
    return make_optimizer(training, [p for p in net.parameters() if p.requires_grad])


def make_optimizer(training: Training, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimizer without a decay of its own: `adamw` is `adam`, and `take_step` decays."""
    rate = training.learning_rate
    if training.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=rate, momentum=training.momentum, weight_decay=0.0, fused=True)
    return torch.optim.Adam(parameters, lr=rate, betas=training.betas, weight_decay=0.0, fused=True)


class MuonAndAdam(torch.optim.Optimizer):
    """Muon (Jordan et al. 2024) for hidden matrices, and Adam for all else: one optimizer with two groups.

    Both step at one learning rate, that of Adam: an update of Muon is scaled by 0.2 sqrt(max(rows, columns)),
    to the root mean square that updates of AdamW have (`match_rms_adamw`, Liu et al. 2025). So one schedule
    serves both, and rate x weight_decay takes as much of a tensor, whichever of them steps it. Muon's
    momentum is 0.95, after Nesterov, and neither has a decay of its own.

    Args:
        training: the learning rate, and Adam's betas.
        net: whose hidden matrices are those of `hidden_matrices`.

    Raises:
        TrainingError: a network that has none.
    """

    def __init__(self, training: Training, net: nn.Module) -> None:
        names = hidden_matrices(net)
        if not names:
            raise TrainingError("optimizer 'muon' steps hidden matrices, but the network has none")
        trained = {name: p for name, p in net.named_parameters() if p.requires_grad}
        rest = [p for name, p in trained.items() if name not in names]
        matrices, rate = [trained[name] for name in names], training.learning_rate
        muon = torch.optim.Muon(matrices, lr=rate, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
        # Without biases and with a frozen head nothing is left for Adam, which refuses that.
        self._both = (muon, *([make_optimizer(training, rest)] if rest else []))
        super().__init__([{"params": some} for some in (matrices, rest) if some], {"lr": rate})
        self._share_groups()

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]  # no closure here
        """Take a step along the gradients."""
        for optimizer in self._both:
            optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        """The states of both."""
        return {"both": [optimizer.state_dict() for optimizer in self._both]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the states of both."""
        for optimizer, state in zip(self._both, state_dict["both"], strict=True):
            optimizer.load_state_dict(state)
        self._share_groups()

    def _share_groups(self) -> None:
        # The same dictionaries: a learning rate that is set here is theirs.
        self.param_groups = [group for optimizer in self._both for group in optimizer.param_groups]


def hidden_matrices(net: nn.Module) -> list[str]:
    """The names of the trained matrices but the head, which is the last matrix by definition, trained or not.

    Embeddings, heads, biases, normalizations and filters are not what Muon is for.

    Example:
        >>> hidden_matrices(nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2)))
        ['1.weight']
    """
    matrices = [tensor for tensor in tensor_decays(net) if _is_matrix(net, tensor)]
    return [tensor.name for tensor in matrices[:-1] if tensor.decayed]


def _is_matrix(net: nn.Module, tensor: TensorDecay) -> bool:
    if tensor.decayed or len(tensor.shape) != 2:
        return tensor.decayed and len(tensor.shape) == 2
    # Of what is frozen, nothing but that is said.
    owner, _, own = tensor.name.rpartition(".")
    is_bias = "bias" in own.split("_")
    is_trained = net.get_parameter(tensor.name).requires_grad
    return not is_trained and not is_bias and not isinstance(net.get_submodule(owner), (*NORMS, *EMBEDDINGS))
