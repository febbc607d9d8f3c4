import numpy as np
import pytest

from data_checks.errors import PipelineError
from wdgate.evaluation.evaluation import Incomparable
from wdgate.gates.also_gate import on
from wdgate.gates.gates import Case, at_least, check_gates, no_worse, robust

HERE, THERE = np.ones(400, bool), np.arange(400) < 200


def test_a_gate_is_asked_on_the_further_set_and_not_on_the_first(evaluated, task):
    asked = Case(evaluated(HERE, also={"winter": evaluated(THERE)}), None, None, task, 0.05)
    (found,) = on("winter", at_least("accuracy", 0.9)).answer(asked)
    assert (found.code, found.status, found.observed) == ("WD202", "failed", 0.5)
    assert found.name == "accuracy at least 0.9 on winter"
    assert found.sentence.startswith("On winter: Accuracy is 50 %")


def test_a_further_set_that_is_not_there_blocks(evaluated, task):
    asked = Case(evaluated(HERE, also={"winter": evaluated(THERE)}), None, None, task, 0.05)
    (found,) = on("wintr", at_least("accuracy", 0.1)).answer(asked)
    assert (found.status, found.blocks, found.limit) == ("not applicable", True, 0.1)
    assert "no further test set wintr (there is winter)" in found.sentence


def test_the_champion_is_compared_with_on_the_further_set(evaluated, task):
    champion = evaluated(HERE, also={"winter": evaluated(HERE)})
    asked = Case(evaluated(HERE, also={"winter": evaluated(THERE)}), champion, None, task, 0.05)
    against, anchor = on("winter", no_worse("accuracy", 0.1)).answer(asked)
    assert (against.status, against.observed) == ("failed", -0.5)
    assert (anchor.status, anchor.blocks) == ("not applicable", False)


@pytest.mark.parametrize("other", [Incomparable("it takes other columns"), None])
def test_a_champion_without_predictions_there_blocks(evaluated, task, other):
    champion = other or evaluated(HERE)
    asked = Case(evaluated(HERE, also={"winter": evaluated(THERE)}), champion, None, task, 0.05)
    assert on("winter", no_worse("accuracy", 0.1)).answer(asked)[0].blocks


@pytest.mark.parametrize("gate", [robust(0.7), at_least("corrupted_accuracy", 0.7)])
def test_robustness_is_not_asked_of_a_further_set(task, gate):
    with pytest.raises(PipelineError, match="measured on the test set alone"):
        check_gates([on("winter", gate)], task)


def test_what_the_task_does_not_have_is_not_asked_there_either(task):
    with pytest.raises(PipelineError, match="did you mean accuracy"):
        check_gates([on("winter", at_least("acuracy", 0.7))], task)


@pytest.mark.parametrize(("name", "gate"), [("", robust(0.1)), ("winter", 0.9), (3, robust(0.1))])
def test_what_is_no_question_is_refused(name, gate):
    with pytest.raises(PipelineError, match="needs"):
        on(name, gate)
