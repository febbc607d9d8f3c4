"""What does the weight decay do to each tensor while a network trains, and does it do anything at all?"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from wd_train.equilibrium import imbalance
from wd_train.idle_rows import IdleRows, as_rows

DiagnosisName = Literal["inert", "weak", "dominates", "decays without gradient"]

INERT = 0.02
"""Total shrink below which a training with decay is one without: PyTorch's AdamW default of 0.01 over 1,500
cosine steps at 1e-3 takes 0.75 % of a weight."""
WEAK = 0.10
"""Total shrink below which a seed moves the result more than the decay does."""
DOMINATED = 0.45
"""Norm ratio of the first layer below which the decay rules it, not the gradients."""
ALL_BUT_NOTHING = 1 - 1e-6
"""The largest share that a step is said to take: a logarithm ends at 1."""
MORE = "A larger weight_decay, learning rate or number of steps takes more."
READINGS = 200
"""How many readings a long training takes at most."""
WINDOW = 10
"""Steps that a distance from equilibrium is taken over at least: in fewer, chance moves a norm more."""
SPACING = 200
"""Steps between two readings of a short training: what one costs is spread over them."""


@dataclass(frozen=True)
class TensorReading:
    """What one decayed tensor did in one step.

    Args:
        name: the parameter's name in its model.
        rms: root mean square of its numbers after the step.
        norm_ratio: its norm after the step over its norm before the first.
        angular_update: the angle in radians between the tensor before the step and after it.
        effective_learning_rate: what the learning rate amounts to for the tensor's direction.
        distance_from_equilibrium: -1 where only the decay acts, 0 in balance, 1 where the decay counts for
            nothing beside the growth, over the steps since the last reading; None where these are few or
            nothing is known of the shrink. See `imbalance`.
    """

    name: str
    rms: float
    norm_ratio: float
    angular_update: float
    effective_learning_rate: float
    distance_from_equilibrium: float | None


@dataclass(frozen=True)
class Diagnosis:
    """Something that a person should know about the decay.

    Args:
        name: one of four.
        sentence: what was found, with its numbers and what can be done.
        tensors: the names of the tensors that it is about; all of them where it is empty.
    """

    name: DiagnosisName
    sentence: str
    tensors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """What the decayed tensors did in one step.

    Args:
        step: from 1; 0 stands for what is known before the first step.
        tensors: one entry a decayed tensor, in the model's order; empty at step 0.
        diagnoses: those that are named for the first time.
    """

    step: int
    tensors: tuple[TensorReading, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The reading as plain values."""
        return asdict(self)


def shrink_diagnosis(total_shrink: float) -> Diagnosis | None:
    """Whether a decay is too small for its training to notice: `inert`, `weak`, or None.

    Args:
        total_shrink: the share that a weight without gradient loses over the whole training, 0 to 1. At
            exactly 0 there is no decay, and nothing to say.

    Example:
        >>> shrink_diagnosis(0.0075).sentence.split(". ")[0]
        'Over the whole training the decay takes 0.75 % of a weight, below 2 %: it is all but none'
        >>> shrink_diagnosis(0.5) is None
        True
    """
    if not 0 < total_shrink < WEAK:
        return None
    taken = f"Over the whole training the decay takes {100 * total_shrink:.2g} % of a weight"
    if total_shrink < INERT:
        return Diagnosis("inert", f"{taken}, below {100 * INERT:.0f} %: it is all but none. {MORE}")
    return Diagnosis("weak", f"{taken}, below {100 * WEAK:.0f} %: expect little of it. {MORE}")


class Decaying(Protocol):
    """A decay that is asked before and after the optimizer's step, such as `wd_train.decay.WeightDecay`."""

    def before_step(self, rate: float) -> None:
        """Decay what is decayed before the step."""

    def after_step(self, rate: float) -> None:
        """Decay what is decayed after the step."""


