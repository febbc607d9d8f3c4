import numpy as np
import pandas as pd
import pytest

from data_checks.evidence import schema
from data_checks.splits import Split, Splits


def splits_of(train, validation, test, also=None):
    return Splits(train, validation, test, also=also or {})


def rows(inputs, targets=None):
    return Split(inputs, np.zeros(len(inputs), int) if targets is None else np.array(targets))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_row_with_one_bad_number_is_not_finite(bad):
    inputs = np.zeros((4, 2, 2))
    inputs[2, 1, 1] = bad
    assert schema.rows_not_finite(rows(inputs)).tolist() == [False, False, True, False]


def test_missing_text_and_moments_are_not_finite():
    columns = {
        "name": np.array(["a", None, "c"], object),
        "day": np.array(["2024-01-01", "2024-01-02", "NaT"], "datetime64[D]"),
    }
    assert schema.rows_not_finite(Split(columns, np.arange(3))).tolist() == [False, True, True]


def test_the_na_of_pandas_is_missing_and_varies():
    columns = {
        "name": np.array(["a", pd.NA, "a"], object),
        "site": np.array([pd.NA] * 3, object),
        "pair": np.array([["x", pd.NA], ["x", 1], ["x", 1]], object),
    }
    split = Split(columns, np.arange(3))
    assert schema.rows_not_finite(Split({"name": columns["name"]}, np.arange(3))).tolist() == [
        False,
        True,
        False,
    ]
    assert schema.constant_columns(split) == ["site", "pair[0]"]
    assert columns["name"][1] is pd.NA


def test_whole_numbers_of_a_reader_are_not_decoded_to_find_them_finite():
    class Once:
        def __len__(self):
            return 3

        def __getitem__(self, indices):
            assert len(indices) == 1
            return np.zeros((1, 2, 2), np.uint8)

        def key(self, index):
            return b"a"

    assert not schema.rows_not_finite(Split(Once(), np.arange(3))).any()


@pytest.mark.parametrize(
    "other", [np.zeros((3, 5)), np.zeros((3, 4), int), np.zeros((3, 2, 2)), np.zeros((3, 4), "U1")]
)
def test_another_width_shape_or_kind_is_another_form(other):
    plain = rows(np.zeros((3, 4)))
    flags = schema.measure_forms(splits_of(plain, plain, rows(other)))["other_form"]
    assert flags.tolist() == [False] * 6 + [True] * 3


def test_bits_are_a_part_of_the_form_where_rounding_hides_copies():
    whole = [schema.form(rows(np.zeros((3, 4), kind))) for kind in (np.int64, np.int16, np.uint8)]
    assert whole[0] == whole[1] == whole[2]
    assert schema.form(rows(np.zeros((3, 4)))) != schema.form(rows(np.zeros((3, 4), np.float32)))


@pytest.mark.parametrize(
    ("targets", "classes", "bad"),
    [
        ([0, 1, 2], None, [False, False, False]),
        ([0, -1, 2], None, [False, True, False]),
        ([0, 1, 2], 2, [False, False, True]),
        ([0.5, np.nan, np.inf], None, [False, True, True]),
        ([0.0, 1.0, 1.0], 2, [True, True, True]),
        (["a", "b", "c"], None, [True, True, True]),
        ([True, False, True], 2, [False, False, False]),
    ],
)
def test_a_target_is_a_class_from_0_or_a_finite_value(targets, classes, bad):
    part = rows(np.zeros((3, 1)), targets)
    assert schema.measure_targets(splits_of(part, part, part), classes)["bad_target"].tolist() == bad * 3


def test_absent_classes_are_counted_for_each_split():
    three, two = rows(np.zeros((3, 1)), [0, 1, 2]), rows(np.zeros((3, 1)), [0, 1, 1])
    columns = schema.measure_classes(splits_of(three, two, three, {"more": two}))
    assert columns["absent_classes"].tolist() == [0] * 12
    assert columns["absent_from_validation"].tolist() == [0, 0, 0, 1, 1, 1] + [0] * 6
    assert (
        schema.measure_classes(splits_of(two, three, three))["absent_classes"].tolist() == [1] * 3 + [0] * 6
    )
    assert schema.measure_classes(splits_of(three, three, three), 4)["absent_classes"][0] == 1


def _absent(*parts):
    return schema.measure_classes(splits_of(*parts))["absent_classes"].tolist()


def test_one_class_alone_lacks_another():
    one = rows(np.zeros((2, 1)))
    assert schema.measure_classes(splits_of(one, one, one))["absent_classes"].tolist() == [1, 1, 0, 0, 1, 1]


def test_constant_values_are_named():
    split = Split({"age": np.ones(3), "pair": np.array([[1, 0], [2, 0], [3, 0]])}, np.arange(3))
    assert schema.constant_columns(split) == ["age", "pair[1]"]


def test_batches_are_all_rows_in_order():
    inputs = np.arange(9_000_000.0).reshape(3, -1)
    joined = np.concatenate(list(schema.batches(inputs, 3)))
    assert (joined == inputs).all()
    assert len(list(schema.batches(inputs, 3))) == 3
