"""Does the interval of an effect cover the truth, for other seeds and other rows?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from wd_train.intervals import interval, mean_interval, of_metric, of_rows
from wdgate.evaluation.calibration import ece
from wdgate.gates.paired import difference_bounds


def width(differences):
    lower, upper = interval(differences)
    return upper - lower


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=20))
def test_the_interval_of_independent_values_is_students(values):
    values = np.array(values)
    error = stats.sem(values)
    expected = stats.t.interval(0.95, len(values) - 1, values.mean(), error) if error > 0 else values[[0, 0]]
    assert mean_interval(values) == pytest.approx(tuple(expected), abs=1e-9)


def test_one_value_has_no_interval():
    assert mean_interval(np.array([1.0])) == (-np.inf, np.inf)


def test_seeds_that_differ_alone_give_the_interval_of_the_seeds():
    # Every row has the same difference within a seed, so that the rows say nothing more.
    seeds = np.array([0.1, 0.3, 0.8])
    found = interval(of_rows(np.tile(seeds[:, None], (1, 50)), np.zeros((3, 50))))
    assert found == pytest.approx(mean_interval(seeds))


def test_rows_that_differ_alone_give_the_interval_of_the_rows():
    rows = np.random.default_rng(0).normal(size=400)
    found = interval(of_rows(np.tile(rows, (4, 1)), np.zeros((4, 400))))
    expected = stats.t.interval(0.95, 399, rows.mean(), stats.sem(rows))
    assert found == pytest.approx(expected, abs=0.02 * (expected[1] - expected[0]))


def test_the_three_variances_are_those_of_a_table_with_two_margins():
    rng = np.random.default_rng(3)
    table = rng.normal(size=(4, 1)) * 0.2 + rng.normal(size=(1, 60)) + rng.normal(size=(4, 60))
    pairs, rows = table.shape
    by_seed = table.mean(1).var(ddof=1) / pairs
    by_row = table.mean(0).var(ddof=1) / rows
    rest = table - table.mean(1, keepdims=True) - table.mean(0, keepdims=True) + table.mean()
    cell = (rest**2).sum() / ((pairs - 1) * (rows - 1)) / (pairs * rows)
    half = (stats.t.ppf(0.975, 3) ** 2 * by_seed + stats.t.ppf(0.975, 59) ** 2 * (by_row - cell)) ** 0.5
    # The correction for skewness widens either end a little.
    assert 2 * half <= width(of_rows(table, np.zeros_like(table))) < 2 * half * 1.05


def test_one_pair_has_the_interval_that_a_gate_would_give_it():
    rng = np.random.default_rng(1)
    ours, theirs = (rng.random((1, 300)) < share for share in (0.9, 0.8))
    bounds = difference_bounds(ours[0].astype(float), theirs[0].astype(float), 0.025)
    lower, upper = interval(of_rows(ours.astype(float), theirs.astype(float)))
    assert lower <= bounds.lower < bounds.upper <= upper
    assert upper - lower == pytest.approx(bounds.upper - bounds.lower, rel=0.05)


def test_scores_that_never_changed_do_not_say_that_they_never_will():
    same = np.ones((3, 100))
    lower, upper = interval(of_rows(same, same))
    # Of 100 rows none changed: the share of changes may still be 3.7 %.
    assert (lower, upper) == pytest.approx((-0.037, 0.037), abs=0.001)


def test_a_share_changes_by_no_more_than_all_of_it():
    right = np.array([[1.0] * 97 + [0.0] * 3, [1.0] * 99 + [0.0]])
    lower, upper = interval(of_rows(right, np.zeros((2, 100))))
    assert (lower < 0.98, upper) == (True, 1.0)
    assert interval(of_rows(np.zeros((2, 100)), right)) == pytest.approx((-1.0, -lower))


def test_rows_of_one_group_are_one_unit():
    rng = np.random.default_rng(2)
    change = np.repeat(rng.normal(size=40), 10) + 0.1 * rng.normal(size=(3, 400))
    groups = np.repeat(np.arange(40), 10)
    alone, grouped = (width(of_rows(change, np.zeros_like(change), g)) for g in (None, groups))
    assert 2.5 < grouped / alone < 4


def test_fewer_than_two_units_bound_nothing():
    for pairs in (1, 3):
        assert np.isnan(interval(of_rows(np.ones((pairs, 1)), np.zeros((pairs, 1))))).all()


@given(st.integers(1, 6), st.integers(2, 40), st.integers(0, 2**32 - 1), st.booleans())
def test_the_interval_holds_the_mean_and_mirrors_the_sign(pairs, rows, seed, binary):
    rng = np.random.default_rng(seed)
    with_decay, without = rng.normal(size=(2, pairs, rows))
    if binary:
        with_decay, without = (with_decay > 0) * 1.0, (without > 0.5) * 1.0
    lower, upper = interval(of_rows(with_decay, without))
    assert lower <= (with_decay - without).mean() + 1e-12
    assert upper >= (with_decay - without).mean() - 1e-12
    assert interval(of_rows(without, with_decay)) == pytest.approx((-upper, -lower), abs=1e-9)


SIZES = [(2, 100), (2, 1000), (3, 200), (5, 200), (10, 200)]
SPREADS = [(0, 0, 1), (0, 1, 0.1), (0, 1, 1), (0.03, 1, 1), (0.1, 1, 1), (0.3, 1, 1), (0.1, 0, 1)]


def normal_scores(rng, pairs, rows, spreads):
    of_seeds, of_rows_, of_cells = spreads
    change = of_seeds * rng.normal(size=(pairs, 1)) + of_rows_ * rng.normal(size=(1, rows))
    return change + of_cells * rng.normal(size=(pairs, rows)), np.zeros((pairs, rows))


def rare_changes(rng, pairs, rows, settings):
    """Right or wrong by a margin, in part a row's for all seeds, that the decay moves."""
    noise, own, of_seeds, shift = settings
    margin = (
        0.8 + np.sqrt(1 - own) * rng.normal(size=(1, rows)) + np.sqrt(own) * rng.normal(size=(pairs, rows))
    )
    moved = shift + of_seeds * rng.normal(size=(pairs, 1))
    change = moved * np.abs(rng.normal(size=(1, rows))) + noise * rng.normal(size=(pairs, rows))
    return (margin + change > 0) * 1.0, np.broadcast_to(margin > 0, (pairs, rows)) * 1.0


