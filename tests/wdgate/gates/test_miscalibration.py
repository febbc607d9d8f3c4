import math

import numpy as np
import pytest

from wdgate.evaluation.evaluation import Evaluation
from wdgate.evaluation.tasks import Classification
from wdgate.gates.bounds import Bounds
from wdgate.gates.measuring import improvement, measured
from wdgate.gates.miscalibration import allowing_for_noise, at_least_the_gap

TASK = Classification(("no", "yes"))


def model(rows, gap, seed, alike=False):
    """An evaluation of a model that is right less often by `gap` than it says."""
    generator = np.random.default_rng(seed)
    sure = np.full(rows, 0.9) if alike else generator.uniform(0.7, 1, rows)
    targets = np.where(generator.random(rows) < sure - gap, 1, 0)
    predictions = {"probs": np.stack([1 - sure, sure], axis=1), "predicted": np.ones(rows, int)}
    metrics = TASK.metrics(predictions, targets, None)
    return Evaluation("m", "rows", predictions, targets, TASK.scores(predictions, targets), metrics, {})


def error_rates(name, rows, gap, truth, alpha=0.05, models=100):
    """How often the lower bound is above the true error, and the upper one below it."""
    found = [measured(name, model(rows, gap, seed), TASK, alpha) for seed in range(models)]
    return np.mean([b.lower > truth for b in found]), np.mean([b.upper < truth for b in found])


@pytest.mark.parametrize("name", ["ece", "l2_ece"])
@pytest.mark.parametrize("gap", [0.0, 0.1])
def test_chance_is_not_called_a_fault_nor_a_fault_chance(name, gap):
    low, high = error_rates(name, 200, gap, gap)
    assert low <= 0.05 + 0.04
    assert high <= 0.05 + 0.04


def test_what_a_perfect_model_would_show_is_said():
    found = measured("ece", model(360, 0.0, 0), TASK, 0.0025)
    assert found.lower == 0
    assert found.remark.startswith("a perfectly calibrated model would show 0.0")
    assert found.remark.endswith("on as many rows")


def test_with_more_rows_what_is_chance_goes_away():
    found = allowing_for_noise(Bounds(0.05, 0.03, 0.07, 100), 0.04)
    assert found.lower == 0
    assert found.on_times_the_rows(1.0) == (0, 0.07)
    lower, upper = found.on_times_the_rows(1e8)
    assert np.allclose([lower, upper], 0.01, atol=1e-4)


def test_a_smooth_error_is_never_bounded_below_the_gap():
    evaluation = model(360, 0.08, 50)
    found = measured("smooth_ece", evaluation, TASK, 0.0025)
    gap = measured("confidence_gap", evaluation, TASK, 0.0025)
    # Its jackknife alone says at most .0698 here, and the truth is .08.
    assert found.upper == gap.upper > 0.08
    assert found.on_times_the_rows(100)[1] < found.upper


def test_nan_stays_nan():
    nan = Bounds(0.05, math.nan, math.nan, 1)
    assert math.isnan(at_least_the_gap(nan, Bounds(0.0, -0.1, 0.1, 1)).upper)
    assert math.isnan(allowing_for_noise(Bounds(0.05, math.nan, math.nan, 1), 0.04).lower)


def test_two_errors_of_0_are_not_equal_for_certain():
    first, second = model(60, 0.0, 3), model(60, 0.0, 4)
    found = improvement("l2_ece", first, second, TASK, 0.05)
    assert found.lower < -0.02
    assert found.upper > 0.02


def test_what_a_perfect_model_shows_is_no_estimate():
    found = measured("ece_if_perfect", model(60, 0.0, 3), TASK, 0.05)
    assert found.observed > 0
    assert math.isnan(found.lower)
