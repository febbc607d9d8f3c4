"""What is happening now? A line a step on standard error, and a bar on long ones where a person watches."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

logger = logging.getLogger("wdgate")

_shown: ContextVar[Progress | None] = ContextVar("shown", default=None)
_bar: ContextVar[TaskID | None] = ContextVar("bar", default=None)


# Seconds; where nobody watches, the end of a shorter step is not told besides its start.
_LONG = 1.0
_STEPS = {
    "book": "Booking a look at the test rows",
    "evaluate": "Predicting the test rows",
    "judge": "Asking the gates",
    "release": "Releasing the model",
}


def words_of(step: Callable[..., Any]) -> str:
    """A step in the words of a person: its function's name where nobody has found better ones.

    Example:
        >>> def evaluate(): ...
        >>> words_of(evaluate)
        'Predicting the test rows'
    """
    return _STEPS.get(step.__name__, step.__name__.replace("_", " ").capitalize())


@contextmanager
def shown_to_a_person() -> Iterator[None]:
    """Within this context steps are shown on standard error; elsewhere they are log lines."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        token = _shown.set(progress)
        try:
            yield
        finally:
            _shown.reset(token)


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Say what is being done while it is, and how long it took once it is.

    Args:
        what: the step in words, such as `Training`.
    """
    started = time.monotonic()
    progress = _shown.get()
    if progress is None:
        yield
        logger.info("%s: %.1f s", what, time.monotonic() - started)
        return
    bar = progress.add_task(what, total=None)
    token = _bar.set(bar)
    try:
        watched = progress.console.is_terminal
        if not watched:  # nobody sees a spinner there, so that a step is told of when it starts
            progress.console.print(f"  {what} ...", highlight=False)
        yield
        took = time.monotonic() - started
        if watched or took >= _LONG:
            progress.console.print(f"  {what} [dim]{took:.1f} s[/dim]", highlight=False)
    finally:
        progress.remove_task(bar)
        _bar.reset(token)


def share_done(share: float) -> None:
    """Say how much of the current step is done, 0 to 1."""
    progress, bar = _shown.get(), _bar.get()
    if progress is not None and bar is not None:
        progress.update(bar, total=1.0, completed=share)


def say(words: str) -> None:
    """Say something that a person should know while the step goes on: a line of its own."""
    progress = _shown.get()
    if progress is None:
        logger.warning("%s", words)
    else:
        progress.console.print(f"  {words}", style="yellow", markup=False, highlight=False)


def now(words: str) -> None:
    """Say what the current step is doing just now."""
    progress, bar = _shown.get(), _bar.get()
    if progress is not None and bar is not None:
        progress.update(bar, description=words)
