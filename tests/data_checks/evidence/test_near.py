import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes, load_digits

from data_checks.errors import DataError
from data_checks.evidence import index, near
from data_checks.evidence.index import NEIGHBOURS, allowed_ratio
from data_checks.evidence.near import RADIUS, find_near
from data_checks.evidence.space import fit_space
from data_checks.evidence.table import Part
from data_checks.splits import Split, Splits


def as_split(inputs):
    return Split(inputs, np.zeros(len(inputs), int))


def index_rows(train, asked=100):
    return index.index_rows(train, asked)


def by_looking_at_all_pairs(train, test, ratio):
    """Near rows and their twins, from the definition, without a projection."""
    scale = fit_space(as_split(train)).scale
    apart = test.reshape(len(test), 1, -1).astype(float) - train.reshape(1, len(train), -1)
    distances = np.sqrt(np.square(apart / scale).sum(2))
    ordered = np.sort(distances, axis=1)
    found = (
        (ordered[:, 0] <= RADIUS)
        & (ordered[:, 0] <= ratio * ordered[:, NEIGHBOURS - 1])
        & (ordered[:, 0] > 0)
    )
    return np.flatnonzero(found), distances.argmin(1)[found]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 40), st.integers(12, 120), st.floats(1e-4, 0.3))
def test_the_search_finds_what_looking_at_all_pairs_finds(seed, width, rows, noise):
    rng = np.random.default_rng(seed)
    train = rng.normal(size=(rows, width)) * rng.uniform(0.1, 10, width)
    copies = train[rng.integers(0, rows, 20)] * (1 + noise * rng.normal(size=(20, width)))
    test = np.vstack([rng.normal(size=(20, width)), copies])
    known = index_rows(as_split(train))
    found = find_near(known, as_split(test))
    points = index.project(known.space, index.hold(as_split(test)))
    here = near._ratio_here(known, known.tree.query(points, k=NEIGHBOURS)[1])
    expected_rows, expected_twins = by_looking_at_all_pairs(train, test, np.minimum(known.ratio, here))
    assert found.rows.tolist() == expected_rows.tolist()
    assert found.twins.tolist() == expected_twins.tolist()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_of_the_rows_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    train = rng.integers(0, 256, (200, 1, 6, 6)).astype(np.uint8)
    test = np.clip(train[:50].astype(int) + rng.integers(-3, 4, (50, 1, 6, 6)), 0, 255).astype(np.uint8)
    here, there = rng.permutation(200), rng.permutation(50)
    plain = find_near(index_rows(as_split(train)), as_split(test))
    mixed = find_near(index_rows(as_split(train[here])), as_split(test[there]))
    pairs = {(there[row], here[twin]) for row, twin in zip(mixed.rows, mixed.twins, strict=True)}
    assert pairs == set(zip(plain.rows, plain.twins, strict=True))
    assert len(plain.rows)


def test_a_row_encoded_again_is_found_with_its_original_and_its_largest_difference():
    rng = np.random.default_rng(0)
    train = rng.integers(0, 256, (100, 8, 8)).astype(np.uint8)
    test = rng.integers(0, 256, (10, 8, 8)).astype(np.uint8)
    test[3] = np.clip(train[42].astype(int) + rng.integers(-4, 5, (8, 8)), 0, 255)
    part = as_split(test)
    known = index.fit(Splits(as_split(train), part, part))
    columns = near.rows(known, Part("test", 110, part))
    assert np.flatnonzero(columns["near"]).tolist() == [3]
    assert columns["near_to"][3] == 42
    assert columns["near_difference"][3] == np.abs(test[3].astype(int) - train[42]).max()


def test_an_equal_row_is_a_copy_and_not_near():
    train = np.random.default_rng(0).normal(size=(50, 6))
    assert not len(find_near(index_rows(as_split(train)), as_split(train[:10])).rows)


def test_rows_that_are_not_finite_are_near_nothing():
    train = np.random.default_rng(0).normal(size=(50, 6))
    test = train[:4] + 1e-4
    test[0, 0], test[1, 1], train[7, 2] = np.nan, np.inf, np.nan
    assert find_near(index_rows(as_split(train)), as_split(test)).rows.tolist() == [2, 3]


