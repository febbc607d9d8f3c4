"""Do the checkpoints of controls and sweeps follow the settings?"""

import os
import time

import pytest

from flows import kept as module
from flows.kept import kept_outcomes, outcomes_folder
from flows.settings import read_settings
from flows.sweep import _train
from pipelines.jobs import Job
from pipelines.pipeline import load_pipeline
from pipelines.sweeping import Schedule


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Settings of a home of its own, where checkpoints are written as often as can be."""
    monkeypatch.setenv("WDGATE_HOME", str(tmp_path))
    monkeypatch.setenv("WDGATE_CHECKPOINT_SECONDS", "0")
    return read_settings()


@pytest.fixture
def abandoned(settings):
    """A checkpoint of a control that was written long ago."""
    path = outcomes_folder(settings) / "under-way" / ("0" * 32) / "000001.checkpoint"
    path.parent.mkdir(parents=True)
    path.touch()
    os.utime(path, (time.time() - 15 * 86400,) * 2)
    return path


def test_controls_leave_checkpoints_as_often_as_the_settings_say(settings, abandoned, monkeypatch):
    said = []
    monkeypatch.setattr(module, "say", said.append)
    plan = load_pipeline("pipelines.digits")
    kept = kept_outcomes(plan, plan.pipeline.splits())
    training = plan.pipeline.training
    assert kept.under_way([training]).of([training]).due()
    kept.tell("it is broken")
    assert said == ["it is broken"]
    assert not abandoned.exists()


def test_sweeps_leave_checkpoints_as_often_as_the_settings_say(settings, abandoned, monkeypatch):
    trained = []
    monkeypatch.setattr("flows.sweep.train_all", lambda left, tell: trained.extend(left.jobs))
    _train(Schedule(((Job("mine.py", (), 1.0, 0, 1, ("a", "b")), ()),), 0, 1, 0.0), settings)
    assert [job.every for job, _ in trained] == [0.0]
    assert not abandoned.exists()
