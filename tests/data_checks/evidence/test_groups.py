import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_checks.errors import DataError
from data_checks.evidence.groups import measure
from data_checks.splits import Split, Splits


def part(groups):
    return Split(np.zeros((len(groups), 1)), np.zeros(len(groups), int), groups=np.array(groups))


@pytest.mark.parametrize("spelling", ["Site A", "site a", "  SITE\tA ", "ｓｉｔｅ　ａ", "Site  A"])
def test_a_group_is_found_however_it_is_spelt(spelling):
    splits = Splits(part(["site a", "b"]), part(["c"]), part([spelling, "d"]))
    assert measure(splits)["shared_group"].tolist() == [False, False, False, True, False]


def test_a_number_is_found_as_text_too():
    splits = Splits(part([7, 8]), part([9.0]), part(["7.0", "9", "70"]))
    assert measure(splits)["shared_group"][-3:].tolist() == [True, True, False]


@given(*[st.lists(st.integers(0, 8), min_size=1, max_size=8)] * 3)
def test_a_shared_group_is_one_of_an_earlier_split(train, validation, test):
    flags = measure(Splits(part(train), part(validation), part(test)))["shared_group"].tolist()
    expected = (
        [False] * len(train) + [g in train for g in validation] + [g in train + validation for g in test]
    )
    assert flags == expected


def test_a_patient_is_found_behind_separators_and_leading_zeros():
    splits = Splits(part(["Patient-007", "1-23"]), part(["c"]), part(["PATIENT_7", "patient 07", "12-3"]))
    assert measure(splits)["shared_group"].tolist() == [False, False, False, True, True, False]


def test_the_text_na_is_a_group_and_groups_that_are_missing_are_shared():
    splits = Splits(part(["NA", None]), part(["c"]), part(["nan", "na", None]))
    assert measure(splits)["shared_group"].tolist() == [False, False, False, False, True, True]


def test_a_million_groups_are_compared_by_hash():
    names = np.char.add("p-", np.arange(20_000).astype(str))
    flags = measure(Splits(part(names[:10_000]), part(["c"]), part(names[9_999:])))["shared_group"]
    assert np.flatnonzero(flags).tolist() == [10_001]


def test_groups_in_some_splits_only_are_refused():
    bare = Split(np.zeros((1, 1)), np.zeros(1, int))
    with pytest.raises(DataError, match="test has no groups"):
        measure(Splits(part(["a"]), part(["b"]), bare))
