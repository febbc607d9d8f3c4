from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_checks.errors import DataError
from data_checks.evidence.times import in_words, measure, measure_embargo, measure_later_inputs
from data_checks.splits import Split, Splits


def part(times):
    return Split(np.zeros((len(times), 1)), np.zeros(len(times), int), times=np.array(times))


@pytest.mark.parametrize(
    ("train", "later", "earlier"),
    [
        ([1, 5, 3], 6, 5),
        ([0.5, np.nan], 1.5, 0.25),
        (["2024-01-01", "2024-02-01"], "2024-02-02", "2023-12-31"),
        (["2024-01-01", "20240201"], "2024-02-02", "20240131"),
        (["2024-02-01T10:00+02:00", ""], "2024-02-01T08:01", "2024-02-01T09:59+02:00"),
        (np.array(["2024-01-01", None, pd.NA], object), "2024-01-02", "2023-12-31"),
        ([datetime(2024, 1, 1), pd.NA], datetime(2024, 1, 2), pd.NA),
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
        (part(["a"]), "one type in all splits"),
    ],
)
def test_times_that_cannot_be_compared_are_refused(test, said):
    with pytest.raises(DataError, match=said):
        measure(Splits(part([1]), part([2]), test))


@pytest.mark.parametrize(
    "test",
    [
        ["20/01/2022"],
        ["2024-03-01", "5"],
        np.array(["2024-03-01", 7], object),
        np.array([b"x"], object),
        ["None"],
    ],
)
@pytest.mark.parametrize("ask", [measure, measure_embargo])
def test_text_that_tells_no_moment_is_refused_without_quoting_it(test, ask):
    splits = Splits(part(["2024-01-01"]), part(["2024-02-01"]), part(test), embargo=timedelta(days=1))
    with pytest.raises(
        DataError, match="times of test must be moments, numbers, or text in ISO 8601"
    ) as told:
        ask(splits)
    assert f"in 1 of {len(test)} rows" in str(told.value)
    assert "20/01" not in str(told.value)


@given(st.lists(st.datetimes(datetime(1000, 1, 1), datetime(3000, 1, 1)), min_size=2, max_size=9))
def test_text_is_compared_as_the_moments_that_it_tells(moments):
    def flags(write):
        parts = [part([write(moment) for moment in each]) for each in (moments[:1], moments[1:])]
        return measure(Splits(parts[0], parts[1], parts[1]))["not_after_train"].tolist()

    assert flags(datetime.isoformat) == flags(np.datetime64)


def test_times_that_are_all_missing_are_refused():
    with pytest.raises(DataError, match="every one of them is missing"):
        measure(Splits(part([np.nan]), part([1.0]), part([2.0])))


def embargoed(embargo, test, train=(1, 5, 3), validation=(9,)):
    return Splits(part(list(train)), part(list(validation)), part(test), embargo=embargo)


@pytest.mark.parametrize(("embargo", "test", "found"), [(4, [13, 12, 30], [0, 1, 0]), (0, [9, 8], [0, 1])])
def test_rows_sooner_after_an_earlier_split_than_the_embargo_are_named(embargo, test, found):
    flags = measure_embargo(embargoed(embargo, test))["times_within_embargo"]
    assert flags.tolist() == [False, False, False, False, *[bool(flag) for flag in found]]


def test_validation_keeps_the_embargo_too_and_a_row_without_a_time_does_not():
    flags = measure_embargo(embargoed(4.5, [100.0, np.nan], validation=(9,)))["times_within_embargo"]
    assert flags.tolist() == [False, False, False, True, False, True]


@settings(deadline=None)
@given(st.integers(0, 20), st.lists(st.integers(0, 50), min_size=1, max_size=20))
def test_the_embargo_of_moments_is_that_of_numbers(embargo, times):
    def days(numbers):
        return [np.datetime64("2024-01-01") + number for number in numbers]

    splits = embargoed(timedelta(days=embargo), days(times), days([1, 5, 3]), days([9]))
    assert (
        measure_embargo(splits)["times_within_embargo"].tolist()
        == measure_embargo(embargoed(embargo, times))["times_within_embargo"].tolist()
    )


def test_an_embargo_of_another_unit_is_refused():
    with pytest.raises(DataError, match="embargo must be a number"):
        measure_embargo(embargoed(timedelta(days=1), [20]))


def visits(times, discharged):
    inputs = {"age": np.arange(len(times)), "discharged": np.array(discharged, "M8[s]")}
    return Split(inputs, np.zeros(len(times), int), times=np.array(times, "M8[D]"))


def test_inputs_from_after_their_row_are_counted_and_named():
    clean = visits(["2024-01-02"], ["2024-01-01"])
    late = visits(["2024-01-02", "2024-01-02", "NaT"], ["2024-01-03", "NaT", "2024-01-01"])
    evidence = measure_later_inputs(Splits(clean, clean, late))
    assert evidence.columns["times_later_inputs"].tolist() == [0, 0, 1, 0, 0]
    assert evidence.facts == ("discharged",)


def test_inputs_from_after_a_row_whose_time_is_text_are_found():
    late = visits(["2024-01-02"], ["2024-01-03"])
    late = replace(late, times=np.array(["20240102"]))
    assert measure_later_inputs(Splits(late, late, late)).columns["times_later_inputs"].tolist() == [1, 1, 1]


def test_an_embargo_is_said_as_people_say_it():
    assert in_words(timedelta(days=7)) == "7 days"
    assert in_words(np.timedelta64(90, "m")) == "0 days 01:30:00"
