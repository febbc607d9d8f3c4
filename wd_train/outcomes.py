"""What does a training leave behind, by which it can be compared with others?"""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from data_checks.splits import Split
from wd_train.network import CPU, predict
from wd_train.rows import AT_ONCE, Rows, Tensors, as_tensors, map_tensors
from wdgate.evaluation.robustness import corrupted, corruptions_for, rows_to_corrupt
from wdgate.evaluation.tasks import Task

Positions = NDArray[np.intp]

MOST_CORRUPTED = 500
"""Rows that are corrupted for a comparison: each costs up to thirty predictions, of every member."""

KEPT = 2**26
"""Numbers (256 MiB as float32) up to which corrupted rows are kept for the next member of a fleet."""

FORMAT = 1
DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading a truncated or altered file raises, by the place of the damage."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a training leaves for comparison.

    Args:
        predictions: the task's predictions on the validation rows, in their order, each (N, ...).
        corrupted: mean over corruptions and severities of the task's primary score, one a row of
            `corrupted_positions` (n,); None where no corruption applies.
        losses: (epoch, mean validation loss, seconds since its start) at each measured epoch; empty where
            nothing was measured on the way.
        best_epoch: the epoch whose weights were kept.
        seconds: device-seconds that it took; of a fleet, its wall time over the number of its members.
        norm_ratio: norm of the decayed tensors at the end over the norm at the start.
    """

    predictions: dict[str, NDArray[Any]]
    corrupted: NDArray[np.floating] | None
    losses: tuple[tuple[int, float, float], ...]
    best_epoch: int
    seconds: float
    norm_ratio: float


@dataclass(frozen=True)
class Diverged:
    """A training that ended in numbers that are not finite, and how that was noticed."""

    reason: str


class CorruptedRows:
    """Validation rows by every corruption at every severity, ready for a network; the same for all members.

    They are made once and kept where they are few enough, and made again for each member otherwise.

    Args:
        validation: the rows, of which `corrupted_positions` are taken.
        preprocess: from a batch as it was read to what the network takes.
        device: where the rows are wanted.
    """

    def __init__(self, validation: Split, preprocess: nn.Module, device: torch.device = CPU) -> None:
        self._validation, self._preprocess, self._device = validation, preprocess, device
        self._rows = corrupted_positions(validation)
        self._kept: list[tuple[Positions, list[Tensors]]] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[tuple[Positions, Iterator[Tensors]]]:
        """Positions (n,) in the split, and what the network takes for them by each corruption."""
        if self._kept is None:
            batches = [(rows, list(cells)) for rows, cells in self._made()] if self._fits() else None
            self._kept = batches
        return ((rows, iter(cells)) for rows, cells in self._kept) if self._kept is not None else self._made()

    def _made(self) -> Iterator[tuple[Positions, Iterator[Tensors]]]:
        if not len(self):
            return
        which = corruptions_for(self._validation.inputs)
        for rows, cells in corrupted(self._validation, self._rows, which, AT_ONCE):
            yield rows, (self._prepared(cell) for cell in cells)

    def _prepared(self, cell: Any) -> Tensors:
        with torch.no_grad():
            read = map_tensors(lambda t: t.to(self._device), as_tensors(cell))
            return self._preprocess(read)  # type: ignore[no-any-return]

    def _fits(self) -> bool:
        for _, cells in self._made():
            cell = next(cells)
            each = cell.numel() if isinstance(cell, Tensor) else sum(t.numel() for t in cell.values())
            return each / max(1, _length(cell)) * len(self) * 30 <= KEPT
        return True


def corrupted_positions(validation: Split) -> Positions:
    """Which validation rows are corrupted: at most 500, of the smallest keys; none where nothing applies.

    Example:
        >>> corrupted_positions(Split(np.eye(3), np.array([0, 1, 0]))).tolist()
        []
    """
    if not corruptions_for(validation.inputs):
        return np.arange(0)
    rows = rows_to_corrupt(validation)
    order = np.argsort(validation.keys[rows], kind="stable")
    return np.sort(rows[order[:MOST_CORRUPTED]])


def outcome_of(
    net: nn.Module,
    preprocess: nn.Module,
    validation: Split,
    task: Task,
    *,
    losses: tuple[tuple[int, float, float], ...] = (),
    best_epoch: int = 0,
    seconds: float = 0.0,
    norm_ratio: float = float("nan"),
    corrupted_rows: CorruptedRows | None = None,
) -> Outcome | None:
    """What a trained network does on the validation rows; None where its outputs are not finite.

    Args:
        net: the network, whose device is the one that is used.
        preprocess: what stands before it, on the same device.
        validation: the rows.
        task: what is predicted, and how it is scored.
        losses: as in `Outcome`.
        best_epoch: as in `Outcome`.
        seconds: as in `Outcome`.
        norm_ratio: as in `Outcome`.
        corrupted_rows: of the same rows and preprocessing, made once for all members of a fleet.
    """
    device = next((parameter.device for parameter in net.parameters()), CPU)
    outputs = predict(net, Rows(validation, preprocess, device))
    worse = corrupted_rows or CorruptedRows(validation, preprocess, device)
    scored = _corrupted_scores(net, worse, validation, task)
    if scored is None or not outputs.isfinite().all():
        return None
    return Outcome(
        predictions=_predictions(task, outputs),
        corrupted=scored if len(scored) else None,
        losses=losses,
        best_epoch=best_epoch,
        seconds=seconds,
        norm_ratio=norm_ratio,
    )


def save_outcome(path: Path, outcome: Outcome | Diverged) -> None:
    """Write an outcome as a compressed file beside `path`, and rename it: nobody reads half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    with beside.open("wb") as file:
        np.savez_compressed(file, **_arrays(outcome))  # type: ignore[arg-type]  # names are the arrays' own
    beside.replace(path)


