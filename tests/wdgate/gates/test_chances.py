import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from wdgate.gates.bounds import clopper_pearson
from wdgate.gates.chances import (
    chance_of_limit,
    chance_of_no_worse,
    fewest,
    rows_for_limit,
    rows_for_no_worse,
    textbook_rows,
)
from wdgate.gates.paired import tango

ALPHA = 0.05 / 20


@pytest.mark.parametrize(("margin", "rows"), [(0.03, 888), (0.02, 1997), (0.01, 7988)])
def test_the_textbook_formula_gives_the_known_figures(margin, rows):
    assert np.ceil(textbook_rows(margin, 0.06, ALPHA)) == rows


@pytest.mark.parametrize(("rows", "margin", "disagreement"), [(888, 0.03, 0.06), (300, 0.05, 0.02)])
def test_the_chance_is_that_of_simulated_models_judged_by_the_gates_own_bound(rows, margin, disagreement):
    draw = np.random.default_rng(0)
    half = disagreement / 2
    better, worse, _ = draw.multinomial(rows, [half, half, 1 - disagreement], 20_000).T
    passed = tango(better, worse, rows, ALPHA)[0] >= -margin
    chance = chance_of_no_worse(rows, margin, disagreement, ALPHA)
    assert abs(passed.mean() - chance) < 4 * (0.25 / 20_000) ** 0.5


@pytest.mark.parametrize("disagreement", [0.02, 0.06, 0.3])
def test_so_many_rows_are_enough_and_a_tenth_fewer_are_not(disagreement):
    rows = rows_for_no_worse(0.03, disagreement, ALPHA)
    assert chance_of_no_worse(rows, 0.03, disagreement, ALPHA) >= 0.8
    assert chance_of_no_worse(int(0.9 * rows), 0.03, disagreement, ALPHA) < 0.8
    assert rows > textbook_rows(0.03, disagreement, ALPHA)


def test_the_normal_chance_of_many_rows_goes_on_where_the_exact_one_ends(monkeypatch):
    exact = chance_of_no_worse(60_000, 0.0037, 0.06, ALPHA)
    monkeypatch.setattr("wdgate.gates.chances.MOST_DISAGREEMENTS", 100)
    normal = chance_of_no_worse(60_000, 0.0037, 0.06, ALPHA)
    assert normal != exact
    assert abs(normal - exact) < 0.002


@given(st.integers(1, 400), st.floats(0.5, 0.99), st.floats(0.5, 1.0))
@settings(max_examples=30, deadline=None)
def test_the_chance_of_a_limit_is_the_sum_over_all_counts_that_pass(rows, limit, share):
    right = np.arange(rows + 1)
    passes = clopper_pearson(right, rows, ALPHA)[0] >= limit
    expected = stats.binom.pmf(right, rows, share)[passes].sum()
    assert chance_of_limit(rows, limit, share, ALPHA) == pytest.approx(expected, abs=1e-9)


def test_a_model_that_is_no_better_than_the_limit_has_no_number_of_rows():
    assert rows_for_limit(0.88, 0.88, ALPHA) is None
    assert rows_for_limit(0.88, 0.93, ALPHA) == 480


def test_a_margin_that_no_rows_can_decide_is_said_so():
    assert rows_for_no_worse(1e-7, 0.5, ALPHA) is None


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_the_fewest_is_found_by_halving(least, most):
    assert fewest(lambda n: n >= least, most) == (least if least <= most else None)


def test_arrays_of_counts_give_the_bounds_of_each():
    better, worse = np.array([0, 6, 16]), np.array([0, 16, 3])
    lower, upper = tango(better, worse, 161, 0.025)
    each = [tango(b, w, 161, 0.025) for b, w in zip(better.tolist(), worse.tolist(), strict=True)]
    assert np.array_equal(np.transpose([lower, upper]), each)
    right = np.array([0, 5, 161])
    assert np.array_equal(
        np.transpose(clopper_pearson(right, 161, 0.05)),
        [clopper_pearson(r, 161, 0.05) for r in right.tolist()],
    )
