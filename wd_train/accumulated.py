"""Which gradients does a loop hold between two batches, which its next step may need?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn


def gradients_of(parts: Mapping[str, object]) -> dict[str, Tensor]:
    """The gradients that the parameters of modules and optimizers hold; none of those that hold none.

    Example:
        >>> layer = nn.Linear(2, 1)
        >>> gradients_of({"model": layer})
        {}
        >>> layer.bias.sum().backward()
        >>> gradients_of({"model": layer})
        {'model.1': tensor([1.])}
    """
    # One that is both a module's and an optimizer's is named twice, and written once.
    return {name: p.grad for name, p in _parameters(parts) if p.grad is not None}


def set_gradients(parts: Mapping[str, object], kept: Mapping[str, Tensor]) -> None:
    """Let the parameters hold copies of these gradients, and no others."""
    for _, parameter in _parameters(parts):
        parameter.grad = None
    for name, parameter in _parameters(parts):
        if name in kept:
            parameter.grad = kept[name].to(parameter.device).clone()


def _parameters(parts: Mapping[str, object]) -> Iterator[tuple[str, nn.Parameter]]:
    for name, part in parts.items():
        for number, parameter in enumerate(_of(part)):
            yield f"{name}.{number}", parameter


def _of(part: object) -> Iterator[nn.Parameter]:
    if isinstance(part, nn.Module):
        yield from part.parameters()
    elif isinstance(part, torch.optim.Optimizer):
        for group in part.param_groups:
            yield from group["params"]
