"""What a user sees of whole runs: each test reads what one run of the command left behind."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from flows.settings import read_settings

LEAKY = """
import numpy as np
from pathlib import Path
from pipelines import Pipeline, Split, Splits
from pipelines.digits import load_splits, pipeline as digits
from dataclasses import replace
import helper

def leaky():
    splits = load_splits()
    test = splits.test
    copied = np.concatenate([splits.train.inputs, test.inputs[:3]])
    train = Split(copied, np.concatenate([splits.train.targets, test.targets[:3]]))
    return replace(splits, train=train)

def pipeline(*, folder: Path = Path("rows")) -> Pipeline:
    return replace(digits(), name=helper.NAME, splits=leaky)
"""


EASY = """
from dataclasses import replace
from pipelines import Pipeline, at_least
from pipelines.digits import pipeline as digits

def pipeline() -> Pipeline:
    return replace(digits(epochs=1), name="bound", gates=[at_least("accuracy", 0.0)])
"""


BROKEN = """
from dataclasses import replace
from pipelines import Pipeline
from pipelines.digits import pipeline as digits

def pipeline() -> Pipeline:
    return replace(digits(), name="broken", splits=splits)
"""


def client():
    return MlflowClient(read_settings().tracking_uri)


def test_a_first_model_that_passes_is_promoted(digits):
    code, first = digits[0]
    assert (code, first["outcome"], first["version"]) == (0, "promoted", 1)
    assert {gate["status"] for gate in first["gates"]} == {"passed", "not applicable"}


def test_the_same_bytes_again_are_unchanged_and_cost_no_look(digits, wdgate):
    code, second = digits[1]
    assert (code, second["outcome"], second["version"]) == (0, "unchanged", 1)
    assert second["onnx_sha256"] == digits[0][1]["onnx_sha256"]
    booked = [e for e in json.loads(wdgate("history", "digits", "--json")[1]) if e["kind"] == "booked"]
    assert [entry["look"] for entry in booked] == [1, 2]


def test_a_fresh_run_trains_the_same_bytes_again_in_a_run_of_its_own(run, home):
    _, first = run("pipelines.modular_addition", "steps=50", "--no-promote")
    _, known = run("pipelines.modular_addition", "steps=50", "--no-promote")
    _, again = run("pipelines.modular_addition", "steps=50", "--no-promote", "--fresh")
    assert first["run_id"] == known["run_id"] != again["run_id"]
    assert first["onnx_sha256"] == again["onnx_sha256"]
    assert not list((home / "checkpoints").rglob("*.checkpoint"))


def test_far_too_much_decay_is_refused(digits):
    code, third = digits[2]
    assert (code, third["outcome"], third["reason"]) == (1, "refused", "gates")
    assert "WD202" in {gate["code"] for gate in third["gates"] if gate["status"] == "failed"}


def test_a_run_is_recorded_once_with_curves_bounds_tags_and_a_note(digits):
    data = client().get_run(digits[0][1]["run_id"]).data
    assert data.tags["decision"] == "promoted"
    assert "Accuracy" in data.tags["mlflow.note.content"]
    assert data.metrics["test_accuracy"] == pytest.approx(0.93, abs=0.02)
    assert data.metrics["gates/WD202 accuracy at least 0.88 lower"] == pytest.approx(0.90, abs=0.02)
    history = client().get_metric_history(digits[0][1]["run_id"], "validation_loss")
    assert [point.step for point in history] == list(range(1, 61))


def test_a_run_holds_what_the_decay_did_to_each_tensor_and_is_calm_when_that_is_in_order(digits, tmp_path):
    first, third = (digits[i][1] for i in (0, 2))
    points = client().get_metric_history(first["run_id"], "decay/norm_ratio/0.weight")
    assert [point.step for point in points] == [1, 200, 400, 600, 800, 900]
    files = {
        name: Path(client().download_artifacts(first["run_id"], name, str(tmp_path))).read_text()
        for name in ("decay.json", "report.html")
    }
    told = json.loads(files["decay.json"])
    assert {tensor["reason"] for tensor in told["tensors"]} == {"matrix of Linear", "bias of Linear"}
    assert len(told["readings"]) == 6
    assert "2 of 4 tensors are decayed" in files["report.html"]
    assert first["diagnoses"] == []
    assert "decay_diagnoses" not in client().get_run(first["run_id"]).data.tags
    assert [found["name"] for found in third["diagnoses"]] == ["dominates"]
    assert client().get_run(third["run_id"]).data.tags["decay_diagnoses"] == "dominates"


def test_nothing_of_the_test_rows_is_measured_while_training(digits):
    run_id = digits[0][1]["run_id"]
    tested = [name for name in client().get_run(run_id).data.metrics if name.startswith("test_")]
    assert tested
    assert all(len(client().get_metric_history(run_id, name)) == 1 for name in tested)


def test_a_run_names_its_rows_by_digest(digits):
    inputs = client().get_run(digits[0][1]["run_id"]).inputs.dataset_inputs
    assert {given.dataset.name for given in inputs} == {"train", "validation", "test"}
    assert all(len(given.dataset.digest) == 32 for given in inputs)


def test_a_run_holds_the_page_to_read_first_and_the_whole_pipeline(digits):
    files = {file.path for file in client().list_artifacts(digits[0][1]["run_id"])}
    assert files >= {
        "report.html",
        "pipeline.json",
        "candidate.json",
        "verdict.json",
        "reliability.png",
        "curves.png",
        "data",
    }


def test_the_logged_model_keeps_the_bytes_that_were_judged(digits, home):
    from wdgate.registry import Registry

    first = digits[0][1]
    onnx = Registry("digits", read_settings().tracking_uri).candidate_onnx(first["run_id"])
    import hashlib

    assert hashlib.sha256(onnx).hexdigest() == first["onnx_sha256"]


def test_refused_and_promoted_runs_can_be_filtered_by_tag(digits):
    experiment = client().get_experiment_by_name("digits").experiment_id
    refused = client().search_runs([experiment], "tags.decision = 'refused' and tags.reason = 'gates'")
    assert [r.info.run_id for r in refused] == [digits[2][1]["run_id"]]


def test_the_champion_verifies(digits, wdgate):
    code, printed = wdgate("verify", "digits", "--json")
    assert code == 0
    assert json.loads(printed)["verified"] is True


def test_a_finished_run_can_be_promoted_later(wdgate, run):
    code, trained = run("pipelines.modular_addition", "seed=1", "--no-promote")
    assert (code, trained["outcome"]) == (0, "trained")
    code, printed = wdgate("promote", trained["run_id"], "--json")
    assert (code, json.loads(printed)["outcome"]) == (0, "promoted")


def test_without_decay_perfect_training_numbers_are_refused(run):
    code, refused = run("pipelines.modular_addition", "weight_decay=0")
    assert (code, refused["outcome"]) == (1, "refused")
    assert client().get_run(refused["run_id"]).data.metrics["final/train_accuracy"] == 1.0


def test_copied_test_rows_stop_the_run_before_any_training(run, tmp_path, monkeypatch):
    for name in ("flows", "pipelines", "tests"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise ImportError('this is not wdgate')\n")
    (tmp_path / "helper.py").write_text("NAME = 'leaky'\n")
    (tmp_path / "leaky.py").write_text(textwrap.dedent(LEAKY))
    monkeypatch.chdir(tmp_path)
    code, refused = run("leaky.py")
    assert (code, refused["reason"], refused["onnx_sha256"]) == (1, "data", None)
    copies = next(f for f in refused["findings"] if f["code"] == "DC110")
    assert (copies["status"], copies["rows"]) == ("failed", ["1097", "1098", "1099"])
    data = client().get_run(refused["run_id"]).data
    assert (data.tags["decision"], data.tags["reason"]) == ("refused", "data")
    assert "train_loss" not in data.metrics


@pytest.mark.parametrize("kind", ["table", "image_folder", "own_loop"])
def test_what_new_writes_runs_at_once(kind, wdgate, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert wdgate("new", f"my_{kind}", "--from", kind)[0] == 0
    code, summary = run(f"my_{kind}.py")
    assert (code, summary["outcome"]) == (0, "promoted")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["run", "pipelines.digits", "weight_decy=1"], "weight_decay"),
        (["run", "pipelines.digits", "epochs=ten"], "whole number"),
        (["run", "pipelines.digits", "weight_decay=-1"], "at least 0"),
        (["run", "pipelines.nothing"], "pipelines.nothing"),
        (["run", "nowhere.py"], "nowhere.py"),
        (["run", "pipelines.digits", "0.3"], "name=value"),
        (["promote", "0123456789abcdef"], "0123456789abcdef"),
        (["history", "nobody"], "nobody"),
        (["check"], "--train"),
        (["check", "--train", "nowhere.csv", "--test", "nowhere.csv", "--target", "y"], "nowhere.csv"),
        (["new", "Not A Name"], "Not A Name"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(words, part, wdgate, capfd):
    code, printed = wdgate(*words)
    told = [line for line in capfd.readouterr().err.splitlines() if not line.startswith("  ")]
    assert (code, printed) == (2, "")
    assert len([line for line in told if line]) == 1
    assert part in told[-1]


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("def splits():\n    return [][1]\n", "line 9: IndexError"),
        ("import sys\ndef splits():\n    sys.exit(0)\n", "line 10: SystemExit"),
        ("class Own(Exception): pass\ndef splits():\n    raise Own('no rows')\n", "line 10: Own: no rows"),
    ],
)
def test_what_the_users_own_code_raises_is_one_sentence_with_its_line(
    body, part, wdgate, tmp_path, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.py").write_text(textwrap.dedent(BROKEN) + body)
    code, printed = wdgate("run", "broken.py", "--json")
    assert code == 2
    assert json.loads(printed)["outcome"] == "error"
    assert part in json.loads(printed)["sentence"]
    assert "Traceback" not in capfd.readouterr().err


def test_private_rows_do_not_leave_as_an_input_example(wdgate, run, home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wdgate("new", "secret", "--from", "table")
    before = set(home.rglob("input_example.json"))
    assert run("secret.py", "epochs=1", "--no-promote")[0] == 0
    (example,) = set(home.rglob("input_example.json")) - before
    rows = json.loads(example.read_text())
    columns = rows.values() if isinstance(rows, dict) else [rows]
    assert not any(np.any(np.asarray(column, dtype=object) != 0) for column in columns)


def test_a_run_of_another_pipeline_is_not_judged(wdgate, run, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert wdgate("init", "bound", "--pipeline", "pipelines.digits")[0] == 0
    (tmp_path / "easy.py").write_text(textwrap.dedent(EASY))
    code, printed = wdgate("run", "easy.py", "--json")
    assert (code, json.loads(printed)["outcome"]) == (2, "error")
    assert "bound is for pipelines.digits" in capfd.readouterr().err
