"""Is a pipeline loaded as it was meant, and refused where its parts do not fit?"""

import hashlib
import json
import sys

import pytest

from data_checks.errors import PipelineError, TrainingError
from pipelines import Classification, Control, Pipeline, Regression, Training, at_least
from pipelines.pipeline import load_pipeline

MINE = """
from pathlib import Path
from pipelines import Classification, Pipeline, Training, at_least

def pipeline(*, weight_decay: float = 0.1, folder: Path = Path("data")) -> Pipeline:
    return Pipeline(
        name="mine",
        splits=lambda: None,
        task=Classification(("a", "b")),
        model=lambda train: None,
        training=Training(weight_decay=weight_decay),
        gates=[at_least("accuracy", 0.5)],
    )
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))

    def write(text):
        file = tmp_path / "mine.py"
        file.write_text(text)
        return str(file)

    return write


def made(**changed):
    parts = {
        "name": "mine",
        "splits": lambda: None,
        "task": Classification(("a", "b")),
        "training": Training(weight_decay=0.1),
        "gates": [at_least("accuracy", 0.5)],
        "model": lambda train: None,
    }
    return Pipeline(**{**parts, **changed})


def test_arguments_reach_the_function_and_the_plan(write):
    plan = load_pipeline(write(MINE), {"weight_decay": "2"})
    assert plan.pipeline.training.weight_decay == 2.0
    assert plan.arguments["weight_decay"] == 2.0
    assert plan.code_sha256 == hashlib.sha256(MINE.encode()).hexdigest()


def test_a_plan_is_plain_values_and_loads_again_to_the_same(write):
    locator = write(MINE)
    plan = load_pipeline(locator, {"weight_decay": "2"}).as_dict()
    again = json.loads(json.dumps(plan))
    assert load_pipeline(again["locator"], again["arguments"]).as_dict() == plan
    assert plan["arguments"] == {"weight_decay": 2.0, "folder": "data"}
    assert plan["task"] == {"task": "Classification", "classes": ["a", "b"], "threshold": None}
    assert plan["training"]["optimizer"] == "adamw"
    assert plan["gates"] == [{"gate": "at_least", "score": "accuracy", "limit": 0.5}]
    assert (plan["looks"], plan["alpha"]) == (20, 0.05)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": "a/b"}, "name must be text without slashes"),
        ({"name": ""}, "name must be text"),
        ({"model": None}, "must have either a model or a train function, got neither"),
        ({"train": lambda *rows: None}, "must have either a model or a train function, got both"),
        ({"looks": 0}, "looks must be a whole number of at least 1, got 0"),
        ({"alpha": 1.0}, "alpha must be above 0 and at most 0.25, got 1.0"),
        ({"calibrate": "yes"}, "calibrate must be True or False, got 'yes'"),
        (
            {"calibrate": True, "task": Regression(), "gates": []},
            "calibrate is for the probabilities of classes, but the task is Regression",
        ),
        ({"alpha": float("nan")}, "alpha must be above 0 and at most 0.25, got nan"),
        ({"gates": [at_least("acuracy", 0.5)]}, "did you mean accuracy?"),
        ({"gates": ["accuracy"]}, "gates must be made by at_least"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(changed, said):
    with pytest.raises(PipelineError) as raised:
        made(**changed)
    assert said in str(raised.value)


def test_an_own_loop_needs_no_model():
    assert made(model=None, train=lambda *rows: None).as_dict()["own_loop"] is True


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"seeds": -1}, "control.seeds must be a whole number of at least 0, got -1"),
        ({"budget": float("nan")}, "control.budget must be at least 0, got nan"),
        ({"rows": 0.0}, "control.rows must be above 0 and at most 1, got 0.0"),
    ],
)
def test_a_control_out_of_its_range_is_refused(wrong, said):
    with pytest.raises(PipelineError) as raised:
        Control(**wrong)
    assert str(raised.value) == said


def test_a_function_that_returns_something_else_is_named(write):
    with pytest.raises(PipelineError, match="should return a Pipeline, but pipeline returned int"):
        load_pipeline(write("def pipeline(): return 3"))


def test_a_mistake_inside_the_function_is_told_with_its_line(write):
    with pytest.raises(PipelineError, match=r"could not be called \(mine.py, line 3\): KeyError: 'b'"):
        load_pipeline(write("def pipeline():\n    a = {}\n    return a['b']\n"))


def test_a_value_out_of_its_range_keeps_its_own_sentence(write):
    with pytest.raises(TrainingError, match=r"weight_decay must be at least 0, got -1\.0"):
        load_pipeline(write(MINE), {"weight_decay": "-1"})
