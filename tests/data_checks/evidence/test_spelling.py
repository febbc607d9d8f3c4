import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_checks.evidence.spelling import MISSING, canonical, canonical_ids

ANY_CELL = st.one_of(
    st.text(max_size=8),
    st.text(alphabet="a1 .,-'\t\u00adé😀", max_size=12),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.binary(max_size=4),
)


def spelt(*cells):
    return canonical(np.array([*cells, None], dtype=object))[:-1].tolist()


def ids(*names):
    return canonical_ids(np.array([*names, None], dtype=object))[:-1].tolist()


@pytest.mark.parametrize(
    "cells",
    [
        ("Site A", "site a", "  SITE\tA ", "ｓｉｔｅ　ａ", "Si\u00adte A", "site\u200b a"),
        ("café", "cafe\u0301", "CAFÉ"),
        ("it's", "it’s", "it`s", "it´s"),
        ("a-b", "a–b", "a\u2011b"),
        (1, 1.0, "1", "1.0", "1e0", "+1", "01", np.float32(1), np.int8(1), " 1 ", b"1"),
        (0.1, np.float32(0.1), "0.1", ".1", "0.10", "1e-1", "１０e-2"),
        (-3, "-3", "−3", "-3.0"),
        ("1,234,567", 1234567, "1,234,567.0"),
        (2**53 + 1, str(2**53 + 1)),
        (True, "True", "TRUE", np.True_),
        (None, float("nan"), "", " ", "NA", "n/a", "NULL", "NaN", np.datetime64("NaT"), "None", "<NA>"),
        ("2020-01-01T00:00:00", "2020-01-01", np.datetime64("2020-01-01T00:00:00.000")),
        ("2020-01-01T10:20:00.500", "2020-01-01 10:20:00.5"),
        ("Well, I said so!", "well I said so", "“Well”, I said - so..."),
        ("It was in May 5, 2020", "it was in may 5 2020"),
        ("e.g. this one", "eg this one"),
    ],
)
def test_spellings_of_one_cell_are_one(cells):
    assert len(set(spelt(*cells))) == 1


@pytest.mark.parametrize(
    "cells",
    [
        (1, True, 0, False, "1 1", "11", -1),
        (2**53, 2**53 + 1),
        ("1,000", "1000", "1.5", "15", "1,5"),
        ("a", "b", "a b", "a-b", "a.b"),
        ("dose of 1.5 mg", "dose of 15 mg", "dose of 1 5 mg", "dose of -15 mg"),
        ("what is 3 - 4", "what is 3 * 4", "what is 3 + 4", "what is 34"),
        ("if x < y then", "if x > y then"),
        ("i love it 😀", "i love it 😡", "i love it"),
        ("n a n", None),
        ("क़", "क"),
    ],
)
def test_other_cells_stay_apart(cells):
    assert len(set(spelt(*cells))) == len(cells)


def test_in_a_long_text_no_punctuation_counts():
    long = "word " * 30
    assert len(set(spelt(f"{long}at 12:30, for 1,000.", f"{long} at 1230 for 1000"))) == 1


def test_nothing_is_an_empty_text():
    assert spelt(None) == [MISSING]


@given(st.lists(ANY_CELL, min_size=1))
def test_any_cells_become_text_one_by_one(cells):
    column = np.empty(len(cells), dtype=object)
    column[:] = cells
    together = canonical(column)
    assert [canonical(column[i : i + 1])[0] for i in range(len(cells))] == together.tolist()
    assert all(type(text) is str and text.encode() is not None for text in together)


@given(st.lists(st.text(max_size=6), min_size=1))
def test_a_name_is_settled_once(names):
    settled = canonical_ids(np.array(names, object))
    assert canonical_ids(settled).tolist() == settled.tolist()


@given(st.integers(-(10**20), 10**20) | st.floats(allow_nan=False))
def test_a_number_is_its_own_text(number):
    assert len(set(spelt(number, str(number), f" {number}"))) == 1


@given(
    st.lists(st.integers(0, 99), min_size=1, max_size=4), st.lists(st.integers(0, 99), min_size=1, max_size=4)
)
def test_numbers_in_a_name_are_told_apart(left, right):
    ours, theirs = ids("-".join(map(str, left)) + "-x", "_".join(f"{n:03d}" for n in right) + " X")
    assert (ours == theirs) == (left == right)


@pytest.mark.parametrize(
    "names",
    [
        ("Patient-007", "patient 7", "PATIENT_007", "patient7", "ＰＡＴＩＥＮＴ–７", " patient.7"),
        ("P007", "p-7", "p7", "P 07"),
        (7, 7.0, "7", "7.0", "007", "#7"),
        ("Site  A", "site-a", "SITE_A"),
        (None, "", " ", float("nan"), pd.NA, pd.NaT),
        ("1/2", "01/02", "001/2"),
        ("P007.5", "p-7.5"),
        (10**16, 1e16),
    ],
)
def test_spellings_of_one_name_are_one(names):
    assert len(set(ids(*names))) == 1


@pytest.mark.parametrize(
    "names",
    [
        ("a1", "a11", "a10", "b1", "a"),
        ("1-23", "12-3", "123", "1-2-3"),
        ("-7", "7", "7.5", "75", "7-5"),
        ("1.10", "1.1"),
        ("x.01", "x.1", "x.001"),
        ("v1.01", "v1.1"),
        ("1/2", "1-2", "1.2", "12"),
        ("1e3", "1000", "1"),
        ("NA", "nan", "null", "none", "n/a", None),
        ("A", "A-", "A+", "c#", "c++", "c"),
        ("a01b1", "a1b01"),
        ("p0", "p"),
    ],
)
def test_other_names_stay_apart(names):
    assert len(set(ids(*names))) == len(names)


def test_whole_numbers_have_one_name_whatever_stands_beside_them():
    for numbers in ([7, 10**15], [7.0, 1e15], [7.0, 1e15, np.nan], ["7", "1000000000000000"]):
        assert canonical_ids(np.array(numbers))[:2].tolist() == ["7", "1000000000000000"]


def test_no_rows_have_no_spelling():
    assert canonical(np.array([], object)).shape == (0,)
