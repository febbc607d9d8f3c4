"""What does an optimizer decay by itself, and which share of a weight does that take?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

DECOUPLED = (torch.optim.AdamW, torch.optim.Muon, torch.optim.Adafactor)
"""Optimizers of torch's that multiply a weight by 1 - lr x weight_decay; others have an option for it."""


def decayed_by(optimizer: torch.optim.Optimizer, model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that an optimizer decays by itself, by name, in the model's order.

    Example:
        >>> layer = nn.Linear(3, 2)
        >>> list(decayed_by(torch.optim.AdamW(layer.parameters(), weight_decay=0.1), layer))
        ['weight', 'bias']
    """
    decayed = {
        id(p) for group in optimizer.param_groups if group.get("weight_decay") for p in group["params"]
    }
    return {name: p for name, p in model.named_parameters() if id(p) in decayed and p.requires_grad}


def known_share(optimizer: torch.optim.Optimizer) -> float | None:
    """The share of a weight that the next step's own decay takes.

    None where nobody can know it: of the coupled decay of Adam, which divides it by the gradients' size, of
    optimizers that are not torch's, and of groups that are decayed differently.

    Example:
        >>> layer = nn.Linear(3, 2)
        >>> known_share(torch.optim.SGD(layer.parameters(), lr=0.5, momentum=0.5, weight_decay=0.01))
        0.01
        >>> known_share(torch.optim.Adam(layer.parameters(), weight_decay=0.01)) is None
        True
    """
    groups = [group for group in optimizer.param_groups if group.get("weight_decay")]
    shares = {_share(optimizer, group) for group in groups}
    return shares.pop() if len(shares) == 1 else None


def rates_of(optimizer: torch.optim.Optimizer, parameters: Mapping[str, nn.Parameter]) -> dict[str, float]:
    """The learning rate of each parameter by its name."""
    rates = {id(p): float(group["lr"]) for group in optimizer.param_groups for p in group["params"]}
    return {name: rates[id(parameter)] for name, parameter in parameters.items()}


def _share(optimizer: torch.optim.Optimizer, group: Mapping[str, Any]) -> float | None:
    taken = float(group["lr"]) * float(group["weight_decay"])
    if isinstance(optimizer, DECOUPLED) or group.get("decoupled_weight_decay"):
        return taken
    if isinstance(optimizer, torch.optim.SGD) and not group["maximize"]:
        # What goes through the gradient is multiplied by the momentum, over the steps that follow.
        lasting = (1 - group["dampening"]) / (1 - group["momentum"]) if group["momentum"] else 1.0
        return taken * lasting
    return None
