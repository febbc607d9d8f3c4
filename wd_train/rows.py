"""What does a network see of a split, batch by batch?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from data_checks.errors import DataError
from data_checks.splits import Array, Split
from wd_train.loading import Job, Way, made
from wd_train.reading import Reading

Tensors = Tensor | dict[str, Tensor]
Augment = Callable[[Any, torch.Generator], Any]

AT_ONCE = 1024
"""Rows that are preprocessed or predicted together where nobody asked for another number."""

PREPARED_LIMIT = 2**28
"""Numbers (1 GiB as float32) up to which a split is preprocessed once and kept, instead of batch by batch."""


class Rows:
    """A split on a device, ready for the network.

    Inputs that lie in memory are preprocessed once. A reader's rows, rows that are augmented, and rows too
    many to keep are preprocessed batch by batch.

    Args:
        split: the rows.
        preprocess: from a batch as it was read to what the network takes.
        device: where the batches are wanted.
        augment: changes a batch as it was read, given a generator.
        seed: of what augments.

    Attributes:
        targets: (N,) on the device.
        weights: (N,) on the device, or None.
        prepared: all preprocessed inputs (N, ...), or None where they are made batch by batch.
    """

    def __init__(
        self,
        split: Split,
        preprocess: nn.Module,
        device: torch.device,
        augment: Augment | None = None,
        seed: int = 0,
    ) -> None:
        targets = tensor_of(split.targets, "targets")
        # Classes are looked up by them, which torch does with 64 bits alone.
        self.targets = (targets if targets.is_floating_point() else targets.long()).to(device)
        self.weights = None if split.weights is None else tensor_of(split.weights, "weights").to(device)
        self.prepared: Tensors | None = None
        self._device = device
        self._maker = Maker(Reading(split.inputs, split.ids), preprocess, augment, seed)
        if augment is None and isinstance(split.inputs, np.ndarray | Mapping):
            self.prepared = self._prepare()

    def __len__(self) -> int:
        return len(self.targets)

    def stream(self, order: Iterator[Tensor], step: int) -> Iterator[tuple[Tensor, Tensors]]:
        """Each batch of row indices (B,) with what the network takes for it, augmented.

        Args:
            order: the batches.
            step: of the first of them, from 1; what augments a batch is drawn from its step alone.
        """
        if self.prepared is not None:
            yield from ((indices, self.inputs(indices)) for indices in order)
            return
        batches = list(order)
        jobs: list[Job] = [(indices, number) for number, indices in enumerate(batches, step)]
        yield from zip(batches, self._made(jobs), strict=True)

    def inputs(self, indices: Tensor, step: int | None = None) -> Tensors:
        """What the network takes for the rows `indices` (n,); augmented where a step is given."""
        if self.prepared is not None:
            return take(self.prepared, indices.to(self._device))
        return self._finish(self._maker.read(indices), step)

    def make(self, indices: Tensor, step: int | None) -> Tensors:
        """The same, under the name by which whoever makes batches is asked for one."""
        return self.inputs(indices, step)

    def in_order(self, at_once: int = AT_ONCE) -> Iterator[Tensors]:
        """What the network takes for all rows in their order, `at_once` of them at a time."""
        parts = torch.arange(len(self)).split(at_once)  # type: ignore[no-untyped-call]
        if self.prepared is not None:
            return (self.inputs(indices) for indices in parts)
        return self._made([(indices, None) for indices in parts])

    def _made(self, jobs: list[Job]) -> Iterator[Tensors]:
        """The batches, made ahead where it pays; on a GPU all but the reading is done there."""
        ways = [Way(Maker(self._maker.reading), self._finish)]
        if self._device.type == "cpu":
            ways.insert(0, Way(self._maker, lambda batch, step: batch))
        return made(jobs, self, ways, pinned=self._device.type == "cuda")

    def _finish(self, read: Tensors, step: int | None) -> Tensors:
        # From pinned memory the copy goes on beside the training; from any other it is waited for.
        on_device = map_tensors(lambda t: t.to(self._device, non_blocking=t.is_pinned()), read)
        return self._maker.finish(on_device, step)

    def _prepare(self) -> Tensors | None:
        parts: list[Tensors] = []
        for part in self.in_order():
            parts.append(part)
            if _numbers(parts[0]) * len(self) > PREPARED_LIMIT * min(AT_ONCE, len(self)):
                return None
        return _joined(parts)


@dataclass
class Maker:
    """Makes batches of a split; this is what another process is handed.

    Args:
        reading: of the rows.
        preprocess: from a batch as it was read to what the network takes; None leaves it as it was read.
        augment: changes a batch as it was read, given a generator.
        seed: of what augments.
    """

    reading: Reading
    preprocess: nn.Module | None = None
    augment: Augment | None = None
    seed: int = 0

    def read(self, indices: Tensor) -> Tensors:
        """The rows `indices` (n,) as they are."""
        return as_tensors(self.reading.read(indices.numpy()))

    def finish(self, read: Tensors, step: int | None) -> Tensors:
        """What the network takes, of rows as they were read; augmented where a step is given."""
        if self.preprocess is None:
            return read
        if self.augment is not None and step is not None:
            read = self.augment(read, drawn_for(self.seed, step))
        with torch.no_grad():
            return self.preprocess(read)  # type: ignore[no-any-return]

    def make(self, indices: Tensor, step: int | None) -> Tensors:
        """Both, on the CPU."""
        return self.finish(self.read(indices), step)


def drawn_for(seed: int, step: int) -> torch.Generator:
    """A generator for one step of a training, the same whichever steps were taken before it."""
    digest = hashlib.sha256(f"{seed} {step}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big"))


def as_tensors(inputs: Array | dict[str, Array]) -> Tensors:
    """Rows in memory as a tensor, or as a dictionary of tensors, without a change of any value."""
    if isinstance(inputs, dict):
        return {name: tensor_of(column, f"column {name!r}") for name, column in inputs.items()}
    return tensor_of(inputs, "inputs")


def tensor_of(values: Array, name: str) -> Tensor:
    """Numbers as a tensor: floats as float32, unsigned 16 and 32 bits as the next wider signed type.

    Raises:
        DataError: values that are not numbers.

    Example:
        >>> tensor_of(np.array([0.5, 1.0]), "inputs").dtype, tensor_of(np.array([1, 2]), "inputs").dtype
        (torch.float32, torch.int64)
    """
    kind, width = values.dtype.kind, values.dtype.itemsize
    if kind not in "biuf":
        raise DataError(
            f"{name} holds {values.dtype} values, but a network takes numbers: encode them in the splits"
        )
    if kind == "f":
        values = values.astype(np.float32, copy=False)
    elif kind == "u" and width > 1:
        values = values.astype(np.int32 if width == 2 else np.int64)
    # A copy, because torch warns of arrays that may not be written, and later shares their memory.
    return torch.from_numpy(np.array(values, order="C"))


def map_tensors(change: Callable[[Tensor], Tensor], tensors: Tensors) -> Tensors:
    """`change` applied to a tensor, or to each of a dictionary."""
    if isinstance(tensors, Tensor):
        return change(tensors)
    return {name: change(column) for name, column in tensors.items()}


def take(tensors: Tensors, indices: Tensor) -> Tensors:
    """The rows `indices` (n,) of a tensor, or of each of a dictionary.

    Example:
        >>> take(torch.arange(5) * 10, torch.tensor([3, 1]))
        tensor([30, 10])
    """
    return map_tensors(lambda t: t.index_select(0, indices), tensors)


def _numbers(tensors: Tensors) -> int:
    return tensors.numel() if isinstance(tensors, Tensor) else sum(t.numel() for t in tensors.values())


def _joined(parts: list[Tensors]) -> Tensors:
    first = parts[0]
    if isinstance(first, Tensor):
        return torch.cat(parts)  # type: ignore[arg-type]  # parts of one preprocessing are of one kind
    return {name: torch.cat([part[name] for part in parts]) for name in first}  # type: ignore[index]
