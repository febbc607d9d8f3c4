import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_checks.errors import DataError
from data_checks.targets import code_targets


@pytest.mark.parametrize(
    ("column", "coded", "names"),
    [
        (np.array([0.0, 1.0, 2.0]), [0, 1, 2], None),
        (np.array([3, 5]), [3, 5], None),
        (np.array([-1, 1]), [0, 1], ["-1", "1"]),
        (np.array([-1.0, 1.0]), [0, 1], ["-1", "1"]),
        (np.array([True, False]), [1, 0], ["False", "True"]),
        (np.array(["yes", "no"], object), [1, 0], ["no", "yes"]),
        (np.array([0.5, 1.0]), [0.5, 1.0], None),
        (np.array([0.0, np.inf]), [0.0, np.inf], None),
        (np.arange(30.0), list(range(30)), None),
    ],
)
def test_classes_are_told_from_values(column, coded, names):
    found = code_targets([column], ["target"])
    assert found.values[0].tolist() == coded
    assert (None if found.names is None else found.names.tolist()) == names


@pytest.mark.parametrize(
    ("column", "regression", "kind"),
    [
        (np.arange(20.0), False, "i"),
        (np.arange(21.0), False, "f"),
        (np.arange(21), False, "f"),
        (np.repeat(np.arange(100), 10), False, "i"),
        (np.repeat(np.arange(100.0), 10), False, "f"),
        (np.array([0, 1]), True, "f"),
    ],
)
def test_whole_numbers_are_classes_where_they_are_few(column, regression, kind):
    assert code_targets([column], ["target"], regression=regression).values[0].dtype.kind == kind


@given(st.lists(st.text(max_size=3), min_size=1, max_size=30), st.lists(st.text(max_size=3), max_size=30))
def test_every_row_keeps_its_class_by_name(first, second):
    columns = [np.array(texts, dtype=object) for texts in (first, second)]
    found = code_targets(columns, ["train", "test"])
    assert [found.names[codes].tolist() for codes in found.values] == [first, second]
    assert found.names.tolist() == sorted(set(first + second))


def test_text_in_one_file_and_numbers_in_the_other_is_one_sentence():
    with pytest.raises(DataError, match="test holds text in one file and numbers in the other"):
        code_targets([np.array([1]), np.array(["a"])], ["train", "test"])
