"""What becomes of each member of a stack: its losses, the weights that are kept, whether it diverged?"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Course:
    """How the training of one member of a stack went.

    Args:
        losses: (epoch, mean validation loss, seconds of the member's share) at each measured epoch.
        best_epoch: the epoch whose weights were kept.
        diverged: how it was noticed that its numbers are not finite; None where they are.
        before: seconds of the member's share that processes took which were stopped.
    """

    losses: tuple[tuple[int, float, float], ...]
    best_epoch: int
    diverged: str | None
    before: float = 0.0


class Courses:
    """The courses of M members under way."""

    def __init__(self, parameters: dict[str, Tensor], patience: int | None, members: int) -> None:
        self._parameters, self._patience = parameters, patience
        self.kept = {name: p.clone() for name, p in parameters.items()} if patience else parameters
        self._started, self._before = time.perf_counter(), 0.0
        self._steps = 0
        self._losses: list[list[tuple[int, float, float]]] = [[] for _ in range(members)]
        self._diverged: dict[int, str] = {}
        self._best = torch.full((members,), math.inf, dtype=torch.float64)
        self._epochs = torch.zeros(members, dtype=torch.long)
        self._live = torch.ones(members, dtype=torch.bool)

    def note_steps(self, losses: Tensor) -> None:
        """Note the losses (steps, M) of an epoch's batches, each before its own step."""
        for member in torch.nonzero(~losses.isfinite().all(dim=0) & self._live).flatten().tolist():
            first = int(torch.nonzero(~losses[:, member].isfinite())[0])
            loss, step = float(losses[first, member]), self._steps + first + 1
            self._end(member, f"its loss was {loss} at step {step}, not a finite number")
        self._steps += len(losses)

    def note_epoch(self, epoch: int, losses: Tensor) -> None:
        """Note the mean validation losses (M,) after an epoch, and keep the best weights so far."""
        seconds = self._seconds() / len(losses)
        for member in torch.nonzero(self._live).flatten().tolist():
            loss = float(losses[member])
            if math.isfinite(loss):
                self._losses[member].append((epoch, loss, seconds))
            else:
                self._end(member, f"the loss of the rows that it is measured on is {loss}")
        if self._patience is None:
            self._epochs[self._live] = epoch
        else:
            self._keep_better(epoch, losses)
            self._live &= epoch - self._epochs < self._patience

    @property
    def are_over(self) -> bool:
        """Whether every member has diverged, or has lost its patience."""
        return not bool(self._live.any())

    def of_members(self) -> list[Course]:
        """The course of each member."""
        before = self._before / len(self._losses)
        return [
            Course(tuple(losses), int(self._epochs[member]), self._diverged.get(member), before)
            for member, losses in enumerate(self._losses)
        ]

    def state_dict(self) -> dict[str, Any]:
        """What must be kept to go on after this epoch."""
        return {
            "kept": self.kept if self._patience else {},
            "seconds": self._seconds(),
            "steps": self._steps,
            "losses": [list(losses) for losses in self._losses],
            "diverged": dict(self._diverged),
            "best": (self._best, self._epochs, self._live),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.kept = state["kept"] if self._patience else self._parameters
        self._before, self._steps = state["seconds"], state["steps"]
        self._losses, self._diverged = list(state["losses"]), dict(state["diverged"])
        self._best, self._epochs, self._live = state["best"]

    def _seconds(self) -> float:
        """How long it has been trained, without what passed between a stop and going on."""
        return self._before + time.perf_counter() - self._started

    def _keep_better(self, epoch: int, losses: Tensor) -> None:
        better = (losses < self._best) & self._live
        self._best[better], self._epochs[better] = losses[better], epoch
        for name, values in self._parameters.items():
            self.kept[name][better] = values[better]

    def _end(self, member: int, how: str) -> None:
        self._live[member] = False
        self._diverged[member] = f"the training diverged: {how}"
