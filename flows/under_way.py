"""Where does a training that is under way keep what it needs to go on, and who else may train the same?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from flows.progress import now, say
from flows.settings import Settings

if TYPE_CHECKING:  # torch takes seconds to import
    from wd_train.checkpoints import Checkpoints

ASKED_EVERY = 0.5
"""Seconds between two looks at whether the other process has ended."""


@contextmanager
def alone(settings: Settings, key: str) -> Iterator[None]:
    """Within this context no other process of this `WDGATE_HOME` trains the same; the second one waits.

    The lock is the operating system's, which takes it back from a process that was killed.
    """
    folder = settings.home / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{key}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say("another process trains the same; waiting for it to end")
        now("Waiting for another process that trains the same")
        lock.acquire(poll_interval=ASKED_EVERY)
    try:
        yield
    finally:
        lock.release()


def checkpoints_of(settings: Settings, key: str) -> Checkpoints:
    """The checkpoints of one training; old ones of others are removed on the way."""
    from wd_train.checkpoints import Checkpoints, remove_old

    remove_old(settings.checkpoints, time.time())
    return Checkpoints(settings.checkpoints, key, every=settings.checkpoint_seconds, tell=say)
