import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_iris, load_wine

from data_checks.evidence.disguised import Level, fit, measure, rows, why_not
from data_checks.evidence.table import Part
from data_checks.splits import Split, Splits


def as_split(inputs):
    width = len(next(iter(inputs.values()))) if isinstance(inputs, dict) else len(inputs)
    return Split(inputs, np.zeros(width, int))


def found(train, test):
    part = as_split(test)
    return rows(fit(Splits(as_split(train), part, part)), Part("test", 0, part))


def table(seed=0, shape=(200, 6)):
    return np.random.default_rng(seed).normal(size=shape) * 10


DISGUISES = {
    "32 bits": lambda rows: rows.astype(np.float32),
    "text": lambda rows: rows.astype(str),
    "padded text": lambda rows: np.char.add(" ", rows.astype(str)),
    "3 decimals": lambda rows: np.round(rows, 3),
    "2 significant digits": lambda rows: np.vectorize(lambda v: float(f"{v:.2g}"))(rows),
    "other columns first": lambda rows: rows[:, [3, 1, 0, 5, 2, 4]],
}


@pytest.mark.parametrize("name", DISGUISES)
def test_copies_are_found_in_every_disguise_and_their_originals_are_named(name):
    columns = found(table(), DISGUISES[name](table()[:40]))
    assert columns["disguised_of"].tolist() == list(range(40))
    assert len(set(columns["disguised_how"].tolist())) == 1


@pytest.mark.parametrize("name", DISGUISES)
def test_honest_rows_in_the_same_dress_are_not_complained_of(name):
    assert not found(table(), DISGUISES[name](table(seed=1)))["disguised"].any()


def test_a_copy_is_no_disguise_and_train_is_not_asked():
    part = as_split(table())
    known = fit(Splits(part, part, part))
    assert not rows(known, Part("test", 0, part))["disguised"].any()
    assert not rows(known, Part("train", 0, as_split(table().astype(np.float32))))["disguised"].any()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 9999), st.integers(1, 7))
def test_parts_of_any_size_and_any_order_of_rows_give_the_same(seed, size):
    rng = np.random.default_rng(seed)
    train, test = as_split(table()), as_split(np.round(table()[:30], 2))
    known = fit(Splits(train, test, test))
    whole = rows(known, Part("test", 0, test))["disguised_of"]
    parts = [
        rows(known, Part("test", start, test.take(np.arange(start, min(start + size, 30)))))["disguised_of"]
        for start in range(0, 30, size)
    ]
    assert np.concatenate(parts).tolist() == whole.tolist()
    order = rng.permutation(30)
    assert rows(known, Part("test", 0, test.take(order)))["disguised_of"].tolist() == whole[order].tolist()


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
def test_honest_measurements_are_not_complained_of(load):
    data = np.random.default_rng(0).permutation(load().data)
    cut = len(data) // 2
    splits = Splits(as_split(data[:cut]), as_split(data[cut:]), as_split(data[cut:]))
    assert not measure(splits).columns["disguised"].any()


def test_round_numbers_are_honest_where_train_has_them_too():
    prices = np.random.default_rng(0).integers(1, 50, (400, 4)) * 10.0
    prices[::3] += 0.99
    assert not found(prices[:300], prices[300:] + 0.0)["disguised"].any()


def small_numbers(rng):
    return rng.normal(size=(3000, 5)) * 1e-15


def whole_numbers(rng):
    return rng.integers(0, 21, (3000, 6))


def a_single_varied_column(rng):
    return {"cat": rng.integers(0, 5, 30000), "x": rng.normal(size=30000).astype(np.float32)}


def measured_less_exactly_elsewhere(rng):
    rows = rng.normal(size=(3000, 4))
    rows[1500:] = np.round(rows[1500:], 1)
    return rows


def a_rare_fraction(rng):
    score = np.where(np.arange(3000) < 2500, 0.0, 0.25)
    return {
        "a": rng.integers(0, 5, 3000),
        "flag": rng.integers(0, 2, 3000),
        "score": score,
        "b": np.zeros(3000),
    }


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "make",
    [small_numbers, whole_numbers, a_single_varied_column, measured_less_exactly_elsewhere, a_rare_fraction],
)
def test_honest_rows_that_chance_makes_alike_are_not_complained_of(make, seed):
    rows = as_split(make(np.random.default_rng(seed)))
    cut = len(rows) * 5 // 6
    parts = rows.take(np.arange(cut)), rows.take(np.arange(cut, len(rows)))
    assert not measure(Splits(parts[0], parts[1], parts[1])).columns["disguised"].any()


def test_many_equal_rows_take_no_longer():
    rows = np.random.default_rng(0).integers(0, 2, (20000, 4))
    assert not found(rows[:15000], rows[15000:])["disguised"].any()


@pytest.mark.parametrize("number", [2.45, 2.675, 0.125, 1065.0, -3.35, 0.0, np.nan, np.inf])
def test_halves_are_rounded_as_python_does_and_as_numpy_does(number):
    exact = Level(2, significant=False, exact=True).rounded(np.array([number]))[0]
    even = Level(2, significant=False).rounded(np.array([number]))[0]
    assert exact == round(number, 2) if np.isfinite(number) else not np.isfinite(exact)
    assert even == np.round(number, 2) if np.isfinite(number) else not np.isfinite(even)


def test_readers_have_no_cells():
    class Reader:
        def __len__(self):
            return 3

        def __getitem__(self, indices):
            return np.zeros((len(indices), 4))

        def key(self, index):
            return b"%d" % index

    part = Split(Reader(), np.zeros(3, int))
    assert "reader" in why_not(Splits(part, part, part))
    assert why_not(Splits(as_split(table()), as_split(table()), as_split(table()))) == ""


def test_test_rows_are_compared_with_validation_too():
    train, validation, test = (as_split(table(seed)) for seed in range(3))
    mixed = as_split(np.vstack([table(2)[:5], np.round(table(1)[:5], 3)]))
    columns = measure(Splits(train, validation, mixed)).columns
    assert columns["disguised_of"][400:].tolist() == [-1] * 5 + list(range(200, 205))
    assert not measure(Splits(train, validation, test)).columns["disguised"].any()
