import numpy as np
import pandas as pd
import pytest

from data_checks.check import Check, Offenders, name_them
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
        ({"must_find": 0.0}, "above 0"),
    ],
)
def test_a_check_that_makes_no_sense_is_refused_in_one_sentence(change, said):
    plain = {"code": "OWN001", "title": "t", "question": "q", "column": "c", "measure": lambda splits: {}}
    with pytest.raises(DataError, match=said):
        Check(**{**plain, **change})


def test_offenders_are_counted_by_split_and_listed_up_to_three():
    table = pd.DataFrame({"split": ["train", "test", "test", "test", "test"], "id": list("abcde")})
    found = Offenders(table[1:], table, Splits(PART, PART, PART))
    assert found.counted() == "4 test rows"
    assert name_them(found) == "4 test rows: test row b, test row c, test row d and 1 more."
