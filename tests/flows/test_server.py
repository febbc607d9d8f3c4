"""Do two first commands on one new home wait for one another?"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from filelock import FileLock, Timeout

from flows.server import open_store
from wdgate.store import opening

# Both import first, say so, and open the store when they are told.
FIRST_COMMAND = """
import mlflow.store.db.utils, mlflow.store.tracking.sqlalchemy_store, flows.tracking
from flows.server import open_store
print("ready", flush=True)
input()
open_store()
print("open")
"""


def at_once(count, home):
    kept = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {**kept, "WDGATE_HOME": str(home)}
    words = [sys.executable, "-c", FIRST_COMMAND]
    processes = [subprocess.Popen(words, env=environment, **pipes) for _ in range(count)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    return [process.communicate() for process in processes]


def test_two_first_commands_wait_for_one_another(tmp_path):
    found = at_once(2, tmp_path / "new")
    assert [out for out, _ in found] == ["open\n", "open\n"], [errors for _, errors in found]
    assert (tmp_path / "new" / "mlflow.db").is_file()


def test_the_store_is_opened_alone_and_free_afterwards(tmp_path):
    environment = {"WDGATE_HOME": str(tmp_path / "new")}
    other = FileLock(tmp_path / "new" / "mlflow.lock")
    with opening(environment), pytest.raises(Timeout):
        other.acquire(timeout=0)
    with other.acquire(timeout=0):
        pass


def test_a_server_is_not_locked(tmp_path, monkeypatch):
    monkeypatch.setenv("WDGATE_HOME", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.invalid:5000")
    open_store()
    assert list(tmp_path.iterdir()) == []