def test_columns_of_any_unit_count_alike():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(200, 5)) * [1e-6, 1, 1e3, 1e6, 1e9]
    names = list("abcde")
    train = {name: table[:, place] for place, name in enumerate(names)}
    test = {name: column[:20] * (1 + 1e-4) for name, column in train.items()}
    assert len(find_near(index_rows(as_split_of(train)), as_split_of(test)).rows) == 20


def as_split_of(columns):
    return Split(columns, np.zeros(len(columns["a"]), int))


@pytest.mark.parametrize("as_pictures", [True, False])
def test_honest_digits_are_not_near(as_pictures):
    inputs = load_digits().data.reshape((-1, 1, 8, 8) if as_pictures else (-1, 64))
    assert not len(find_near(index_rows(as_split(inputs[:897])), as_split(inputs[1097:])).rows)


def test_honest_patients_are_not_near():
    inputs = load_diabetes().data
    assert not len(find_near(index_rows(as_split(inputs[:300])), as_split(inputs[350:])).rows)


@pytest.mark.parametrize("dimensions", [1, 2, 3, 5])
def test_honest_rows_on_a_thin_surface_are_not_near(dimensions):
    rng = np.random.default_rng(dimensions)
    rows = rng.uniform(size=(6000, dimensions)) @ rng.normal(size=(dimensions, 20))
    assert len(find_near(index_rows(as_split(rows[:5000])), as_split(rows[5000:])).rows) <= 1


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (np.zeros((20, 2)), "fewer than 4 numbers"),
        ({"a": np.zeros((20, 3)), "b": np.array(["x"] * 20)}, "fewer than 4 numbers"),
        ({"a": np.zeros((20, 5)), "b": np.array(["x"] * 20)}, ""),
        (np.zeros((10, 5)), "no more than 10 rows"),
        (np.zeros((20, 5)), ""),
    ],
)
def test_it_is_said_why_nearness_says_nothing(inputs, said):
    part = Split(inputs, np.zeros(20 if isinstance(inputs, dict) else len(inputs), int))
    assert said in near.why_not(Splits(part, part, part))
    assert bool(said) == bool(near.why_not(Splits(part, part, part)))


def test_cells_that_are_no_numbers_must_be_equal_however_they_are_spelt():
    rng = np.random.default_rng(0)
    numbers, words = rng.normal(size=(200, 5)), np.array(["Left", "right"])[rng.integers(0, 2, 200)]
    train = Split({"n": numbers, "w": words}, np.zeros(200, int))
    said = np.array([f" {word.upper()}" for word in words[:10]])
    other = np.where(np.arange(10) < 4, "up", said)
    test = Split({"n": numbers[:10] + 1e-5, "w": other}, np.zeros(10, int))
    assert find_near(index_rows(train), test).rows.tolist() == [4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("named", [True, False])
def test_numbers_that_are_stored_as_text_are_numbers(named):
    table = np.random.default_rng(0).normal(size=(100, 5))
    texts = (table[:4] + 1e-5).astype(str)
    train, test = (({f"c{i}": part[:, i] for i in range(5)} if named else part) for part in (table, texts))
    part = Split(test, np.zeros(4, int))
    known = index.index_rows(Split(train, np.zeros(100, int)), 4)
    assert near.rows(known, Part("test", 0, part))["near"].all()


def test_a_column_that_is_absent_or_no_number_makes_nothing_near():
    table = np.random.default_rng(0).normal(size=(100, 5))
    train = Split({f"c{i}": table[:, i] for i in range(5)}, np.zeros(100, int))
    absent = {f"c{i}": table[:4, i] for i in range(4)}
    for other in (absent, {**absent, "c4": np.array(["x"] * 4)}):
        columns = near.rows(index.index_rows(train, 4), Part("test", 0, Split(other, np.zeros(4, int))))
        assert not columns["near"].any()


def test_honest_rows_of_few_dimensions_lower_the_ratio():
    assert allowed_ratio(2, 1000) < allowed_ratio(4, 1000) < allowed_ratio(20, 1000) == 0.05


def test_constant_rows_crash_nothing():
    assert not len(find_near(index_rows(as_split(np.zeros((20, 5)))), as_split(np.ones((5, 5)))).rows)


class Again:
    """A reader that counts how often each row is decoded."""

    def __init__(self, name, rows):
        self.name, self.rows, self.decoded = name, rows, np.zeros(len(rows), int)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, indices):
        self.decoded[indices] += 1
        return self.rows[indices]

    def key(self, index):
        return f"{self.name} {index}".encode()


