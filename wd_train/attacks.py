"""What does a network do where somebody changes its inputs a little, in the worst direction?

It is measured on validation rows, with the gradient of the loss in the inputs, by the trainer: a promoter has
the exported file alone, which has no gradients. No weight, mode or generator of random numbers is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from data_checks.errors import ModelError
from data_checks.splits import Split, read_inputs
from wd_train.devices import threads_for
from wd_train.rows import as_tensors, map_tensors, tensor_of
from wdgate.evaluation.places import Numbers, places_of
from wdgate.evaluation.tasks import Task

Loss = Callable[[Tensor], Tensor]
"""The loss of each row (n,) at some inputs (n, ...)."""

STEPS = 10
PICTURES = (("2 of 255", 2 / 255), ("8 of 255", 8 / 255))
"""Of the range of the rows' own pixels."""
COLUMNS = (("0.1 standard deviations", 0.1),)
"""Of each column's own."""
FEWEST, MOST = 64, 512
"""Validation rows that are attacked."""
SHARE = 0.05
"""Of the passes of the training, those that the attacks may take."""
AT_ONCE = 128


@dataclass(frozen=True)
class Attack:
    """What is left of the primary score under one attack.

    Args:
        method: `fgsm` or `pgd`.
        epsilon: how far each number may be changed, in words.
        score: the mean primary score.
    """

    method: str
    epsilon: str
    score: float


@dataclass(frozen=True)
class Attacks:
    """What a network does under attack.

    Args:
        score: the name of the task's primary score.
        rows: how many validation rows were attacked.
        clean: its mean on the same rows as they are; None where nothing was measured.
        found: by method and strength, the strongest last.
        reason: why nothing was measured, as a clause; empty where it was.
    """

    score: str
    rows: int = 0
    clean: float | None = None
    found: tuple[Attack, ...] = ()
    reason: str = ""

    @property
    def numbers(self) -> dict[str, float]:
        """`fgsm_accuracy`, `pgd_accuracy` at the largest strength, and `..._at_2_of_255` at the others."""
        last = self.found[-1].epsilon if self.found else ""
        return {
            f"{one.method}_{self.score}"
            + ("" if one.epsilon == last else f"_at_{one.epsilon.replace(' ', '_')}"): one.score
            for one in self.found
        }

    @property
    def sentence(self) -> str:
        """What a person is told."""
        if self.reason:
            return f"What attacks do was not measured: {self.reason}."
        told = "; ".join(f"{one.method.upper()}, {one.epsilon}: {one.score:.3f}" for one in self.found)
        return (
            f"Under attack on {self.rows:,} validation rows {self.score.replace('_', ' ')} goes from "
            f"{self.clean:.3f} to: {told}. The trainer measured it, not the promoter."
        )

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
        known = {} if self.clean is None else {f"clean_{self.score}": self.clean, **self.numbers}
        return {"rows": self.rows, **known, "sentence": self.sentence}


def attacks_on(network: nn.Module, validation: Split, task: Task, passes: int, seed: int = 0) -> Attacks:
    """Attack a network on validation rows, with FGSM and with PGD of ten steps from a random start.

    Pixels are changed by at most 2 and 8 of 255 of the range of the rows' own; numeric columns by .1 of
    their standard deviations, while codes, text and categories stay as they are.

    Args:
        network: from a batch as it was read to the outputs.
        validation: the rows, of which those of the smallest keys are taken.
        task: what is maximized is its loss, what is told its primary score.
        passes: rows that were passed in the training, over all epochs; the attacks take about a twentieth of
            what those took, but of 64 rows at least and of 512 at most.
        seed: of the random start.

    Returns:
        The scores, or why there are none: inputs that are no numbers, a network that is not differentiable
        in them or that takes whole numbers alone.
    """
    place = next((place for place in places_of(validation.inputs) if isinstance(place, Numbers)), None)
    if place is None:
        return Attacks(task.primary, reason="the inputs hold no numbers that can be changed a little")
    strengths = PICTURES if place.picture else COLUMNS
    # The clean rows, and of each strength 11 gradients, each of about three passes, and two predictions.
    most = int(SHARE * 3 * passes / (1 + 35 * len(strengths)))
    chosen = np.sort(validation.keys.argsort(kind="stable")[: min(MOST, max(FEWEST, most))])
    rows = validation.take(chosen)
    with _evaluating(network):
        try:
            return _attacked(network, rows, task, place, seed)
        except _NotMeasuredError as error:
            return Attacks(task.primary, reason=str(error))
        except ModelError as error:
            return Attacks(task.primary, reason=f"the network gives no predictions under attack, {error}")


def fgsm(loss: Loss, inputs: Tensor, epsilon: Tensor) -> Tensor:
    """The inputs, each number moved by `epsilon` in the direction that raises the loss.

    The fast gradient sign method of Goodfellow et al. (2015).

    Args:
        loss: of each row.
        inputs: (n, ...).
        epsilon: how far, of a shape that fits the inputs'.
    """
    return inputs + epsilon * _uphill(loss, inputs)


def pgd(
    loss: Loss,
    inputs: Tensor,
    epsilon: Tensor,
    generator: torch.Generator,
    clip: Callable[[Tensor], Tensor] = lambda values: values,
    steps: int = STEPS,
) -> Tensor:
    """Ten steps uphill from a random place within `epsilon`, never leaving it (L-infinity).

    Projected gradient descent of Madry et al. (2018); the last place counts, not the worst.

    Args:
        loss: of each row.
        inputs: (n, ...).
        epsilon: how far, of a shape that fits the inputs'.
        generator: of the random start.
        clip: keeps the numbers that inputs can be.
        steps: how many, each of 2.5 / `steps` of epsilon.
    """
    start = torch.rand(inputs.shape, generator=generator).to(inputs) * 2 - 1
    moved = clip(inputs + epsilon * start)
    for _ in range(steps):
        moved = moved + 2.5 / steps * epsilon * _uphill(loss, moved)
        moved = clip(torch.clamp(moved, inputs - epsilon, inputs + epsilon))
    return moved


