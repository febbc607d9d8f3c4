"""How do tensors get from one process to another without being written twice?"""

from __future__ import annotations

import mmap
import os
import tempfile
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor

Tensors = Tensor | dict[str, Tensor]


class Layout(NamedTuple):
    """Where a tensor lies in a slot, and how."""

    name: str | None
    dtype: torch.dtype
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    start: int


@dataclass
class Slot:
    """Memory that two processes share, which is gone when both have ended, however they ended.

    Args:
        file: the descriptor of a file without a name.
    """

    file: int
    _memory: mmap.mmap | None = None

    def write(self, tensors: Tensors) -> list[Layout]:
        """Put tensors in, and say where they are.

        Raises:
            ValueError: a tensor with gaps or repetitions, which another process could not lay out alike.
            OSError: no memory.
        """
        columns = tensors if isinstance(tensors, dict) else {None: tensors}
        layouts, end = [], 0
        for name, tensor in columns.items():
            if not dense(tensor):
                raise ValueError(f"a tensor of strides {tensor.stride()} is not dense")
            layouts.append(Layout(name, tensor.dtype, tuple(tensor.shape), tensor.stride(), end))
            end += -(-tensor.nbytes // 64) * 64
        memory = self._of(end)
        for layout, tensor in zip(layouts, columns.values(), strict=True):
            _flat_in(memory, layout).copy_(_flat(tensor))
        return layouts

    def read(self, layouts: list[Layout], *, pinned: bool = False) -> Tensors:
        """A copy of what was put in, laid out as it was; in pinned memory where it goes to a GPU."""
        memory = self._of(max(layout.start + _bytes(layout) for layout in layouts))
        if layouts[0].name is None:
            return _copy(memory, layouts[0], pinned)
        return {str(layout.name): _copy(memory, layout, pinned) for layout in layouts}

    def _of(self, size: int) -> mmap.mmap:
        size = max(size, 1)  # no empty file can be mapped
        if self._memory is None or len(self._memory) < size:
            if os.fstat(self.file).st_size < size:
                _grow(self.file, size)
            self._memory = mmap.mmap(self.file, os.fstat(self.file).st_size)
        return self._memory


def nameless_file() -> int:
    """The descriptor of a file in memory that no folder shows."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("wdgate")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def dense(tensor: Tensor) -> bool:
    """Whether the numbers of a tensor lie side by side in memory, in the order of any of its dimensions.

    Example:
        >>> dense(torch.zeros(2, 3).T), dense(torch.zeros(2, 3)[:, :2]), dense(torch.zeros(1).expand(4))
        (True, False, False)
    """
    if tensor.layout != torch.strided or tensor.device.type != "cpu":
        return False
    if not tensor.numel():
        return True
    expected = 1
    for stride, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size != 1 and stride != expected:
            return False
        expected *= size
    return True


def size_of(tensors: Tensors) -> int:
    """Bytes of a tensor, or of all of a dictionary."""
    return tensors.nbytes if isinstance(tensors, Tensor) else sum(t.nbytes for t in tensors.values())


def _grow(file: int, size: int) -> None:
    # Memory is taken here, where its lack is an error, and not when it is written, where it ends the process.
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:
        os.ftruncate(file, size)


def _bytes(layout: Layout) -> int:
    return prod(layout.shape) * layout.dtype.itemsize


def _flat(tensor: Tensor) -> Tensor:
    """The numbers of a dense tensor in the order in which they lie in memory."""
    return tensor.detach().as_strided((tensor.numel(),), (1,))


def _flat_in(memory: mmap.mmap, layout: Layout) -> Tensor:
    if not prod(layout.shape):
        return torch.empty(0, dtype=layout.dtype)
    return torch.frombuffer(memory, dtype=layout.dtype, count=prod(layout.shape), offset=layout.start)


def _copy(memory: mmap.mmap, layout: Layout, pinned: bool) -> Tensor:
    copy = torch.empty_strided(layout.shape, layout.stride, dtype=layout.dtype, pin_memory=pinned)
    _flat(copy).copy_(_flat_in(memory, layout))
    return copy
