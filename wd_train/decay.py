"""How does weight decay act in a training: in which form, on what, with which coefficient at which step?

The coefficient is `Training.weight_decay`; `Decay` says how it acts. The optimizer's own decay is 0, so that
every form means the same with SGD, Adam and Muon.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from data_checks.errors import TrainingDivergedError, TrainingError
from wd_train.forms import (
    AFTER,
    BEFORE,
    SHRINKS,
    FormName,
    Memory,
    Number,
    OwnDecay,
    Step,
    Strength,
    ask,
    share,
    shrink_together,
    squared_norm,
)
from wd_train.schedules import constant, cosine, early, late, linear

CoefficientSchedule = Literal["constant", "linear", "cosine", "early", "late", "gradient_norm"]

COEFFICIENTS = {"constant": constant, "linear": linear, "cosine": cosine, "early": early, "late": late}
MEMORY_OF_GRADIENTS = 0.999
"""Of the moving average that `gradient_norm` divides by; Adam's own beta2 in Xie et al. 2023."""


@dataclass(frozen=True)
class Decay:
    """How the coefficient acts.

    | form | step |
    |---|---|
    | `l2` | g <- g + wd p, before the optimizer (Krogh & Hertz 1991) |
    | `decoupled` | p <- (1 - lr_t wd) p (Loshchilov & Hutter 2019, PyTorch's convention) |
    | `independent` | p <- (1 - s_t wd) p, s_t = lr_t / lr_max (Wortsman et al. 2023) |
    | `corrected` | p <- (1 - lr_t^2 / lr_max wd) p where a normalization follows (AdamC, Defazio 2025) |
    | `cautious` | p <- p - lr_t wd 1[u p >= 0] p, u the optimizer's update (Chen et al. 2025) |
    | `constrained` | mu <- max(0, mu + wd / numel (norm(p)^2 - limit)); p <- (1 - 2 mu) p (Franke 2023) |
    | `to_init` | p <- p - lr_t wd (p - p0) (L2-SP, Li et al. 2018) |

    Args:
        form: one of these, or a function `decay(parameter, step) -> parameter`, asked before the optimizer's
            step where the coefficient is not 0.
        schedule: of the coefficient: `constant`; `linear` or `cosine` to 0; `early` and `late`, which decay
            in one half of the steps alone (Golatkar et al. 2019); `gradient_norm`, which divides it by the
            root of the decayed tensors' mean squared gradient, as a moving average (Xie et al. 2023).
        kappa: of `constrained`: the limit on a tensor's squared norm, in multiples of its initial one.
        embeddings: whether embeddings are decayed too; biases and normalizations never are.
        exclude: patterns of parameter names that are not decayed, such as `head.*`.

    Raises:
        TrainingError: a value out of its range.

    Example:
        >>> Decay("cautios")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        data_checks.errors.TrainingError: decay must be one of ..., or a function, got 'cautios'
    """

    form: FormName | OwnDecay = "decoupled"
    schedule: CoefficientSchedule = "constant"
    kappa: float = 1.0
    embeddings: bool = False
    exclude: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        forms, schedules = get_args(FormName), get_args(CoefficientSchedule)
        if not callable(self.form) and self.form not in forms:
            raise TrainingError(f"decay must be one of {', '.join(forms)}, or a function, got {self.form!r}")
        if self.schedule not in schedules:
            raise TrainingError(
                f"decay schedule must be one of {', '.join(schedules)}, got {self.schedule!r}"
            )
        if not (isinstance(self.kappa, int | float) and 0 <= self.kappa < math.inf):
            raise TrainingError(f"kappa must be at least 0 and finite, got {self.kappa!r}")
        if not isinstance(self.exclude, tuple):
            raise TrainingError(f"exclude must be a tuple of patterns, got {self.exclude!r}")

    @property
    def name(self) -> str:
        """The form's name; of the user's own, the function's."""
        return getattr(self.form, "__name__", "own") if callable(self.form) else self.form

    @property
    def multiplies(self) -> bool:
        """Whether a step takes a share of a weight that is known before the training."""
        known = self.form in ("decoupled", "independent", "corrected", "cautious", "to_init")
        return known and self.schedule != "gradient_norm"

    def check_overshoot(self, full_rate: float, weight_decay: float) -> None:
        """Raise where a step at the full learning rate would take all of a weight or more.

        Raises:
            TrainingError: with what is multiplied.
        """
        if self.form == "independent" and not weight_decay < 1:
            raise TrainingError(
                f"weight_decay must be below 1 with 'independent' or a step overshoots, got {weight_decay}"
            )
        if self.form not in ("independent", "constrained") and not full_rate * weight_decay < 1:
            product = f"{full_rate} x {weight_decay}"
            raise TrainingError(
                f"learning_rate x weight_decay must be below 1 or a step overshoots, got {product}"
            )

    def coefficients(self, steps: int) -> list[float]:
        """The factor of the coefficient at each of `steps`; all 1 where it depends on the gradients.

        Example:
            >>> Decay(schedule="late").coefficients(4)
            [0.0, 0.0, 1.0, 1.0]
        """
        factor = COEFFICIENTS.get(self.schedule, constant)(steps)
        return [factor(step) for step in range(steps)]

    def shares(
        self, weight_decay: float, rates: list[float], *, full_rate: float, normalized: bool = False
    ) -> list[float] | None:
        """The share of a weight that each step takes; None where that depends on the gradients."""
        if not self.multiplies:
            return None
        strengths = (
            Strength(rate, full_rate, weight_decay * factor)
            for rate, factor in zip(rates, self.coefficients(len(rates)), strict=True)
        )
        return [float(share(self.name, strength, normalized=normalized)) for strength in strengths]

    def as_dict(self) -> dict[str, Any]:
        """The fields as plain values; a function by its name."""
        return {**asdict(self), "form": self.name, "exclude": list(self.exclude)}


