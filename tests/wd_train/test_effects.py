"""Is the effect paired, of every score, and right about what is better?"""

import json

import numpy as np
import pytest

from data_checks.splits import Split
from wd_train.effects import DecayEffect, compare, values_of
from wd_train.outcomes import Diverged, Outcome, corrupted_positions
from wdgate.evaluation.calibration import ece
from wdgate.evaluation.tasks import Classification, Regression

TASK = Classification(("a", "b"))
LOST = Diverged("its loss was nan at step 3")


def rows(n=100, **more):
    return Split(np.random.default_rng(5).normal(size=(n, 3)), np.zeros(n, int), **more)


def outcome(accuracy, n=100, seed=0, sure=0.8, corrupted=None):
    """Right on so many rows, chosen by the seed, always as sure."""
    right = np.random.default_rng(seed).permutation(n) < round(accuracy * n)
    of_a = np.where(right, sure, 1 - sure)
    predictions = {"probs": np.stack([of_a, 1 - of_a], axis=1), "predicted": (~right).astype(int)}
    return Outcome(predictions, corrupted, (), 1, 1.0, 0.9)


def by_name(effects):
    return {effect.score: effect for effect in effects}


def test_every_score_and_the_calibration_error_and_corrupted_rows_have_an_effect():
    sides = [outcome(0.9, corrupted=np.full(100, 0.7))], [outcome(0.8, corrupted=np.full(100, 0.4))]
    found = by_name(compare(TASK, *(side * 2 for side in sides), rows()))
    assert list(found) == ["accuracy", "nll", "brier", "confidence_gap", "corrupted_accuracy", "ece"]
    assert found["corrupted_accuracy"].difference == pytest.approx(0.3)
    assert found["corrupted_accuracy"].status == "better"


def test_the_effect_on_the_calibration_error_is_the_difference_of_the_two():
    with_decay, without = [outcome(0.9, seed=s) for s in (0, 1)], [outcome(0.6, seed=s) for s in (0, 1)]
    found = by_name(compare(TASK, with_decay, without, rows()))["ece"]
    expected = [
        np.mean([ece(np.full(100, 0.8), 1.0 - each.predictions["predicted"]) for each in side])
        for side in (with_decay, without)
    ]
    assert (found.with_decay, found.without_decay) == pytest.approx(tuple(expected))
    assert found.difference == pytest.approx(expected[0] - expected[1])
    assert found.lower < found.difference < found.upper


def test_what_all_pairs_share_does_not_widen_the_interval():
    shares = [(0.60, 0.50), (0.95, 0.85), (0.81, 0.71)]
    with_decay, without = ([outcome(pair[side], n=1000) for pair in shares] for side in (0, 1))
    accuracy = by_name(compare(TASK, with_decay, without, rows(1000)))["accuracy"]
    assert accuracy.difference == pytest.approx(0.10)
    assert accuracy.lower > 0.08


def test_pairs_are_not_taken_for_more_than_the_rows_that_they_share():
    # One pair and five alike have seen the same 100 rows.
    one = by_name(compare(TASK, [outcome(0.9)], [outcome(0.8)], rows()))["accuracy"]
    five = by_name(compare(TASK, [outcome(0.9)] * 5, [outcome(0.8)] * 5, rows()))["accuracy"]
    assert (five.lower, five.upper) == pytest.approx((one.lower, one.upper), abs=0.005)
    assert five.pairs == 5


def test_a_score_is_better_on_its_better_side():
    with_decay, without = [outcome(0.9, sure=0.9)] * 2, [outcome(0.7, sure=0.9)] * 2
    found = by_name(compare(TASK, with_decay, without, rows()))
    back = by_name(compare(TASK, without, with_decay, rows()))
    assert [found[name].status for name in ("accuracy", "nll", "brier")] == ["better"] * 3
    assert [back[name].status for name in ("accuracy", "nll", "brier")] == ["worse"] * 3
    assert found["confidence_gap"].status == "changed"


def test_one_pair_claims_nothing_and_two_do():
    one = by_name(compare(TASK, [outcome(0.9)], [outcome(0.2)], rows()))["accuracy"]
    two = by_name(compare(TASK, [outcome(0.9)] * 2, [outcome(0.2)] * 2, rows()))["accuracy"]
    assert one.lower > 0.5  # of the rows there is no doubt; of other seeds nobody knows
    assert (one.status, one.measurable) == ("no measurable effect", False)
    assert (two.status, two.measurable) == ("better", True)


