import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wdgate.evaluation.found import LEAST_ROWS, numeric_columns, worst_region


def columns(rows=2000, seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.uniform(size=rows) for name in ("a", "b", "c")}


def test_a_corner_in_which_the_model_errs_is_found():
    rows = columns()
    errors = ((rows["a"] > 0.7) & (rows["b"] <= 0.4)).astype(float)
    found = worst_region(rows, errors)
    assert {cut.column for cut in found.cuts} == {"a", "b"}
    assert errors[found.mask(rows)].mean() > 0.9
    assert " and " in found.words


def test_rows_of_one_error_have_no_worst_region():
    assert worst_region(columns(), np.ones(2000)) is None


def test_too_few_rows_are_not_cut():
    rows = columns(2 * LEAST_ROWS - 1)
    assert worst_region(rows, (rows["a"] > 0.5).astype(float)) is None


def test_a_missing_cell_is_above_nothing():
    rows = columns()
    errors = (rows["a"] > 0.5).astype(float)
    rows["a"][:400] = np.nan
    found = worst_region(rows, np.where(np.isnan(rows["a"]), 0, errors))
    assert not found.mask(rows)[:400].any()


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        ({"a": np.zeros(3), "text": np.array(["x", "y", "z"]), "grid": np.zeros((3, 2))}, ["a"]),
        (np.zeros((3, 2)), ["inputs[0]", "inputs[1]"]),
        (np.zeros((3, 8, 8)), []),
    ],
)
def test_numbers_in_columns_are_what_can_be_cut(inputs, names):
    assert list(numeric_columns(inputs)) == names


@given(st.integers(0, 2**32 - 1), st.integers(1, 300))
def test_a_region_errs_more_than_all_rows_and_is_no_handful(seed, count):
    rng = np.random.default_rng(seed)
    rows = {"a": rng.integers(0, 4, count).astype(float), "b": rng.normal(size=count)}
    errors = rng.random(count).round(1)
    found = worst_region(rows, errors)
    if found is not None:
        inside = found.mask(rows)
        assert inside.sum() >= LEAST_ROWS
        assert errors[inside].mean() >= errors.mean()
        assert 1 <= len(found.cuts) <= 2
