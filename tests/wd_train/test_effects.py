"""Is the effect paired, its interval right, and its sentence honest?"""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from wd_train.effects import mean_interval, not_measured, nothing_to_measure, summarize
from wdgate.evaluation.tasks import Classification, Regression

TASK = Classification(("a", "b"))


def scores(accuracy, rows=100):
    correct = (np.arange(rows) < round(accuracy * rows)).astype(float)
    return {"accuracy": correct, "nll": 1 - correct, "brier": 1 - correct, "confidence_gap": correct * 0}


def summary(with_decay, without, task=TASK):
    return summarize(task, 0.3, with_decay, without, rows=60, seconds=1.0)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=20))
def test_the_interval_is_students(values):
    values = np.array(values)
    lower, upper = mean_interval(values)
    error = stats.sem(values)
    expected = (
        stats.t.interval(0.95, len(values) - 1, values.mean(), error) if error > 0 else [values.mean()] * 2
    )
    assert (lower, upper) == pytest.approx(tuple(expected), abs=1e-9)


def test_one_value_has_no_interval():
    assert mean_interval(np.array([1.0])) == (-np.inf, np.inf)


def test_what_all_pairs_share_does_not_widen_the_interval():
    effect = summary([scores(0.60), scores(0.95), scores(0.81)], [scores(0.50), scores(0.85), scores(0.70)])
    accuracy = effect.effects[0]
    assert accuracy.difference == pytest.approx((0.10 + 0.10 + 0.11) / 3)
    assert accuracy.lower > 0.08
    assert "raised accuracy by 10.3 points, which is better: 78.7% with it, 68.3% without" in effect.sentence
    assert "over 3 pairs of trainings" in effect.sentence


def test_an_interval_that_holds_0_is_no_measurable_effect():
    effect = summary([scores(0.9), scores(0.8)], [scores(0.8), scores(0.9)])
    assert effect.sentence.startswith("Weight decay 0.3 had no measurable effect on accuracy: 85.0% with it")


def test_one_pair_is_compared_over_rows_and_says_so():
    effect = summary([scores(0.9, rows=1000)], [scores(0.8, rows=1000)])
    assert effect.effects[0].measurable
    assert "over 1,000 validation rows of one pair of trainings: another seed may differ" in effect.sentence


def test_pairs_that_agree_by_chance_are_not_certain():
    effect = summary([scores(0.51)] * 3, [scores(0.50)] * 3)
    assert effect.effects[0].difference == pytest.approx(0.01)
    assert "no measurable effect on accuracy" in effect.sentence


def test_a_pair_that_diverged_is_left_out_and_counted():
    effect = summary([scores(0.9), scores(0.9), None], [scores(0.8), scores(0.7), scores(0.1)])
    assert effect.seeds == 2
    assert "1 of 3 pairs diverged and were left out" in effect.sentence


def test_nothing_is_claimed_where_all_pairs_diverged():
    effect = summary([None], [scores(0.5)])
    assert (effect.status, effect.effects) == ("not measured", ())
    assert "all 1 pairs of trainings diverged" in effect.sentence


def test_a_lower_error_is_called_better():
    worse = {"squared_error": np.array([4.0, 4.1, 4.2]), "absolute_error": np.array([2.0, 2.1, 2.2])}
    better = {"squared_error": np.array([1.0, 1.1, 1.2]), "absolute_error": np.array([1.0, 1.1, 1.2])}
    sentence = summary([better], [worse], Regression()).sentence
    assert "lowered absolute error by 1, which is better: 1.1 with it, 2.1 without" in sentence


def test_every_answer_is_plain_values_that_json_takes():
    for effect in (
        summary([scores(0.9)], [scores(0.8)]),
        nothing_to_measure(),
        not_measured(3, 0.25, 1.0, 60.0),
    ):
        assert json.loads(json.dumps(effect.as_dict()))["sentence"].endswith(".")


def test_what_was_too_dear_says_what_it_would_have_taken():
    assert (
        "about 120 s, and 25% of the training's 60 s were allowed"
        in not_measured(3, 0.25, 1.0, 60.0).sentence
    )
