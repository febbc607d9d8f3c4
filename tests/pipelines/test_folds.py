"""Is every row predicted once, by a training that has seen nothing of it?"""

from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, StratifiedKFold

from data_checks.errors import DataError
from data_checks.splits import Split, Splits
from pipelines.folds import Material, folds_for, folds_of, joined, material_of, parts_of_fold, some_of

rows = st.integers(12, 60)
folds = st.integers(2, 6)


def split(targets, **more):
    return Split(np.arange(len(targets), dtype=float)[:, None], np.asarray(targets), **more)


class Numbers:
    def __init__(self, start, count):
        self.start, self.count = start, count

    def __len__(self):
        return self.count

    def __getitem__(self, indices):
        assert len(indices) > 0
        return (self.start + indices)[:, None]

    def key(self, index):
        return str(self.start + index).encode()


@given(st.lists(st.integers(0, 3), min_size=12, max_size=60), folds)
def test_every_row_is_predicted_once_and_never_fitted_on_then(targets, k):
    found = folds_of(split(targets), k)
    assert sorted(np.concatenate([judged for _, judged in found])) == list(range(len(targets)))
    assert all(not set(fit) & set(judged) for fit, judged in found)
    assert all(len(fit) + len(judged) == len(targets) for fit, judged in found)


@given(st.lists(st.integers(0, 3), min_size=12, max_size=60), folds)
def test_folds_hold_as_many_rows_of_each_class_as_scikit_learns(targets, k):
    targets = np.asarray(targets)
    found = folds_of(split(targets), k)
    for kind in np.unique(targets):
        counts = [int((targets[judged] == kind).sum()) for _, judged in found]
        assert max(counts) - min(counts) <= 1
    if min(np.bincount(targets)[np.unique(targets)]) >= k:
        theirs = [len(judged) for _, judged in StratifiedKFold(k).split(targets, targets)]
        assert max(len(judged) for _, judged in found) <= max(theirs) + len(np.unique(targets))


@given(st.lists(st.integers(0, 9), min_size=30, max_size=60), st.integers(2, 3))
def test_rows_of_one_group_stay_together_however_its_name_is_spelt(groups, k):
    if len(set(groups)) < k:
        return
    spelt = np.array([f"p{g}" if i % 2 else f" P{g} " for i, g in enumerate(groups)], dtype=object)
    found = folds_of(split(np.zeros(len(groups)), groups=spelt), k)
    groups = np.asarray(groups)
    assert all(not set(groups[fit]) & set(groups[judged]) for fit, judged in found)
    theirs = [len(judged) for _, judged in GroupKFold(k).split(groups, groups=groups)]
    assert max(len(judged) for _, judged in found) <= max(theirs)


@given(st.lists(st.integers(0, 20), min_size=30, max_size=60))
def test_equal_rows_stay_together_where_there_are_no_groups(numbers):
    if len(set(numbers)) < 3:
        return
    inputs = np.asarray(numbers, dtype=float)[:, None]
    for fit, judged in folds_of(Split(inputs, np.zeros(len(inputs))), 3):
        assert not set(inputs[fit, 0]) & set(inputs[judged, 0])


@given(st.lists(st.integers(0, 30), min_size=20, max_size=60), st.integers(2, 4), st.integers(0, 2))
def test_in_time_everything_that_is_fitted_on_comes_first_and_a_later_fold_fits_on_more(times, k, embargo):
    times = np.asarray(times)
    if len(set(times)) <= k + 3:
        return
    if embargo >= min(times[times > times.min()]) - min(times):
        return  # the embargo may take all that the first fold is fitted on
    found = folds_of(split(np.zeros(len(times)), times=times), k, embargo)
    for fit, judged in found:
        assert times[fit].max() + embargo <= times[judged].min()
        assert times[fit].max() < times[judged].min()
    assert all(set(a) <= set(b) for (a, _), (b, _) in pairwise(found))
    judged = np.concatenate([judged for _, judged in found])
    assert len(set(judged)) == len(judged)
    first = times[judged].min()
    assert set(judged) == set(np.flatnonzero(times >= first))


def test_blocks_of_even_moments_are_even():
    found = folds_of(split(np.zeros(60), times=np.arange(60)), 5)
    assert [len(judged) for _, judged in found] == [10] * 5
    assert [len(fit) for fit, _ in found] == [10, 20, 30, 40, 50]


def test_text_and_moments_are_in_order_of_time_with_an_embargo_of_days():
    days = np.array([f"2024-01-{day:02d}" for day in range(1, 31)], dtype=object)[::-1]
    found = folds_of(split(np.zeros(30), times=days), 2, timedelta(days=2))
    for fit, judged in found:
        assert max(days[fit]) < min(days[judged])
        assert int(min(days[judged])[-2:]) - int(max(days[fit])[-2:]) == 2


