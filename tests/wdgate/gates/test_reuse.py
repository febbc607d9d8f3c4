"""How often were these test rows used to judge a model already."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_checks.splits import Split
from wdgate.gates.reuse import affordable, keys_by_row, looks_taken, overlap, salted_keys

row_sets = st.sets(st.integers(0, 30), min_size=1)


def keys_of(rows, ids=()):
    """Keys of contents, which are even, and of ids, which are odd."""
    return np.array(sorted([*(2 * row for row in rows), *(2 * name + 1 for name in ids)]), np.uint64)


@given(row_sets, row_sets)
def test_the_overlap_is_the_share_of_the_smaller_set(rows, others):
    share = len(rows & others) / min(len(rows), len(others))
    assert overlap(keys_of(rows), keys_of(others)) == overlap(keys_of(others), keys_of(rows)) == share


@given(row_sets, row_sets, row_sets, row_sets)
def test_the_larger_overlap_of_contents_and_ids_counts(rows, others, ids, other_ids):
    by = [len(a & b) / min(len(a), len(b)) for a, b in ((rows, others), (ids, other_ids))]
    assert overlap(keys_of(rows, ids), keys_of(others, other_ids)) == max(by)
    assert overlap(keys_of(rows, ids), keys_of(others)) == by[0]


def test_no_rows_count_as_the_same_rows():
    assert overlap(keys_of(set()), keys_of({1})) == 1


@pytest.mark.parametrize(("shared", "looks"), [(1, 0), (2, 1)])
def test_looks_are_counted_from_more_than_one_row_in_a_hundred(shared, looks):
    others = keys_of(range(100 - shared, 200 - shared))
    assert len(looks_taken(keys_of(range(100)), [["there"]], lambda place: others)) == looks


def test_each_booking_is_a_look_and_each_place_is_read_once():
    read = []

    def keys_at(place):
        read.append(place)
        return keys_of({"here": range(10), "elsewhere": range(10, 20)}[place])

    assert len(looks_taken(keys_of(range(10)), [["here"], ["elsewhere"], ["here"]], keys_at)) == 2
    assert sorted(read) == ["elsewhere", "here"]


def test_a_booking_of_several_sets_is_a_look_at_each_of_them():
    sets = {"test": range(10), "winter": range(10, 20), "summer": range(20, 30)}
    booked = [["test"], ["test", "winter"], ["summer"]]
    looks = {
        name: looks_taken(keys_of(rows), booked, lambda p: keys_of(sets[p])) for name, rows in sets.items()
    }
    assert looks == {"test": [0, 1], "winter": [1], "summer": [2]}


def split_of(inputs, **more):
    return Split(inputs, np.zeros(len(inputs)), **more)


def test_a_column_more_makes_no_new_row_where_rows_have_ids():
    ids, inputs = np.array([f"scan-{n:03}" for n in range(40)]), np.arange(40.0)[:, None]
    before = salted_keys(split_of(inputs, ids=ids), "0a", "digits")
    wider = np.hstack([inputs, inputs])
    assert overlap(before, salted_keys(split_of(wider, ids=ids[::-1]), "0a", "digits")) == 1
    assert overlap(before, salted_keys(split_of(wider), "0a", "digits")) == 0
    assert overlap(before, salted_keys(split_of(wider, ids=ids), "0b", "digits")) == 0


def test_ids_mean_nothing_beyond_their_model():
    ids, rows = np.arange(1000, 1040), np.random.default_rng(0).normal(size=(80, 1))
    keys = salted_keys(split_of(rows[:40], ids=ids), "0a", "digits")
    assert overlap(keys, salted_keys(split_of(rows[40:], ids=ids), "0a", "digits")) == 1
    assert overlap(keys, salted_keys(split_of(rows[40:], ids=ids), "0a", "faces")) == 0


@pytest.mark.parametrize(
    ("ids", "stable"),
    [(None, None), (np.arange(6)[::-1], None), ([7, 7, 8, 9, 10, 11], None), (range(10, 16), False)],
)
def test_numbers_of_rows_and_names_of_several_are_no_ids(ids, stable):
    rows = split_of(np.arange(6.0)[:, None], ids=None if ids is None else np.array(ids), stable_ids=stable)
    assert keys_by_row(rows, "0a", "digits").shape == (6, 1)


@given(st.lists(st.text(max_size=4), min_size=1, max_size=9), st.binary(min_size=1, max_size=8))
def test_whatever_rows_are_called_each_is_known_by_its_content(ids, salt):
    rows = split_of(np.arange(float(len(ids)))[:, None], ids=np.array(ids, object))
    keys = keys_by_row(rows, salt.hex(), "digits")
    assert len(set(keys[:, 0].tolist())) == len(ids)
    assert (keys[:, 0] % 2 == 0).all()
    assert (keys[:, 1:] % 2 == 1).all()
    assert overlap(np.unique(keys), np.unique(keys)) == 1


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
