"""How much energy has the device drawn that a training runs on?

A GPU counts by itself, and NVIDIA's own binding reads it (the extra `energy`). Of a processor the kernel
tells (RAPL, Linux, Intel and AMD): two small files a package, read here, because the libraries that read
them are no longer kept (pyRAPL: 2019) or bring much more than that (codecarbon). Both count all that runs
on the device, and a processor's counter is often for the administrator alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

POWERCAP = Path("/sys/class/powercap")

ReadJoules = Callable[[], float | None]


class EnergyMeter:
    """Adds up what a device draws.

    Read it at least every quarter of an hour or so: a processor's counter begins again at 0 when it is full,
    and that is noticed once between two readings.

    Args:
        device: whose energy.
    """

    def __init__(self, device: torch.device) -> None:
        self._counters = _of_gpu(device) if device.type == "cuda" else _of_processor(device)
        self._drawn = 0.0
        self._last = [counter() for counter, _ in self._counters]

    def joules(self) -> float | None:
        """Drawn since the meter was made; None where it cannot be read."""
        now = [counter() for counter, _ in self._counters]
        ranges = [full for _, full in self._counters]
        for before, after, full in zip(self._last, now, ranges, strict=True):
            if before is None or after is None:
                return None
            self._drawn += after - before if after >= before else after - before + full
        self._last = now
        return self._drawn if now else None


def _of_gpu(device: torch.device) -> list[tuple[ReadJoules, float]]:
    try:
        import pynvml
    except ImportError:
        return []
    try:
        pynvml.nvmlInit()
        # torch counts the devices that it may use, NVML all there are: only the UUID means the same.
        handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
        pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except pynvml.NVMLError:
        return []
    return [(lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1e3, 0.0)]


def _of_processor(device: torch.device) -> list[tuple[ReadJoules, float]]:
    if device.type != "cpu":
        return []
    # A package holds its cores, and `psys` all packages: only the packages add up.
    names = sorted(POWERCAP.glob("intel-rapl:*/name"))
    packages = [path.parent for path in names if (_text(path) or "").startswith("package")]
    return [
        (_joules_in(package / "energy_uj"), (_joules_in(package / "max_energy_range_uj")() or 0.0))
        for package in packages
    ]


def _joules_in(path: Path) -> ReadJoules:
    def read() -> float | None:
        text = _text(path)
        return None if text is None else int(text) / 1e6

    return read


def _text(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
