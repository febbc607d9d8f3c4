import numpy as np
import pandas as pd
import pytest

from data_checks.check import Check, Offenders, Plant, name_them
from data_checks.errors import DataError
from data_checks.splits import Split, Splits

PART = Split(np.eye(2), np.array([0, 1]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"code": "dc1"}, "two to four capital letters"),
        ({"severity": "error"}, "'fail' or 'warn', got 'error'"),
        ({"tolerated": 1.0}, "from 0 to below 1"),
        ({"tolerated": float("nan")}, "got nan"),
    ],
)
def test_a_check_that_makes_no_sense_is_refused_in_one_sentence(change, said):
    plain = {"code": "OWN001", "title": "t", "question": "q", "column": "c", "measure": lambda splits: {}}
    with pytest.raises(DataError, match=said):
        Check(**{**plain, **change})


def test_a_plant_of_which_nothing_must_be_found_is_refused():
    with pytest.raises(DataError, match="must_find of copies must be above 0 and at most 1, got 0"):
        Plant("copies", lambda splits, rng: None, must_find=0.0)


def test_offenders_are_counted_by_split_and_listed_up_to_three():
    table = pd.DataFrame({"split": ["train", "test", "test", "test", "test"], "id": list("abcde")})
    found = Offenders(table[1:], table, Splits(PART, PART, PART))
    assert found.counted() == "4 test rows"
    assert name_them(found) == "4 test rows: test row b, test row c, test row d and 1 more."
