from pathlib import Path

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
