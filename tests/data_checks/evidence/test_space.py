import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_checks.errors import DataError
from data_checks.evidence.space import fit_space, numbers
from data_checks.splits import Split


def space_of(inputs):
    return fit_space(Split(inputs, np.zeros(len(inputs), int)))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 90), st.integers(2, 60))
def test_a_projection_lengthens_no_distance(seed, width, rows):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(rows, width)) * rng.uniform(0, 5, width)
    space = space_of(inputs)
    apart = inputs[:-1] - inputs[1:]
    points = space.project(inputs)
    shortened = np.sqrt(np.square(points[:-1] - points[1:]).sum(1))
    assert (shortened <= space.length(apart) * (1 + 1e-9) + 1e-9).all()


def test_pixels_share_a_unit_and_columns_of_a_table_do_not():
    rng = np.random.default_rng(0)
    assert space_of(rng.integers(0, 256, (50, 4, 4)).astype(np.uint8)).one_unit
    assert not space_of(rng.normal(size=(50, 4)) * [1, 10, 100, 1000]).one_unit


def test_one_standard_deviation_in_every_value_is_a_distance_of_one():
    inputs = np.random.default_rng(0).normal(size=(500, 4)) * [1, 10, 100, 1000]
    space = space_of(inputs)
    assert space.length(inputs.std(0)[None]) == pytest.approx(1)


def test_columns_are_joined_in_alphabetical_order():
    joined = numbers({"b": np.array([[1, 2]]), "a": np.array([True])})
    assert joined.tolist() == [[1, 1, 2]]


def test_rows_of_another_width_are_refused():
    with pytest.raises(DataError, match="rows of 5 numbers"):
        space_of(np.eye(4)).project(np.zeros((1, 5)))


def test_train_rows_that_are_all_missing_are_refused():
    with pytest.raises(DataError, match="none of 12 train rows"):
        space_of(np.full((12, 4), np.nan))


@pytest.mark.parametrize("unit", [1e-300, 1e300])
def test_very_small_and_very_large_numbers_have_distances_too(unit):
    space = space_of(np.random.default_rng(0).normal(size=(50, 4)) * [unit, 1, 1, 1])
    assert space.length(np.array([[unit, 1, 1, 1]])) == pytest.approx(1, rel=0.5)
