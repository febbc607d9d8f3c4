"""Which tensors are decayed, and how far does the decay shrink them?

Decay is the decoupled kind (Loshchilov & Hutter 2019, in PyTorch's convention): before the optimizer's own
step, a weight is multiplied by 1 - lr_t x weight_decay, whatever the optimizer is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

NORMS = (
    nn.modules.batchnorm._NormBase,  # batch and instance norms of every dimension
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
)
EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)


@dataclass(frozen=True)
class TensorDecay:
    """Whether one tensor is decayed, and why or why not.

    Args:
        name: the parameter's name in its model.
        shape: the parameter's shape.
        decayed: whether it belongs to the decayed group.
        reason: in a few words.
    """

    name: str
    shape: tuple[int, ...]
    decayed: bool
    reason: str


@dataclass(frozen=True)
class DecayRecord:
    """What was decayed in a training, and how far.

    Args:
        weight_decay: the configured coefficient.
        tensors: one entry a parameter.
        timescale: 1 / (lr x weight_decay) in steps at the full learning rate; infinite without decay.
        total_shrink: the share that a weight without gradient would have lost at the end, 0 to 1.
        kappa: the sum of lr_t x weight_decay over all steps.
    """

    weight_decay: float
    tensors: tuple[TensorDecay, ...]
    timescale: float
    total_shrink: float
    kappa: float

    def as_dict(self) -> dict[str, Any]:
        """The record as plain values; an infinite timescale is None."""
        return {**asdict(self), "timescale": self.timescale if math.isfinite(self.timescale) else None}


def param_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Split a model's trained parameters into a decayed and an undecayed group.

    Matrices and filters are decayed. Biases, normalization scales and embeddings are not: they are few, or
    touched by few rows, and pulling them towards zero changes what the network can express, not how it
    generalizes.

    Example:
        >>> groups = param_groups(nn.Linear(3, 2), weight_decay=0.1)
        >>> [(group["weight_decay"], len(group["params"])) for group in groups]
        [(0.1, 1), (0.0, 1)]
    """
    decayed = {tensor.name for tensor in tensor_decays(model) if tensor.decayed}
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    return [
        {"params": [p for name, p in trained if name in decayed], "weight_decay": weight_decay},
        {"params": [p for name, p in trained if name not in decayed], "weight_decay": 0.0},
    ]


def tensor_decays(model: nn.Module) -> tuple[TensorDecay, ...]:
    """Which tensor is decayed or why not, one entry a parameter, in the model's own order.

    A tensor that two modules share is judged by the module that comes first.

    Example:
        >>> for tensor in tensor_decays(nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2))):
        ...     print(tensor.name, tensor.decayed, tensor.reason)
        0.weight True matrix of Linear
        0.bias False bias of Linear
        1.weight False normalization (LayerNorm)
        1.bias False normalization (LayerNorm)
    """
    return tuple(
        TensorDecay(name, tuple(parameter.shape), *_verdict(module, name.rpartition(".")[2], parameter))
        for module, name, parameter in _owned_parameters(model)
    )


def decay_record(model: nn.Module, weight_decay: float, rates: Sequence[float]) -> DecayRecord:
    """What `weight_decay` does to `model` over steps of the learning rates `rates` (steps,)."""
    full = max(rates, default=0.0)
    return DecayRecord(
        weight_decay=weight_decay,
        tensors=tensor_decays(model),
        timescale=timescale(full, weight_decay),
        total_shrink=total_shrink(rates, weight_decay),
        kappa=kappa(rates, weight_decay),
    )


def timescale(learning_rate: float, weight_decay: float) -> float:
    """Steps over which the decay alone forgets a weight, to 1/e: 1 / (lr x weight_decay).

    Wang & Aitchison 2024 read AdamW as an exponential moving average with this timescale.

    Example:
        >>> round(timescale(1e-3, 0.1)), timescale(1e-3, 0.0)
        (10000, inf)
    """
    rate = learning_rate * weight_decay
    return 1.0 / rate if rate > 0 else math.inf


def total_shrink(rates: Iterable[float], weight_decay: float) -> float:
    """The share that a weight without gradient loses: 1 - prod(1 - lr_t x weight_decay).

    Example:
        >>> round(total_shrink([0.1, 0.1], weight_decay=1.0), 3)
        0.19
    """
    return 1.0 - math.prod(1.0 - rate * weight_decay for rate in rates)


def kappa(rates: Iterable[float], weight_decay: float) -> float:
    """The total strength of the decay: the sum of lr_t x weight_decay.

    Example:
        >>> kappa([0.5, 0.25], weight_decay=2.0)
        1.5
    """
    return math.fsum(rate * weight_decay for rate in rates)


@torch.no_grad()
def shrink(parameters: Iterable[Tensor], factor: float | Tensor) -> None:
    """Multiply every parameter that has a gradient by `factor`, in place: one step of decoupled decay.

    A parameter that took no part in the loss is left alone, as torch.optim.AdamW leaves it. A tensor of
    factors (M,) shrinks the members (M, ...) of stacked parameters one by one.
    """
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.mul_(_shaped_like(parameter, factor))


@torch.no_grad()
def norm(parameters: Iterable[Tensor]) -> float:
    """The Euclidean norm of all parameters together; 0 where there are none."""
    return math.hypot(*(float(torch.linalg.vector_norm(p)) for p in parameters))


def _shaped_like(parameter: Tensor, factor: float | Tensor) -> float | Tensor:
    if isinstance(factor, Tensor):
        return factor.to(parameter.dtype).view(-1, *[1] * (parameter.ndim - 1))
    return factor


def _owned_parameters(model: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Parameter]]:
    for name, parameter in model.named_parameters():
        yield model.get_submodule(name.rpartition(".")[0]), name, parameter


def _verdict(module: nn.Module, name: str, parameter: nn.Parameter) -> tuple[bool, str]:
    kind = type(module).__name__
    if not parameter.requires_grad:
        return False, "frozen: it is not trained"
    if isinstance(module, NORMS):
        return False, f"normalization ({kind})"
    if isinstance(module, EMBEDDINGS):
        return False, f"embedding ({kind})"
    if "bias" in name:
        return False, f"bias of {kind}"
    if parameter.ndim < 2:
        return False, f"vector or scalar of {kind}"
    return True, f"{'matrix' if parameter.ndim == 2 else 'filter'} of {kind}"
