"""Does a network see the rows as they are, whatever holds them?"""

import numpy as np
import pytest
import torch
from torch import nn

from data_checks.errors import DataError
from data_checks.splits import Split
from wd_train.network import AsFloat
from wd_train.rows import Rows, tensor_of

CPU = torch.device("cpu")
TABLE = np.arange(12.0).reshape(6, 2)


class Counting(nn.Module):
    calls = 0

    def forward(self, inputs):
        self.calls += 1
        return inputs.float() + 1


class FromDisk:
    """A reader, as a user would write one."""

    def __init__(self):
        self.asked = []

    def __len__(self):
        return len(TABLE)

    def __getitem__(self, indices):
        self.asked.append(list(indices))
        return TABLE[indices]

    def key(self, index):
        return TABLE[index].tobytes()


def split(inputs=TABLE, **more):
    return Split(inputs, np.zeros(6, int), **more)


def test_rows_in_memory_are_preprocessed_once():
    preprocess = Counting()
    rows = Rows(split(), preprocess, CPU)
    taken = [rows.inputs(torch.tensor(indices)) for indices in ([0], [5, 2], [1])]
    assert preprocess.calls == 1
    assert torch.equal(taken[1], torch.tensor(TABLE[[5, 2]] + 1).float())


def test_a_reader_is_asked_for_the_rows_of_a_batch_alone():
    reader = FromDisk()
    rows = Rows(split(reader), AsFloat(), CPU)
    assert torch.equal(rows.inputs(torch.tensor([4, 1])), torch.tensor(TABLE[[4, 1]]).float())
    assert reader.asked == [[4, 1]]


def test_a_mapping_becomes_a_dictionary_of_columns():
    rows = Rows(split({"a": TABLE[:, 0], "b": np.arange(6)}), AsFloat(), CPU)
    taken = rows.inputs(torch.tensor([3]))
    assert {name: column.tolist() for name, column in taken.items()} == {"a": [6.0], "b": [3.0]}


def test_rows_are_augmented_only_where_a_generator_is_given():
    rows = Rows(split(), AsFloat(), CPU, augment=lambda batch, generator: batch * 0)
    every = torch.arange(6)
    assert rows.inputs(every, torch.Generator()).abs().sum() == 0
    assert torch.equal(rows.inputs(every), torch.tensor(TABLE).float())


def test_rows_too_many_to_keep_are_preprocessed_batch_by_batch(monkeypatch):
    monkeypatch.setattr("wd_train.rows.PREPARED_LIMIT", 11)
    rows = Rows(split(), AsFloat(), CPU)
    assert rows.prepared is None
    assert torch.equal(torch.cat(list(rows.in_order(4))), torch.tensor(TABLE).float())


def test_text_is_refused_by_the_name_of_its_column():
    with pytest.raises(DataError, match=r"column 'city' holds .* encode them in the splits"):
        Rows(split({"city": np.array(list("abcdef"))}), AsFloat(), CPU)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("float64", torch.float32),
        ("float32", torch.float32),
        ("uint8", torch.uint8),
        ("uint16", torch.int32),
        ("uint32", torch.int64),
        ("int32", torch.int32),
        ("bool", torch.bool),
    ],
)
def test_numbers_keep_their_values_in_a_type_that_torch_has(given, expected):
    values = np.array([0, 1, 1]).astype(given)
    tensor = tensor_of(values, "inputs")
    assert tensor.dtype == expected
    assert tensor.tolist() == values.tolist()


def test_a_tensor_shares_no_memory_with_the_rows():
    values = np.zeros(2, np.float32)
    tensor_of(values, "inputs").add_(1)
    assert values.sum() == 0
