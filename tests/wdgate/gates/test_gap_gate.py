import math
from dataclasses import replace

import numpy as np
import pytest

from data_checks.errors import PipelineError
from data_checks.splits import Split
from wdgate.gates.also_gate import on
from wdgate.gates.gap_gate import MOST_TRAIN_ROWS, asks_for_train, gap_at_most, generalization_gap, train_rows
from wdgate.gates.gates import Case, at_least, check_gates
from wdgate.gates.proving import prove


def share(right, rows=700):
    return np.arange(rows) < round(right * rows)


@pytest.fixture
def ask(evaluated, task):
    def asked(gate, train, test, **more):
        seen = None if train is None else evaluated(share(train, 900), **more)
        case = Case(evaluated(share(test), **more), None, None, task, 0.0025, train=seen)
        return gate.answer(case)[0], {r.name: r.status for r in prove([gate], case)[:-1]}

    return asked


def test_a_small_gap_passes_and_says_how_large_it_may_be(ask):
    answer, decoys = ask(gap_at_most("accuracy", 0.08), 0.98, 0.94)
    assert (answer.code, answer.status) == ("WD212", "passed")
    assert answer.lower < answer.observed < answer.upper <= 0.08
    assert answer.sentence.startswith(
        "Accuracy is 4 points better on train rows than on 700 test rows, with "
    )
    assert set(decoys.values()) == {"refused"}


def test_a_gap_that_is_surely_too_large_fails_and_a_doubtful_one_says_what_would_tell(ask):
    assert ask(gap_at_most("accuracy", 0.08), 1.0, 0.8)[0].status == "failed"
    doubtful = ask(gap_at_most("accuracy", 0.08), 1.0, 0.93)[0]
    assert doubtful.status == "inconclusive"
    assert doubtful.rows_needed > 700


def test_a_model_that_is_better_on_test_rows_has_no_gap(ask):
    answer, _ = ask(gap_at_most("accuracy", 0.01), 0.9, 0.99)
    assert (answer.status, answer.observed < 0) == ("passed", True)
    assert "Accuracy is 9 points worse on train rows" in answer.sentence


def test_more_of_an_error_on_test_rows_is_a_gap_too(ask):
    answer, decoys = ask(gap_at_most("nll", 0.3), 0.99, 0.8)
    assert answer.observed > 0.3
    assert answer.status == "failed"
    assert "passed" not in decoys.values()


def test_without_train_rows_nothing_was_measured_and_that_blocks(ask):
    answer, decoys = ask(gap_at_most("accuracy", 0.08), None, 0.9)
    assert (answer.status, answer.blocks) == ("not applicable", True)
    assert set(decoys.values()) == {"not applicable"}


def test_nan_scores_do_not_pass(evaluated, task):
    good = evaluated(share(0.9))
    nothing = replace(good, scores={"accuracy": np.full(700, np.nan)})
    for train, test in ((good, nothing), (nothing, good)):
        answer = gap_at_most("accuracy", 0.5).answer(Case(test, None, None, task, 0.0025, train=train))[0]
        assert answer.blocks


@pytest.mark.parametrize("truth", [(0.99, 0.94), (0.9, 0.85)])
def test_a_model_at_the_limit_passes_about_as_often_as_promised(evaluated, task, truth):
    draw, passed = np.random.default_rng(0), 0
    for _ in range(1000):
        train, test = (evaluated(draw.random(400) < share) for share in truth)
        passed += generalization_gap("accuracy", train, test, task, 0.05).upper <= truth[0] - truth[1]
    assert passed / 1000 <= 0.05 + 2.5 * (0.05 * 0.95 / 1000) ** 0.5


def test_of_many_train_rows_some_are_measured_that_nobody_chooses():
    count = MOST_TRAIN_ROWS + 500
    many = Split(np.arange(float(count))[:, None], np.zeros(count, int))
    other = many.take(np.random.default_rng(0).permutation(count))
    assert len(train_rows(many)) == MOST_TRAIN_ROWS
    assert set(train_rows(many).keys) == set(train_rows(other).keys)
    assert train_rows(many.take(np.arange(10))).fingerprint == many.take(np.arange(10)).fingerprint


@pytest.mark.parametrize("score", ["confidence_gap", "corrupted_accuracy", "acuracy"])
def test_a_score_that_has_no_gap_cannot_be_asked(task, score):
    with pytest.raises(PipelineError):
        check_gates([gap_at_most(score, 0.1)], task)


@pytest.mark.parametrize("wrong", [("", 0.1), ("accuracy", 0), ("accuracy", math.inf), ("accuracy", "1")])
def test_a_question_that_is_none_is_refused(wrong):
    with pytest.raises(PipelineError):
        gap_at_most(*wrong)


def test_train_rows_are_predicted_only_where_a_gate_asks_for_them():
    assert not asks_for_train([at_least("accuracy", 0.9)])
    assert asks_for_train([at_least("accuracy", 0.9), gap_at_most("accuracy", 0.1)])
    assert asks_for_train([on("winter", gap_at_most("accuracy", 0.1))])
