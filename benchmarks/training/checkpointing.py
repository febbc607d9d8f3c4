"""What do checkpoints take of a training's time, and how long is the way back?"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from training.cases import CLASSES, mlp, pictures
from wd_train.checkpoints import EVERY, MOST_TIME, Checkpoints
from wd_train.training import Training, train

SIZES = {
    "50 thousand": (784, 64, 10),
    "10 million": (784, 2700, 2700, 10),
    "100 million": (784, 9500, 9500, 10),
}


@dataclass(eq=False)
class Timed:
    """Seconds that checkpoints took, and the way back."""

    save: float = 0.0
    load: float = 0.0


class Clocked(Checkpoints):
    """Checkpoints with a clock."""

    def __init__(self, folder: str, timed: Timed) -> None:
        super().__init__(folder, "key")
        self.timed = timed

    def save(self, state: Callable[[], Mapping[str, Any]]) -> None:
        started = time.perf_counter()
        super().save(state)
        self.timed.save = time.perf_counter() - started

    def load(self) -> dict[str, Any] | None:
        started = time.perf_counter()
        state = super().load()
        self.timed.load = time.perf_counter() - started
        return state


def compare(rounds: int) -> None:
    """A line a network: what a save takes of the interval that follows it, and what going on takes."""
    print("checkpoints of a network with Adam's two averages: seconds by the clock")
    print(f"every {EVERY:.0f} s, or less often where they would take more than {MOST_TIME:.0%}\n")
    print(f"{'numbers':26}{'save':>8}{'interval':>10}{'share':>8}{'read':>8}{'go on':>8}{'of interval':>13}")
    for name, widths in SIZES.items():
        timed, back = once(widths)
        interval = max(EVERY, timed.save / MOST_TIME)
        print(
            f"{name:26}{timed.save:8.2f}{interval:10.0f}{timed.save / interval:8.2%}"
            f"{timed.load:8.2f}{back:8.2f}{back / interval:13.2%}"
        )


def once(widths: tuple[int, ...]) -> tuple[Timed, float]:
    """A training of two steps, and how long it takes to be at its end again."""
    splits, timed = pictures(rows=16), Timed()
    parts = (lambda _: mlp(*widths), None, splits.train, splits.validation, CLASSES)
    training = Training(0.1, epochs=1, batch_size=8)
    with tempfile.TemporaryDirectory() as folder:
        train(*parts, training, checkpoints=Clocked(folder, timed))
        save = timed.save
        started = time.perf_counter()
        train(*parts, training, checkpoints=Clocked(folder, timed))
        # Going on is the second call without the checkpoint that it leaves at its own end.
        back = time.perf_counter() - started - timed.save
    timed.save = save
    return timed, back
