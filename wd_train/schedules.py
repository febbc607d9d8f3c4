"""Which share of the learning rate does a step take?

A schedule is a function of the step, counted from 0, that gives a factor of the learning rate. It depends on
nothing else, so the sum of all decay is known before the first step.
"""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[int], float]


def constant(steps: int, warmup: int = 0) -> Schedule:
    """Give 1 at every step, after a linear rise over `warmup` steps."""
    return with_warmup(lambda share: 1.0, steps, warmup)


def linear(steps: int, warmup: int = 0) -> Schedule:
    """Fall in a straight line from 1 to 0, which is reached after the last of `steps`.

    Example:
        >>> [linear(4)(step) for step in range(4)]
        [1.0, 0.75, 0.5, 0.25]
    """
    return with_warmup(lambda share: 1.0 - share, steps, warmup)


def cosine(steps: int, warmup: int = 0) -> Schedule:
    """Fall along half a cosine from 1 to 0, without restarts (Loshchilov & Hutter 2017, equation 5).

    Example:
        >>> [round(cosine(4)(step), 3) for step in range(4)]
        [1.0, 0.854, 0.5, 0.146]
    """
    return with_warmup(_half_cosine, steps, warmup)


def restarts(steps: int, warmup: int = 0, cycles: int = 4) -> Schedule:
    """Fall as `cosine` does, `cycles` times from the top (SGDR, Loshchilov & Hutter 2017, T_mult = 1).

    Where the steps after the warm-up are no multiple of `cycles`, a cycle begins between two of them.

    Example:
        >>> [round(restarts(8, cycles=2)(step), 3) for step in range(8)]
        [1.0, 0.854, 0.5, 0.146, 1.0, 0.854, 0.5, 0.146]
    """
    falling = max(steps - warmup, 1)
    # In whole numbers: the remainder of a rounded share may be just below 1 where a cycle begins.
    return with_warmup(
        lambda share: _half_cosine(round(share * falling) * cycles % falling / falling), steps, warmup
    )


def early(steps: int, warmup: int = 0) -> Schedule:
    """Stay at 1 for the first half of the steps, and at 0 for the second.

    Example:
        >>> [early(4)(step) for step in range(4)]
        [1.0, 1.0, 0.0, 0.0]
    """
    return with_warmup(lambda share: float(share < 0.5), steps, warmup)


def late(steps: int, warmup: int = 0) -> Schedule:
    """Stay at 0 for the first half of the steps, and at 1 for the second."""
    return with_warmup(lambda share: float(share >= 0.5), steps, warmup)


def _half_cosine(share: float) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * share))


def with_warmup(shape: Callable[[float], float], steps: int, warmup: int) -> Schedule:
    """Rise to 1 over `warmup` steps, then follow `shape` of the share of the other steps that is done.

    Example:
        >>> factor = with_warmup(lambda share: 1.0 - share, steps=6, warmup=2)
        >>> [factor(step) for step in range(6)]
        [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]
    """

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return shape((step - warmup) / max(steps - warmup, 1))

    return factor


SCHEDULES: dict[str, Callable[..., Schedule]] = {
    "constant": constant,
    "cosine": cosine,
    "linear": linear,
    "restarts": restarts,
}
