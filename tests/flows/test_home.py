"""Whole runs in processes of their own: what do they leave where, and what does a kill change?"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from mlflow import MlflowClient

KILLS = 10
LONGEST = 30.0  # seconds; an undisturbed first run takes about as long
EPOCHS = 60

pytestmark = pytest.mark.soak


@pytest.fixture
def environment(tmp_path):
    """That of a user whose home folder is empty, and who has set nothing."""
    (tmp_path / "user").mkdir()
    ours = ("WDGATE", "MLFLOW", "PREFECT", "MPLCONFIG", "ORT_", "GX_", "DO_NOT")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    often = {"WDGATE_CHECKPOINT_SECONDS": "0.2"}
    return {**kept, **often, "HOME": str(tmp_path / "user"), "PYTHONDONTWRITEBYTECODE": "1"}


def start(folder, environment, *more):
    folder.mkdir(exist_ok=True)
    words = [sys.executable, "-m", "flows", "run", "pipelines.digits", "--json", *more]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # A group of its own, so that Prefect's server, which it starts, can be killed with it.
    return subprocess.Popen(words, cwd=folder, env=environment, start_new_session=True, **pipes)


def finish(process):
    printed, told = process.communicate(timeout=300)
    assert process.returncode == 0, told
    return json.loads(printed), told


def test_a_run_writes_into_wdgate_home_alone(tmp_path, environment):
    _, told = finish(start(tmp_path / "killed", environment))
    assert list((tmp_path / "user").rglob("*")) == []
    assert [path.name for path in (tmp_path / "killed").iterdir()] == [".wdgate"]
    assert "Warning" not in told


def test_killed_at_any_moment_and_run_again_it_ends_as_if_nothing_had_happened(tmp_path, environment):
    undisturbed, _ = finish(start(tmp_path / "undisturbed", environment))
    moments = random.Random(7)
    for _ in range(KILLS):
        process = start(tmp_path / "killed", environment)
        time.sleep(moments.uniform(1, LONGEST))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    ended, _ = finish(start(tmp_path / "killed", environment))
    assert ended["outcome"] in ("promoted", "unchanged")
    assert (ended["onnx_sha256"], ended["version"], ended["look"]) == (
        undisturbed["onnx_sha256"],
        1,
        "1 of 20",
    )
    client = MlflowClient(f"sqlite:///{tmp_path}/killed/.wdgate/mlflow.db")
    runs = client.search_runs([client.get_experiment_by_name("digits").experiment_id])
    assert [(run.info.status, run.data.tags["decision"]) for run in runs] == [("FINISHED", "promoted")]
    points = client.get_metric_history(ended["run_id"], "validation_loss")
    assert [point.step for point in points] == list(range(1, EPOCHS + 1))


def test_sigterm_leaves_a_checkpoint_and_the_same_command_goes_on_from_it(tmp_path, environment):
    folder, more = tmp_path / "asked", ("epochs=400", "--no-promote")
    undisturbed, _ = finish(start(tmp_path / "undisturbed", environment, *more))
    process = start(folder, {**environment, "WDGATE_CHECKPOINT_SECONDS": "3600"}, *more)
    wait_for(lambda: has_begun(folder))
    os.killpg(process.pid, signal.SIGTERM)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM
    assert told.splitlines()[-1] == "wdgate: interrupted; the same command goes on where it stopped"
    assert "Traceback" not in told
    assert len(list((folder / ".wdgate" / "checkpoints").rglob("*.checkpoint"))) == 1
    reached = len(steps_logged(folder))
    ended, _ = finish(start(folder, environment, *more))
    assert reached < 400
    assert ended["onnx_sha256"] == undisturbed["onnx_sha256"]
    assert steps_logged(folder) == list(range(1, 401))
    assert list((folder / ".wdgate" / "checkpoints").iterdir()) == []


def steps_logged(folder):
    """The epochs of the curves so far; read without MLflow, which would make its tables meanwhile."""
    store = sqlite3.connect(f"file:{folder}/.wdgate/mlflow.db?mode=ro", uri=True)
    with contextlib.closing(store):
        asked = "select step from metrics where key = 'train_loss' order by step"
        return [step for (step,) in store.execute(asked)]


def has_begun(folder):
    try:
        return bool(steps_logged(folder))
    except sqlite3.OperationalError:
        return False


def wait_for(condition, seconds=120.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)
