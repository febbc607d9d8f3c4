"""What a user sees of whole sweeps: each test reads what one command left behind."""

import contextlib
import io
import json

import pandas as pd
import pytest
from mlflow import MlflowClient

from flows.settings import read_settings

TINY = """
from functools import partial
import numpy as np
from torch import nn
from pipelines import Classification, Pipeline, Split, Splits, Training

def rows(count, start):
    generator = np.random.default_rng(start)
    inputs = generator.normal(size=(count, 4)).astype(np.float32)
    return Split(inputs, (inputs[:, 0] + generator.normal(size=count) > 0).astype(np.int64))

def load(leak):
    train, test = rows(300, 0), rows(200, 2)
    return Splits(train, rows(160, 1), train.take(np.arange(150)) if leak else test, public=True)

def pipeline(*, weight_decay: float = 0.1, width: int = 4, leak: bool = False) -> Pipeline:
    return Pipeline("tiny_sweep", partial(load, leak), Classification("ab"),
                    Training(weight_decay, learning_rate=0.01, epochs=2), gates=[],
                    model=lambda train: nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 2)))
"""

WORDS = ("weight_decay=0,1", "width=3,4", "seeds=2")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    file = tmp_path_factory.mktemp("sweep") / "tiny.py"
    file.write_text(TINY)
    return str(file)


@pytest.fixture(scope="module")
def swept(wdgate, tiny, tmp_path_factory):
    """The same sweep twice: exit codes, results, and the folder of the first."""
    out = tmp_path_factory.mktemp("out") / "here"
    return [wdgate("sweep", tiny, "--out", str(out), *WORDS, "--json") for _ in range(2)], out


def runs():
    client = MlflowClient(read_settings().tracking_uri)
    experiment = client.get_experiment_by_name("tiny_sweep")
    return client, client.search_runs([experiment.experiment_id])


def refused(wdgate, *words):
    with contextlib.redirect_stderr(io.StringIO()) as said:
        code, _ = wdgate("sweep", *words)
    return code, said.getvalue()


def test_a_sweep_says_what_it_chose_and_what_to_run_next(swept, tiny):
    (code, printed), _ = swept[0]
    result = json.loads(printed)
    assert code == 0
    assert result["outcome"] == "swept"
    assert len(result["points"]) == 4
    assert result["command"].startswith(f"wdgate run {tiny} ")
    assert result["points"][1]["effect"] is None or result["points"][1]["control"] != 1
    assert {point["control"] for point in result["points"]} == {0, 1}


def test_the_same_sweep_again_gives_the_same_result(swept):
    (_, first), (_, second) = swept[0]
    assert first == second


def test_the_table_the_plot_and_the_rows_are_where_they_were_wanted(swept):
    _, out = swept
    tidy = pd.read_parquet(out / "sweep.parquet")
    assert set(tidy["width"]) == {3, 4}
    assert set(tidy["seed"]) == {0, 1}
    assert (out / "sweep.png").read_bytes().startswith(b"\x89PNG")
    assert (out / "sweep.md").read_text().startswith("# Sweep of tiny_sweep")


def test_mlflow_holds_one_run_of_the_sweep_and_one_of_each_point(swept):
    client, found = runs()
    children = [run for run in found if "mlflow.parentRunId" in run.data.tags]
    (parent,) = (run for run in found if run not in children)
    assert len(children) == 4
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    assert {run.info.status for run in found} == {"FINISHED"}
    files = {file.path for file in client.list_artifacts(parent.info.run_id)}
    assert files == {"sweep.parquet", "sweep.png", "sweep.md", "sweep.json"}
    decayed = next(run for run in children if run.data.params["weight_decay"] == "1.0")
    assert {"validation_accuracy", "effect on accuracy difference"} <= set(decayed.data.metrics)
    assert "Chosen of" in parent.data.tags["mlflow.note.content"]


def test_a_person_is_shown_a_table(swept, wdgate, tiny):
    code, printed = wdgate("sweep", tiny, *WORDS)
    assert code == 0
    assert "effect (95 %)" in printed
    assert "Run the chosen point:" in printed


def test_data_that_fail_a_check_stop_the_sweep_before_any_training(wdgate, tiny, home):
    before = len(list((home / "controls").glob("*.npz")))
    code, said = refused(wdgate, tiny, "leak=yes", "weight_decay=0,1", "seeds=1")
    assert code == 1
    assert "wdgate:" in said
    assert len(list((home / "controls").glob("*.npz"))) == before


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("weigth_decay=0,1",), "did you mean weight_decay?"),
        (("weight_decay=",), "weight_decay names no value"),
        (("weight_decay=0,x",), "weight_decay must be a number, got 'x'"),
        (("weight_decay=0,200",), "the point weight_decay=200 cannot be trained"),
        (("seeds=0",), "seeds must be a whole number of at least 1"),
    ],
)
def test_what_makes_no_grid_is_one_sentence(wdgate, tiny, words, expected):
    code, said = refused(wdgate, tiny, *words)
    assert code == 2
    assert expected in said
    assert said.count("\n") == 1
