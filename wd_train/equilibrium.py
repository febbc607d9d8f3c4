"""Where do growth and decay of a tensor balance, and how far is it from there?

A decayed tensor whose direction moves at random grows a little at every update, and the decay takes a share
of its norm away. Where the two balance it is in *equilibrium* (Wan et al. 2021, "Spherical Motion Dynamics";
Kosson et al. 2023, "Rotational Equilibrium"): its norm stays, and so does the angle that it turns in a step.
"""

from __future__ import annotations

import math


def equilibrium_rms(learning_rate: float, weight_decay: float) -> float:
    """Root mean square at which AdamW with decoupled decay balances: sqrt(lr / (2 wd)).

    Each gradient moves a number by lr in all, whatever the first moment's coefficient is, and a step shrinks
    it by lr x wd (Kosson et al. 2023, table 1, in PyTorch's convention).

    Example:
        >>> equilibrium_rms(learning_rate=1e-3, weight_decay=0.05)
        0.1
    """
    return math.sqrt(learning_rate / (2 * weight_decay)) if weight_decay > 0 else math.inf


def equilibrium_norm(learning_rate: float, shrink: float, gradient_norm: float, momentum: float) -> float:
    """Norm at which SGD balances on a loss that ignores the scale of the weights.

    Written with the share `shrink` that a step takes of a weight: (lr g / (1 - mu))^(1/2) / (2 shrink)^(1/4).
    Decay that is coupled to the gradient passes through the momentum, so that its shrink is lr wd / (1 - mu),
    which gives the formula of Wan et al. 2021: (lr g^2 / (2 wd (1 - mu)))^(1/4).

    Args:
        learning_rate: of the step.
        shrink: lr x wd for decoupled decay, lr x wd / (1 - mu) for coupled decay.
        gradient_norm: root mean square of the gradient's norm at weights of norm 1.
        momentum: mu, 0 or more and below 1.

    Example:
        >>> coupled = 0.1 * 5e-3 / (1 - 0.9)
        >>> round(equilibrium_norm(0.1, coupled, gradient_norm=0.1, momentum=0.9), 6)
        1.0
    """
    grown = (learning_rate * gradient_norm / (1 - momentum)) ** 2
    return float((grown / (2 * shrink)) ** 0.25) if shrink > 0 else math.inf


def equilibrium_angle(shrink: float, momentum: float) -> float:
    """Angle in radians that a step turns a tensor by in equilibrium: sqrt(2 shrink (1 - mu) / (1 + mu)).

    For AdamW mu is its first beta and the shrink lr x wd (Kosson et al. 2023). For SGD with coupled decay the
    shrink is lr wd / (1 - mu), and the angle sqrt(2 lr wd / (1 + mu)) (Wan et al. 2021).

    Example:
        >>> round(equilibrium_angle(shrink=5e-5, momentum=0.0), 6)
        0.01
    """
    return math.sqrt(2 * shrink * (1 - momentum) / (1 + momentum))


def imbalance(grown: float, shrunk: float) -> float | None:
    """How far growth and shrink are from balance: 0 where they are equal, -1 to 1.

    Equilibrium is where the norm stays, so that what the updates add to the squared norm is what the decay
    takes (Kosson et al. 2023; Wan et al. 2021). No assumption on optimizer, gradients or form of decay is
    needed to see it: the norm before and after some steps, and what the decay took in them, are enough.

    Args:
        grown: by how much the updates raised the logarithm of the norm; negative where they lowered it.
        shrunk: by how much the decay lowered it, at least 0.

    Returns:
        (grown - shrunk) / max(grown, shrunk), at least -1; None where nothing was taken.

    Example:
        >>> imbalance(1.0, 1.0), imbalance(2.0, 1.0), imbalance(0.5, 1.0), imbalance(-3.0, 1.0)
        (0.0, 0.5, -0.5, -1.0)
    """
    if not shrunk > 0:
        return None
    return max(-1.0, (grown - shrunk) / max(grown, shrunk))
