import math

import pytest

from data_checks.errors import PipelineError
from wdgate.gates.effect_gate import decay_helps
from wdgate.gates.gates import Case, check_gates
from wdgate.gates.proving import prove
from wdgate.gates.results import GateDecision


def effect(lower=0.02, upper=0.04, score="accuracy", pairs=3, status="measured"):
    one = {
        "score": score,
        "difference": (lower + upper) / 2,
        "lower": lower,
        "upper": upper,
        "pairs": pairs,
        "status": "better",
    }
    return {"status": status, "effects": [{"score": "brier", "lower": -1, "upper": 1}, one]}


@pytest.fixture
def ask(evaluated, task):
    def asked(gate, measured):
        case = Case(evaluated([True] * 20), None, None, task, 0.0025, effect=measured)
        return gate.answer(case)[0], {r.name: r.status for r in prove([gate], case)[:-1]}

    return asked


def test_the_trainers_measurement_is_told_as_the_trainers(ask):
    answer, decoys = ask(decay_helps("accuracy"), effect())
    assert (answer.code, answer.status, answer.lower, answer.limit) == ("WD209", "passed", 0.02, 0.0)
    assert answer.sentence == (
        "With the decay accuracy is 3 points better (2 points better to 4 points better), at least the 0 "
        "points asked for; this is the trainer's measurement, on validation rows, of 3 pairs of trainings "
        "at 95 %."
    )
    assert set(decoys.values()) == {"refused"}
    assert len(decoys) == 3


@pytest.mark.parametrize(
    ("measured", "status"),
    [(effect(-0.01, 0.03), "inconclusive"), (effect(-0.03, -0.01), "failed"), (effect(0.0, 0.01), "passed")],
)
def test_the_lower_bound_is_compared_with_the_limit(ask, measured, status):
    answer, decoys = ask(decay_helps("accuracy"), measured)
    assert answer.status == status
    assert answer.blocks == (status != "passed")
    assert "passed" not in decoys.values()


def test_less_of_an_error_is_better(ask):
    assert ask(decay_helps("nll", 0.1), effect(-0.3, -0.2, "nll"))[0].status == "passed"
    assert ask(decay_helps("nll", 0.1), effect(0.2, 0.3, "nll"))[0].status == "failed"
    assert "passed" not in ask(decay_helps("nll", 0.1), effect(-0.3, -0.2, "nll"))[1].values()


@pytest.mark.parametrize(
    ("measured", "reason"),
    [
        (None, "says nothing of an effect"),
        ({}, "says nothing of an effect"),
        (effect(status="not measured"), "there is not measured"),
        (effect(score="nll"), "no effect on accuracy"),
        (effect(pairs=1), "two pairs of trainings or more"),
        (effect(pairs=None), "two pairs of trainings or more"),
        (effect(upper=math.nan), "no finite number"),
        ({"status": "measured", "effects": []}, "no effect on accuracy"),
    ],
)
def test_what_was_not_measured_blocks(ask, measured, reason):
    answer, decoys = ask(decay_helps("accuracy"), measured)
    assert (answer.status, answer.blocks) == ("not applicable", True)
    assert reason in answer.sentence
    assert "passed" not in decoys.values()


def test_the_trainers_word_alone_carries_no_promotion(ask):
    answer, _ = ask(decay_helps("accuracy"), effect())
    assert not GateDecision((answer,), 0.05, 20, 1).passed


@pytest.mark.parametrize("score", ["confidence_gap", "acuracy"])
def test_a_score_without_a_better_side_cannot_be_asked(task, score):
    with pytest.raises(PipelineError):
        check_gates([decay_helps(score)], task)


@pytest.mark.parametrize("wrong", [("", 0.0), ("accuracy", math.nan), ("accuracy", True), (3, 0.0)])
def test_a_question_that_is_none_is_refused(wrong):
    with pytest.raises(PipelineError):
        decay_helps(*wrong)
