import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine

from data_checks.evidence.one_cell import fit, measure, rows, why_not
from data_checks.evidence.table import Part
from data_checks.splits import Split, Splits


def as_split(inputs):
    return Split(inputs, np.zeros(len(inputs), int))


def found(train, test):
    part = as_split(test)
    return rows(fit(Splits(as_split(train), part, part)), Part("test", 0, part))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 9999), st.integers(4, 12), st.integers(1, 20))
def test_a_changed_cell_is_found_wherever_it_is(seed, width, count):
    rng = np.random.default_rng(seed)
    train = rng.normal(size=(200, width))
    test = train[:count].copy()
    test[np.arange(count), rng.integers(0, width, count)] += rng.normal(size=count) + 5
    assert found(train, test)["one_cell_of"].tolist() == list(range(count))


def test_two_changed_cells_and_none_are_not_one():
    train = np.random.default_rng(0).normal(size=(200, 6))
    test = train[:10].copy()
    test[:5, [0, 3]] += 7
    assert not found(train, test)["one_cell"].any()


def test_a_changed_word_is_one_cell():
    rng = np.random.default_rng(0)
    columns = {name: rng.normal(size=100) for name in "abc"} | {
        "word": rng.choice(np.array(["yes", "no"]), 100)
    }
    test = {name: column[:10] for name, column in columns.items()} | {"word": np.array(["perhaps"] * 10)}
    part, train = Split(test, np.zeros(10, int)), Split(columns, np.zeros(100, int))
    assert rows(fit(Splits(train, part, part)), Part("test", 0, part))["one_cell"].all()


def test_where_a_difference_of_one_cell_is_usual_nobody_complains():
    answers = np.array(list(itertools.product(range(3), repeat=5)))
    answers = np.random.default_rng(0).permutation(answers)
    known = fit(Splits(as_split(answers[:150]), as_split(answers[150:]), as_split(answers[150:])))
    assert known.usual
    assert not rows(known, Part("test", 0, as_split(answers[150:])))["one_cell"].any()


def test_stations_that_stand_still_are_honest():
    rng = np.random.default_rng(0)
    places = rng.normal(size=(40, 3))[rng.integers(0, 40, 3000)]
    weather = np.round(rng.normal(10, 5, 3000), 1), np.round(rng.normal(60, 15, 3000))
    rows = np.column_stack([places, *weather])
    assert not found(rows[:2400], rows[2400:])["one_cell"].any()


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_diabetes])
def test_honest_measurements_are_not_complained_of(load):
    data = np.random.default_rng(0).permutation(load().data)
    cut = len(data) // 2
    splits = Splits(as_split(data[:cut]), as_split(data[cut:]), as_split(data[cut:]))
    assert not measure(splits).columns["one_cell"].any()


def test_narrow_rows_are_not_asked():
    part = as_split(np.zeros((20, 3)))
    assert "fewer than 4 cells" in why_not(Splits(part, part, part))