def load_outcome(path: Path) -> Outcome | Diverged | None:
    """The outcome that a file holds; None where there is none, or it is damaged or of another kind."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            return _from_arrays({name: file[name] for name in file.files})
    except DAMAGED:
        return None


def _corrupted_scores(
    net: nn.Module, worse: CorruptedRows, validation: Split, task: Task
) -> NDArray[np.floating] | None:
    parts: list[NDArray[np.floating]] = []
    for rows, cells in worse:
        outputs = [_outputs(net, cell) for cell in cells]
        if not all(cell.isfinite().all() for cell in outputs):
            return None
        targets = np.tile(validation.targets[rows], len(outputs))
        scores = task.scores(_predictions(task, torch.cat(outputs)), targets)[task.primary]
        parts.append(np.asarray(scores, np.float64).reshape(len(outputs), len(rows)).mean(axis=0))
    return np.concatenate(parts) if parts else np.zeros(0)


def _outputs(net: nn.Module, inputs: Tensors) -> Tensor:
    was_training = net.training
    net.eval()
    with torch.no_grad():
        outputs: Tensor = net(inputs)
    net.train(was_training)
    return outputs


def _predictions(task: Task, outputs: Tensor) -> dict[str, NDArray[Any]]:
    with torch.no_grad():
        return {name: values.cpu().numpy() for name, values in task.predictions(outputs).items()}


def _length(tensors: Tensors) -> int:
    return len(tensors) if isinstance(tensors, Tensor) else len(next(iter(tensors.values())))


def _arrays(outcome: Outcome | Diverged) -> dict[str, NDArray[Any]]:
    if isinstance(outcome, Diverged):
        return {"format": np.array(FORMAT), "diverged": np.array(outcome.reason)}
    numbers = [outcome.best_epoch, outcome.seconds, outcome.norm_ratio]
    arrays = {f"predictions.{name}": values for name, values in outcome.predictions.items()}
    arrays |= {} if outcome.corrupted is None else {"corrupted": outcome.corrupted}
    losses = np.array(outcome.losses, np.float64).reshape(-1, 3)
    return {**arrays, "format": np.array(FORMAT), "losses": losses, "numbers": np.array(numbers, np.float64)}


def _from_arrays(arrays: dict[str, NDArray[Any]]) -> Outcome | Diverged | None:
    if int(arrays["format"]) != FORMAT:
        return None
    if "diverged" in arrays:
        return Diverged(str(arrays["diverged"]))
    named = {n.removeprefix("predictions."): a for n, a in arrays.items() if n.startswith("predictions.")}
    losses = tuple((int(epoch), float(loss), float(at)) for epoch, loss, at in arrays["losses"])
    best_epoch, seconds, norm_ratio = arrays["numbers"].tolist()
    return Outcome(named, arrays.get("corrupted"), losses, int(best_epoch), seconds, norm_ratio)
