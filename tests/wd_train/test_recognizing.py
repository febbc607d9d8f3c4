"""Is a checkpoint of another loop told from one of this, and what is said of it?"""

import copy

import pytest
import torch
from torch import nn

from wd_train.recognizing import other_than, shapes_of


def loop(groups=1, size=2):
    model = nn.Linear(4, size)
    tensors = [{"params": [model.weight]}, {"params": [model.bias]}]
    optimizer = torch.optim.SGD(model.parameters() if groups == 1 else tensors, lr=0.1)
    return model, {"optimizer": optimizer, "model": model}


def kept(model, parts):
    states = {name: part.state_dict() for name, part in parts.items()}
    return copy.deepcopy({"tensors": shapes_of(model), "parts": states})


def test_it_is_of_this_loop_whatever_the_numbers():
    assert other_than(*loop(), kept(*loop())) is None


@pytest.mark.parametrize(
    ("of", "says"),
    [
        ({"size": 3}, "it is of a model whose weight is (3, 4), expected (2, 4)"),
        ({"groups": 2}, "its optimizer steps groups of [1, 1] parameters, expected [2]"),
    ],
)
def test_what_differs_is_said(of, says):
    assert other_than(*loop(), kept(*loop(**of))) == says


def test_so_are_parts_that_are_not_the_same():
    model, parts = loop()
    assert other_than(model, {**parts, "more": model}, kept(model, parts)) == (
        "it holds optimizer, model, expected optimizer, model, more"
    )
    assert "whose weight is None, expected (2, 4)" in other_than(model, parts, {})
