"""How are batches made ahead of the training, where that saves time?

The batches of an epoch are first made where they are needed. Once what is left of the epoch would take
`PAYS_SECONDS` to make, one process is started; until it is ready batches are made here, so that nobody waits
for it. Everything that a batch depends on is handed over, and the bytes are the same wherever it is made.
"""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from data_checks.errors import TrainingError
from wd_train.handing import CannotHandError, packed, search_path
from wd_train.loading_process import Makes
from wd_train.slots import Layout, Slot, Tensors, nameless_file, size_of

Job = tuple[Tensor, int | None]
"""Row indices (n,) of a batch, and the step that augments it."""

PAYS_SECONDS = 4.0
"""Seconds of making batches that must lie ahead in an epoch: a process takes one of another core to start."""

TRIED = 3
"""Batches that are made here before what is left is estimated; the first of them opens files."""

AHEAD = 4
"""Batches that lie ready at most."""

AHEAD_BYTES = 2**26
"""Bytes (64 MiB) that the batches that lie ready take at most, unless one alone is larger: one is enough to
make the next one while this one is trained."""

_BEGIN = """
import json, sys
folders, root, arguments = json.loads(sys.argv[1])
sys.dont_write_bytecode = True
sys.path[:] = [root, *folders]
import wd_train.loading_process
del sys.path[0]
wd_train.loading_process.serve(*arguments)
"""


class Way(NamedTuple):
    """How another process can help.

    Args:
        maker: what it does for a batch.
        finish: what is left to do for it here.
    """

    maker: Makes
    finish: Callable[[Tensors, int | None], Tensors]


def made(jobs: Sequence[Job], here: Makes, ways: Sequence[Way], *, pinned: bool = False) -> Iterator[Tensors]:
    """What is wanted for each batch, in their order.

    Args:
        jobs: the batches.
        here: makes a batch in this process, to the end.
        ways: how another process can help, the best first; one that cannot be handed over is passed by.
        pinned: whether what is left to do brings a batch to a GPU.

    Raises:
        TrainingError: the process was ended by somebody else.
        Exception: what `here` raises for a batch, when it is that batch's turn.
    """
    trial = _Trial(here, len(jobs))
    ahead: Ahead | None = None
    try:
        for place, job in enumerate(jobs):
            if ahead is not None and ahead.ready():
                yield from _continued(jobs[place:], here, ahead)
                return
            batch = trial.make(*job)
            if ahead is None and trial.pays():
                ahead = begun(ways, size_of(batch), pinned=pinned)
                trial.over = ahead is None
            yield batch
    finally:
        if ahead is not None:
            ahead.end()


def _continued(jobs: Sequence[Job], here: Makes, ahead: Ahead) -> Iterator[Tensors]:
    given = 0
    for batch in ahead.each(jobs):
        yield batch
        given += 1
    # What fails there is tried here, where it raises whatever it raises, at its turn.
    yield from (here.make(*job) for job in jobs[given:])


def begun(ways: Sequence[Way], size: int, *, pinned: bool = False) -> Ahead | None:
    """A process for batches of `size` bytes; None where nothing of the work can be handed over."""
    for maker, finish in ways:
        try:
            content = packed(maker)
            return Ahead(content, finish, max(1, min(AHEAD, AHEAD_BYTES // max(size, 1))), pinned)
        except (CannotHandError, OSError):
            continue
    return None


class _Trial:
    """Batches that are made here, and whether another process should go on.

    Args:
        maker: of the batches.
        count: of all batches.

    Attributes:
        over: whether no process is wanted.
    """

    def __init__(self, maker: Makes, count: int) -> None:
        self._maker, self._count = maker, count
        self._done, self._least = 0, float("inf")
        self.over = os.name != "posix" or not sys.executable

    def make(self, indices: Tensor, step: int | None) -> Tensors:
        """A batch, with a note of how long it took."""
        state, started = None if self.over else _drawn(), time.perf_counter()
        batch = self._maker.make(indices, step)
        self._done += 1
        self._least = min(self._least, time.perf_counter() - started)
        # Who draws from what the network draws from must do so in turn with it.
        self.over = self.over or state != _drawn()
        return batch

    def pays(self) -> bool:
        """Whether what is left is worth a process."""
        if self.over or self._done < TRIED:
            return False
        return self._least * (self._count - self._done) > PAYS_SECONDS


def _drawn() -> tuple[object, ...]:
    """Where the generators are that nobody hands over."""
    kind, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002 - what users' code draws from
    numbers = (kind, np.asarray(keys).tobytes(), *rest)
    return random.getstate(), numbers, torch.get_rng_state().numpy().tobytes()


class Ahead:
    """A process that makes batches, and where it puts them.

    Args:
        content: who makes them, as `handing.packed` has it.
        finish: what is left to do for a batch here.
        slots: how many lie ready at most.
        pinned: whether they are copied to pinned memory.

    Attributes:
        given: how many it made.
    """

    def __init__(
        self, content: bytes, finish: Callable[[Tensors, int | None], Tensors], slots: int, pinned: bool
    ) -> None:
        self._finish = finish
        ours, theirs = socket.socketpair()
        self._files = [nameless_file() for _ in range(slots + 1)]
        self._slots, self._pinned = [Slot(file) for file in self._files[1:]], pinned
        with open(self._files[0], "wb", closefd=False) as file:
            file.write(content)
        fds = [theirs.fileno(), *self._files]
        arguments = [os.getpid(), fds[0], fds[1], fds[2:], torch.get_num_threads()]
        root = str(Path(__file__).resolve().parents[1])
        words = json.dumps([search_path(), root, arguments])
        with theirs:
            # In a session of its own: Ctrl+C is this process's to answer.
            self._process = subprocess.Popen(  # noqa: S603 - this Python, and words of our own
                [sys.executable, "-P", "-c", _BEGIN, words],
                pass_fds=fds, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        self._connection = Connection(ours.detach())
        self._ready, self.given = False, 0

    def ready(self) -> bool:
        """Whether it can be asked; never if it ended before."""
        if not self._ready and self._process.poll() is None and self._connection.poll():
            with suppress(EOFError, OSError):
                self._ready = self._connection.recv() == "ready"
        return self._ready

    def each(self, jobs: Sequence[Job]) -> Iterator[Tensors]:
        """The batches in their order, up to the first that cannot be made there."""
        for place in range(min(len(self._slots), len(jobs))):
            self._ask(jobs[place], place)
        for place, (_, step) in enumerate(jobs):
            layouts, slot = self._answer(), place % len(self._slots)
            if layouts is None:
                self.end()
                return
            batch = self._slots[slot].read(layouts, pinned=self._pinned)
            if place + len(self._slots) < len(jobs):
                self._ask(jobs[place + len(self._slots)], slot)
            self.given += 1
            yield self._finish(batch, step)

    def end(self) -> None:
        """End the process, whatever it does, and give its memory back."""
        self._process.kill()
        self._process.wait()
        self._connection.close()
        self._slots = []
        while self._files:
            os.close(self._files.pop())

    def _ask(self, job: Job, slot: int) -> None:
        # If it has ended, waiting for its answer says so.
        with suppress(OSError):
            self._connection.send((job[0].numpy(), job[1], slot))

    def _answer(self) -> list[Layout] | None:
        try:
            return self._connection.recv()  # type: ignore[no-any-return]
        except (EOFError, OSError) as error:
            raise TrainingError(
                "the process that reads batches ahead ended without an answer, killed or out of memory"
            ) from error
