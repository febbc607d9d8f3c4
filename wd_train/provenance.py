"""Which tensors are decayed and why, and how far does the decay shrink them?"""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from data_checks.errors import TrainingError
from wd_train.decay import Decay
from wd_train.forms import Strength, share

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
        normalized: whether a normalization follows its layer, so that its scale changes no output.
    """

    name: str
    shape: tuple[int, ...]
    decayed: bool
    reason: str
    normalized: bool = False


@dataclass(frozen=True)
class DecayRecord:
    """What was decayed in a training, and how far.

    What depends on the gradients - of the forms `constrained` and the user's own, of `l2` with Adam, and of
    the schedule `gradient_norm` - is not known from the schedule alone, and None.

    Args:
        weight_decay: the configured coefficient.
        form: in which form it acted, with its options.
        tensors: one entry a parameter.
        timescale: steps at the full learning rate after which a weight without gradient is down to 1/e:
            1 / (lr x weight_decay) for `decoupled`; infinite without decay.
        timescale_epochs: the same in epochs.
        total_shrink: the share that a weight without gradient would have lost at the end, 0 to 1; of
            `to_init`, the share of its way back to where it began.
        kappa: the sum over all steps of the share that a step takes; lr_t x weight_decay for `decoupled`.
    """

    weight_decay: float
    form: dict[str, Any]
    tensors: tuple[TensorDecay, ...]
    timescale: float | None
    timescale_epochs: float | None
    total_shrink: float | None
    kappa: float | None

    def as_dict(self) -> dict[str, Any]:
        """The record as plain values; an infinite timescale is None."""
        finite = {
            name: value if value is not None and math.isfinite(value) else None
            for name, value in (("timescale", self.timescale), ("timescale_epochs", self.timescale_epochs))
        }
        return {**asdict(self), **finite}


def param_groups(model: nn.Module, weight_decay: float, decay: Decay | None = None) -> list[dict[str, Any]]:
    """Split a model's trained parameters into a decayed and an undecayed group.

    Matrices and filters are decayed. Biases, normalization scales and embeddings are not: they are few, or
    touched by few rows, and pulling them towards zero changes what the network can express, not how it
    generalizes.

    Example:
        >>> groups = param_groups(nn.Linear(3, 2), weight_decay=0.1)
        >>> [(group["weight_decay"], len(group["params"])) for group in groups]
        [(0.1, 1), (0.0, 1)]
    """
    decayed = {tensor.name for tensor in tensor_decays(model, decay) if tensor.decayed}
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    return [
        {"params": [p for name, p in trained if name in decayed], "weight_decay": weight_decay},
        {"params": [p for name, p in trained if name not in decayed], "weight_decay": 0.0},
    ]


def tensor_decays(model: nn.Module, decay: Decay | None = None) -> tuple[TensorDecay, ...]:
    """Which tensor is decayed or why not, one entry a parameter, in the model's own order.

    A tensor that two modules share is judged by the module that comes first.

    Args:
        model: whose parameters are asked about.
        decay: says which embeddings and names are decayed; the default is `Decay()`.

    Raises:
        TrainingError: a pattern that no parameter's name matches.

    Example:
        >>> for tensor in tensor_decays(nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2))):
        ...     print(tensor.name, tensor.decayed, tensor.reason)
        0.weight True matrix of Linear
        0.bias False bias of Linear
        1.weight False normalization (LayerNorm)
        1.bias False normalization (LayerNorm)
    """
    decay = decay or Decay()
    owned = list(_owned_parameters(model))
    _check_patterns(decay.exclude, [name for _, name, _ in owned])
    followed = _followed_by_norm(model)
    return tuple(
        TensorDecay(
            name,
            tuple(parameter.shape),
            *_verdict(module, name, parameter, decay),
            normalized=id(module) in followed,
        )
        for module, name, parameter in owned
    )


def check_decayable(tensors: Sequence[TensorDecay], weight_decay: float) -> None:
    """Raise where a decay was configured and there is nothing that it would act on.

    Raises:
        TrainingError: with the reasons.
    """
    if weight_decay == 0 or any(tensor.decayed for tensor in tensors):
        return
    reasons = "; ".join(f"{tensor.name}: {tensor.reason}" for tensor in tensors[:3]) or "it has no parameters"
    raise TrainingError(
        f"weight_decay is {weight_decay:g}, but no tensor of the network is decayed ({reasons})"
    )


def decay_record(
    model: nn.Module,
    weight_decay: float,
    rates: Sequence[float],
    decay: Decay | None = None,
    *,
    batches: int = 1,
    momentum: float | None = None,
) -> DecayRecord:
    """What `weight_decay` does to `model` over steps of the learning rates `rates` (steps,).

    Args:
        model: what is trained.
        weight_decay: the coefficient.
        rates: the learning rate of every step.
        decay: how the coefficient acts; the default is `Decay()`.
        batches: steps an epoch.
        momentum: of SGD, which multiplies what `l2` takes; None with Adam, where it cannot be known.
    """
    decay, full = decay or Decay(), max(rates, default=0.0)
    tensors = tensor_decays(model, decay)
    normalized = any(tensor.decayed and tensor.normalized for tensor in tensors)
    if decay.form == "l2" and decay.schedule != "gradient_norm" and momentum is not None:
        shares: list[float] | None = _taken_with_momentum(weight_decay, rates, decay, momentum)
    else:
        shares = decay.shares(weight_decay, list(rates), full_rate=full, normalized=normalized)
    at_full = _share_at_full_rate(decay, weight_decay, full, momentum, normalized)
    steps = None if shares is None else 1 / at_full if at_full > 0 else math.inf
    return DecayRecord(
        weight_decay=weight_decay,
        form=decay.as_dict(),
        tensors=tensors,
        timescale=steps,
        timescale_epochs=None if steps is None else steps / batches,
        total_shrink=None if shares is None else lost(shares),
        kappa=None if shares is None else math.fsum(shares),
    )


def lost(shares: Iterable[float]) -> float:
    """The share that a weight without gradient has lost after steps that take `shares` of it.

    Example:
        >>> round(lost([0.1, 0.1]), 3)
        0.19
    """
    return 1.0 - math.prod(1.0 - share for share in shares)


@torch.no_grad()
def norm(parameters: Iterable[Tensor]) -> float:
    """The Euclidean norm of all parameters together; 0 where there are none."""
    return math.hypot(*(float(torch.linalg.vector_norm(p)) for p in parameters))


def _owned_parameters(model: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Parameter]]:
    for name, parameter in model.named_parameters():
        yield model.get_submodule(name.rpartition(".")[0]), name, parameter


def _verdict(module: nn.Module, name: str, parameter: nn.Parameter, decay: Decay) -> tuple[bool, str]:
    kind = type(module).__name__
    if not parameter.requires_grad:
        return False, "frozen: it is not trained"
    if isinstance(module, NORMS):
        return False, f"normalization ({kind})"
    if isinstance(module, EMBEDDINGS) and not decay.embeddings:
        return False, f"embedding ({kind})"
    if "bias" in name.rpartition(".")[2].split("_"):
        return False, f"bias of {kind}"
    if parameter.ndim < 2:
        return False, f"vector or scalar of {kind}"
    pattern = next((p for p in decay.exclude if fnmatch.fnmatchcase(name, p)), None)
    if pattern is not None:
        return False, f"excluded by {pattern!r}"
    return True, f"{'matrix' if parameter.ndim == 2 else 'filter'} of {kind}"


def _check_patterns(patterns: Sequence[str], names: Sequence[str]) -> None:
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(name, pattern) for name in names):
            some = ", ".join(names[:5]) or "none"
            raise TrainingError(
                f"exclude: no parameter's name matches {pattern!r}; the first names are {some}"
            )


def _followed_by_norm(model: nn.Module) -> set[int]:
    """The ids of layers whose next module with parameters, in the order of definition, is a normalization.

    What stands between them has none: activations, pooling, dropout.
    """
    layers = [module for module in model.modules() if not isinstance(module, nn.Identity)]
    layers = [
        m for m in layers if isinstance(m, NORMS) or next(m.parameters(recurse=False), None) is not None
    ]
    return {id(a) for a, b in pairwise(layers) if isinstance(b, NORMS)}


def _share_at_full_rate(
    decay: Decay, weight_decay: float, full: float, momentum: float | None, normalized: bool
) -> float:
    if not full > 0:
        return 0.0
    if decay.form == "l2":
        return full * weight_decay / (1 - (momentum or 0.0))
    return float(share(decay.name, Strength(full, full, weight_decay), normalized=normalized))


def _taken_with_momentum(
    weight_decay: float, rates: Sequence[float], decay: Decay, momentum: float
) -> list[float]:
    """The share that each step of SGD takes of a weight with nothing but the `l2` term as its gradient."""
    weight, velocity, shares = 1.0, 0.0, []
    for rate, factor in zip(rates, decay.coefficients(len(rates)), strict=True):
        velocity = momentum * velocity + weight_decay * factor * weight
        shares.append(rate * velocity / weight if weight else 0.0)
        weight -= rate * velocity
    return shares
