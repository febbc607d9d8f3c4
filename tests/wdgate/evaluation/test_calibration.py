import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from wdgate.evaluation.calibration import classwise_ece, ece, l2_ece, reliability, smooth_ece, squared_ece


def made_up(seed, rows):
    generator = np.random.default_rng(seed)
    confidence = generator.uniform(0.3, 1, rows)
    return confidence, (generator.random(rows) < confidence**2).astype(float)


@given(st.integers(0, 1000))
def test_bins_of_equal_mass_are_scikit_learns_quantile_bins(seed):
    confidence, correct = made_up(seed, 150)
    accuracy, mean = calibration_curve(correct, confidence, n_bins=15, strategy="quantile")
    table = reliability(confidence, correct, bins=15)
    assert np.allclose(table.accuracy, accuracy)
    assert np.allclose(table.confidence, mean)
    assert table.count.tolist() == [10] * 15


@given(st.integers(0, 1000), st.integers(2, 20))
def test_ece_is_the_mean_gap_over_sorted_rows_dealt_into_bins(seed, bins):
    confidence, correct = made_up(seed, 12 * bins)
    parts = np.argsort(confidence).reshape(bins, 12)
    gaps = [abs(confidence[part].mean() - correct[part].mean()) for part in parts]
    assert np.isclose(ece(confidence, correct, bins=bins), np.mean(gaps))


@given(st.integers(0, 1000), st.integers(1, 80))
def test_neither_the_order_of_rows_nor_ties_change_it(seed, rows):
    confidence, correct = made_up(seed, rows)
    confidence = confidence.round(1)
    order = np.random.default_rng(seed).permutation(rows)
    assert np.isclose(ece(confidence, correct), ece(confidence[order], correct[order]))


@given(st.integers(0, 1000), st.integers(1, 40))
def test_a_weight_of_two_is_a_row_twice(seed, rows):
    confidence, correct = made_up(seed, rows)
    weights = np.random.default_rng(seed).integers(1, 3, rows)
    twice = np.repeat(np.arange(rows), weights)
    assert np.isclose(ece(confidence, correct, weights.astype(float)), ece(confidence[twice], correct[twice]))


def test_full_confidence_that_is_always_right_is_perfectly_calibrated():
    assert ece(np.ones(20), np.ones(20)) == 0
    assert ece(np.ones(20), np.zeros(20)) == 1


def test_no_rows_have_no_calibration_error():
    assert np.isnan(ece(np.array([]), np.array([])))
    assert np.isnan(ece(np.array([np.nan, 0.5]), np.ones(2)))


@given(st.integers(0, 1000), st.integers(30, 200), st.integers(1, 15))
def test_the_squared_error_is_the_published_formula(seed, rows, bins):
    confidence, correct = made_up(seed, rows)
    order = np.argsort(confidence)
    place = ((np.arange(rows) + 0.5) * bins / rows).astype(int)
    parts = [(confidence[order][place == b], correct[order][place == b]) for b in range(bins)]
    terms = [(c.mean() - y.mean()) ** 2 - y.var(ddof=1) / len(y) for c, y in parts]
    # The variance of 0 and 1 with n - 1, over n, is acc (1 - acc) / (n - 1).
    expected = np.average(terms, weights=[len(y) for _, y in parts])
    assert np.isclose(squared_ece(confidence, correct, bins=bins), expected)
    assert l2_ece(confidence, correct, bins=bins) == np.sqrt(
        max(squared_ece(confidence, correct, bins=bins), 0)
    )


@pytest.mark.parametrize("gap", [0.0, 0.1])
def test_the_debiased_error_is_right_on_average_on_few_rows(gap):
    generator = np.random.default_rng(0)
    confidence = generator.uniform(0.6, 1, (4000, 90))
    right = generator.random(confidence.shape) < confidence - gap
    found = [squared_ece(c, y) for c, y in zip(confidence, right, strict=True)]
    assert abs(np.mean(found) - gap**2) < 4 * np.std(found) / np.sqrt(4000)


def test_a_bin_of_one_row_has_no_variance_and_is_taken_to_be_calibrated():
    assert np.isclose(squared_ece(np.array([0.8]), np.array([0.0])), 0.8**2 - 0.16)


@given(st.integers(0, 1000), st.integers(1, 60))
def test_the_smooth_error_lies_between_that_of_one_bin_and_that_of_a_bin_a_row(seed, rows):
    confidence, correct = made_up(seed, rows)
    found = smooth_ece(confidence, correct)
    assert abs(np.mean(confidence - correct)) - 1e-4 <= found <= np.mean(np.abs(confidence - correct)) + 1e-4
    order = np.random.default_rng(seed).permutation(rows)
    assert np.isclose(found, smooth_ece(confidence[order], correct[order]))


def test_the_classwise_error_of_two_classes_is_that_of_either():
    confidence, correct = made_up(0, 300)
    probs = np.stack([1 - confidence, confidence], axis=1)
    assert np.isclose(classwise_ece(probs, correct.astype(int)), ece(confidence, correct))
