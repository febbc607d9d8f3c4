import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from data_checks.errors import DataError
from data_checks.splits import Reader, RowsOf, Split, Splits, column_bytes, read_inputs, row_keys

TARGETS = np.array([0, 1, 0])


class Squares:
    """A reader of the rows i * i."""

    def __len__(self):
        return 3

    def __getitem__(self, indices):
        return (np.asarray(indices) ** 2)[:, None]

    def key(self, index):
        return bytes([index])


def test_ids_are_row_numbers_where_none_are_given():
    assert Split(np.eye(3), TARGETS).ids.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: Split(np.eye(2), TARGETS), "inputs has 2 rows, but targets has 3"),
        (lambda: Split({"age": [1, 2]}, TARGETS), "age has 2 rows"),
        (lambda: Split(np.eye(3), TARGETS, groups=[1]), "groups has 1 rows"),
        (lambda: Split(np.eye(3), TARGETS, attributes={"site": np.array([1])}), "site has 1 rows"),
        (lambda: Split(np.eye(3), np.eye(3)), r"shape \(3, 3\)"),
        (lambda: Split(np.eye(3), TARGETS, groups=np.eye(3)), r"groups must be one value a row, .*\(3, 3\)"),
        (lambda: Split(np.eye(3), TARGETS, times=np.eye(3)), "times must be one value a row"),
        (lambda: Split(np.eye(3), TARGETS, weights=np.ones((3, 1))), r"weights must be one .*\(3, 1\)"),
        (lambda: Split(np.eye(3), TARGETS, groups="a"), "groups must be one value a row"),
        (lambda: Split(np.array(5), TARGETS), "single value"),
        (lambda: Split({}, TARGETS), "at least one name"),
        (lambda: Split(object(), TARGETS), "got object"),
    ],
)
def test_what_is_no_split_is_refused_in_one_sentence(build, said):
    with pytest.raises(DataError, match=said):
        build()


def test_lists_become_arrays():
    split = Split([[1.0], [2.0]], [0, 1], times=["a", "b"])
    assert isinstance(split.inputs, np.ndarray)
    assert split.times.tolist() == ["a", "b"]


def test_taking_rows_takes_everything_that_belongs_to_them():
    split = Split(
        {"x": np.arange(3.0)},
        TARGETS,
        ids=np.array(["a", "b", "c"]),
        groups=np.array([7, 8, 9]),
        weights=np.array([1.0, 2.0, 3.0]),
        attributes={"site": np.array(["u", "v", "w"])},
    )
    taken = split.take(np.array([False, True, True]))
    assert taken.inputs["x"].tolist() == [1.0, 2.0]
    assert (taken.ids.tolist(), taken.groups.tolist()) == (["b", "c"], [8, 9])
    assert (taken.weights.tolist(), taken.attributes["site"].tolist()) == ([2.0, 3.0], ["v", "w"])


def test_a_reader_stays_a_reader_and_keeps_its_keys():
    split = Split(Squares(), TARGETS)
    taken = split.take(np.array([2, 0])).take(np.array([1, 0]))
    assert isinstance(taken.inputs, RowsOf)
    assert isinstance(taken.inputs, Reader)
    assert read_inputs(taken.inputs, np.array([0, 1])).ravel().tolist() == [0, 4]
    assert taken.keys.tolist() == split.keys[[0, 2]].tolist()


@given(hnp.arrays(np.int32, hnp.array_shapes(min_dims=2, max_dims=3, max_side=6)))
def test_a_cast_changes_no_key(rows):
    keys = row_keys(rows)
    assert (keys == row_keys(rows.astype(np.float64))).all()
    assert (keys == row_keys(rows.astype(np.int64))).all()


@given(hnp.arrays(np.float64, (4, 3), elements=st.floats(allow_nan=True)))
def test_keys_are_equal_exactly_where_rows_are(rows):
    keys = row_keys(rows)
    for one in range(4):
        for other in range(4):
            assert (keys[one] == keys[other]) == np.array_equal(rows[one], rows[other], equal_nan=True)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=6))
