import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_checks.evidence.columns import column_of, joined, lowest, named_values, pool, why_no_columns
from data_checks.splits import Split, Splits


def splits_of(inputs, targets=None):
    count = len(next(iter(inputs.values()))) if isinstance(inputs, dict) else len(inputs)
    whole = Split(inputs, np.arange(count) % 2 if targets is None else targets)
    return Splits(*[whole.take(np.arange(start, count, 3)) for start in range(3)])


def mixed(splits, seed):
    rng = np.random.default_rng(seed)
    return Splits(*[part.take(rng.permutation(len(part))) for part in splits.named().values()])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99), st.integers(1, 70))
def test_the_order_of_the_rows_does_not_decide_which_are_looked_at(seed, rows):
    # With equal rows of different targets, which only their targets tell apart.
    values = np.random.default_rng(seed).integers(0, 9, (60, 1)).astype(float)
    splits = splits_of(values, np.arange(60) % 4)
    plain, other = pool(splits, rows), pool(mixed(splits, seed), rows)
    assert len(plain.order) == min(rows, 60)
    for column, same in zip(plain.columns(), other.columns(), strict=True):
        assert column.numbers.tolist() == same.numbers.tolist()
    assert plain.targets.tolist() == other.targets.tolist()
    assert plain.halves.tolist() == other.halves.tolist()


def test_the_lowest_keys_are_those_that_sorting_finds():
    split = Split(np.random.default_rng(0).normal(size=(500, 2)), np.arange(500))
    for rows in (1, 17, 499, 500, 900):
        assert lowest(split, rows).tolist() == np.argsort(split.keys)[:rows].tolist()


def test_equal_rows_are_in_one_half():
    splits = splits_of(np.repeat(np.arange(30.0), 3)[:, None])
    rows = pool(splits)
    values = next(rows.columns()).numbers
    assert all(len(set(rows.halves[values == value].tolist())) == 1 for value in range(30))
    assert 5 < len(set(values[rows.halves].tolist())) < 25


def test_moments_are_numbers_and_missing_ones_are_missing():
    column = column_of("day", np.array(["2024-01-02", "NaT", "2024-01-01"], "datetime64[D]"))
    assert column.missing.tolist() == [False, True, False]
    assert column.numbers[0] - column.numbers[2] == 86_400_000_000


def test_text_that_is_not_all_numbers_stays_text():
    column = column_of("x", np.array(["1", "two", "", None], object))
    assert column.numbers is None
    assert column.texts.tolist() == ["1", "two", "", ""]
    assert column.missing.tolist() == [False, False, True, True]


def test_columns_of_one_split_alone_are_left_out():
    part = Split({"a": np.arange(4.0), "b": np.arange(4.0)}, np.arange(4))
    other = Split({"a": np.array(["x"] * 4)}, np.arange(4))
    columns = list(pool(Splits(part, part, other)).columns())
    assert [column.name for column in columns] == ["a"]
    assert columns[0].texts is not None


def test_wider_columns_are_named_by_place():
    split = Split({"pair": np.zeros((3, 2)), "age": np.zeros(3)}, np.arange(3))
    assert [name for name, _ in named_values(split)] == ["age", "pair[0]", "pair[1]"]
    assert joined([np.array([1]), np.array(["a"])]).tolist() == [1, "a"]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (np.zeros((9, 28, 28)), "pixel"),
        (np.zeros((9, 3000)), "more than 2,048"),
        (np.zeros((9, 8, 8)), ""),
        ({"a": np.zeros(9)}, ""),
    ],
)
def test_what_has_no_columns_says_why(inputs, said):
    reason = why_no_columns(splits_of(inputs))
    assert said in reason
    assert bool(reason) == bool(said)


def test_readers_and_splits_without_a_common_column_have_none():
    class Rows:
        def __len__(self):
            return 3

        def __getitem__(self, indices):
            return np.zeros((len(indices), 2))

        def key(self, index):
            return bytes([index])

    reader = Split(Rows(), np.arange(3))
    assert "decoded" in why_no_columns(Splits(reader, reader, reader))
    parts = [Split({name: np.zeros(3)}, np.arange(3)) for name in "abc"]
    assert "in common" in why_no_columns(Splits(*parts))
