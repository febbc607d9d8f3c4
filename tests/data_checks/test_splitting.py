import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_checks.errors import DataError
from data_checks.splits import Split
from data_checks.splitting import split


def rows(n, **columns):
    return Split(np.arange(float(n))[:, None], np.arange(n) % 3, **columns)


@given(st.integers(0, 500), st.text(max_size=5))
def test_a_row_stays_where_it_is_when_the_data_grow(more, salt):
    before, after = split(rows(200), salt=salt), split(rows(200 + more), salt=salt)
    for name, part in before.named().items():
        assert set(part.ids.tolist()) <= set(after.named()[name].ids.tolist())


def test_every_row_stands_in_one_part():
    parts = split(rows(500)).named().values()
    assert sorted(np.concatenate([part.ids for part in parts]).tolist()) == list(range(500))


def test_copies_of_a_row_stay_together():
    doubled = Split(np.repeat(np.arange(100.0), 2)[:, None], np.zeros(200, int))
    parts = split(doubled).named().values()
    assert all(len(part) == 2 * len(set(part.keys.tolist())) for part in parts)


def test_another_salt_gives_another_split():
    assert split(rows(200)).test.ids.tolist() != split(rows(200), salt="b").test.ids.tolist()


def test_groups_stay_together_however_they_are_spelt():
    groups = np.array([f"Site {i % 50}" if i % 2 else f"site  {i % 50} " for i in range(400)])
    groups = np.concatenate([groups, np.char.upper(groups)])
    parts = split(rows(800, groups=groups), by="group").named()
    found = {
        name: {" ".join(g.lower().split()) for g in part.groups.tolist()} for name, part in parts.items()
    }
    assert not found["train"] & found["test"]
    assert not found["train"] & found["validation"]
    assert not found["validation"] & found["test"]


@given(st.lists(st.integers(0, 30), min_size=30, max_size=200))
def test_a_cut_in_time_is_strict(times):
    try:
        parts = split(rows(len(times), times=np.array(times)), by="time")
    except DataError as error:
        assert "no row fell into" in str(error)  # noqa: PT017 - both outcomes are right; what may not be is overlap
        return
    assert parts.train.times.max() < parts.validation.times.min()
    assert parts.validation.times.max() < parts.test.times.min()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: split(rows(100), test=0.9, validation=0.2), "leave rows for train"),
        (lambda: split(rows(100), test=float("nan")), "test=nan"),
        (lambda: split(rows(100), test=0), "must be above 0"),
        (lambda: split(rows(100), by="group"), "no groups were given"),
        (lambda: split(rows(100), by="time"), "no times were given"),
        (lambda: split(rows(100), by="colour"), "got 'colour'"),
        (lambda: split(rows(1)), "no row fell into"),
        (lambda: split(rows(2, times=np.array([1.0, np.nan])), by="time"), "1 of 2 have none"),
    ],
)
def test_a_split_that_cannot_be_is_refused_in_one_sentence(call, said):
    with pytest.raises(DataError, match=said):
        call()
