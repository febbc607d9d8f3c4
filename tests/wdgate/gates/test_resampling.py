import numpy as np
import pytest

from wdgate.evaluation.ranking import roc
from wdgate.gates.bounds import mean_bounds
from wdgate.gates.resampling import BLOCKS, jackknife_bounds


def test_the_jackknife_of_a_mean_is_the_bound_of_a_mean():
    values = np.random.default_rng(0).exponential(size=150)
    found = jackknife_bounds(lambda rows: float(values[rows].mean()), 150, 0.0025)
    expected = mean_bounds(values, 0.0025)
    assert np.allclose((found.lower, found.upper), (expected.lower, expected.upper))
    groups = np.arange(150) % 30
    found = jackknife_bounds(lambda rows: float(values[rows].mean()), 150, 0.05, groups)
    expected = mean_bounds(values, 0.05, groups)
    assert np.allclose((found.lower, found.upper), (expected.lower, expected.upper))


def test_many_rows_are_measured_without_a_block_at_a_time():
    values, calls = np.random.default_rng(0).exponential(size=5000), []

    def mean(rows):
        calls.append(len(rows))
        return float(values[rows].mean())

    found = jackknife_bounds(mean, 5000, 0.05)
    assert len(calls) == BLOCKS + 1
    assert calls.count(5000 - 25) == BLOCKS
    expected = mean_bounds(values, 0.05)
    width = expected.upper - expected.lower
    assert abs(found.lower - expected.lower) < 0.15 * width
    assert abs(found.upper - expected.upper) < 0.15 * width


def test_blocks_are_dealt_without_regard_to_the_order_of_rows():
    values = np.sort(np.random.default_rng(0).normal(size=2000))
    found = jackknife_bounds(lambda rows: float(values[rows].mean()), 2000, 0.05)
    expected = mean_bounds(values, 0.05)
    assert 0.8 < (found.upper - found.lower) / (expected.upper - expected.lower) < 1.25


def test_the_area_under_the_curve_is_bounded_at_about_the_promised_rate():
    generator, erred = np.random.default_rng(0), 0
    for _ in range(200):
        positive = generator.random(80) < 0.4
        scores = generator.normal(positive * 1.0)
        found = jackknife_bounds(lambda r, p=positive, s=scores: roc(s[r], p[r]).value, 80, 0.05)
        erred += found.lower > 0.7602  # the normal probability of 1 over the root of 2
    assert 0 < erred / 200 <= 0.05 + 0.04


@pytest.mark.parametrize("rows", [0, 1])
def test_too_few_rows_bound_nothing(rows):
    assert np.isnan(jackknife_bounds(lambda r: 0.5, rows, 0.05).lower)


def test_a_metric_that_one_block_alone_defines_is_not_bounded():
    values = np.array([1.0, 0, 0, 0])
    found = jackknife_bounds(lambda r: float("nan") if not values[r].any() else 1.0, 4, 0.05)
    assert np.isnan(found.lower)
