import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine

from data_checks.errors import DataError
from data_checks.evidence import index, interpolated
from data_checks.evidence.interpolated import allowed_angle, straight_pairs
from data_checks.evidence.table import Part
from data_checks.splits import Split, Splits


def as_split(inputs):
    return Split(inputs, np.zeros(len(inputs), int))


def found(train, test):
    splits = Splits(as_split(train), as_split(test), as_split(test))
    lines = interpolated.fit(index.fit(splits), splits)
    return interpolated.rows(lines, Part("test", 0, splits.test))["interpolated"]


def smote(rows, count, rng):
    """Rows between neighbours, as the paper's pseudocode makes them (Chawla et al. 2002, k = 5)."""
    made = []
    for row in rows[rng.integers(0, len(rows), count)]:
        nearest = np.argsort(np.square((rows - row) / rows.std(0)).sum(1))[1:6]
        made.append(row + rng.uniform(0.05, 0.95) * (rows[rng.choice(nearest)] - row))
    return np.array(made)


@pytest.mark.parametrize("load", [load_wine, load_breast_cancer, load_diabetes])
def test_rows_made_between_train_rows_are_found(load):
    rng = np.random.default_rng(0)
    data = load().data
    varied = data[:, data.std(0) > 0]
    assert found(varied, smote(varied, 60, rng)).mean() >= 0.94


def test_a_test_row_that_train_rows_were_made_from_is_found():
    rng = np.random.default_rng(0)
    honest = rng.normal(size=(200, 6))
    nearest = [np.argsort(np.square(honest[20:] - row).sum(1))[1] for row in honest[:20]]
    made = honest[:20] + 0.4137 * (honest[20:][nearest] - honest[:20])
    assert found(np.vstack([honest[20:], made]), honest[:20]).mean() > 0.9


@pytest.mark.parametrize(
    "load", [load_iris, load_wine, load_breast_cancer, load_diabetes, lambda: load_digits()]
)
def test_honest_measurements_are_not_complained_of(load):
    data = np.random.default_rng(0).permutation(load().data)
    cut = int(len(data) * 0.7)
    assert not found(data[:cut], data[cut:]).any()


def test_whole_numbers_and_rows_along_one_line_are_honest():
    grid = np.random.default_rng(0).permutation(np.array(list(itertools.product(range(6), repeat=4))))
    assert not found(grid[:900], grid[900:]).any()
    line = np.arange(600.0)[:, None] * np.arange(1, 6) + 3
    line = np.random.default_rng(0).permutation(line)
    assert not found(line[:500], line[500:]).any()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 9999), st.integers(1, 30))
def test_parts_of_any_size_give_the_same(seed, size):
    rng = np.random.default_rng(seed)
    train = rng.normal(size=(150, 5))
    test = as_split(np.vstack([smote(train, 20, rng), rng.normal(size=(20, 5))]))
    splits = Splits(as_split(train), test, test)
    lines = interpolated.fit(index.fit(splits), splits)
    whole = interpolated.rows(lines, Part("test", 0, test))["interpolated_from"]
    parts = [
        interpolated.rows(lines, Part("test", start, test.take(np.arange(start, min(start + size, 40)))))
        for start in range(0, 40, size)
    ]
    assert np.concatenate([part["interpolated_from"] for part in parts]).tolist() == whole.tolist()


def test_of_many_rows_some_are_looked_at_and_all_if_one_of_them_was_made(monkeypatch):
    monkeypatch.setattr(interpolated, "LOOKED_AT", 50)
    rng = np.random.default_rng(0)
    train, honest = rng.normal(size=(300, 5)), rng.normal(size=(400, 5))
    for test, share in ((honest, 0.125), (np.vstack([honest[:200], smote(train, 200, rng)]), 1.0)):
        splits = Splits(as_split(train), as_split(test), as_split(test))
        lines = interpolated.fit(index.fit(splits), splits)
        assert lines.share == share
        shown = interpolated.rows(lines, Part("test", 0, splits.test))["interpolated"]
        assert shown[200:].mean() > 0.9 if share == 1 else not shown.any()


def test_rows_that_nearly_coincide_are_no_line():
    apart = np.array([[[1.0, 2, 3], [1 + 1e-9, 2, 3], [0.5, -2, 1]]])
    assert not straight_pairs(apart, 1e-4).any()


def test_the_angle_is_stricter_in_few_dimensions_and_none_where_rounding_would_decide():
    assert allowed_angle(20, 100) == 1e-4
    assert 0 < allowed_angle(3, 4000) < 1.5e-4
    assert allowed_angle(2, 4000) == 0


def prices(rng):
    eur = rng.lognormal(size=3000)
    sparse = rng.exponential(size=(3000, 3)) * (rng.random((3000, 3)) < 0.2)
    return np.column_stack([eur, eur * 1.1, eur * 0.9, sparse])


def invoices(rng):
    net = np.round(rng.lognormal(4, 1, 3000), 2)
    vat = np.round(0.2 * net, 2)
    return np.column_stack([net, vat, net + vat, rng.integers(1, 4, 3000), rng.integers(0, 2, 3000)])


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("make", [prices, invoices])
def test_columns_that_are_multiples_of_another_make_no_lines(make, seed):
    rows = make(np.random.default_rng(seed))
    assert not found(rows[:2400], rows[2400:]).any()


def test_too_few_complete_rows_are_one_sentence():
    rows = np.random.default_rng(0).normal(size=(60, 5))
    rows[5:, 0] = np.nan
    with pytest.raises(DataError, match="5 of 60 train rows have no gap"):
        found(rows, rows)