def test_with_groups_and_times_neither_a_group_nor_a_later_row_is_fitted_on():
    times, groups = np.arange(40), np.arange(40) % 20
    for fit, judged in folds_of(split(np.zeros(40), times=times, groups=groups), 3):
        assert times[fit].max() < times[judged].min()
        assert not set(groups[fit]) & set(groups[judged])


@pytest.mark.parametrize(
    ("rows", "k", "said"),
    [
        (split(np.zeros(3)), 5, "folds must be at most 3, the number of different rows, got 5"),
        (
            split(np.zeros(9), groups=np.arange(9) % 2),
            3,
            "folds must be at most 2, the number of groups, got 3",
        ),
        (
            split(np.zeros(9), times=np.arange(9) % 3),
            3,
            "folds must be below 3, the number of different moments",
        ),
        (split(np.zeros(9), times=np.array([*range(8), np.nan])), 3, "1 of 9 have none"),
        (
            split(np.zeros(9), times=np.arange(9), groups=np.zeros(9)),
            2,
            "fold 1 of 2 leaves no row to fit on: its groups or the embargo take all of them",
        ),
    ],
)
def test_too_many_folds_are_one_sentence(rows, k, said):
    with pytest.raises(DataError) as raised:
        folds_of(rows, k)
    assert said in str(raised.value)


@given(st.integers(1, 50), st.floats(0.01, 1), st.floats(0.01, 1))
def test_a_smaller_share_is_a_part_of_a_larger_one(count, one, other):
    all_rows = split(np.arange(count))
    smaller, larger = (set(some_of(all_rows, share).targets) for share in sorted((one, other)))
    assert smaller <= larger
    assert len(smaller) == max(1, round(min(one, other) * count))


@pytest.mark.parametrize(
    ("count", "asked", "found"), [(149, None, 5), (150, None, 1), (10, 1, 1), (900, 3, 3)]
)
def test_few_validation_rows_are_joined_with_train_unless_that_was_not_wanted(count, asked, found):
    assert folds_for(Material(split(np.zeros(300)), split(np.zeros(count))), asked) == found


def test_without_validation_rows_one_fold_is_refused():
    material = Material(split(np.zeros(300)), split(np.zeros(0)))
    assert folds_for(material, None) == 5
    with pytest.raises(DataError, match="leave out folds=1"):
        folds_for(material, 1)


def test_a_material_has_no_place_for_test_rows():
    splits = Splits(split([0, 1]), split([2]), split([3, 4, 5]), embargo=3)
    material = material_of(splits)
    assert set(vars(material)) == {"train", "validation", "embargo"}
    seen = np.concatenate([part.targets for part in (material.train, material.validation)])
    assert not set(seen) & set(splits.test.targets)


def test_one_fold_is_train_and_validation_as_they_are():
    material = Material(split(np.arange(10)), split(np.arange(10, 14)))
    train, validation = parts_of_fold(material, 0, 1)
    assert train is material.train
    assert validation is material.validation


def test_a_fold_predicts_its_rows_and_fits_on_a_share_of_the_others():
    material = Material(split(np.arange(40) % 2), split(np.arange(10) % 2))
    parts = [parts_of_fold(material, fold, 5, 0.5) for fold in range(5)]
    assert [(len(train), len(validation)) for train, validation in parts] == [(20, 10)] * 5


@pytest.mark.parametrize("kind", ["array", "columns", "reader"])
def test_rows_of_two_parts_are_joined_with_all_that_belongs_to_them(kind):
    def part(start, count):
        numbers = np.arange(start, start + count)
        inputs = {"array": numbers[:, None], "columns": {"a": numbers}, "reader": Numbers(start, count)}[kind]
        return Split(
            inputs, numbers, ids=numbers, groups=numbers, times=numbers, weights=numbers * 1.0,
            attributes={"site": numbers},
        )  # fmt: skip

    both, expected = joined(part(0, 5), part(5, 3)), part(0, 8)
    assert both.fingerprint == expected.fingerprint
    few = np.array([6, 0, 7, 4])
    taken, wanted = both.take(few), expected.take(few)
    assert taken.fingerprint == wanted.fingerprint
    assert taken.ids.tolist() == taken.attributes["site"].tolist() == few.tolist()
    if kind == "reader":
        assert taken.inputs[np.array([1, 0, 3])][:, 0].tolist() == [0, 6, 4]


def test_parts_of_different_kinds_are_not_joined():
    with pytest.raises(DataError, match="both have groups, or neither"):
        joined(split(np.zeros(3), groups=np.arange(3)), split(np.zeros(2)))
    with pytest.raises(DataError, match="inputs of one kind"):
        joined(split(np.zeros(3)), Split({"a": np.arange(2)}, np.zeros(2)))
