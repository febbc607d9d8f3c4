import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wdgate.gates.answers import not_measured, result, settle
from wdgate.gates.bounds import Bounds, mean_bounds
from wdgate.gates.sentences import absolute

NUMBERS = st.floats(-10, 10)


@pytest.mark.parametrize(
    ("lower", "upper", "low", "high", "status"),
    [
        (0.88, 0.95, 0.88, math.inf, "passed"),
        (0.87, 0.95, 0.88, math.inf, "inconclusive"),
        (0.70, 0.87, 0.88, math.inf, "failed"),
        (0.10, 0.20, -math.inf, 0.20, "passed"),
        (0.10, 0.21, -math.inf, 0.20, "inconclusive"),
        (0.21, 0.30, -math.inf, 0.20, "failed"),
        (-0.02, 0.03, -0.06, 0.06, "passed"),
        (-0.07, 0.03, -0.06, 0.06, "inconclusive"),
        (-0.09, -0.07, -0.06, 0.06, "failed"),
    ],
)
def test_a_bound_decides_and_never_the_observed_number(lower, upper, low, high, status):
    assert settle(Bounds((lower + upper) / 2, lower, upper, 700), low, high)[0] == status


@pytest.mark.parametrize("place", range(3))
def test_nan_never_passes(place):
    numbers = [0.9, 0.85, 0.95]
    numbers[place] = math.nan
    answer = result("WD202", "n", Bounds(*numbers, 700), 0.8, math.inf, 0.8, absolute("accuracy"))
    assert answer.status == "not applicable"
    assert answer.blocks
    if place == 1:
        assert settle(Bounds(*numbers, 700), 0.8, math.inf)[0] == "inconclusive"


def test_what_was_not_measured_blocks_and_says_why():
    answer = not_measured("WD202", "accuracy at least 0.9", "it rained", 0.9)
    assert answer.blocks
    assert "it rained" in answer.sentence


@pytest.mark.parametrize(("right", "limit"), [(0.90, 0.88), (0.84, 0.88)])
def test_the_rows_that_it_asks_for_would_settle_it(right, limit):
    def bounds(rows):
        return mean_bounds((np.arange(rows) < right * rows).astype(float), 0.0025)

    status, needed = settle(bounds(300), limit, math.inf)
    assert status == "inconclusive"
    # An asymptotic answer: right within a fifth.
    assert settle(bounds(int(needed * 1.2)), limit, math.inf)[0] == ("passed" if right > limit else "failed")
    assert settle(bounds(int(needed * 0.8)), limit, math.inf)[0] == "inconclusive"


@pytest.mark.parametrize("alpha", [0.05, 0.0025])
def test_the_groups_that_it_asks_for_would_settle_it(alpha):
    """Right in 19 of 20 rows of each group: more rows of the same groups would not help, more would."""

    def bounds(groups):
        right = np.tile((np.arange(20) < 19).astype(float), groups)
        return mean_bounds(right, alpha, np.repeat(np.arange(groups), 20))

    status, needed = settle(bounds(12), 0.88, math.inf)
    assert status == "inconclusive"
    assert settle(bounds(math.ceil(needed / 20 * 1.1)), 0.88, math.inf)[0] == "passed"
    assert settle(bounds(int(needed / 20 * 0.8)), 0.88, math.inf)[0] == "inconclusive"


@given(NUMBERS, st.floats(0, 5), st.floats(0, 5), NUMBERS)
def test_a_number_of_rows_is_above_those_there_are_or_unknown(observed, below, above, limit):
    status, needed = settle(Bounds(observed, observed - below, observed + above, 500), limit, math.inf)
    assert (needed is None) or (status == "inconclusive" and needed >= 500)