class WeightDecay:
    """The decay as it acts in one training, or in a stack of M of them: asked before and after each step.

    Args:
        parameters: the decayed tensors by name, each (...), or (M, ...) where `weight_decay` is a tensor.
        weight_decay: the coefficient, or one a member (M,) in float64.
        decay: how it acts.
        full_rate: the learning rate at the top of its schedule, or one a member (M,).
        steps: of the whole training, which schedules of the coefficient follow.
        normalized: the names of tensors whose layers a normalization follows.

    Example:
        >>> weight = torch.ones(2, 2, requires_grad=True)
        >>> decay = WeightDecay({"w": weight}, 0.5, Decay(), full_rate=0.1, steps=10)
        >>> weight.sum().backward()
        >>> decay.before_step(rate=0.1)
        >>> round(weight[0, 0].item(), 3)
        0.95
    """

    def __init__(
        self,
        parameters: Mapping[str, Tensor],
        weight_decay: Number,
        decay: Decay,
        *,
        full_rate: Number,
        steps: int,
        normalized: Collection[str] = (),
    ) -> None:
        check_coefficient(weight_decay)
        self._parameters = dict(parameters)
        self._weight_decay, self._decay, self._full_rate = weight_decay, decay, full_rate
        self._factors = decay.coefficients(steps)
        self._step = 0
        # One number, or one a member, in double precision whatever the parameters are.
        self._like = torch.zeros_like(torch.as_tensor(weight_decay, dtype=torch.float64))
        self._mean_square = self._like.clone()
        self._memories = {name: self._memory(name, name in normalized) for name in self._parameters}

    @torch.no_grad()
    def before_step(self, rate: Number) -> None:
        """Decay what is decayed before the optimizer's step; the gradients are there.

        A parameter that took no part in the loss is left alone, as torch.optim.AdamW leaves it.

        Args:
            rate: the learning rate of this step, or one a member (M,).

        Raises:
            TrainingError: a step that would take all of a weight or more, or a function of the user's own
                that gave back another shape.
        """
        if self._decay.schedule == "gradient_norm":
            self._follow_gradients()
        if callable(self._decay.form):
            self._ask_own(self._decay.form, self._strength(rate))
        else:
            self._act(BEFORE, rate)

    @torch.no_grad()
    def after_step(self, rate: Number) -> None:
        """Decay what is decayed after the optimizer's step, and count the step."""
        if not callable(self._decay.form):
            self._act(AFTER, rate)
        self._step += 1

    def state_dict(self) -> dict[str, Any]:
        """What must be kept to go on after this step."""
        # The multiplier changes in place; what is kept must not change with it.
        memories = {
            name: {
                "initial": memory.initial,
                "limit": memory.limit,
                "multiplier": None if memory.multiplier is None else memory.multiplier.clone(),
            }
            for name, memory in self._memories.items()
        }
        return {"step": self._step, "mean_square": self._mean_square.clone(), "memories": memories}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was called.

        Raises:
            TrainingError: a state of other tensors, or of another form.
        """
        self._check_state(state["memories"])
        self._step, self._mean_square = state["step"], state["mean_square"].clone()
        for name, kept in state["memories"].items():
            for key, value in kept.items():
                setattr(self._memories[name], key, None if value is None else value.clone())

    def _memory(self, name: str, normalized: bool) -> Memory:
        memory, parameter = Memory(normalized=normalized), self._parameters[name]
        if self._decay.form == "to_init" or callable(self._decay.form):
            memory.initial = parameter.detach().clone()
        if self._decay.form == "constrained":
            memory.limit = self._decay.kappa * squared_norm(parameter, self._like)
            memory.multiplier = self._like.clone()
            if self._decay.kappa > 0 and bool((memory.limit == 0).any()):
                raise TrainingError(
                    f"{name} starts at 0, where 'constrained' would hold it: exclude it or take another form"
                )
        return memory

    def _live(self) -> list[tuple[Tensor, Memory]]:
        return [(p, self._memories[name]) for name, p in self._parameters.items() if p.grad is not None]

    def _act(self, acts: Mapping[str, Any], rate: Number) -> None:
        form = self._decay.name
        if form not in acts:
            return
        strength, live = self._strength(rate), self._live()
        if form in SHRINKS and shrink_together(form, live, strength):
            return
        for parameter, memory in live:
            acts[form](parameter, strength, memory)

    def _strength(self, rate: Number) -> Strength:
        coefficient = self._weight_decay
        if self._decay.schedule == "gradient_norm":
            correction = 1 - MEMORY_OF_GRADIENTS ** (self._step + 1)
            # Without a coefficient nothing is divided: gradients may be 0, and 0 / 0 is no decay.
            off = torch.as_tensor(self._weight_decay) == 0
            root = (self._mean_square / correction).sqrt()
            coefficient = torch.where(off, 0.0, self._weight_decay / root)
            coefficient = self._checked(rate, coefficient)
        elif self._factors:
            # Steps beyond those that were announced go on as the last one.
            coefficient = self._weight_decay * self._factors[min(self._step, len(self._factors) - 1)]
        return Strength(rate, self._full_rate, coefficient)

    def _check_state(self, memories: Mapping[str, Mapping[str, Any]]) -> None:
        if memories.keys() != self._memories.keys():
            wrong = ", ".join(sorted(memories.keys() ^ self._memories.keys())[:3])
            raise TrainingError(f"the state of the decay is of other tensors than the training: {wrong}")
        for name, memory in self._memories.items():
            if any(
                (value is None) != (getattr(memory, key) is None) for key, value in memories[name].items()
            ):
                raise TrainingError(f"the state of the decay is of another form than {self._decay.name!r}")

    def _follow_gradients(self) -> None:
        gradients = [(p, p.grad) for p, _ in self._live()]
        squares = [squared_norm(g, self._like) for _, g in gradients if g is not None]
        numbers = sum(p.numel() for p, _ in gradients) / max(1, self._like.numel())
        mean = sum(squares, self._like.clone()) / max(1.0, numbers)
        self._mean_square.lerp_(mean, 1 - MEMORY_OF_GRADIENTS)

    def _checked(self, rate: Number, coefficient: Tensor) -> Tensor:
        """The coefficient; NaN, which ends it alone, for a member of a stack of which all would be taken."""
        if callable(self._decay.form) or self._decay.form in ("constrained", "l2"):
            return coefficient
        taken = torch.as_tensor(share(self._decay.form, Strength(rate, self._full_rate, coefficient)))
        if self._like.ndim:
            return coefficient.masked_fill(taken >= 1, math.nan)
        if taken >= 1:
            raise TrainingDivergedError(
                f"the decay would take {float(taken.max()):.3g} of each weight at step {self._step + 1}, "
                "expected less than 1: schedule 'gradient_norm' divides by the gradients, which are small"
            )
        return coefficient

    def _ask_own(self, own: OwnDecay, strength: Strength) -> None:
        members: Iterable[Any] = range(len(self._like)) if self._like.ndim else (...,)
        for parameter, memory in self._live():
            for member in members:
                step = self._seen(strength, parameter, memory, member)
                # Without a coefficient there is no decay in any form.
                if step.weight_decay != 0:
                    ask(own, parameter[member], step)

    def _seen(self, strength: Strength, parameter: Tensor, memory: Memory, member: Any) -> Step:
        """What the user's own function is told of one parameter, or of one member of it."""
        gradient, initial = parameter.grad, memory.initial
        assert gradient is not None  # noqa: S101 - only parameters with a gradient are decayed
        assert initial is not None  # noqa: S101 - `_memory` kept it
        rate, full_rate, weight_decay = (
            float(value[member]) if isinstance(value, Tensor) and value.ndim else float(value)
            for value in (strength.rate, strength.full_rate, strength.weight_decay)
        )
        return Step(self._step, rate, full_rate, weight_decay, gradient[member], initial[member])


def check_coefficient(weight_decay: Number) -> None:
    """Raise unless every coefficient is a finite number of at least 0.

    Raises:
        TrainingError: naming the first that is not.
    """
    for value in torch.as_tensor(weight_decay).flatten().tolist():
        if not 0 <= value < math.inf:
            raise TrainingError(f"weight_decay must be at least 0 and finite, got {value}")