RARE = [
    (0.01, 0.1, 0, 0),
    (0.003, 0.05, 0, 0.002),
    (0.05, 0.1, 0.05, 0.05),
    (0.3, 0.5, 0, 0),
    (0.5, 0.9, 0.1, 0),
]


def coverage(draw, settings, pairs, rows, truth, times, seed=0):
    rng = np.random.default_rng(seed)
    bounds = [interval(of_rows(*draw(rng, pairs, rows, settings))) for _ in range(times)]
    return np.mean([lower <= truth <= upper for lower, upper in bounds])


def true_change(settings):
    with_decay, without = rare_changes(np.random.default_rng(9), 1000, 2000, settings)
    return (with_decay - without).mean()


@pytest.mark.parametrize("spreads", [(0, 1, 0.1), (0.1, 1, 1), (0.3, 1, 1)])
def test_the_truth_is_covered_whichever_of_seeds_and_rows_differ_more(spreads):
    # 300 draws: a coverage of 95 % shows less than 92 % once in 200 times.
    assert coverage(normal_scores, spreads, 3, 100, 0.0, 300) >= 0.92


def test_rare_changes_of_right_and_wrong_are_covered():
    assert coverage(rare_changes, RARE[1], 3, 100, 0.0005, 200) >= 0.92


@pytest.mark.soak
@pytest.mark.parametrize(("pairs", "rows"), SIZES)
@pytest.mark.parametrize("spreads", SPREADS)
def test_normal_scores_are_covered_at_every_size(pairs, rows, spreads):
    # 2,000 draws: a coverage of 95 % shows less than 93.5 % once in 1,000 times.
    assert coverage(normal_scores, spreads, pairs, rows, 0.0, 2000) >= 0.93


@pytest.mark.soak
@pytest.mark.parametrize(("pairs", "rows"), SIZES)
@pytest.mark.parametrize("settings", RARE)
def test_right_and_wrong_are_covered_at_every_size(pairs, rows, settings):
    assert coverage(rare_changes, settings, pairs, rows, true_change(settings), 1500) >= 0.93


def calibrations(rng, pairs, rows, of_seeds):
    """Confidence and correctness of two models, of which one is too sure of itself by 8 points."""
    ability = rng.beta(6, 2, size=(1, rows))
    correct = (rng.random((1, rows)) < ability) * 1.0 + np.zeros((pairs, rows))
    sure = 0.08 + of_seeds * rng.normal(size=(pairs, 1)) + 0.02 * rng.normal(size=(2, pairs, rows))
    return (
        np.clip(ability + sure[0], 0.01, 0.999),
        np.clip(ability + 0.02 * rng.normal(size=(pairs, rows)), 0.01, 0.999),
        correct,
    )


def change_of_ece(confident, plain, correct):
    return [
        lambda rows, p=p: ece(confident[p][rows], correct[p][rows]) - ece(plain[p][rows], correct[p][rows])
        for p in range(len(confident))
    ]


@pytest.mark.soak
@pytest.mark.parametrize(("pairs", "rows"), [(2, 300), (3, 300), (5, 1000)])
@pytest.mark.parametrize("of_seeds", [0.0, 0.02])
def test_a_change_of_the_calibration_error_is_covered(pairs, rows, of_seeds):
    rng = np.random.default_rng(0)
    everything = np.arange(rows)
    # What is estimated is the change on as many rows: the calibration error is overstated on few.
    drawn = [calibrations(rng, 1, rows, of_seeds) for _ in range(4000)]
    truth = np.mean([change_of_ece(*each)[0](everything) for each in drawn])
    bounds = [
        interval(of_metric(change_of_ece(*calibrations(rng, pairs, rows, of_seeds)), rows))
        for _ in range(300)
    ]
    assert np.mean([lower <= truth <= upper for lower, upper in bounds]) >= 0.92
