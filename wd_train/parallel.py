"""How do several processes train one network, with the updates of one process?

Each takes its slice of every batch, torch's DistributedDataParallel sums their gradients, and every process
takes the same step. A slice is counted by its share of the batch's weight, so that the sum is the gradient of
the mean over all rows of the batch, however they are cut.

Batch norm: on CUDA its statistics are of the whole batch (SyncBatchNorm); on a CPU, where torch has no such
thing, they are of each process's slice, and those of rank 0 are kept.
"""

from __future__ import annotations

import atexit
import gc
import sys
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from itertools import count

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.distributed_c10d import PrefixStore
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from data_checks.errors import TrainingDivergedError, TrainingError
from wd_train.configuration import Training
from wd_train.devices import pick_device
from wd_train.meeting import gather_all, meeting_point
from wd_train.world import World

SILENCE = timedelta(minutes=30)
"""After which a process that does not answer is given up; one may write a checkpoint meanwhile."""
_trainings = count()
# The group of the last training. Its threads may wait for Python's lock, which must not be held by whatever
# drops it last. Of all that refers to it, only the group as Python knows it lets go of the lock.
_last: list[dist.ProcessGroup] = []


def pick_own_device(world: World, name: str) -> torch.device:
    """The device called `name`; of several processes on a machine each takes its own card.

    Raises:
        TrainingError: a device that cannot be used, or one card for several processes.
    """
    if world.alone:
        return pick_device(name)
    kind, _, card = name.partition(":")
    if card or kind == "mps":
        raise TrainingError(
            f"device {name!r} is one card, but {world.size} processes train: "
            "expected 'auto', 'cuda' or 'cpu', with which each takes its own"
        )
    if kind == "auto":
        kind = "cuda" if torch.cuda.is_available() else "cpu"
    return pick_device(f"cuda:{world.local_rank}" if kind == "cuda" else kind)


@contextmanager
def joined(world: World, device: torch.device, silence: timedelta = SILENCE) -> Iterator[None]:
    """Within this context the processes of the world train together; it begins once all are here.

    Args:
        world: whose environment says where they meet.
        device: of this process.
        silence: after which a process that does not answer is given up.

    Raises:
        TrainingError: another process is gone.
    """
    if world.alone:
        yield
        return
    store = PrefixStore(f"training {next(_trainings)}", meeting_point(world))
    gather_all(store, world)
    _forget_last()
    if device.type == "cuda":
        torch.cuda.set_device(device)
    # Flags and checkpoints pass by gloo, whatever the gradients pass by.
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    hook = sys.excepthook
    dist.init_process_group(backend, store=store, rank=world.rank, world_size=world.size, timeout=silence)
    _last.extend(group for group in (dist.group.WORLD,) if group is not None)
    # It would write its rank before each line of a traceback, once more for every group.
    sys.excepthook = hook
    with warnings.catch_warnings(), _telling(world):
        # Of no use to a user: the layout is that of the filters.
        warnings.filterwarnings("ignore", "Grad strides do not match")
        yield
    dist.destroy_process_group()


@atexit.register
def _forget_last() -> None:
    # At the end of the process, too: a thread that asks for the lock of a Python that is gone aborts it.
    gc.collect()
    _last.clear()


@contextmanager
def _telling(world: World) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        _abort()
        if isinstance(error, RuntimeError) and _lost(error):
            raise TrainingError(
                f"process {world.rank} of {world.size} lost another one, and the training stopped: "
                "the same command goes on where it left its last checkpoint"
            ) from error
        if not isinstance(error, TrainingDivergedError | KeyboardInterrupt):
            error.add_note(f"in process {world.rank} of {world.size}")
        raise


def _abort() -> None:
    """Leave the others, without waiting for any of them."""
    if dist.get_backend() != "gloo":
        _last[-1].abort()
    dist.destroy_process_group()


def _lost(error: RuntimeError) -> bool:
    return isinstance(error, dist.DistError) or "gloo" in str(error).lower()


def spread(net: nn.Module, *, unused: bool) -> nn.Module:
    """The network as it is called in training: with the mean of the gradients of all processes.

    Args:
        net: on its device.
        unused: whether a parameter takes no part in the loss. It has no gradient then, as in one process.
    """
    return DistributedDataParallel(net, find_unused_parameters=unused)


def apart(net: nn.Module) -> AbstractContextManager[object]:
    """Within this context gradients stay in this process, and are added up."""
    return net.no_sync() if isinstance(net, DistributedDataParallel) else nullcontext()


@contextmanager
def norms_together(world: World, net: nn.Module, device: torch.device) -> Iterator[None]:
    """Within this context batch norms on CUDA take their statistics of all processes' rows.

    Afterwards the network has its own modules again, with what they have learned.
    """
    if world.alone or device.type != "cuda":
        yield
        return
    norms = [(n, m) for n, m in net.named_modules(remove_duplicate=False) if n and isinstance(m, _BatchNorm)]
    nn.SyncBatchNorm.convert_sync_batchnorm(net)  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        for name, norm in norms:
            # Parameters and statistics are shared by both, and change in place.
            net.set_submodule(name, norm)
        net.train(net.training)


def check_slices(world: World, net: nn.Module, training: Training, rows: int, device: torch.device) -> None:
    """Refuse batches of which a process would get too few rows for a batch norm.

    Raises:
        TrainingError: how many it would get, and how many it takes.
    """
    norms = [module for module in net.modules() if isinstance(module, _BatchNorm)]
    if world.alone or not norms:
        return
    batch = rows // training.batches(rows)
    # One row of a picture has a variance, one row of numbers has none.
    needed = 1 if device.type == "cuda" or not any(isinstance(norm, nn.BatchNorm1d) for norm in norms) else 2
    if batch // world.size < needed:
        raise TrainingError(
            f"batches of {batch} rows over {world.size} processes leave {batch // world.size} to one, and "
            f"its batch norm takes {needed}: expected a larger batch_size, or fewer processes"
        )
