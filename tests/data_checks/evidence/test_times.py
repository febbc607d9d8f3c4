from datetime import datetime

import numpy as np
import pytest

from data_checks.errors import DataError
from data_checks.evidence.times import measure
from data_checks.splits import Split, Splits


def part(times):
    return Split(np.zeros((len(times), 1)), np.zeros(len(times), int), times=np.array(times))


@pytest.mark.parametrize(
    ("train", "later", "earlier"),
    [
        ([1, 5, 3], 6, 5),
        ([0.5, np.nan], 1.5, 0.25),
        (["2024-01-01", "2024-02-01"], "2024-02-02", "2023-12-31"),
        (np.array(["2024-01-01", "NaT"], "datetime64[D]"), np.datetime64("2024-01-02"), np.datetime64("NaT")),
        ([datetime(2024, 1, 1), None], datetime(2024, 1, 2), None),
    ],
)
def test_a_row_no_later_than_trains_last_or_without_a_time_is_named(train, later, earlier):
    flags = measure(Splits(part(train), part([later]), part([later, earlier])))["not_after_train"]
    assert flags[len(train) :].tolist() == [False, False, True]


def test_train_rows_offend_only_where_they_have_no_time():
    assert measure(Splits(part([3.0, 1.0, np.nan]), part([4.0]), part([5.0])))[
        "not_after_train"
    ].tolist() == [
        False,
        False,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (Split(np.zeros((1, 1)), np.zeros(1, int)), "must both have times"),
        (part(["2024-01-01"]), "one type in all splits"),
    ],
)
def test_times_that_cannot_be_compared_are_refused(test, said):
    with pytest.raises(DataError, match=said):
        measure(Splits(part([1]), part([2]), test))


def test_times_that_are_all_missing_are_refused():
    with pytest.raises(DataError, match="every one of them is missing"):
        measure(Splits(part([np.nan]), part([1.0]), part([2.0])))
