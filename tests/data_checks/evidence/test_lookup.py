import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from data_checks.evidence.lookup import NOWHERE, Lookup


def keys(*names):
    return np.array(names, "S4")


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.lists(st.integers(0, 12), max_size=20))
def test_a_row_of_the_code_is_found_wherever_there_is_one(train, asked):
    lookup = Lookup.of(np.array(train, np.uint64), keys(*[f"t{i}" for i in range(len(train))]))
    found = lookup.find(np.array(asked, np.uint64), keys(*[f"a{i}" for i in range(len(asked))]))
    for code, place in zip(asked, found.tolist(), strict=True):
        assert (place == NOWHERE) == (code not in train)
        assert place == NOWHERE or train[place] == code


def test_a_row_that_has_an_equal_one_is_a_copy_and_not_disguised():
    lookup = Lookup.of(np.array([7, 7, 8], np.uint64), keys("a", "b", "c"))
    found = lookup.find(np.array([7, 7, 8], np.uint64), keys("b", "x", "c"))
    assert found.tolist() == [NOWHERE, 0, NOWHERE]


def test_codes_of_different_rows_are_left_out_on_request():
    lookup = Lookup.of(np.array([7, 7, 8, 8], np.uint64), keys("a", "b", "c", "c"))
    asked = np.array([7, 8], np.uint64)
    assert lookup.find(asked, keys("x", "y"), unique=True).tolist() == [NOWHERE, 2]
    assert lookup.unique_share == 0.5
    assert Lookup.of(np.empty(0, np.uint64), keys()).unique_share == 1.0


def test_the_order_of_the_rows_decides_nothing():
    first = Lookup.of(np.array([7, 7], np.uint64), keys("b", "a"))
    second = Lookup.of(np.array([7, 7], np.uint64), keys("a", "b"))
    asked = np.array([7], np.uint64)
    assert (first.find(asked, keys("x"))[0], second.find(asked, keys("x"))[0]) == (1, 0)
