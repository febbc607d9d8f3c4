import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wdgate.evaluation.evaluation import Incomparable
from wdgate.gates.expected import LEAST_OWN, expected_of, expected_on_new_rows

SHARES = st.floats(0.0, 1.0)
ERROR = 0.0188  # of .85 on 360 rows


def test_the_first_model_is_expected_at_its_own_score():
    found = expected_on_new_rows(0.9, ERROR)
    assert (found.value, found.looks, found.shrinkage) == (0.9, 1, 0.0)
    assert found.error == pytest.approx(ERROR)
    assert found.sentence("accuracy") == "Accuracy is 90 % on test rows that no other model was judged on."


def test_models_no_further_apart_than_chance_are_expected_at_their_mean():
    scores = [0.86, 0.84, 0.85, 0.85]
    found = expected_on_new_rows(0.875, ERROR, scores)
    assert found.shrinkage == 1.0
    assert found.value == pytest.approx(np.mean([*scores, 0.875]))


def test_models_that_are_surely_different_keep_what_they_showed():
    found = expected_on_new_rows(0.95, 0.001, [0.80, 0.85, 0.90])
    assert found.value == pytest.approx(0.95, abs=1e-4)
    assert found.shrinkage < 0.001


def test_between_the_two_it_is_positive_part_james_and_stein_with_the_quantile_of_chi_squared():
    scores, own = np.array([0.80, 0.83, 0.86, 0.89]), 0.0188
    spread = ((scores - scores.mean()) ** 2).sum()
    kept = (
        1 - 6.2514 * own**2 / spread
    )  # chi-squared with 3 degrees of freedom is above 6.251 in one case of ten
    found = expected_on_new_rows(0.89, own, scores[:3])
    assert found.value == pytest.approx(scores.mean() + kept * (0.89 - scores.mean()), abs=1e-5)


def test_noise_that_models_share_is_not_taken_for_their_differences():
    scores = [0.80, 0.84, 0.86]
    all_own, half = (expected_on_new_rows(0.9, ERROR, scores, own_error=own) for own in (None, ERROR / 2))
    assert all_own.value < half.value < 0.9
    assert half.error > ERROR / 2  # what all share is still unknown


def test_a_candidate_that_hardly_differs_from_the_champion_inherits_its_luck():
    nothing, least = (
        expected_on_new_rows(0.9, ERROR, [0.85, 0.86], own_error=own) for own in (0.0, LEAST_OWN**0.5 * ERROR)
    )
    assert nothing == least
    assert nothing.value < 0.9


def test_later_models_lower_a_champion_and_never_raise_it():
    alone = expected_on_new_rows(0.9, ERROR)
    later = expected_on_new_rows(0.9, ERROR, later=[0.86, 0.85, 0.87])
    assert later.value < alone.value
    assert later.looks == 4
    better = expected_on_new_rows(0.9, ERROR, later=[0.93, 0.92, 0.92])
    assert (better.value, better.looks) == (alone.value, 4)


def test_of_an_error_the_higher_value_is_the_cautious_one():
    found = expected_on_new_rows(0.10, ERROR, later=[0.14, 0.15], higher_is_better=False)
    assert found.value > 0.10
    worse = expected_on_new_rows(0.20, ERROR, later=[0.16, 0.15], higher_is_better=False)
    assert worse.value == 0.20


def test_what_is_no_number_was_no_measurement():
    assert expected_on_new_rows(0.9, ERROR, [math.nan, 0.85, math.inf]) == expected_on_new_rows(
        0.9, ERROR, [0.85]
    )


@given(SHARES, st.lists(SHARES, max_size=25), st.floats(0.0, 0.5), st.one_of(st.none(), st.floats(0.0, 0.5)))
def test_the_expected_score_lies_among_those_of_all_models(observed, earlier, error, own):
    found = expected_on_new_rows(observed, error, earlier, own_error=own)
    low, high = min([*earlier, observed]), max([*earlier, observed])
    assert low - 1e-9 <= found.value <= high + 1e-9
    assert 0 <= found.shrinkage <= 1
    assert math.isfinite(found.error)
    assert found.between()[0] <= found.value <= found.between()[1]


def test_the_best_of_twenty_equal_models_is_not_overstated():
    draw, naive, told, held = np.random.default_rng(0), [], [], []
    for _ in range(400):
        scores = draw.binomial(360, 0.85, 20) / 360
        best = int(scores.argmax())
        found = expected_on_new_rows(scores[best], ERROR, np.delete(scores, best), own_error=ERROR)
        naive.append(scores[best] - 0.85)
        told.append(found.value - 0.85)
        held.append(found.between()[0] <= 0.85 <= found.between()[1])
    assert np.mean(naive) > 0.03
    assert abs(np.mean(told)) < 0.003
    assert np.mean(held) > 0.9


def test_two_evaluations_tell_how_much_of_the_error_is_their_own(evaluated, task):
    rows = np.arange(700)
    ours, theirs = evaluated(rows < 660), evaluated((rows < 640) | (rows >= 690))
    alone = expected_of("accuracy", ours, None, task, [0.93, 0.92])
    paired = expected_of("accuracy", ours, theirs, task, [0.93, 0.92])
    assert alone.observed == paired.observed == pytest.approx(660 / 700)
    assert expected_of("accuracy", ours, None, task).error == pytest.approx(0.0088, abs=0.001)
    assert expected_of("accuracy", ours, Incomparable("other classes"), task, [0.93, 0.92]) == alone
    assert paired.shrinkage <= alone.shrinkage
    assert expected_of("corrupted_accuracy", ours, theirs, task) is None


def test_scores_that_are_no_shares_are_said_plainly(evaluated, task):
    found = expected_of("nll", evaluated(np.arange(700) < 600), None, task, [0.5, 0.45])
    assert found.sentence("nll").startswith("Negative log-likelihood is 0.4")
    assert "used 3 times; about 0.4" in found.sentence("nll")


def test_a_broken_model_does_not_make_the_others_look_different():
    seen = [0.861, 0.844, 0.853, 0.850, 0.869, 0.842]
    alone = expected_on_new_rows(0.894, 0.0163, seen)
    beside = expected_on_new_rows(0.894, 0.0163, [*seen, 0.50])
    assert beside.value == pytest.approx(alone.value)
    assert beside.looks == alone.looks + 1
