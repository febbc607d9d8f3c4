"""Where do the processes of a training find one another, and how do they wait?"""

from __future__ import annotations

import os
import time
from datetime import timedelta
from functools import cache

import torch.distributed as dist
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from data_checks.errors import TrainingError
from wd_train.world import World

FIND = timedelta(minutes=5)
"""Until another process must be found at MASTER_ADDR."""
WAIT = timedelta(hours=72)
"""Until the others must have come: one of them may check data for hours first."""
ASLEEP = (0.01, 1.0)
"""Seconds that a process sleeps between two looks, at first and at most; asleep it hears a signal."""


@cache
def meeting_point(world: World) -> Store:
    """What all processes read and write: torchrun's store, or else that of rank 0.

    Raises:
        TrainingError: nobody is there.
    """
    try:
        store, _, _ = next(rendezvous("env://", timeout=FIND))
    except (RuntimeError, ValueError, OSError) as error:
        address = f"{os.environ.get('MASTER_ADDR')}:{os.environ.get('MASTER_PORT')}"
        reason = str(error).splitlines()[0]
        raise TrainingError(
            f"process {world.rank} of {world.size} found no other at {address} "
            f"(MASTER_ADDR, MASTER_PORT): {reason}"
        ) from error
    return PrefixStore(f"wdgate {os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)


def wait_for(store: Store, keys: list[str], limit: timedelta = WAIT) -> None:
    """Sleep until all keys are set.

    Raises:
        TrainingError: they were not within the limit, or the store is gone.
    """
    end, asleep = time.monotonic() + limit.total_seconds(), ASLEEP[0]
    while not _came(store, keys):
        if time.monotonic() >= end:
            raise TrainingError(f"waited {limit} for the other processes of the training: they did not come")
        time.sleep(asleep)
        asleep = min(2 * asleep, ASLEEP[1])


def gather_all(store: Store, world: World, limit: timedelta = WAIT) -> None:
    """Sleep until every process has come to this line."""
    store.set(str(world.rank), "here")
    wait_for(store, [str(rank) for rank in range(world.size)], limit)


def _came(store: Store, keys: list[str]) -> bool:
    # Not `store.wait`, which hears no signal, and writes of each time that it waited.
    try:
        return bool(store.check(keys))
    except dist.DistNetworkError as error:
        raise TrainingError("the first process of the training is gone") from error
