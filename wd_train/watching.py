"""How does a loop of somebody else's show what its decay does, and go on after a kill?

watched = watch(model, optimizer, scheduler=scheduler)
for epoch in watched.epochs(20):
for inputs, targets in watched.batches(loader):
...
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import torch
from torch import nn

from wd_train.checkpoints import Checkpoints, Tell
from wd_train.diagnostics import Reading
from wd_train.generators import Generator
from wd_train.loop import Stateful
from wd_train.watched import Watched

OnReading = Callable[[Reading], None]
OnReadingOf = Callable[[str, Reading], None]
log = logging.getLogger("wdgate")
FOUND = (
    "a finished loop was found in {}: its epochs are not trained again, whatever has changed since; "
    "another folder begins anew"
)


@dataclass(frozen=True)
class _Run:
    """The run that calls a loop: where its checkpoints lie, and who is told."""

    part: Callable[[str], Checkpoints] | None
    on_reading: OnReadingOf
    tell: Tell
    numbers: Iterator[int] = field(default_factory=count)


_run: ContextVar[_Run | None] = ContextVar("run", default=None)


@contextmanager
def watching_for(
    part: Callable[[str], Checkpoints] | None = None,
    on_reading: OnReadingOf = lambda name, reading: None,
    tell: Tell = lambda sentence: None,
) -> Iterator[None]:
    """Within this context each call of `watch` finds its checkpoints, and whom it tells.

    Args:
        part: the checkpoints of one `watch` of the run, by its name: `0` of the first that is called, then
            `1`; None keeps none.
        on_reading: told of each reading, with the name of its `watch`; after a stop, once more of those
            before it.
        tell: told, in a sentence, of what cannot be gone on with.

    Example:
        >>> with watching_for():
        ...     pass
    """
    token = _run.set(_Run(part, on_reading, tell))
    try:
        yield
    finally:
        _run.reset(token)


def watch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    steps: int | None = None,
    checkpoints: str | Path | Checkpoints | None = None,
    on_reading: OnReading | None = None,
    **parts: Stateful | Generator,
) -> Watched:
    """Watch the decay of a model in a loop of your own, and let the loop go on after a kill.

    What was kept of a loop that was stopped is loaded at once; within `wdgate run` the run says where it is.

    Args:
        model: that is trained.
        optimizer: that steps it, with a decay of its own, or with an `Attached` one, attached before.
        steps: of the whole training; None counts them from `epochs` and `batches`, one step a batch.
        checkpoints: outside of a run, the folder or fsspec address of this loop's checkpoints; None leaves
            none. One that holds a finished loop is told of, whatever has changed in the loop since.
        on_reading: told of every reading, beside the run; see `Watched.readings`.
        parts: whatever else changes while it trains: schedulers, a GradScaler, averaged weights (anything
            with `state_dict` and `load_state_dict`), and generators of torch or NumPy.

    Raises:
        TrainingError: a part that cannot be kept.

    Example:
        >>> model = nn.Linear(2, 1)
        >>> optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.1)
        >>> watched = watch(model, optimizer)
        >>> for epoch in watched.epochs(2):
        ...     for batch in watched.batches(torch.ones(3, 4, 2)):
        ...         model(batch).mean().backward()
        ...         optimizer.step()
        >>> [reading.step for reading in watched.readings]
        [1, 6]
    """
    run = _run.get() or _Run(None, _log_diagnoses, log.warning)
    name, folder = str(next(run.numbers)), None
    if isinstance(checkpoints, str | Path):
        folder = str(checkpoints)
        checkpoints = Checkpoints(folder, "loop", tell=run.tell)
    elif checkpoints is None and run.part is not None:
        checkpoints = run.part(name)

    def told(reading: Reading) -> None:
        run.on_reading(name, reading)
        if on_reading is not None:
            on_reading(reading)

    watched = Watched(model, optimizer, steps, parts, told, checkpoints, run.tell)
    if folder is not None and watched.ended:
        run.tell(FOUND.format(folder))
    return watched


def _log_diagnoses(name: str, reading: Reading) -> None:
    for diagnosis in reading.diagnoses:
        log.warning("%s: %s", diagnosis.name, diagnosis.sentence)
