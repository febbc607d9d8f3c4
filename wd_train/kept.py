"""Which outcomes of earlier trainings can stand for a training of now?"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wd_train.checkpoints import EVERY, Checkpoints, Tell, remove_old
from wd_train.configuration import Training
from wd_train.decay import Decay
from wd_train.outcomes import Diverged, Outcome, load_outcome, save_outcome

UNDER_WAY = "under-way"
"""The folder, in that of the outcomes, of the checkpoints."""


@dataclass(frozen=True)
class Kept:
    """The outcomes of earlier trainings, in a folder.

    Args:
        folder: where they are.
        name: of the file of a training, the same where everything that decides over its outcome is.
        fresh: whether outcomes of earlier trainings are left aside.
        every: seconds between two checkpoints.
        tell: told, in a sentence, of a checkpoint that cannot be used or written.
    """

    folder: Path
    name: Callable[[Training], str]
    fresh: bool = False
    every: float = EVERY
    tell: Tell = lambda sentence: None

    def find(self, member: Training) -> tuple[Outcome | Diverged, float] | None:
        """What this training left when it was run before, and how many seconds ago that was."""
        path = self.path(member)
        outcome = None if self.fresh else load_outcome(path)
        return None if outcome is None else (outcome, max(0.0, time.time() - path.stat().st_mtime))

    def keep(self, member: Training, outcome: Outcome | Diverged) -> None:
        """Keep what a training left, for later runs."""
        save_outcome(self.path(member), outcome)

    def under_way(self, members: Sequence[Training]) -> UnderWay:
        """The checkpoints of these trainings."""
        names = {member: self.path(member).name for member in members}
        return UnderWay(self.folder, names, every=self.every, tell=self.tell)

    def path(self, member: Training) -> Path:
        """The file of one training; without a coefficient the form of the decay makes no difference."""
        known = replace(member, decay=Decay()) if member.weight_decay == 0 else member
        return self.folder / self.name(known)


class UnderWay:
    """The checkpoints of trainings whose outcomes will be kept.

    Args:
        folder: where the outcomes are.
        names: of the file of each training's outcome.
        every: seconds between two checkpoints.
        tell: told, in a sentence, of one that cannot be used or written.
    """

    def __init__(
        self,
        folder: Path,
        names: Mapping[Training, str],
        *,
        every: float = EVERY,
        tell: Tell = lambda sentence: None,
    ) -> None:
        self._folder, self._names = folder / UNDER_WAY, names
        self._every, self._tell = every, tell
        self._made: list[Checkpoints] = []

    def of(self, members: Sequence[Training]) -> Checkpoints:
        """The checkpoints of some that train as one, found again by their names."""
        names = " ".join(self._names[member] for member in members)
        key = hashlib.sha256(names.encode()).hexdigest()[:32]
        made = Checkpoints(str(self._folder), key, every=self._every, tell=self._tell)
        self._made.append(made)
        return made

    def clear(self) -> None:
        """Remove them: their outcomes are kept by now."""
        for made in self._made:
            made.clear()


def remove_abandoned(folder: Path, now: float) -> None:
    """Remove the checkpoints in a folder of outcomes that nobody has gone on with for a long time."""
    remove_old(str(folder / UNDER_WAY), now)


def ago(seconds: float) -> str:
    """How long ago something was, in words.

    Example:
        >>> ago(50.0), ago(2 * 3600.0), ago(3.2 * 86400)
        ('less than an hour ago', '2 hours ago', '3 days ago')
    """
    hours, days = int(seconds // 3600), int(seconds // 86400)
    count, unit = (days, "day") if days else (hours, "hour")
    return f"{count} {unit}{'s' if count > 1 else ''} ago" if count else "less than an hour ago"
