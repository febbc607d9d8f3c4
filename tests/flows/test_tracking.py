"""Which points do the curves of a run hold?"""

from types import SimpleNamespace

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from flows.fitting import _own_loop
from flows.tracking import _last_readings, log_epoch, log_reading
from wd_train import watch
from wd_train.diagnostics import Reading, TensorReading
from wd_train.training import Epoch


class Curves:
    """Stands for an open run; keeps the points of each call."""

    def __init__(self, logged_epoch=0, logged_steps=()):
        self.logged_epoch, self.calls = logged_epoch, []
        self.logged_steps = dict(logged_steps)

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


def test_the_readings_before_an_epoch_go_out_first_and_the_epoch_as_a_whole():
    run = Curves()
    log_epoch(run, epoch(2), "accuracy", [reading(15, 2), reading(20, 2)])
    assert len(run.calls) == 3
    assert len(run.calls[-1]) == 6
    points = [point for call in run.calls for point in call]
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
    assert len(run.calls) == 2


def test_a_reading_that_was_drawn_before_its_epoch_was_is_not_drawn_twice():
    run = Curves(logged_epoch=2, logged_steps={"": 30})
    log_epoch(run, epoch(3), "accuracy", [reading(30, 2), reading(40, 2)])
    steps = [step for call in run.calls[:-1] for _, _, step in call]
    assert set(steps) == {40}


def test_of_many_tensors_the_first_the_last_and_the_median_have_curves():
    run = Curves()
    log_epoch(run, epoch(1), "accuracy", [reading(1, 101)])
    shown = {name for name in names(run.calls[0]) if name.startswith("decay/rms/")}
    assert shown == {"decay/rms/layer0", "decay/rms/layer100", "decay/rms/median"}
    assert ("decay/rms/median", 51.0, 1) in run.calls[0]


def test_what_is_not_known_and_what_is_known_before_the_first_step_are_no_points():
    run = Curves()
    log_epoch(run, epoch(1), "accuracy", [Reading(0), reading(1, 1, None), reading(2, 20, None)])
    points = [point for call in run.calls for point in call]
    assert not any("distance" in name for name in names(points))
    assert {step for name, _, step in points if name.startswith("decay/")} == {1, 2}


def test_points_go_out_in_calls_of_what_mlflow_takes(monkeypatch):
    from flows.tracking import MOST_AT_ONCE, Run

    sizes = []
    client = SimpleNamespace(log_batch=lambda run_id, metrics: sizes.append(len(metrics)))
    monkeypatch.setattr(Run, "client", client)
    Run(SimpleNamespace(), "abc").points([("loss", 1.0, step) for step in range(MOST_AT_ONCE + 1)])
    assert sizes == [MOST_AT_ONCE, 1]


class History:
    """Stands for MLflow: what its runs hold."""

    def __init__(self, points):
        self.points = points
        data = SimpleNamespace(metrics={name: value for name, value, _ in points})
        self.run = SimpleNamespace(info=SimpleNamespace(run_id="abc"), data=data)

    def get_metric_history(self, run_id, name):
        return [SimpleNamespace(step=step) for other, _, step in self.points if other == name]


def folds(run, upto=99):
    """Two models one after the other, of other tensors, whose steps are read at the same numbers."""
    for name, tensors in (("0", 1), ("1", 2)):
        for step, distance in ((1, None), (200, 0.5), (203, None)):
            upto -= 1
            if upto >= 0:
                log_reading(run, reading(step, tensors, distance), name)


def drawn(run):
    return sorted((name, step) for points in run.calls for name, _, step in points)


def test_each_watch_of_a_run_has_curves_of_its_own_and_the_first_has_the_names_of_before():
    run = Curves()
    folds(run)
    assert len(drawn(run)) == len(set(drawn(run)))
    assert ("decay/rms/layer0", 203) in drawn(run)
    assert ("watch 1/decay/rms/layer1", 203) in drawn(run)


@given(st.integers(0, 6))
def test_after_a_kill_each_watch_goes_on_from_its_own_last_step(upto):
    whole, killed = Curves(), Curves()
    folds(whole)
    folds(killed, upto)
    history = History([point for points in killed.calls for point in points])
    killed.logged_steps = _last_readings(history, history.run)
    folds(killed)
    assert drawn(killed) == drawn(whole)


def test_a_loop_of_folds_tells_its_curves_apart_and_the_picture_is_of_the_first():
    def fit(train, validation, training):
        for outputs in (1, 2):  # of other tensors: a picture of both would mix them up
            model = nn.Sequential(*[nn.Linear(2, 2)] * (outputs - 1), nn.Linear(2, outputs))
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
            for _ in (watched := watch(model, optimizer)).epochs(1):
                for batch in watched.batches(torch.ones(1, 3, 2)):
                    model(batch).sum().backward()
                    optimizer.step()
        return model

    run, splits = Curves(), SimpleNamespace(train=None, validation=None)
    run.tag = lambda **tags: None
    fitted = _own_loop(SimpleNamespace(name="folds", train=fit, training=None), splits, run, None)
    assert len(drawn(run)) == len(set(drawn(run)))
    assert {name.partition("decay/")[0] for name, _ in drawn(run)} == {"", "watch 1/"}
    assert {each["name"] for reading in fitted.readings for each in reading["tensors"]} == {
        "0.weight",
        "0.bias",
    }
