import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from wdgate.evaluation.calibration import ece, reliability


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
