"""Which points do the curves of a run hold?"""

from types import SimpleNamespace

from flows.tracking import log_epoch
from wd_train.diagnostics import Reading, TensorReading
from wd_train.training import Epoch


class Curves:
    """Stands for an open run; keeps the points of each call."""

    def __init__(self, logged_epoch=0):
        self.logged_epoch, self.calls = logged_epoch, []

    def points(self, points):
        self.calls.append(points)


def epoch(number):
    return Epoch(number, 10 * number, 0.5, 0.9, 0.6, 0.8, 3.0, 1e-3)


def reading(step, tensors, distance=0.5):
    return Reading(
        step, tuple(TensorReading(f"layer{i}", 1.0 + i, 0.9, 0.01, 1e-3, distance) for i in range(tensors))
    )


def names(points):
    return {name for name, _, _ in points}


def test_an_epoch_and_the_readings_before_it_are_one_call_at_their_own_steps():
    run = Curves()
    log_epoch(run, epoch(2), "accuracy", [reading(15, 2), reading(20, 2)])
    (points,) = run.calls
    assert [point for point in points if point[0] == "decay/rms/layer1"] == [
        ("decay/rms/layer1", 2.0, 15),
        ("decay/rms/layer1", 2.0, 20),
    ]
    assert ("validation_accuracy", 0.8, 2) in points
    assert len(points) == 2 * 2 * 5 + 6


def test_a_run_that_is_opened_again_gets_no_point_twice():
    run = Curves(logged_epoch=2)
    log_epoch(run, epoch(2), "accuracy", [reading(20, 2)])
    assert run.calls == []
    log_epoch(run, epoch(3), "accuracy", [reading(30, 2)])
    assert len(run.calls) == 1


def test_of_many_tensors_the_first_the_last_and_the_median_have_curves():
    run = Curves()
    log_epoch(run, epoch(1), "accuracy", [reading(1, 101)])
    shown = {name for name in names(run.calls[0]) if name.startswith("decay/rms/")}
    assert shown == {"decay/rms/layer0", "decay/rms/layer100", "decay/rms/median"}
    assert ("decay/rms/median", 51.0, 1) in run.calls[0]


def test_what_is_not_known_and_what_is_known_before_the_first_step_are_no_points():
    run = Curves()
    log_epoch(run, epoch(1), "accuracy", [Reading(0), reading(1, 1, None), reading(2, 20, None)])
    assert not any("distance" in name for name in names(run.calls[0]))
    assert {step for name, _, step in run.calls[0] if name.startswith("decay/")} == {1, 2}


def test_points_go_out_in_calls_of_what_mlflow_takes(monkeypatch):
    from flows.tracking import MOST_AT_ONCE, Run

    sizes = []
    client = SimpleNamespace(log_batch=lambda run_id, metrics: sizes.append(len(metrics)))
    monkeypatch.setattr(Run, "client", client)
    Run(SimpleNamespace(), "abc").points([("loss", 1.0, step) for step in range(MOST_AT_ONCE + 1)])
    assert sizes == [MOST_AT_ONCE, 1]
