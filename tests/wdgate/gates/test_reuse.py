"""How often were these test rows used to judge a model already."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_checks.splits import Split
from wdgate.gates.reuse import affordable, looks_taken, overlap, salted_keys

row_sets = st.sets(st.integers(0, 30), min_size=1)


def keys_of(rows):
    return np.array(sorted(rows), np.uint64)


@given(row_sets, row_sets)
def test_the_overlap_is_the_share_of_the_smaller_set(rows, others):
    share = len(rows & others) / min(len(rows), len(others))
    assert overlap(keys_of(rows), keys_of(others)) == overlap(keys_of(others), keys_of(rows)) == share


def test_no_rows_count_as_the_same_rows():
    assert overlap(keys_of(set()), keys_of({1})) == 1


@pytest.mark.parametrize(("shared", "looks"), [(1, 0), (2, 1)])
def test_looks_are_counted_from_more_than_one_row_in_a_hundred(shared, looks):
    others = keys_of(range(100 - shared, 200 - shared))
    assert len(looks_taken(keys_of(range(100)), ["there"], lambda place: others)) == looks


def test_each_booking_is_a_look_and_each_place_is_read_once():
    read = []

    def keys_at(place):
        read.append(place)
        return keys_of({"here": range(10), "elsewhere": range(10, 20)}[place])

    assert len(looks_taken(keys_of(range(10)), ["here", "elsewhere", "here"], keys_at)) == 2
    assert sorted(read) == ["elsewhere", "here"]


def split_of(inputs):
    return Split(inputs, np.zeros(len(inputs)))


def test_another_order_another_dtype_and_copies_are_the_same_rows():
    rows = np.arange(12).reshape(6, 2)
    keys = salted_keys(split_of(rows), "0a")
    for same in (rows[::-1], rows.astype(np.float32), np.vstack([rows, rows])):
        assert np.array_equal(salted_keys(split_of(same), "0a"), keys)


def test_another_salt_gives_keys_that_have_nothing_in_common():
    rows = split_of(np.arange(50.0).reshape(-1, 1))
    assert overlap(salted_keys(rows, "00" * 16), salted_keys(rows, "01" * 16)) == 0


@given(st.lists(st.integers(1, 60), max_size=40), st.floats(0.001, 0.25))
def test_whatever_is_planned_on_the_way_alpha_is_not_exceeded(plans, alpha):
    spent = []
    for looks in plans:
        if affordable(spent, alpha, looks):
            spent.append((alpha, looks))
    assert sum(each / looks for each, looks in spent) <= alpha * 1.0001


def test_a_plan_that_is_kept_has_all_its_looks():
    assert affordable([(0.05, 20)] * 19, 0.05, 20)
    assert not affordable([(0.05, 20)] * 20, 0.05, 20)
