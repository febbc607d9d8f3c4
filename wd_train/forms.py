"""How does each form of weight decay change a parameter in one step?

A form acts before the optimizer's own step, or after it. Every parameter may be a stack of M members
(M, ...); what differs from member to member is then a tensor (M,).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from data_checks.errors import TrainingError

FormName = Literal["l2", "decoupled", "independent", "corrected", "cautious", "constrained", "to_init"]
Number = float | Tensor


@dataclass(frozen=True, eq=False)
class Step:
    """What a decay may know of the step that is being taken.

    Args:
        index: of the step, from 0.
        rate: the learning rate lr_t.
        full_rate: the learning rate at the top of its schedule.
        weight_decay: the coefficient, with its schedule.
        gradient: of the parameter, shaped as it is.
        initial: the parameter as it was before the first step.
    """

    index: int
    rate: Number
    full_rate: Number
    weight_decay: Number
    gradient: Tensor
    initial: Tensor


OwnDecay = Callable[[Tensor, Step], Tensor]


@dataclass(eq=False)
class Memory:
    """What a form keeps of one parameter from step to step.

    Args:
        initial: the parameter before the first step; None where the form does not ask for it.
        limit: on the squared norm, a member; of `constrained`.
        multiplier: mu, a member; of `constrained`.
        normalized: whether a normalization follows the parameter's layer.
        before: what was before the optimizer's step, while that is taken: the parameter, of `cautious`; its
            gradient, of `l2`.
    """

    initial: Tensor | None = None
    limit: Tensor | None = None
    multiplier: Tensor | None = None
    normalized: bool = False
    before: Tensor | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Strength:
    """How strongly a step decays: numbers, or tensors (M,) where the members differ.

    Args:
        rate: the learning rate lr_t.
        full_rate: the learning rate at the top of its schedule.
        weight_decay: the coefficient, with its schedule.
    """

    rate: Number
    full_rate: Number
    weight_decay: Number


Act = Callable[[Tensor, Strength, Memory], None]


def share(form: str, strength: Strength, *, normalized: bool = False) -> Number:
    """The share of a weight that one step of a multiplicative form takes, 0 to 1.

    `independent` is the learning rate's schedule s_t times the coefficient (Wortsman et al. 2023);
    `corrected` is lr_t^2 / lr_max times the coefficient, for layers that a normalization follows (AdamC,
    Defazio 2025); all others are lr_t times the coefficient (Loshchilov & Hutter 2019, PyTorch's convention).

    Example:
        >>> step = Strength(rate=0.05, full_rate=0.1, weight_decay=0.2)
        >>> [round(share(form, step, normalized=True), 4) for form in ("l2", "independent", "corrected")]
        [0.01, 0.1, 0.005]
    """
    if form == "independent":
        return strength.rate / strength.full_rate * strength.weight_decay
    if form == "corrected" and normalized:
        return strength.rate**2 / strength.full_rate * strength.weight_decay
    return strength.rate * strength.weight_decay


def penalize(parameter: Tensor, strength: Strength, memory: Memory) -> None:
    """`l2`: g <- g + wd p, before the optimizer (Krogh & Hertz 1991); `give_back` follows."""
    gradient = memory.before = parameter.grad
    assert gradient is not None  # noqa: S101 - only parameters with a gradient are decayed
    if isinstance(strength.weight_decay, Tensor):
        parameter.grad = gradient.add(parameter * spread(strength.weight_decay, parameter))
    else:
        parameter.grad = gradient.add(parameter, alpha=strength.weight_decay)


def give_back(parameter: Tensor, strength: Strength, memory: Memory) -> None:
    """The gradient as it was: the next one may be added to it, and people look at it."""
    parameter.grad, memory.before = memory.before, None


def shrink_by(form: str) -> Act:
    """The multiplicative forms: p <- (1 - share) p, before the optimizer."""

    def act(parameter: Tensor, strength: Strength, memory: Memory) -> None:
        parameter.mul_(spread(1 - share(form, strength, normalized=memory.normalized), parameter))

    return act


def shrink_together(form: str, decayed: Sequence[tuple[Tensor, Memory]], strength: Strength) -> bool:
    """What `shrink_by` does, of all parameters in two calls at most; False where that can't be done.

    A call a parameter takes longer than the arithmetic of a small one. Of half precision it would round the
    factor first, and 1 - 1e-3 is 1 there.
    """
    if any(parameter.dtype not in (torch.float32, torch.float64) for parameter, _ in decayed):
        return False
    for normalized in (False, True):
        parameters = [parameter for parameter, memory in decayed if memory.normalized is normalized]
        factor = 1 - share(form, strength, normalized=normalized)
        if isinstance(factor, Tensor):
            return False
        if parameters:
            torch._foreach_mul_(parameters, factor)
    return True


def pull_back(parameter: Tensor, strength: Strength, memory: Memory) -> None:
    """`to_init`: p <- p - lr_t wd (p - p0), before the optimizer (L2-SP, Li et al. 2018)."""
    assert memory.initial is not None  # noqa: S101 - `WeightDecay` kept it
    taken = spread(share("to_init", strength), parameter)
    parameter.sub_((parameter - memory.initial) * taken)


def remember(parameter: Tensor, strength: Strength, memory: Memory) -> None:
    """Keep the parameter as it is before the optimizer's step."""
    memory.before = parameter.clone()


def shrink_in_agreement(parameter: Tensor, strength: Strength, memory: Memory) -> None:
    """`cautious`: p <- p - lr_t wd 1[u p >= 0] p, u the optimizer's update (Chen et al. 2025).

    The update is what the optimizer took away, whatever the optimizer is; p is the parameter before it.
    """
    before = memory.before
    assert before is not None  # noqa: S101 - `remember` was asked before the step
    memory.before = None
    # Signs, because the product of two small numbers may round to 0, which would count as agreement.
    agrees = (before - parameter).sign() * before.sign() >= 0
    parameter.sub_(before * agrees * spread(share("cautious", strength), parameter))


def constrain(parameter: Tensor, strength: Strength, memory: Memory) -> None:
    """`constrained`: mu <- max(0, mu + (c / numel)(||p||^2 - kappa)); p <- p - 2 mu p.

    CPR (Franke et al. 2023) in the convention of its authors' package: after the optimizer's step, kappa
    limits the sum of squares. c, the multiplier's own rate, is the coefficient; no learning rate weakens it.
    """
    assert memory.multiplier is not None and memory.limit is not None  # noqa: S101, PT018 - `WeightDecay` made them
    excess = squared_norm(parameter, memory.multiplier) - memory.limit
    numbers = parameter.numel() / memory.multiplier.numel()
    memory.multiplier.add_(strength.weight_decay * excess / numbers).clamp_(min=0)
    parameter.mul_(spread(1 - 2 * memory.multiplier, parameter))


SHRINKS = ("decoupled", "independent", "corrected")
BEFORE: dict[str, Act] = {
    "l2": penalize,
    **{form: shrink_by(form) for form in SHRINKS},
    "cautious": remember,
    "to_init": pull_back,
}
AFTER: dict[str, Act] = {"l2": give_back, "cautious": shrink_in_agreement, "constrained": constrain}


def ask(own: OwnDecay, parameter: Tensor, step: Step) -> None:
    """Replace the parameter by what the user's own function makes of it.

    Raises:
        TrainingError: something else than a tensor of the same shape.
    """
    changed = own(parameter.detach().clone(), step)
    if not isinstance(changed, Tensor) or changed.shape != parameter.shape:
        name = getattr(own, "__name__", "the decay function")
        given = tuple(changed.shape) if isinstance(changed, Tensor) else type(changed).__name__
        raise TrainingError(
            f"{name} gave back {given} for a parameter of shape {tuple(parameter.shape)}, expected that shape"
        )
    parameter.copy_(changed)


def squared_norm(parameter: Tensor, like: Tensor) -> Tensor:
    """The squared norm of a parameter, or of each member (M,) where `like` has one number a member."""
    squares = parameter.detach().to(like.dtype).square()
    return squares.flatten(1).sum(dim=1) if like.ndim else squares.sum()


def spread(value: Number, parameter: Tensor) -> Number:
    """A number a member (M,) in the shape that multiplies the stack (M, ...); other numbers as they are.

    Example:
        >>> spread(torch.tensor([1.0, 2.0]), torch.zeros(2, 3, 4)).shape
        torch.Size([2, 1, 1])
    """
    if not isinstance(value, Tensor):
        return value
    # A factor such as 1 - 1e-3 is 1 in half precision, and would decay nothing.
    wide = parameter.dtype if parameter.dtype == torch.float64 else torch.float32
    return value.to(wide).view(value.shape + (1,) * (parameter.ndim - value.ndim))