def test_an_interval_that_holds_0_is_no_measurable_effect():
    found = compare(TASK, [outcome(0.9), outcome(0.8)], [outcome(0.8), outcome(0.9)], rows())
    assert by_name(found)["accuracy"].status == "no measurable effect"


def test_a_pair_of_which_a_member_diverged_is_left_out_and_counted():
    with_decay, without = [outcome(0.9), LOST, outcome(0.9)], [outcome(0.8), outcome(0.1), LOST]
    accuracy = by_name(compare(TASK, with_decay, without, rows()))["accuracy"]
    assert (accuracy.pairs, accuracy.missing) == (1, 2)
    assert accuracy.difference == pytest.approx(0.1)


def test_where_no_pair_is_left_nothing_is_measured():
    (found,) = compare(TASK, [LOST], [outcome(0.8)], rows())
    assert (found.score, found.status, found.pairs, found.missing) == ("accuracy", "not measured", 0, 1)
    assert not found.measurable


def test_lists_of_different_length_are_no_pairs():
    with pytest.raises(ValueError, match="zip"):
        compare(TASK, [outcome(0.9)], [], rows())


def test_rows_of_one_group_are_one_unit():
    groups = np.repeat(np.arange(10), 10)
    split, plain = rows(groups=groups), rows()
    right = groups < 9
    predictions = {"probs": np.stack([right, ~right], axis=1) * 1.0, "predicted": (~right).astype(int)}
    pair = [outcome(1.0)], [Outcome(predictions, None, (), 1, 1.0, 1.0)]
    grouped, alone = (by_name(compare(TASK, *pair, each))["accuracy"] for each in (split, plain))
    assert grouped.upper - grouped.lower > 2 * (alone.upper - alone.lower)


def test_weights_count_in_every_number():
    weights = np.where(np.arange(100) < 50, 1.0, 3.0)
    split = rows(weights=weights)
    one, other = outcome(0.9, seed=1), outcome(0.6, seed=2)
    accuracy = by_name(compare(TASK, [one], [other], split))["accuracy"]
    right = [np.average(1.0 - each.predictions["predicted"], weights=weights) for each in (one, other)]
    assert (accuracy.with_decay, accuracy.without_decay) == pytest.approx(tuple(right))
    assert accuracy.difference == pytest.approx(right[0] - right[1])
    assert values_of(TASK, one, split)["accuracy"] == pytest.approx(right[0])


def test_corrupted_scores_keep_the_groups_of_the_rows_that_were_corrupted():
    split = rows(700, groups=np.repeat(np.arange(70), 10), weights=np.linspace(1, 2, 700))
    worse = np.random.default_rng(1).random((2, len(corrupted_positions(split))))
    pair = [outcome(0.9, 700, corrupted=worse[0])], [outcome(0.9, 700, corrupted=worse[1])]
    found = by_name(compare(TASK, *pair, split))["corrupted_accuracy"]
    weights = split.weights[corrupted_positions(split)]
    assert found.with_decay == pytest.approx(np.average(worse[0], weights=weights))
    assert values_of(TASK, pair[0][0], split)["corrupted_accuracy"] == pytest.approx(found.with_decay)


def test_one_row_has_no_interval_and_no_effect():
    found = compare(TASK, [outcome(1.0, 1)] * 2, [outcome(0.0, 1)] * 2, rows(1))
    assert {effect.status for effect in found} == {"not measured"}


def test_a_lower_error_is_better():
    def predicted(error):
        return Outcome({"predicted": np.linspace(0, 1, 30) + error}, None, (), 1, 1.0, 1.0)

    split = Split(np.zeros((30, 1)) + np.arange(30)[:, None], np.linspace(0, 1, 30))
    found = by_name(compare(Regression(), [predicted(1.0)] * 2, [predicted(2.0)] * 2, split))
    assert list(found) == ["squared_error", "absolute_error"]
    assert found["absolute_error"].status == "better"
    assert found["absolute_error"].difference == pytest.approx(-1.0, abs=1e-6)


def test_an_effect_is_plain_values_that_json_takes():
    effects = compare(TASK, [outcome(0.9)] * 2, [outcome(0.8)] * 2, rows())
    effect = DecayEffect("measured", effects, 2, 100, 1.0, "It did.", 1, "fleet")
    back = json.loads(json.dumps(effect.as_dict(), allow_nan=False))
    assert (back["missing"], back["controls"], back["effects"][0]["score"]) == (1, "fleet", "accuracy")
