"""On which device does a training run, and with how many threads?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from data_checks.errors import TrainingError

SMALL_STEP = 1e9
"""Floating-point operations a step below which a second thread costs more than it gives."""


def pick_device(name: str) -> torch.device:
    """The device called `name`; `auto` takes CUDA, then MPS, then the CPU.

    Raises:
        TrainingError: a device that torch does not know, or that is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise TrainingError(f"device {name!r} cannot be used: {str(error).splitlines()[0]}") from error


@contextmanager
def repeatable(asked: bool, device: torch.device) -> Iterator[None]:
    """Within this context a GPU takes only algorithms that give the same bytes each time, if that is asked.

    If not, cuDNN tries which algorithm is the fastest for the shapes at hand. A CPU needs nothing.
    """
    if device.type != "cuda":
        yield
        return
    before = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    # Read when cuBLAS is first used; without it, matrix products of several streams may differ.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(asked or before[0])
    torch.backends.cudnn.benchmark = not asked
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        torch.backends.cudnn.benchmark = before[1]


@contextmanager
def threads_for(operations: float) -> Iterator[None]:
    """Take one thread for steps of few floating-point operations; as many as before, afterwards.

    Small matrices gain nothing from a second thread, and on shared cores they wait for it.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1 if operations < SMALL_STEP else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
