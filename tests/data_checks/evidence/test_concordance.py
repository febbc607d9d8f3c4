import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau
from sklearn.metrics import roc_auc_score

from data_checks.evidence.concordance import (
    ENOUGH_ROWS,
    NOTHING,
    order_by,
    surely_at_least,
    why_no_order,
)
from data_checks.splits import Split, Splits


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.booleans())
def test_of_two_classes_the_share_is_the_area_under_the_curve(seed, ties):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=80) + np.arange(80) % 2
    values = np.round(values) if ties else values
    area = roc_auc_score(np.arange(80) % 2, values)
    assert order_by(values, np.arange(80) % 2).share == pytest.approx(max(area, 1 - area))


def test_of_more_classes_it_is_that_of_the_worst_two():
    rng = np.random.default_rng(0)
    targets = np.repeat([0, 1, 2], 200)
    values = np.array([0.0, 5.0, 9.5])[targets] + rng.normal(size=600)
    worst = min(
        roc_auc_score(targets[pair] == b, values[pair])
        for a, b in itertools.combinations(range(3), 2)
        for pair in [(targets == a) | (targets == b)]
    )
    assert order_by(values, targets).share == pytest.approx(worst)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999))
def test_of_values_without_ties_it_is_kendalls_tau(seed):
    rng = np.random.default_rng(seed)
    targets = rng.normal(size=120)
    values = targets + rng.normal(size=120) * 0.1
    assert order_by(values, targets).share == pytest.approx((1 + kendalltau(values, targets)[0]) / 2)


@pytest.mark.parametrize("turn", [1, -3])
def test_the_other_way_round_says_as_much(turn):
    for targets in (np.arange(100) // 50, np.arange(100.0)):
        assert order_by(turn * np.arange(100.0), targets).fully


def test_a_perfect_order_of_few_rows_is_not_certain():
    few = np.repeat([0, 1], ENOUGH_ROWS - 1)
    assert order_by(few.astype(float), few) == NOTHING
    assert surely_at_least(1.0, 10, 10).surely < 0.98
    assert surely_at_least(1.0, ENOUGH_ROWS, ENOUGH_ROWS).surely > 0.98


def test_the_bound_holds_for_99_of_100_samples():
    rng = np.random.default_rng(0)
    apart = np.sqrt(2) * 2.0537489106  # whose share is .98
    targets = np.arange(300) % 2
    readings = [order_by(apart * targets + rng.normal(size=300), targets) for _ in range(400)]
    assert sum(reading.surely > 0.98 for reading in readings) <= 8


def test_missing_values_are_left_out_unless_most_are_missing():
    targets = np.arange(200) % 2
    values = targets.astype(float)
    values[:80] = np.nan
    assert order_by(values, targets).fully
    values[:120] = np.nan
    assert order_by(values, targets) == NOTHING


def reason(*targets):
    parts = [Split(np.zeros((len(part), 1)), part) for part in targets]
    return why_no_order(Splits(*parts))


def test_targets_that_cannot_be_ordered_say_why():
    classes, values = np.arange(60) % 2, np.linspace(0, 1, 60)
    assert reason(classes, classes, classes) == reason(values, values, values) == ""
    assert "neither" in reason(classes, classes, values)
    assert "neither" in reason(np.array(["a"] * 60), classes, classes)
    assert "no two classes" in reason(np.arange(60), classes[:0], np.arange(60))
    assert "have a target" in reason(values * np.nan, values[:5], values[:5])
