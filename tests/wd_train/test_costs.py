"""Is what a training cost added up over stops, and told in words that are true?"""

import subprocess
import sys
import types

import pytest
import torch
from torch import nn

from data_checks.splits import Split
from wd_train import costs
from wd_train.checkpoints import Checkpoints
from wd_train.costs import Cost, Meter
from wd_train.network import AsFloat
from wd_train.rows import Rows
from wd_train.training import Training, train
from wdgate.evaluation.tasks import Classification

CPU = torch.device("cpu")
TRAINING = Training(0.1, epochs=4, batch_size=8)


def rows(count, seed):
    inputs = torch.randn(count, 4, generator=torch.Generator().manual_seed(seed))
    return Split(inputs.numpy(), (inputs[:, 0] > 0).long().numpy())


def trained(training=TRAINING, **more):
    parts = (lambda _: nn.Linear(4, 2), None, rows(30, 0), rows(20, 1), Classification(("a", "b")))
    return train(*parts, training, **more)


def test_steps_and_rows_are_those_that_were_trained():
    cost = trained().cost
    assert (cost.steps, cost.samples, cost.epochs_saved) == (16, 120, 0)
    assert cost.seconds > 0


def test_a_short_training_is_compared_with_nothing():
    cost = trained().cost
    assert (cost.operations, cost.limit, cost.share_of_limit) == (None, None, None)


def test_a_long_training_is_compared_with_what_the_device_reaches(monkeypatch):
    monkeypatch.setattr(costs, "LONG", 0.0)
    cost = trained().cost
    assert cost.operations == 120 * 2 * 2 * 4 * 2
    assert 0 < cost.share_of_limit < 1
    assert cost.share_of_limit == pytest.approx(cost.operations / cost.seconds / cost.limit)
    assert cost.share_of_shape == pytest.approx(cost.operations / cost.seconds / cost.limit_of_shape)


def test_comparing_changes_no_weight(monkeypatch):
    before = trained().network.net.weight
    monkeypatch.setattr(costs, "LONG", 0.0)
    assert torch.equal(trained().network.net.weight, before)


def test_epochs_that_stopping_early_left_out_are_told():
    worse = Training(0.0, epochs=50, batch_size=8, learning_rate=0.9, optimizer="sgd", patience=1)
    result = trained(worse)
    cost = result.cost
    assert cost.epochs_saved == 50 - result.history[-1].epoch > 0
    assert f"{cost.epochs_saved} epochs saved by stopping early" in cost.sentence()


def test_what_was_spent_before_a_stop_is_added(tmp_path, monkeypatch):
    class Kept(Checkpoints):
        def due(self):
            return True

        def finish(self, state):
            raise KeyboardInterrupt

    joules = [1.0]
    monkeypatch.setattr(costs, "EnergyMeter", lambda device: types.SimpleNamespace(joules=lambda: joules[0]))
    with pytest.raises(KeyboardInterrupt):
        trained(checkpoints=Kept(str(tmp_path), "key"))
    joules[0] = 2.0
    cost = trained(checkpoints=Checkpoints(str(tmp_path), "key")).cost
    assert cost.joules == 3.0
    assert (cost.steps, cost.samples) == (16, 120)


def test_a_meter_adds_energy_and_keeps_the_peak_of_memory(monkeypatch):
    monkeypatch.setattr(costs, "EnergyMeter", lambda device: types.SimpleNamespace(joules=lambda: 2.0))
    monkeypatch.setattr(costs, "peak_memory", lambda: 100)
    meter = Meter(CPU)
    meter.load_state_dict({"joules": 5.0, "memory": 300, "device_memory": None})
    assert meter.state_dict() == {"joules": 7.0, "memory": 300, "device_memory": None}


def test_energy_that_was_not_read_before_a_stop_is_not_known_afterwards(monkeypatch):
    monkeypatch.setattr(costs, "EnergyMeter", lambda device: types.SimpleNamespace(joules=lambda: 2.0))
    meter = Meter(CPU)
    meter.load_state_dict({"joules": None, "memory": None, "device_memory": None})
    assert meter.state_dict()["joules"] is None


PEAK = """
import torch
from wd_train.costs import peak_memory
before = peak_memory()
held = torch.ones(50_000_000)
risen = peak_memory()
assert risen >= before + held.nbytes // 2, (before, risen)
del held
assert peak_memory() >= risen - 2_000_000  # the kernel counts in batches
"""


def test_the_peak_of_memory_does_not_fall():
    # In a process of its own: in this one other tests may have had the peak already.
    ran = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        (Cost(0.04), "Trained in 0.04 s."),
        (Cost(3.1, memory=210_000_000), "Trained in 3.1 s: 210 MB at most."),
        (
            Cost(2.0, samples=54_321, memory=2_100_000_000, operations=8 * 10**9, limit=1e11, joules=123.0),
            "Trained in 2.0 s: 27,000 rows a second, 2.1 GB at most, "
            "4 % of what this machine multiplies at best, 120 J.",
        ),
        (
            Cost(600.0, samples=300, device_memory=10**9, operations=1, limit=1e11),
            "Trained in 10.0 min: 0.5 rows a second, 1.0 GB of the GPU's, "
            "less than 1 % of what this machine multiplies at best.",
        ),
        (Cost(1.0, epochs_saved=1), "Trained in 1.0 s: 1 epoch saved by stopping early."),
    ],
)
def test_a_cost_in_words(cost, words):
    assert cost.sentence() == words


def test_what_is_not_known_is_not_listed():
    assert Cost(2.0, devices=2).as_dict() == {
        "seconds": 2.0, "devices": 2, "epochs_saved": 0, "device_seconds": 4.0
    }  # fmt: skip


def test_a_share_is_of_all_devices():
    cost = Cost(2.0, devices=2, operations=400, limit=200.0)
    assert cost.share_of_limit == 0.5


def test_several_processes_share_the_rows_of_a_step(monkeypatch):
    monkeypatch.setattr(costs, "LONG", 0.0)
    asked = []
    monkeypatch.setattr(costs, "product_speed", lambda shape, device, dtype: asked.append(shape) or 1e9)
    together = costs.cost_of(
        nn.Linear(4, 2), Rows(rows(30, 0), AsFloat(), CPU), TRAINING, 16, Meter(CPU), 3.0, 2
    )
    assert together.samples == 120
    assert together.device_seconds == 6.0
    assert asked[-1] == (120 // 16 // 2, 4, 2)
