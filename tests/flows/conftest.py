"""One Prefect server for all tests of this folder: starting one takes ten seconds and more."""

from __future__ import annotations

import atexit
import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

from flows.__main__ import main

TIMEOUT = 180  # seconds; a machine with two busy cores has needed 40

# Importing Prefect makes its home folder, and test modules import it before any fixture runs.
HOME = tempfile.mkdtemp(prefix="wdgate-prefect-")
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
os.environ.update(PREFECT_HOME=HOME, PREFECT_SERVER_ANALYTICS_ENABLED="false", DO_NOT_TRACK="1")


@pytest.fixture(autouse=True)
def own_import_path(monkeypatch):
    """The folder of a pipeline that was loaded does not stay on the import path for the next test."""
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[str]:
    """The address of a temporary Prefect API, which the settings name while the fixture lives."""
    from prefect.settings import PREFECT_API_URL
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(TIMEOUT):
        yield str(PREFECT_API_URL.value())


@pytest.fixture(scope="session")
def home(tmp_path_factory, prefect_server):
    """A `WDGATE_HOME` of its own, with its own MLflow store."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WDGATE_HOME", str(folder))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield folder


@pytest.fixture(scope="session")
def wdgate(home):
    """Runs a command as a person would; returns its exit code and what it printed on standard output."""

    def command(*words: str) -> tuple[int, str]:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            code = main(words)
        return code, printed.getvalue()

    return command


@pytest.fixture(scope="session")
def run(wdgate):
    """Runs `wdgate run`; returns its exit code and what it printed as JSON."""

    def command(*words: str) -> tuple[int, dict[str, Any]]:
        code, printed = wdgate("run", *words, "--json")
        return code, json.loads(printed)

    return command


@pytest.fixture(scope="session")
def digits(run):
    """Digits run twice, then with far too much decay: the three results, and their exit codes."""
    return [run("pipelines.digits", *more) for more in ((), (), ("weight_decay=30",))]
