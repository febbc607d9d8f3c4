"""Does the meter add up what counters tell, over their ends, and say nothing where they cannot be read?"""

import sys
import types

import pytest
import torch

from wd_train import energy
from wd_train.energy import EnergyMeter

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)


@pytest.fixture
def zone(tmp_path, monkeypatch):
    """A function that makes a zone of RAPL with its name and its counter in microjoules."""
    monkeypatch.setattr(energy, "POWERCAP", tmp_path)

    def write(folder, name, counter, full=1_000_000_000):
        (tmp_path / folder).mkdir(exist_ok=True)
        for file, value in {"name": name, "energy_uj": counter, "max_energy_range_uj": full}.items():
            (tmp_path / folder / file).write_text(f"{value}\n")

    return write


def test_a_machine_without_counters_tells_nothing(zone):
    assert EnergyMeter(CPU).joules() is None


def test_packages_add_up_and_what_they_hold_counts_once(zone):
    for at, name in enumerate(("package-0", "package-1", "psys")):
        zone(f"intel-rapl:{at}", name, 1_000_000)
    zone("intel-rapl:0:0", "core", 1_000_000)
    zone("intel-rapl-mmio:0", "package-0", 1_000_000)
    meter = EnergyMeter(CPU)
    zone("intel-rapl:0", "package-0", 3_500_000)
    zone("intel-rapl:1", "package-1", 2_000_000)
    zone("intel-rapl:2", "psys", 90_000_000)
    zone("intel-rapl:0:0", "core", 90_000_000)
    zone("intel-rapl-mmio:0", "package-0", 90_000_000)
    assert meter.joules() == pytest.approx(2.5 + 1.0)


def test_a_counter_that_began_again_is_followed(zone):
    zone("intel-rapl:0", "package-0", 999_000_000)
    meter = EnergyMeter(CPU)
    zone("intel-rapl:0", "package-0", 2_000_000)
    assert meter.joules() == pytest.approx(3.0)
    zone("intel-rapl:0", "package-0", 5_000_000)
    assert meter.joules() == pytest.approx(6.0)


def test_a_counter_for_the_administrator_alone_tells_nothing(zone, tmp_path):
    zone("intel-rapl:0", "package-0", 1)
    (tmp_path / "intel-rapl:0" / "energy_uj").unlink()
    assert EnergyMeter(CPU).joules() is None


class NVMLError(Exception):
    pass


def nvml(monkeypatch, handles):
    """NVIDIA's binding as far as it is used, over counters in millijoules by UUID."""

    def handle_of(uuid):
        if uuid not in handles:
            raise NVMLError(uuid)
        return uuid

    module = types.SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=handle_of,
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: handles[handle],
    )
    monkeypatch.setitem(sys.modules, "pynvml", module)
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda device: types.SimpleNamespace(uuid="1234")
    )


def test_a_gpu_is_found_by_its_uuid(monkeypatch):
    counters = {"GPU-1234": 5_000, "GPU-another": 0}
    nvml(monkeypatch, counters)
    meter = EnergyMeter(CUDA)
    counters["GPU-1234"] = 7_500
    assert meter.joules() == pytest.approx(2.5)


def test_a_gpu_that_the_driver_does_not_count_tells_nothing(monkeypatch):
    nvml(monkeypatch, {})
    assert EnergyMeter(CUDA).joules() is None


def test_a_gpu_without_the_binding_tells_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert EnergyMeter(CUDA).joules() is None