def test_large_integers_that_share_a_float_keep_their_own_keys(numbers):
    keys = row_keys(np.array(numbers, np.int64)[:, None])
    assert len(set(keys.tolist())) == len(set(numbers))


def test_minus_zero_and_every_nan_have_one_key():
    nans = np.array([0x7FF8000000000000, 0x7FF8000000000001], np.uint64).view(np.float64)
    assert len(set(row_keys(nans[:, None]).tolist())) == 1
    assert len(set(row_keys(np.array([[0.0], [-0.0]])).tolist())) == 1


def test_the_order_of_columns_changes_no_key():
    one = {"a": np.arange(3), "b": np.array(["x", "y", "z"])}
    assert (row_keys(one) == row_keys(dict(reversed(one.items())))).all()


def test_keys_do_not_depend_on_the_rows_that_stand_around():
    rows = np.random.default_rng(0).normal(size=(5000, 2))
    assert (row_keys(rows)[4090:4100] == row_keys(rows[4090:4100])).all()


def test_moments_of_different_units_are_equal():
    days = np.array(["2024-01-01", "2024-01-02"], "datetime64[D]")
    assert (column_bytes(days) == column_bytes(days.astype("datetime64[ns]"))).all()


@pytest.mark.parametrize(
    "change", [{"targets": 1 - TARGETS}, {"groups": TARGETS}, {"weights": TARGETS + 0.5}]
)
def test_a_fingerprint_covers_all_that_a_judgement_depends_on(change):
    plain = Split(np.eye(3), TARGETS)
    other = Split(np.eye(3), **{"targets": TARGETS, **change})
    assert plain.fingerprint != other.fingerprint
    assert plain.fingerprint == Split(np.eye(3, dtype=np.float32), TARGETS.astype(np.int8)).fingerprint


SITE = np.array(["A", "B", None], object)


def test_a_fingerprint_covers_attributes_by_name_in_any_order_and_row_keys_do_not():
    plain = Split(np.eye(3), TARGETS)
    asked = [{}, {"site": SITE}, {"ward": SITE}, {"site": SITE[::-1]}, {"site": SITE, "age": np.arange(3)}]
    others = [Split(np.eye(3), TARGETS, attributes=attributes) for attributes in asked]
    assert len({other.fingerprint for other in others}) == len(asked)
    assert all((other.keys == plain.keys).all() for other in others)
    turned = Split(np.eye(3), TARGETS, attributes={"age": np.arange(3.0), "site": SITE})
    assert turned.fingerprint == others[-1].fingerprint


def test_splits_are_named_in_order_with_the_further_test_sets_last():
    part = Split(np.eye(3), TARGETS)
    splits = Splits(part, part, part, also={"clinic": part})
    assert list(splits.named()) == ["train", "validation", "test", "clinic"]
    assert set(splits.fingerprints) == set(splits.named())


def test_an_empty_validation_is_none():
    part = Split(np.eye(3), TARGETS)
    assert list(Splits(part, part.take(np.arange(0)), part).fingerprints) == ["train", "test"]


def test_one_long_cell_does_not_widen_the_others_and_bytes_are_no_text_in_need_of_a_code():
    cells = np.array(["x" * 1_000_000, "y", b"\xff", "\ud800", "y"] + ["z"] * 4000, object)
    keys = Split(cells, np.zeros(len(cells))).keys
    assert len(set(keys.tolist())) == 5
    assert keys[1] == keys[4]


def test_a_split_without_rows_has_a_fingerprint_whatever_its_columns_hold():
    words = np.array(["a", "b"], object)
    rows = Split({"n": np.arange(2.0), "w": words}, np.array([0, 1]), groups=words)
    none = rows.take(np.arange(0))
    assert len(none) == 0
    assert none.fingerprint == rows.take(np.arange(0)).fingerprint != rows.fingerprint
