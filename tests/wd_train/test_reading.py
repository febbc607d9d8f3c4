"""Is the row named that a reader cannot give, in one sentence?"""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from data_checks.errors import DataError
from data_checks.splits import Split
from wd_train.network import CPU, AsFloat
from wd_train.reading import Reading
from wd_train.rows import Rows

TABLE = np.arange(20.0).reshape(10, 2)


class Failing:
    """A reader that does something else at one row."""

    def __init__(self, at, instead):
        self.at, self.instead = at, instead

    def __len__(self):
        return len(TABLE)

    def __getitem__(self, indices):
        return self.instead(indices) if self.at in indices.tolist() else TABLE[indices]

    def key(self, index):
        return TABLE[index].tobytes()


def broken(indices):
    raise KeyError("no such cell")


def read(reader, indices, ids=None):
    return Reading(reader, np.arange(10) if ids is None else ids).read(np.array(indices))


@given(st.permutations(range(10)), st.integers(1, 10), st.integers(0, 9))
def test_the_row_that_cannot_be_read_is_named_wherever_it_stands(order, count, at):
    indices = order[:count]
    ids = np.array([f"patient {number}" for number in range(10)])
    if at not in indices:
        assert np.array_equal(read(Failing(at, broken), indices, ids), TABLE[indices])
        return
    with pytest.raises(DataError) as caught:
        read(Failing(at, broken), indices, ids)
    assert str(caught.value).startswith(
        f"row {at} (id 'patient {at}') cannot be used: KeyError: 'no such cell'"
    )
    assert "test_reading.py, line" in str(caught.value)


@pytest.mark.parametrize(
    ("instead", "said"),
    [
        (lambda i: TABLE[i][:-1], r"row 3 cannot be used: .*shape \(0, 2\), but 1 rows were"),
        (lambda i: TABLE[i][:, :1], r"row 3 cannot be used: it is float64 \(1,\), but .* float64 \(2,\)"),
        (lambda i: TABLE[i].astype(int), r"row 3 cannot be used: it is int64 .*, but .* are float64"),
        (lambda i: TABLE[i].tolist(), "row 3 cannot be used: the reader gave list"),
        (lambda i: {"a": TABLE[i]}, r"row 3 cannot be used: it is a float64 \(2,\), but"),
    ],
)
def test_rows_that_are_unlike_those_before_them_are_named(instead, said):
    reading = Reading(Failing(3, instead), np.arange(10))
    reading.read(np.array([0, 1]))
    with pytest.raises(DataError, match=said):
        reading.read(np.array([2, 3, 4]))


def test_rows_that_fail_only_together_are_said_to():
    def alone(indices):
        if len(indices) > 1:
            raise RuntimeError
        return TABLE[indices]

    with pytest.raises(DataError, match=r"2 rows, .* row 3, .* each can alone: RuntimeError"):
        read(Failing(3, alone), [3, 4])


def test_what_is_no_fault_of_a_row_is_left_as_it_is():
    def full(indices):
        raise MemoryError

    with pytest.raises(MemoryError):
        read(Failing(3, full), [3, 4])


def test_a_training_meets_the_named_row_at_its_batch():
    rows = Rows(Split(Failing(7, broken), np.zeros(10, int)), AsFloat(), CPU)
    batches = rows.stream(iter(torch.arange(10).split(5)), 1)
    assert next(batches)[1].shape == (5, 2)
    with pytest.raises(DataError, match="row 7 cannot be used"):
        next(batches)