@pytest.mark.parametrize("fits", [True, False])
def test_a_reader_gives_what_an_array_gives_whether_or_not_its_rows_fit_into_memory(fits, monkeypatch):
    monkeypatch.setattr(index, "_DECODED_BYTES", 1 << 30 if fits else 0)
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 256, (200, 8, 8)).astype(np.uint8)
    test = np.vstack([rows[:30] ^ 1, rng.integers(0, 256, (30, 8, 8)).astype(np.uint8)])
    train = Again("train", rows)
    found = find_near(index_rows(as_split(train)), as_split(Again("test", test)))
    assert found.rows.tolist() == found.twins.tolist() == list(range(30))
    # Once for the sample and once for good.
    assert (train.decoded[5] == 2) == fits


def test_a_picture_stored_again_in_another_file_is_near_though_its_pixels_are_equal():
    rows = np.random.default_rng(0).integers(0, 256, (50, 8, 8)).astype(np.uint8)
    found = find_near(index_rows(as_split(Again("train", rows))), as_split(Again("test", rows[:3])))
    assert found.distances.tolist() == [0, 0, 0]


@pytest.mark.parametrize("versions", [2, 4, 6])
def test_rows_that_come_in_many_versions_are_near(versions):
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.normal(size=(300, 8)), versions, axis=0)
    rows = rng.permutation(rows + 1e-3 * rng.normal(size=rows.shape))
    cut = len(rows) * 3 // 4
    found = find_near(index_rows(as_split(rows[:cut]), len(rows) - cut), as_split(rows[cut:]))
    assert len(found.rows) > 0.8 * (1 - 0.25 ** (versions - 1)) * (len(rows) - cut)


def zeros_and_amounts(rng):
    return rng.exponential(size=(3000, 6)) * (rng.random((3000, 6)) < 0.5)


def few_and_many_amounts(rng):
    active = np.where(rng.random(3000) < 0.5, 1, 6)
    return rng.normal(size=(3000, 6)) * (np.arange(6) < active[:, None])


def half_of_a_layer(rng):
    return np.maximum(rng.normal(size=(3000, 4)) @ rng.normal(size=(4, 12)), 0)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("make", [zeros_and_amounts, few_and_many_amounts, half_of_a_layer])
def test_honest_rows_of_few_dimensions_here_and_many_there_are_not_near(make, seed):
    rows = make(np.random.default_rng(seed))
    found = find_near(index_rows(as_split(rows[:2400]), 600), as_split(rows[2400:]))
    assert len(found.rows) <= 1


@pytest.mark.parametrize("stored", [object, str])
@pytest.mark.parametrize("named", [True, False])
def test_a_table_of_numbers_that_is_no_array_of_numbers_is_searched_all_the_same(stored, named):
    table = np.random.default_rng(0).normal(size=(200, 5)).astype(stored)
    copies = (table[:5].astype(float) + 1e-6).astype(stored)
    if named:
        table, copies = ({f"c{i}": part[:, i] for i in range(5)} for part in (table, copies))
        table["c1"][7] = "?"
    train, test = Split(table, np.zeros(200, int)), Split(copies, np.zeros(5, int))
    assert near.why_not(Splits(train, test, test)) == ""
    assert near.rows(index_rows(train, 5), Part("test", 0, test))["near"].all()


def test_gaps_equal_gaps_and_nothing_else():
    table = np.random.default_rng(0).normal(size=(200, 6))
    table[:, 5] = np.nan
    table[3, 0] = np.nan
    test = table[:5] + 1e-6
    test[4, 1] = np.nan
    assert find_near(index_rows(as_split(table)), as_split(test)).rows.tolist() == [0, 1, 2, 3]


def test_numbers_too_large_to_compare_are_one_sentence():
    table = np.random.default_rng(0).normal(size=(200, 6)) * 1e306
    with pytest.raises(DataError, match="cannot be compared"):
        index_rows(as_split(table))
