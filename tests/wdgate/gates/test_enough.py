import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wdgate.gates.enough import kish, too_few_differ, too_few_units, why_untold


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=40))
def test_units_count_as_their_number_at_most(masses):
    count = kish(np.array(masses))
    assert 1 - 1e-9 <= count <= len(masses) + 1e-9
    assert np.isclose(kish(np.array([*masses, 0.0])), count)


def test_no_weight_is_not_a_number():
    assert np.isnan(kish(np.zeros(3)))
    assert too_few_units(float("nan"))


@pytest.mark.parametrize(("independent", "few"), [(9.4, True), (9.9999, False), (10, False)])
def test_ten_units_are_enough(independent, few):
    assert too_few_units(independent) == few
    assert too_few_units(independent / 2, times=2.0) == few


def test_heavy_units_that_differ_are_few():
    """Six rows differ; nearly all the weight of the six is on one of them."""
    values, weights = np.r_[np.arange(1.0, 7), np.zeros(100)], np.ones(106)
    assert not too_few_differ(weights * values, weights, 0.0, 0.0025)
    weights[0] = 50.0
    assert too_few_differ(weights * values, weights, 0.0, 0.0025)


def test_the_reason_says_what_is_missing():
    assert why_untold(4.0, groups=True) == "it takes 10 groups of test rows, and there are 4"
    assert "too few independent test rows differ" in why_untold(40.0, groups=False)
