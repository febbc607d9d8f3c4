"""How soon does a training with decay have the validation loss that the best epoch without decay had?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wd_train.outcomes import Diverged, Outcome


@dataclass(frozen=True)
class Reaching:
    """When trainings with decay first had the best validation loss of their controls.

    Args:
        pairs: how many pairs of trainings were compared.
        reached: in how many the decayed one got there.
        epochs, control_epochs: when, by the median pair that got there; NaN where none did.
        seconds, control_seconds: the same in device-seconds since the start.
    """

    pairs: int
    reached: int
    epochs: float
    control_epochs: float
    seconds: float
    control_seconds: float

    @property
    def sentence(self) -> str:
        """The same in words."""
        if not self.reached:
            return "The best validation loss without decay was reached by no training with decay."
        alone, with_it = _time(self.control_epochs, self.control_seconds), _time(self.epochs, self.seconds)
        return (
            f"Without decay the best validation loss comes after {alone}; with decay {self.reached} of "
            f"{self.pairs} trainings come down to it, after {with_it}."
        )


def _time(epochs: float, seconds: float) -> str:
    return f"{epochs:g} {'epoch' if epochs == 1 else 'epochs'} ({seconds:.2g} s)"


def reaching(
    with_decay: Sequence[Outcome | Diverged], without: Sequence[Outcome | Diverged]
) -> Reaching | None:
    """When each training first had its control's best validation loss; None where nobody measured it."""
    found = [
        _of_pair(one, other)
        for one, other in zip(with_decay, without, strict=True)
        if isinstance(one, Outcome) and isinstance(other, Outcome) and one.losses and other.losses
    ]
    if not found:
        return None
    table = np.array([times for times in found if not math.isnan(times[0])]).reshape(-1, 4)
    middle = np.median(table, axis=0).tolist() if len(table) else [math.nan] * 4
    return Reaching(len(found), len(table), *middle)


def _of_pair(one: Outcome, control: Outcome) -> tuple[float, float, float, float]:
    """Epochs and seconds of the decayed one, and of its control; NaN where it never got there.

    Example:
        >>> curve = lambda *losses: Outcome({}, None, tuple((n, l, n * 2.0) for n, l in losses), 0, 0, 0)
        >>> _of_pair(curve((1, 0.4), (2, 0.2)), curve((1, 0.5), (2, 0.3), (3, 0.35)))
        (2, 2, 4.0, 4.0)
    """
    epoch, best, at = min(control.losses, key=lambda measured: measured[1])
    for own_epoch, loss, own_at in one.losses:
        if loss <= best:
            return own_epoch, epoch, own_at, at
    return math.nan, epoch, math.nan, at