class Watch:
    """Watches the decayed tensors of one training at few of its steps.

    It is asked at the steps that are `due`, and costs nothing at the others::

        if watch.due(step):
            watch.before_step()                     # the gradients are there, nothing has moved
            optimizer.step()                        # AdamW, which decays by itself
            watch.after_step(step, rate, shrink=rate * weight_decay)

    Where the decay acts apart from the optimizer, `watch.measured(decay)` acts in its place, and what it
    takes is measured instead of told.

    Args:
        decayed: the decayed tensors by name, in the model's order; empty is allowed.
        steps: of the whole training.
        scale_free: whether an update ignores the scale of the gradient, as Adam's and Muon's does and SGD's
            does not. The effective learning rate is then lr / rms, otherwise lr / ||w||^2 (van Laarhoven
            2017): how far a step turns a tensor, for gradients of a given size at weights of norm 1.
        total_shrink: the share that a weight without gradient will have lost, where that is known before the
            first step; None where it depends on what happens, and is measured.
        shares: the share of every weight that the decay takes at each step (steps,), where it is known but
            cannot be measured, because it passes through the gradient.
        tables: the names of tensors of which a single unused row is named, see `idle_rows.tables`; others are
            named where all of them is unused.
        on_reading: told of every reading as it is made, first of what is known before the first step.

    Attributes:
        tensors: the decayed tensors.
        readings: all of them, in order.
        diagnoses: all of them, in the order in which they were named.
    """

    def __init__(
        self,
        decayed: Mapping[str, Tensor],
        *,
        steps: int,
        scale_free: bool = True,
        total_shrink: float | None = None,
        shares: Sequence[float] | None = None,
        tables: Collection[str] = (),
        on_reading: Callable[[Reading], None] | None = None,
    ) -> None:
        self.readings: list[Reading] = []
        self.diagnoses: list[Diagnosis] = []
        self._names, self.tensors = list(decayed), list(decayed.values())
        self._steps, self._spacing = steps, max(SPACING, math.ceil(steps / READINGS))
        self._scale_free, self._total_shrink, self._on_reading = scale_free, total_shrink, on_reading
        self._shares = shares
        self._roots = [math.sqrt(max(1, tensor.numel())) for tensor in self.tensors]
        self._rows = {
            index: IdleRows(tensor, table=name in tables)
            for index, (name, tensor) in enumerate(decayed.items())
        }
        self._initial = self._last = _norms(self.tensors)
        self._taken = [0.0] * len(self._names)  # by how much the decay has lowered each norm's logarithm
        self._pace: list[float] | None = None  # by how much it lowered it in the step of the last reading
        self._norms: list[float] = []  # before the step that is being watched
        self._measured: _Measured | None = None
        self._before: list[Tensor] = []
        self._tell_what_is_planned()

    def due(self, step: int) -> bool:
        """Whether step number `step`, counted from 1, is one to watch: the first, the last, some between."""
        return bool(self._names) and (step % self._spacing == 0 or step in (1, self._steps))

    @torch.no_grad()
    def before_step(self) -> None:
        """Note the tensors and their gradients, before the decay and the optimizer change anything."""
        self._measured, self._norms = None, _norms(self.tensors)
        self._before = [tensor.clone() for tensor in self.tensors]
        for index, rows in list(self._rows.items()):
            rows.note(self.tensors[index].grad)
            if not rows.some:
                del self._rows[index]

    def measured(self, decay: Decaying) -> Decaying:
        """A decay that does what `decay` does, and of which the watch sees what it takes in this step."""
        self._measured = _Measured(self.tensors, self._norms, decay)
        return self._measured

    @torch.no_grad()
    def after_step(self, step: int, rate: float, shrink: float | None = None) -> Reading:
        """Read the tensors after the optimizer's step.

        Args:
            step: its number, from 1.
            rate: its learning rate.
            shrink: the share of every weight that the decay took in it, where that was not measured.
        """
        norms = _norms(self.tensors) if self._measured is None else self._measured.norms
        pace = self._pace_of(step, shrink)
        shrunk = self._shrunk(step, pace)
        turned = _angles(self._before, self._norms, self.tensors, norms)
        distances = self._distances(step, norms, shrunk)
        entries = tuple(
            self._entry(index, norms[index], rate, turned[index], distances[index])
            for index in range(len(norms))
        )
        self._taken = _sums(self._taken, shrunk)
        self._before, self._last, self._pace = [], norms, pace
        return self._tell(step, entries)

    def state_dict(self) -> dict[str, Any]:
        """What has been seen so far, for a training that is resumed."""
        return {
            "readings": list(self.readings),
            "diagnoses": list(self.diagnoses),
            "norms": (self._initial, self._last),
            "taken": self._taken,
            "pace": self._pace,
            "rows": {index: rows.state for index, rows in self._rows.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what had been seen."""
        self.readings, self.diagnoses = list(state["readings"]), list(state["diagnoses"])
        self._initial, self._last = state["norms"]
        self._taken, self._pace = state["taken"], state["pace"]
        self._rows = {index: rows for index, rows in self._rows.items() if index in state["rows"]}
        for index, rows in self._rows.items():
            rows.state = state["rows"][index]

    def _pace_of(self, step: int, shrink: float | None) -> list[float] | None:
        """By how much the decay lowered each norm's logarithm in this step, by what was told or measured."""
        if shrink is None and self._shares is not None:
            shrink = self._shares[step - 1]
        if shrink is None:
            return None if self._measured is None else self._measured.taken
        return [-math.log1p(-min(shrink, ALL_BUT_NOTHING))] * len(self._names)

    def _shrunk(self, step: int, pace: Sequence[float] | None) -> list[float]:
        """By how much the decay has lowered each norm's logarithm since the last reading.

        The pace changes slowly between two readings, so that its mean at both ends stands for all steps.
        """
        if pace is None:
            return [0.0] * len(self._names)
        steps = self._since_last(step)
        return [steps * (p + q) / 2 for p, q in zip(pace, self._pace or pace, strict=True)]

    def _since_last(self, step: int) -> int:
        return step - (self.readings[-1].step if self.readings else 0)

    def _distances(self, step: int, norms: list[float], shrunk: list[float]) -> list[float | None]:
        if self._since_last(step) < WINDOW:
            return [None] * len(norms)
        lost = _lost(self._last, norms)
        return [imbalance(taken - less, taken) for taken, less in zip(shrunk, lost, strict=True)]

    def _entry(
        self, index: int, norm: float, rate: float, turned: float, distance: float | None
    ) -> TensorReading:
        rms = norm / self._roots[index]
        size = rms if self._scale_free else norm**2
        return TensorReading(
            name=self._names[index],
            rms=rms,
            norm_ratio=_ratio(norm, self._initial[index]),
            angular_update=turned,
            effective_learning_rate=_ratio(rate, size),
            distance_from_equilibrium=distance,
        )

    def _tell(self, step: int, entries: tuple[TensorReading, ...]) -> Reading:
        known = {diagnosis.name for diagnosis in self.diagnoses}
        found = [self._dominates(entries), self._idle(step), self._measured_shrink(step)]
        fresh = tuple(each for each in found if each is not None and each.name not in known)
        return self._keep(Reading(step, entries, fresh))

    def _tell_what_is_planned(self) -> None:
        planned = shrink_diagnosis(self._total_shrink or 0.0) if self._names else None
        if planned is not None:
            self._keep(Reading(0, (), (planned,)))

    def _keep(self, reading: Reading) -> Reading:
        self.readings.append(reading)
        self.diagnoses.extend(reading.diagnoses)
        if self._on_reading is not None:
            self._on_reading(reading)
        return reading

    def _measured_shrink(self, step: int) -> Diagnosis | None:
        if self._total_shrink is not None or step != self._steps:
            return None
        return shrink_diagnosis(-math.expm1(-max(self._taken)))

    def _dominates(self, entries: Sequence[TensorReading]) -> Diagnosis | None:
        first = entries[0]
        if not 0 < first.norm_ratio < DOMINATED:
            return None
        # Where the gradients took most of the norm, or all of it without a decay, they rule it.
        if not self._taken[0] >= -math.log(first.norm_ratio) / 2:
            return None
        words = f"The norm of the first layer, {first.name}, is down to {first.norm_ratio:.2f} of what it was"
        advice = "the decay rules it, not the gradients. A smaller weight_decay leaves it more to them."
        return Diagnosis("dominates", f"{words}, below {DOMINATED}: {advice}", (first.name,))

    def _idle(self, step: int) -> Diagnosis | None:
        # Earlier, rows that are merely used rarely would be taken for unused, and named once for all.
        counts = {} if 2 * step < self._steps else self._only_shrunk()
        if not counts:
            return None
        totals = {name: len(as_rows(tensor)) for name, tensor in zip(self._names, self.tensors, strict=True)}
        told = ", ".join(f"{count} of {totals[name]} rows of {name}" for name, count in counts.items())
        watched = 1 + sum(reading.step > 0 for reading in self.readings)
        seen = f"no gradient at any of the {watched} steps watched up to step {step:,} of {self._steps:,}"
        advice = "Find out whether anything uses them, or exclude them from the decay."
        return Diagnosis(
            "decays without gradient", f"{told} had {seen}, and have only shrunk. {advice}", tuple(counts)
        )

    def _only_shrunk(self) -> dict[str, int]:
        counts = {
            self._names[index]: rows.shrunk(self.tensors[index], INERT) for index, rows in self._rows.items()
        }
        return {name: count for name, count in counts.items() if count}


class _Measured:
    """A decay between whose acts the norms are taken, so that what lies between is what it took."""

    def __init__(self, tensors: list[Tensor], norms: list[float], decay: Decaying) -> None:
        self._tensors, self._decay = tensors, decay
        self.norms, self.taken = norms, [0.0] * len(norms)

    def before_step(self, rate: float) -> None:
        """Decay, and add what was taken."""
        self._decay.before_step(rate)
        self._take()

    def after_step(self, rate: float) -> None:
        """The same, from where the optimizer has left the tensors."""
        self.norms = _norms(self._tensors)
        self._decay.after_step(rate)
        self._take()

    def _take(self) -> None:
        before, self.norms = self.norms, _norms(self._tensors)
        self.taken = _sums(self.taken, _lost(before, self.norms))


@torch.no_grad()
def _norms(tensors: list[Tensor]) -> list[float]:
    if not tensors:
        return []
    # One transfer for all of them: on a GPU every `float()` waits for the device.
    norms: list[float] = torch.stack(torch._foreach_norm(tensors)).tolist()
    return norms


def _angles(
    before: list[Tensor], norms_before: list[float], after: list[Tensor], norms: list[float]
) -> list[float]:
    """The angles between tensors and themselves a step later, in radians; the first are overwritten.

    By the chord between both at one norm, 2 sin(angle / 2): float32 has no digits left for the cosine of a
    thousandth.
    """
    if not before:
        return []
    torch._foreach_mul_(before, [_ratio(n, b) for n, b in zip(norms, norms_before, strict=True)])
    torch._foreach_sub_(before, after)
    halves = [_ratio(chord, 2 * norm) for chord, norm in zip(_norms(before), norms, strict=True)]
    return [2 * math.asin(min(1.0, half)) for half in halves]


def _lost(before: Sequence[float], after: Sequence[float]) -> list[float]:
    """By how much the logarithm of each norm fell."""
    return [-math.log(_ratio(a, b) or 1.0) for a, b in zip(after, before, strict=True)]


def _sums(some: Sequence[float], others: Sequence[float]) -> list[float]:
    return [a + b for a, b in zip(some, others, strict=True)]


def _ratio(part: float, whole: float) -> float:
    # A tensor of zeros has no direction, and no ratio to what it was.
    return part / whole if whole > 0 else 0.0
