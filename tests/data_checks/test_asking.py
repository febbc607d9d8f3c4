import subprocess
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from data_checks.asking import asking_key
from data_checks.check import Check, Plant
from data_checks.default_checks import default_checks
from data_checks.evidence.table import ByRows
from data_checks.splits import Split, Splits


def table(**columns):
    made = {"a": np.arange(9.0), "b": np.arange(9) % 4, **columns}
    return Split(made, np.arange(9) % 2)


def splits_of(test=None, **columns):
    return Splits(table(), table(), test or table(**columns))


def key(splits=None, checks=()):
    return asking_key(splits or splits_of(), checks, "", "", {})


def with_renamed_column():
    return splits_of(Split({"a": np.arange(9.0), "c": np.arange(9) % 4}, np.arange(9) % 2))


@pytest.mark.parametrize(
    "other",
    [
        with_renamed_column,
        lambda: splits_of(a=np.arange(9, dtype=np.uint8)),
        lambda: splits_of(a=np.arange(9, dtype=np.float32)),
        lambda: splits_of(replace(table(), targets=np.arange(9) % 2 * 1.0)),
    ],
)
def test_rows_of_equal_content_in_another_form_are_another_asking(other):
    assert other().fingerprints == splits_of().fingerprints
    assert key(other()) != key() == key()


def test_rows_of_other_attributes_are_another_asking():
    whole, numbers = (
        splits_of(replace(table(), attributes={"site": np.arange(9, dtype=kind)})) for kind in (int, float)
    )
    assert whole.fingerprints == numbers.fingerprints != splits_of().fingerprints
    assert len({key(whole), key(numbers), key()}) == 3


def test_one_long_row_is_not_many_numbers():
    wide, square = (Split(np.arange(36.0).reshape(shape), np.arange(9) % 2) for shape in ((9, 4), (9, 2, 2)))
    assert key(Splits(wide, wide, wide)) != key(Splits(wide, wide, square))


def test_values_and_names_of_attributes_count():
    keys = {
        key(splits_of(replace(table(), attributes={name: values})))
        for name, values in (("site", np.arange(9)), ("ward", np.arange(9)), ("site", np.arange(9) // 2))
    }
    assert len(keys) == 3


def test_nothing_is_not_the_text_none():
    said = np.array(["None", *"abcdefgh"], object)
    none = np.array([None, *"abcdefgh"], object)
    assert splits_of(a=said).fingerprints == splits_of(a=none).fingerprints
    assert key(splits_of(a=said)) != key(splits_of(a=none))


def test_the_number_of_classes_counts():
    keys = {key(checks=default_checks(classes)) for classes in (None, 2, 10)}
    assert len(keys) == 3
    assert key(checks=default_checks(2)) == key(checks=default_checks(2))


def above(limit):
    def measure(splits):
        return {"above": splits.test.targets > limit}

    return measure


def measured(splits, limit=0):
    return {}


class Limited:
    def __init__(self, limit):
        self.limit = limit

    def __call__(self, splits):
        return {}


@pytest.mark.parametrize(
    "question",
    [
        lambda limit: {"measure": above(limit)},
        lambda limit: {"measure": partial(measured, limit=limit)},
        lambda limit: {"measure": lambda splits, most=limit: {}},
        lambda limit: {"measure": Limited(limit)},
        lambda limit: {"measure": Limited(limit).__call__},
        lambda limit: {"measure": Limited({"most": [limit]})},
        lambda limit: {"measure": ByRows(above(limit), measured)},
        lambda limit: {"measure": ByRows(measured, partial(measured, limit=limit))},
        lambda limit: {"measure": partial(measured, limit=np.array([limit]))},
        lambda limit: {"explain": partial(measured, limit=limit)},
        lambda limit: {"applies": above({limit})},
        lambda limit: {"plants": (Plant("one", above(limit)),)},
    ],
)
def test_what_a_question_is_asked_with_counts(question):
    asked = Check("OWN001", "t", "q", "above", measured)
    first, again, other = (key(checks=[replace(asked, **question(limit))]) for limit in (1, 1, 2))
    assert first == again != other


def test_a_function_that_holds_itself_has_a_key():
    def measure(splits):
        return measure(splits)

    assert key(checks=[Check("OWN001", "t", "q", "above", measure)])


def test_another_process_has_the_same_key():
    told = (
        "import numpy as np; from data_checks.asking import asking_key;"
        "from data_checks.default_checks import default_checks; from data_checks.splits import Split, Splits;"
        "rows = Split(np.eye(9), np.arange(9) % 2);"
        "print(asking_key(Splits(rows, rows, rows), default_checks(2), '', '', {}))"
    )
    rows = Split(np.eye(9), np.arange(9) % 2)
    ours = asking_key(Splits(rows, rows, rows), default_checks(2), "", "", {})
    theirs = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout
    assert theirs.strip() == ours
