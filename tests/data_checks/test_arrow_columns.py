import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_checks.arrow_columns import agree, column_of, moments_of
from data_checks.errors import DataError


def column(values, kind=None, **options):
    return column_of(pa.chunked_array([pa.array(values, kind)]), "column 'a'", **options)


def test_numbers_are_not_copied():
    stored = pa.array(np.arange(1000.0))
    assert np.shares_memory(column_of(pa.chunked_array([stored]), "a").values, stored.to_numpy())


def test_cells_of_text_that_come_often_are_one_object():
    values = column(["a", "b", "a", None] * 100).values
    assert len({id(cell) for cell in values.tolist()}) == 3


def test_names_that_are_large_numbers_keep_every_digit():
    values = [2**53 + 1, None]
    assert column(values, name=True).values.tolist() == [str(2**53 + 1), None]
    assert column(values).values.dtype == float


@pytest.mark.parametrize(
    ("first", "second", "kinds"),
    [
        (column([1, 2]), column([1, None]), "ff"),
        (column([1, 2]), column([1.0, 2.0]), "if"),
        (column([1, 2], guessed=True), column([1.5, 2.0], guessed=True), "ff"),
        (column([True, False]), column([True, None]), "ff"),
        (column([True, False]), column([1, None]), "ff"),
        (column([True, False], guessed=True), column([1, 2], guessed=True), "bi"),
        (column([True, False]), column([1.0, None]), "bf"),
        (column(["a"]), column([None]), "OO"),
        (column([1], pa.timestamp("s")), column([None]), "MM"),
        (column([None]), column([None]), "ff"),
        (column(["a"]), column([1]), "Oi"),
    ],
)
def test_gaps_and_guesses_make_no_other_type_and_all_else_does(first, second, kinds):
    for pair, expected in (((first, second), kinds), ((second, first), kinds[::-1])):
        assert "".join(values.dtype.kind for values in agree(pair, "column 'a'")) == expected


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(-1000, 1000)), min_size=1, max_size=9), st.integers(0, 8))
def test_a_column_that_is_cut_in_two_reads_as_it_did_whole(values, place):
    parts = [part for part in (values[:place], values[place:]) if part]
    both = np.concatenate(agree([column(part, pa.int64()) for part in parts], "column 'a'"))
    whole = agree([column(values, pa.int64())], "column 'a'")[0]
    np.testing.assert_array_equal(both.astype(float), whole.astype(float))


@settings(deadline=None)
@given(st.lists(st.datetimes(timezones=st.timezones()), min_size=1, max_size=5))
def test_moments_of_any_time_zone_as_text_are_the_same_moments(moments):
    texts = []
    for moment in moments:
        offset = moment.utcoffset()
        # ISO 8601 has no seconds in an offset, which history has.
        if offset is not None and offset.total_seconds() % 60 == 0 and 1700 < moment.year < 2250:
            texts.append(moment)
    if texts:
        read = moments_of(column([moment.isoformat() for moment in texts]), "column 'a'")
        seconds = (read.values - np.datetime64("1970-01-01")) / np.timedelta64(1, "us")
        assert read.zoned
        np.testing.assert_allclose(seconds, [moment.timestamp() * 1e6 for moment in texts], atol=200)


def test_gaps_in_moments_stay_gaps_and_blanks_are_no_moments():
    assert np.isnat(moments_of(column(["2024-01-01", None]), "a").values).tolist() == [False, True]
    with pytest.raises(DataError, match="which is no moment"):
        moments_of(column(["2024-01-01", " "]), "a")
