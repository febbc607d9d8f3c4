"""How do trainings that do not stack use all cores? One-thread worker processes, each with one at a time.

A worker imports torch (a second) and loads its rows by itself, so that a pool pays for trainings of more than
a few seconds in total. Nothing is shared: what a worker trains is what one thread trains here, bit for bit.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from data_checks.errors import TrainingError

J = TypeVar("J")
R = TypeVar("R")

START_SECONDS = 4.0
"""Trainings of fewer seconds than this in total are done sooner without a pool: two workers that import torch
and load rows side by side take about 3 (measured on two cores)."""

PATIENCE = 2.0
"""Seconds that ended workers are waited for."""


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_in_workers(
    work: Callable[[J], R], jobs: Sequence[J], *, workers: int | None = None
) -> Iterator[tuple[J, R]]:
    """Do every job in a one-thread worker process; each with its result as it is finished, in any order.

    When the caller stops asking, is interrupted, or a job raises, all workers are ended.

    Args:
        work: a function that can be found by its name in another process; argument and result are pickled.
        jobs: one argument each.
        workers: how many at a time; as many as cores where nothing is given.

    Raises:
        TrainingError: a worker ended without an answer.
        Exception: whatever a job raised.
    """
    if not jobs:
        return
    with _pool(min(workers or cores(), len(jobs)), work.__module__) as pool:
        with _shielded():
            pending = {pool.submit(work, job): job for job in jobs}
        for done in as_completed(pending):
            yield pending[done], _result(done)


def use_one_thread() -> None:
    """Make this process train on one thread, whatever it imports later."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    import torch

    torch.set_num_threads(1)


@contextmanager
def one_thread() -> Iterator[None]:
    """Within this context training takes one thread, as in a worker."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _pool(workers: int, module: str) -> Iterator[ProcessPoolExecutor]:
    # Spawned, because a forked process inherits locks that threads of torch and Prefect hold.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=_begin, initargs=(module, _root_of(module))
    )
    try:
        yield pool
        pool.shutdown()
    finally:
        _end(pool)


@contextmanager
def _shielded() -> Iterator[None]:
    """Begin processes that Ctrl+C does not reach while they import; it reaches this one right afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(module: str, root: str) -> None:
    """Begin a worker: Ctrl+C and SIGTERM are the parent's to answer, and a worker does not outlive it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    use_one_thread()
    _leave_no_lock()
    # From where the parent has it: the folder of a user's pipeline may hold a `pipelines` of its own.
    sys.path.insert(0, root)
    import_module(module)
    sys.path.remove(root)


def _root_of(module: str) -> str:
    """The folder by which a module is found under its name."""
    file = getattr(sys.modules[module], "__file__", None) or os.curdir
    return str(Path(file).resolve().parents[module.count(".")])


def _leave_no_lock() -> None:
    """Keep tqdm, by which torch.fx counts, from a lock between processes, which an ended worker leaves."""
    with suppress(ImportError):
        from tqdm.std import TqdmDefaultWriteLock

        TqdmDefaultWriteLock.mp_lock = None


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _end(pool: ProcessPoolExecutor) -> None:
    """End the workers at once; those that are idle have ended already."""
    processes = list((getattr(pool, "_processes", None) or {}).values())
    for process in processes:
        process.kill()
    # Waited for, so that its semaphores are given back before this process ends, but not for ever.
    closing = threading.Thread(target=pool.shutdown, kwargs={"cancel_futures": True}, daemon=True)
    closing.start()
    closing.join(PATIENCE)


def _result(done: Future[R]) -> R:
    try:
        return done.result()
    except BrokenProcessPool as error:
        raise TrainingError(
            "a worker process ended without an answer, killed or out of memory; "
            "what is finished is kept, and the same command goes on"
        ) from error
