import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from wdgate.evaluation.calibration import classwise_ece, ece, smooth_ece
from wdgate.evaluation.perfect import classwise_ece_if_perfect, ece_if_perfect, smooth_ece_if_perfect


def sure(rows, seed=0):
    """Confidences of a good classifier: 96 % on average."""
    return stats.beta(22, 1).ppf(np.random.default_rng(seed).random(rows))


@pytest.mark.parametrize(("rows", "expected"), [(100, 0.053), (360, 0.029), (1000, 0.017)])
def test_a_perfect_model_shows_what_is_known_of_it(rows, expected):
    assert abs(np.mean([ece_if_perfect(sure(rows, seed)) for seed in range(30)]) - expected) < 0.002


def test_a_limit_of_3_points_fails_a_perfect_model_43_times_in_100_on_360_rows():
    generator, failed = np.random.default_rng(0), 0
    for seed in range(1500):
        confidence = sure(360, seed)
        failed += ece(confidence, generator.random(360) < confidence) > 0.03
    assert abs(failed / 1500 - 0.43) < 0.04


@pytest.mark.parametrize(
    ("measure", "foretold"), [(ece, ece_if_perfect), (smooth_ece, smooth_ece_if_perfect)]
)
def test_it_is_the_mean_error_of_models_that_are_right_as_often_as_they_say(measure, foretold):
    confidence = np.random.default_rng(1).uniform(0.4, 1, 300)
    right = np.random.default_rng(2).random((400, 300)) < confidence
    errors = [measure(confidence, each) for each in right]
    assert abs(np.mean(errors) - foretold(confidence)) < 5 * np.std(errors) / 20


def test_the_classes_of_true_probabilities_show_the_mean_over_classes():
    generator = np.random.default_rng(0)
    probs = generator.dirichlet(np.ones(3), 200)
    drawn = (probs.cumsum(axis=1) < generator.random((300, 200, 1))).sum(axis=2)
    errors = [classwise_ece(probs, each) for each in drawn]
    assert abs(np.mean(errors) - classwise_ece_if_perfect(probs)) < 5 * np.std(errors) / 17


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.integers(1, 60))
def test_the_order_of_rows_changes_no_digit(seed, rows):
    generator = np.random.default_rng(seed)
    confidence, weights = generator.uniform(0.3, 1, rows).round(1), generator.integers(1, 4, rows) * 1.0
    order = generator.permutation(rows)
    assert ece_if_perfect(confidence, weights) == ece_if_perfect(confidence[order], weights[order])


def test_no_rows_and_no_numbers_have_no_error():
    for foretold in (ece_if_perfect, smooth_ece_if_perfect):
        assert np.isnan(foretold(np.array([])))
        assert np.isnan(foretold(np.array([0.5, np.nan])))
    assert ece_if_perfect(np.ones(9)) == 0
