import os
import subprocess
import sys
from pathlib import Path

import pytest

from data_checks.errors import CannotProceed
from flows.settings import apply, read_settings


def test_without_any_setting_everything_is_under_one_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environment = {}
    settings = read_settings(environment)
    apply(settings, environment)
    assert settings.embedded
    places = ("WDGATE_HOME", "PREFECT_HOME", "MPLCONFIGDIR")
    assert all(Path(environment[name]).is_relative_to(tmp_path / ".wdgate") for name in places)
    assert environment["MLFLOW_TRACKING_URI"] == f"sqlite:///{tmp_path}/.wdgate/mlflow.db"


def test_what_a_user_has_set_stays(tmp_path):
    environment = {
        "WDGATE_HOME": str(tmp_path),
        "MLFLOW_TRACKING_URI": "http://mlflow:5000",
        "DO_NOT_TRACK": "0",
    }
    settings = read_settings(environment)
    apply(settings, environment)
    assert environment["MLFLOW_TRACKING_URI"] == "http://mlflow:5000"
    assert environment["DO_NOT_TRACK"] == "0"
    assert not settings.embedded
    assert settings.artifact_location is None


def test_the_embedded_store_is_known_again_in_a_subprocess(tmp_path):
    environment = {"WDGATE_HOME": str(tmp_path)}
    apply(read_settings(environment), environment)
    assert read_settings(environment).embedded


@pytest.mark.parametrize("kind", ["file", "below a file"])
def test_a_home_that_cannot_be_used_names_its_setting(tmp_path, kind):
    file = tmp_path / "file"
    file.write_text("no folder")
    home = file if kind == "file" else file / "below"
    with pytest.raises(CannotProceed, match=f"WDGATE_HOME is {home}, .*expected a folder"):
        apply(read_settings({"WDGATE_HOME": str(home)}), {})


def test_a_home_that_nobody_may_write_to_names_its_setting(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(CannotProceed, match=r"WDGATE_HOME is .* nothing may be written there"):
        apply(read_settings({"WDGATE_HOME": str(tmp_path)}), {})


def test_a_server_that_is_away_is_told_in_one_sentence_within_seconds(tmp_path):
    environment = {**os.environ, "WDGATE_HOME": str(tmp_path), "MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
    for name in [name for name in environment if name.startswith("MLFLOW_HTTP")]:
        del environment[name]
    words = [sys.executable, "-m", "flows", "history", "digits"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "it did not answer" in done.stderr
