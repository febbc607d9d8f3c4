"""What did a training cost: time, memory, arithmetic, energy?"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from wd_train.configuration import Training
from wd_train.energy import EnergyMeter
from wd_train.matmul import large, operations_of, product_speed
from wd_train.precision import Precise
from wd_train.rows import Rows

LONG = 2.0
"""Seconds from which a training is compared with what the device could do: measuring that takes 1 % of it."""


@dataclass(frozen=True)
class Cost:
    """What a training cost, with what it spent before it was stopped; None where that is not known.

    Args:
        seconds: wall time, with preparing the rows and measuring.
        memory: bytes that the process held at most, with all that it did before; of several, the first one.
        devices: that it ran on.
        device_memory: bytes that its tensors took at most on a GPU; of several, the first one.
        samples: rows that it took steps on, each as often as it came.
        steps: that it took.
        operations: floating-point operations of all steps.
        limit: operations a second of a large matrix product on the device; None for trainings below `LONG`.
        limit_of_shape: the same in the shape of the network's largest layer.
        joules: that the device drew from the first step on, whatever ran on it; of several, the first one.
        epochs_saved: that early stopping left out.
    """

    seconds: float
    memory: int | None = None
    devices: int = 1
    device_memory: int | None = None
    samples: int | None = None
    steps: int | None = None
    operations: int | None = None
    limit: float | None = None
    limit_of_shape: float | None = None
    joules: float | None = None
    epochs_saved: int = 0

    @property
    def device_seconds(self) -> float:
        """Wall time times devices."""
        return self.seconds * self.devices

    @property
    def samples_per_second(self) -> float | None:
        """Rows a second."""
        return _ratio(self.samples, self.seconds)

    @property
    def steps_per_second(self) -> float | None:
        """Steps a second."""
        return _ratio(self.steps, self.seconds)

    @property
    def share_of_limit(self) -> float | None:
        """Of what a large matrix product reaches on the device, 0 to 1."""
        return _ratio(_ratio(self.operations, self.device_seconds), self.limit)

    @property
    def share_of_shape(self) -> float | None:
        """Of what one product in the shape of the network's largest layer reaches, 0 to 1."""
        return _ratio(_ratio(self.operations, self.device_seconds), self.limit_of_shape)

    def as_dict(self) -> dict[str, float]:
        """Everything that is known, by name."""
        derived = (
            "device_seconds", "samples_per_second", "steps_per_second", "share_of_limit", "share_of_shape"
        )  # fmt: skip
        known = {**asdict(self), **{name: getattr(self, name) for name in derived}}
        return {name: value for name, value in known.items() if value is not None}

    def sentence(self) -> str:
        """All of it in words.

        Example:
            >>> Cost(3.1, memory=210_000_000, samples=83_700).sentence()
            'Trained in 3.1 s: 27,000 rows a second, 210 MB at most.'
        """
        told = (
            None if self.samples_per_second is None else f"{_number(self.samples_per_second)} rows a second",
            None if self.memory is None else f"{_size(self.memory)} at most",
            None if self.device_memory is None else f"{_size(self.device_memory)} of the GPU's",
            None if self.share_of_limit is None else f"{_percent(self.share_of_limit)} {AT_BEST}",
            None if self.joules is None else f"{_number(self.joules)} J",
            f"{_epochs(self.epochs_saved)} saved by stopping early" if self.epochs_saved else None,
        )
        words = ", ".join(part for part in told if part is not None)
        return f"Trained in {_seconds(self.seconds)}{': ' if words else ''}{words}."


AT_BEST = "of what this machine multiplies at best"


class Meter:
    """Adds up what a training spends besides time, from when the meter is made, over stops.

    Args:
        device: that it runs on.
    """

    def __init__(self, device: torch.device) -> None:
        self._device, self._energy = device, EnergyMeter(device)
        self._before: Mapping[str, Any] = {"joules": 0.0, "memory": 0, "device_memory": 0}
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)

    def state_dict(self) -> dict[str, Any]:
        """What was spent so far, as plain values: joules, and bytes at most; None where that is not known."""
        before, joules, memory = self._before, self._energy.joules(), peak_memory()
        on_device = torch.cuda.max_memory_allocated(self._device) if self._device.type == "cuda" else None
        return {
            "joules": None if joules is None or before["joules"] is None else joules + before["joules"],
            "memory": None if memory is None else max(memory, before["memory"] or 0),
            "device_memory": None if on_device is None else max(on_device, before["device_memory"] or 0),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Add what was spent before."""
        self._before = dict(state)


def cost_of(
    net: nn.Module,
    rows: Rows,
    training: Training,
    steps: int,
    meter: Meter,
    seconds: float,
    devices: int = 1,
) -> Cost:
    """What a training cost that has ended.

    Args:
        net: that was trained, on its device.
        rows: that it was trained on.
        training: how.
        steps: that it took.
        meter: of what it spent besides time.
        seconds: that it took.
        devices: that took steps together, one a process.
    """
    batches, spent = training.batches(len(rows)), meter.state_dict()
    cost = Cost(
        seconds=seconds,
        devices=devices,
        samples=round(steps / batches * len(rows)),
        steps=steps,
        epochs_saved=training.epochs - steps // batches,
        **spent,
    )
    bfloat16 = Precise(rows.targets.device, training.precision).bfloat16
    dtype = torch.bfloat16 if bfloat16 else torch.float32
    return cost if seconds < LONG else _compared(cost, net, rows, dtype)


def _compared(cost: Cost, net: nn.Module, rows: Rows, dtype: torch.dtype) -> Cost:
    """With what the device reaches, in products alone."""
    assert cost.samples is not None and cost.steps  # noqa: S101, PT018 - `cost_of` knows them
    device, few = rows.targets.device, torch.arange(min(2, len(rows)))
    operations, shape = operations_of(net, rows.inputs(few), len(few))
    if operations is None or shape is None:
        return cost
    batch = cost.samples // cost.steps // cost.devices
    return replace(
        cost,
        operations=operations * cost.samples,
        limit=product_speed(large(device), device, dtype),
        limit_of_shape=product_speed((shape[0] * batch, *shape[1:]), device, dtype),
    )


def peak_memory() -> int | None:
    """Bytes of memory that this process held at most; None where the system does not tell."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not `ru_maxrss`, which begins with the memory of the process that started this one.
        lines = status.read_text().splitlines()
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), None)
    if platform.system() == "Darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return None


def _ratio(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part / whole


def _seconds(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds:.2g} s"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _epochs(epochs: int) -> str:
    return "1 epoch" if epochs == 1 else f"{epochs} epochs"


def _size(numbers: float) -> str:
    return f"{numbers / 1e6:,.0f} MB" if numbers < 1e9 else f"{numbers / 1e9:,.1f} GB"


def _number(value: float) -> str:
    """To two digits, which is more than a shared machine keeps from run to run."""
    return f"{float(f'{value:.2g}'):,.0f}" if value >= 10 else f"{value:.2g}"


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %") if share >= 0.01 else "less than 1 %"