class _NotMeasuredError(Exception):
    """Why a network cannot be attacked, as a clause."""


class _Batch:
    """Some rows as the network takes them, in which the numbers of a place can be others."""

    def __init__(self, network: nn.Module, rows: Split, task: Task, place: Numbers) -> None:
        device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
        read = read_inputs(rows.inputs, np.arange(len(rows)))
        self._network, self._task, self._place = network, task, place
        self._clean = map_tensors(lambda values: values.to(device), as_tensors(read))
        self._targets = tensor_of(rows.targets, "targets").to(device)
        self.numbers = tensor_of(place.take(read), "inputs").to(device)
        self.targets = rows.targets

    def outputs(self, numbers: Tensor | None = None) -> Tensor:
        """What the network gives (n, C), for the rows as they are or with other numbers in their place."""
        try:
            outputs: Tensor = self._network(self._clean if numbers is None else self._with(numbers))
        except (RuntimeError, TypeError, ValueError, LookupError, AttributeError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise _NotMeasuredError(f"the network does not take changed inputs ({reason[:160]})") from error
        return outputs

    def loss(self, numbers: Tensor) -> Tensor:
        """The task's loss (n,) with other numbers."""
        targets = self._targets if self._targets.is_floating_point() else self._targets.long()
        return torch.as_tensor(self._task.loss(self.outputs(numbers), targets))

    @torch.no_grad()
    def scores(self, numbers: Tensor | None = None) -> np.ndarray[Any, np.dtype[Any]]:
        """The primary score (n,)."""
        predictions = self._task.predictions(self.outputs(numbers))
        known = {name: values.cpu().numpy() for name, values in predictions.items()}
        return np.asarray(self._task.scores(known, self.targets)[self._task.primary])

    def _with(self, numbers: Tensor) -> Any:
        if self._place.picture:
            return numbers
        if isinstance(self._clean, dict):
            columns = enumerate(self._place.columns)
            return {**self._clean, **{n: numbers[:, i].reshape(self._clean[n].shape) for i, n in columns}}
        where = torch.tensor(self._place.columns, device=numbers.device)
        return self._clean.to(numbers.dtype).index_copy(1, where, numbers)


def _attacked(network: nn.Module, rows: Split, task: Task, place: Numbers, seed: int) -> Attacks:
    parts = np.array_split(np.arange(len(rows)), max(1, len(rows) // AT_ONCE))
    batches = [_Batch(network, rows.take(part), task, place) for part in parts]
    with threads_for(0):
        operations = _refuse_whole_numbers_only(batches[0])
    with threads_for(operations):
        return _scores_under(batches, task, place, seed)


def _scores_under(batches: list[_Batch], task: Task, place: Numbers, seed: int) -> Attacks:
    values = torch.cat([batch.numbers for batch in batches]).cpu().numpy()
    usual = place.usual(values)
    clean = float(np.concatenate([batch.scores() for batch in batches]).mean())
    found = []
    for words, share in PICTURES if place.picture else COLUMNS:
        spread = usual.high - usual.low if place.picture else usual.spread
        epsilon = torch.as_tensor(share * np.asarray(spread)).to(batches[0].numbers)
        generator = torch.Generator().manual_seed(seed)

        def clip(numbers: Tensor) -> Tensor:
            return numbers.clamp(usual.low, usual.high) if place.picture else numbers

        once = [b.scores(clip(fgsm(b.loss, b.numbers, epsilon))) for b in batches]
        often = [b.scores(pgd(b.loss, b.numbers, epsilon, generator, clip)) for b in batches]
        for method, scores in (("fgsm", once), ("pgd", often)):
            found.append(Attack(method, words, float(np.concatenate(scores).mean())))
    return Attacks(task.primary, len(values), clean, tuple(found))


def _refuse_whole_numbers_only(batch: _Batch) -> int:
    """Raise where the network takes fractions for something else, or nothing of a change goes through it.

    Returns:
        The floating-point operations of a gradient.
    """
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        outputs = batch.outputs()
    with torch.no_grad():
        same = torch.allclose(outputs, batch.outputs(batch.numbers), rtol=1e-3, atol=1e-4)
    if not same:
        raise _NotMeasuredError("the network takes whole numbers alone, which a gradient does not know")
    if not _uphill(batch.loss, batch.numbers).any():
        raise _NotMeasuredError("the loss does not change with the inputs by any gradient")
    return 3 * int(counter.get_total_flops())


def _uphill(loss: Loss, inputs: Tensor) -> Tensor:
    """The sign of the gradient of the loss in the inputs; 0 where a number is missing."""
    leaf = inputs.detach().clone().requires_grad_()
    with torch.enable_grad():
        total = loss(leaf).sum()
        if not total.requires_grad:
            raise _NotMeasuredError("the network is not differentiable in its inputs")
        (gradient,) = torch.autograd.grad(total, leaf, allow_unused=True)
    if gradient is None:
        raise _NotMeasuredError("the network is not differentiable in its inputs")
    return gradient.nan_to_num().sign()


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    """Within this context every module is in evaluation mode; afterwards each is as it was."""
    modes = [(module, module.training) for module in network.modules()]
    try:
        network.eval()
        yield
    finally:
        for module, mode in modes:
            module.training = mode
