"""What does the process do that makes batches ahead of the training?"""

from __future__ import annotations

import os
import signal
import threading
import time
from multiprocessing.connection import Connection
from typing import Protocol

import torch
from torch import Tensor

from wd_train.handing import unpacked
from wd_train.slots import Slot, Tensors

LOOK_SECONDS = 0.5
"""How often the process looks whether the one that started it is still there."""


class Makes(Protocol):
    """Makes batches."""

    def make(self, indices: Tensor, step: int | None) -> Tensors:
        """What is wanted for the rows `indices` (n,); augmented as of a step, where one is given."""


def serve(parent: int, connection: int, content: int, slots: list[int], threads: int) -> None:
    """Make one batch after another, as they are asked for, until nobody asks.

    Args:
        parent: the process that is served; with it this one ends.
        connection: descriptor of where batches are asked for and answered.
        content: descriptor of the file with who makes them.
        slots: descriptors of the shared memory that they are put into.
        threads: that torch may use, as in the parent, so that sums have the same bits.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    torch.set_num_threads(threads)
    with open(content, "rb") as file:
        file.seek(0)
        maker: Makes = unpacked(file.read())
    _answer(maker, Connection(connection), [Slot(slot) for slot in slots])


def _answer(maker: Makes, connection: Connection, slots: list[Slot]) -> None:
    connection.send("ready")
    while True:
        try:
            indices, step, slot = connection.recv()
        except (EOFError, OSError):
            return
        connection.send(_made(maker, torch.from_numpy(indices), step, slots[slot]))


def _made(maker: Makes, indices: Tensor, step: int | None, slot: Slot) -> object:
    try:
        return slot.write(maker.make(indices, step))
    except Exception:  # noqa: BLE001 - the parent tries the same batch, and raises what it raises
        return None


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os._exit(1)
