"""Is a tensor the same after it went through shared memory?"""

import os

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wd_train.slots import Slot, nameless_file, size_of

TYPES = (torch.float32, torch.uint8, torch.bool, torch.int64, torch.bfloat16, torch.float64)


@pytest.fixture(scope="module")
def ends():
    """The two ends of one slot, each with a mapping of its own."""
    file = nameless_file()
    yield Slot(file), Slot(file)
    os.close(file)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=4), st.sampled_from(TYPES), st.randoms())
def test_values_type_and_strides_stay(ends, shape, kind, random):
    order = random.sample(range(len(shape)), len(shape))
    tensor = torch.randint(0, 100, shape).to(kind).permute(order)
    read = ends[1].read(ends[0].write(tensor))
    assert torch.equal(read, tensor)
    assert (read.dtype, read.stride()) == (tensor.dtype, tensor.stride())


def test_a_dictionary_keeps_its_columns(ends):
    columns = {"a": torch.arange(3), "b": torch.rand(3, 2), "c": torch.tensor([True, False, True])}
    read = ends[1].read(ends[0].write(columns))
    assert list(read) == ["a", "b", "c"]
    assert all(torch.equal(read[name], columns[name]) for name in columns)
    assert size_of(columns) == 24 + 24 + 3


def test_a_larger_batch_than_those_before_it_fits(ends):
    for size in (1, 10_000, 5, 1_000_000):
        tensor = torch.rand(size)
        assert torch.equal(ends[1].read(ends[0].write(tensor)), tensor)


def test_what_is_read_is_a_copy(ends):
    first = ends[1].read(ends[0].write(torch.ones(4)))
    ends[0].write(torch.zeros(4))
    assert first.sum() == 4


@pytest.mark.parametrize("tensor", [torch.zeros(3, 4)[:, :2], torch.zeros(1).expand(3)])
def test_a_tensor_with_gaps_is_refused(ends, tensor):
    with pytest.raises(ValueError, match="not dense"):
        ends[0].write(tensor)
