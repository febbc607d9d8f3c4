from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_checks.evidence.cells import (
    Form,
    columns_of_rows,
    decimals_of,
    differing,
    forms_of,
    row_codes,
)
from data_checks.splits import Split


def as_split(inputs):
    rows = len(next(iter(inputs.values()))) if isinstance(inputs, dict) else len(inputs)
    return Split(inputs, np.zeros(rows, int))


def codes(train, other):
    forms = forms_of(as_split(train).inputs, as_split(train).keys)
    return row_codes(forms, as_split(train).inputs)[:, 0], row_codes(forms, as_split(other).inputs)[:, 0]


@pytest.mark.parametrize("cast", [np.float32, np.float64, str, object])
def test_a_cast_changes_no_code(cast):
    table = np.round(np.random.default_rng(0).normal(size=(50, 5)), 3)
    plain, other = codes(table, table.astype(cast))
    assert plain.tolist() == other.tolist()
    assert len(set(plain.tolist())) == 50


def test_numbers_of_full_precision_keep_their_code_in_32_bits():
    table = np.random.default_rng(0).normal(size=(50, 5))
    forms = [replace(form, narrow=True) for form in forms_of(table, as_split(table).keys)]
    assert row_codes(forms, table).tolist() == row_codes(forms, table.astype(np.float32)).tolist()
    plain, other = codes(table, table.astype(np.float32))
    assert not set(plain.tolist()) & set(other.tolist())


def test_small_units_are_no_zeros():
    picoamperes = np.random.default_rng(0).normal(size=(50, 3)) * 1e-15
    plain, _ = codes(picoamperes, picoamperes)
    assert len(set(plain.tolist())) == 50


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=8), min_size=2, max_size=8), st.integers(0, 99))
def test_case_and_blanks_change_no_code(words, seed):
    column = np.array(words, object)
    spelt = np.array([f"  {word} " for word in words], object)
    plain, other = codes({"a": column}, {"a": spelt})
    assert plain.tolist() == other.tolist()


def test_decimals_that_train_does_not_have_change_no_code():
    rng = np.random.default_rng(0)
    table = np.round(rng.normal(size=(50, 4)), 1)
    plain, other = codes(table, table + rng.uniform(-0.03, 0.03, table.shape))
    assert plain.tolist() == other.tolist()


def test_values_that_stand_in_other_columns_have_other_codes():
    table = np.arange(6.0).reshape(2, 3)
    plain, other = codes(table, table[:, ::-1].copy())
    assert not set(plain.tolist()) & set(other.tolist())


def test_columns_are_known_by_their_names():
    rng = np.random.default_rng(0)
    table = {name: rng.normal(size=9) for name in "abc"}
    plain, other = codes(table, dict(reversed(table.items())))
    assert plain.tolist() == other.tolist()


def test_missing_cells_equal_each_other_and_nothing_else():
    forms = (Form("inputs[0]", "numbers", 0), Form("inputs[1]", "numbers", 0))
    rows = as_split(np.array([[np.nan, 1.0], [np.nan, 1.0], [0.0, 1.0]]))
    assert differing(forms, rows, np.array([0, 0]), rows, np.array([1, 2])).tolist() == [0, 1]
    found = row_codes(forms, rows.inputs)[:, 0]
    assert found[0] == found[1] != found[2]


def test_a_column_that_is_absent_differs():
    left, right = as_split({"a": np.arange(3), "b": np.arange(3)}), as_split({"a": np.arange(3)})
    assert differing(forms_of(left.inputs, left.keys), left, np.arange(3), right, np.arange(3)).tolist() == [
        1,
        1,
        1,
    ]


def test_moments_have_one_code_in_every_unit():
    days = np.array(["2026-01-01", "2026-02-01", "NaT"], "datetime64[D]")
    plain, other = codes({"a": days}, {"a": days.astype("datetime64[ns]")})
    assert plain.tolist() == other.tolist()
    assert len(set(plain.tolist())) == 3


@pytest.mark.parametrize(
    ("numbers", "decimals"),
    [([1.0, 2.0], 0), ([0.1, 25.0], 1), ([1 / 3], None), ([], 0), ([np.nan, 0.25], 2), ([123456789.25], 2)],
)
def test_decimals_are_told(numbers, decimals):
    assert decimals_of(np.array(numbers, float)) == decimals


def test_wide_columns_are_told_apart_and_no_rows_are_no_trouble():
    named = dict(columns_of_rows({"a": np.zeros((0, 2)), "b": np.zeros(0)}))
    assert list(named) == ["a[0]", "a[1]", "b"]


def test_mixed_objects_are_no_trouble():
    column = np.array([1, "1.0", None, b"x", 2.5, pd.NaT, "two"], object)
    plain, other = codes({"a": column}, {"a": column})
    assert plain.tolist() == other.tolist()
    assert plain[0] == plain[1]
