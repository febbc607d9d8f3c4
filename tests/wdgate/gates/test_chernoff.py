import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from wdgate.gates.bounds import clopper_pearson
from wdgate.gates.chernoff import mean_share_lower


def error_rates(sizes, alpha):
    """How often the bound of two classes is above the true mean: an exact sum for each pair of truths."""
    counts = [np.arange(n + 1) for n in sizes]
    bounds = np.array(
        [
            [mean_share_lower(np.array([a, b]) / sizes, np.array(sizes, float), alpha) for b in counts[1]]
            for a in counts[0]
        ]
    )
    for first, second in np.array(np.meshgrid(*2 * [[0.02, 0.2, 0.5, 0.8, 0.95, 1.0]])).reshape(2, -1).T:
        chances = np.outer(
            stats.binom.pmf(counts[0], sizes[0], first), stats.binom.pmf(counts[1], sizes[1], second)
        )
        yield float(chances[bounds > (first + second) / 2 + 1e-9].sum())


@pytest.mark.parametrize("sizes", [(3, 3), (2, 12), (6, 4)])
@pytest.mark.parametrize("alpha", [0.05, 0.0025])
def test_on_a_handful_of_rows_it_errs_no_more_often_than_it_says(sizes, alpha):
    rates = list(error_rates(sizes, alpha))
    assert max(rates) <= alpha
    assert max(rates) > alpha / 20


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 300), st.integers(0, 300), st.sampled_from([0.05, 0.0025]))
def test_of_one_class_it_is_a_little_below_the_exact_bound(rows, right, alpha):
    right = min(rows, right)
    found = mean_share_lower(np.array([right / rows]), np.array([float(rows)]), alpha)
    exact = clopper_pearson(right, rows, alpha)[0]
    assert found <= exact + 1e-6
    assert right / rows - found <= 1.6 * (right / rows - exact) + 1e-6


def test_many_classes_of_few_rows_make_up_for_one_another():
    found = mean_share_lower(np.full(10, 0.93), np.full(10, 36.0), 0.0025)
    bonferroni = clopper_pearson(0.93 * 36, 36, 0.00025)[0]
    assert bonferroni + 0.15 < found < clopper_pearson(0.93 * 360, 360, 0.0025)[0]
