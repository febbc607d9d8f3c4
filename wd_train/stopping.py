"""How is a training asked to stop between two steps, where nothing is lost?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class _Asked:
    """Whether a training listens, and what it was asked to do once it has stopped."""

    listening = 0
    then: Callable[[], object] | None = None


@contextmanager
def stoppable() -> Iterator[None]:
    """Within this context a training looks after each step whether it is asked to stop."""
    _Asked.listening += 1
    try:
        yield
        # Asked after the last step: what comes next is not stopped by anybody else.
        if asked() and _Asked.listening == 1:
            stop()
    finally:
        _Asked.listening -= 1
        # Who leaves a loop before its end closes a generator, which cannot stop anything: the caller asks.
        if not _Asked.listening and not isinstance(sys.exception(), GeneratorExit):
            _Asked.then = None


def interrupt() -> None:
    """Leave as Ctrl+C does."""
    raise KeyboardInterrupt


def ask_to_stop(then: Callable[[], object] = interrupt) -> bool:
    """Ask the training under way to stop after its step; whether there is one.

    Args:
        then: called by the training once it has left a checkpoint; it raises.

    Example:
        >>> ask_to_stop()
        False
    """
    if _Asked.listening:
        _Asked.then = then
    return _Asked.listening > 0


def asked() -> bool:
    """Whether the training under way is asked to stop."""
    return _Asked.then is not None


def stop() -> None:
    """Stop, as it was asked."""
    then, _Asked.then = _Asked.then or interrupt, None
    then()
