"""How is a training asked to stop between two steps, where nothing is lost?"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_asked = threading.Event()
_listening = threading.Semaphore(0)


@contextmanager
def stoppable() -> Iterator[None]:
    """Within this context a training looks after each step whether it is asked to stop."""
    _listening.release()
    try:
        yield
    finally:
        _listening.acquire()
        _asked.clear()


def ask_to_stop() -> bool:
    """Ask the training under way to stop after its step; whether there is one.

    Example:
        >>> ask_to_stop()
        False
    """
    if not _listening.acquire(blocking=False):
        return False
    _listening.release()
    _asked.set()
    return True


def asked() -> bool:
    """Whether the training under way is asked to stop."""
    return _asked.is_set()
