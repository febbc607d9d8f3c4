"""Are the right tensors decayed, and is the decay as strong as is said?"""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from wd_train.decay import (
    decay_record,
    kappa,
    norm,
    param_groups,
    shrink,
    tensor_decays,
    timescale,
    total_shrink,
)

rates = st.lists(st.floats(0, 1e-2), min_size=1, max_size=50)


def decayed(model):
    return {tensor.name for tensor in tensor_decays(model) if tensor.decayed}


def test_matrices_and_filters_are_decayed_and_nothing_else_is():
    model = nn.ModuleDict(
        {
            "conv": nn.Conv2d(1, 2, 3),
            "norm": nn.BatchNorm2d(2),
            "rms": nn.RMSNorm(4),
            "words": nn.Embedding(5, 4),
            "rnn": nn.GRU(4, 3),
            "attention": nn.MultiheadAttention(4, 2),
            "out": nn.Linear(3, 2),
        }
    )
    assert decayed(model) == {
        "conv.weight",
        "rnn.weight_ih_l0",
        "rnn.weight_hh_l0",
        "attention.in_proj_weight",
        "attention.out_proj.weight",
        "out.weight",
    }


def test_a_frozen_tensor_is_in_no_group_and_says_why():
    model = nn.Linear(3, 2)
    model.weight.requires_grad_(False)
    reasons = {tensor.name: tensor.reason for tensor in tensor_decays(model)}
    assert reasons["weight"] == "frozen: it is not trained"
    assert [len(group["params"]) for group in param_groups(model, 0.1)] == [0, 1]


def test_a_tied_tensor_is_judged_once_by_the_module_that_comes_first():
    model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 5, bias=False))
    model[1].weight = model[0].weight
    assert [(tensor.name, tensor.decayed) for tensor in tensor_decays(model)] == [("0.weight", False)]


def test_every_trained_tensor_is_in_exactly_one_group():
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))
    grouped = [id(p) for group in param_groups(model, 0.1) for p in group["params"]]
    assert sorted(grouped) == sorted(id(p) for p in model.parameters())


@pytest.mark.parametrize("weight_decay", [0.0, 0.1, 3.0])
def test_shrink_and_adam_take_the_steps_of_torch_adamw(weight_decay):
    torch.manual_seed(0)
    ours, theirs = nn.Linear(4, 3).double(), nn.Linear(4, 3).double()
    theirs.load_state_dict(ours.state_dict())
    inputs = torch.randn(8, 4, dtype=torch.float64)
    adam = torch.optim.Adam(ours.parameters(), lr=1e-2)
    adamw = torch.optim.AdamW(param_groups(theirs, weight_decay), lr=1e-2)
    for _ in range(20):
        for model, optimizer in ((ours, adam), (theirs, adamw)):
            optimizer.zero_grad()
            model(inputs).square().mean().backward()
            if optimizer is adam:
                shrink([model.weight], 1 - 1e-2 * weight_decay)
            optimizer.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-14)


def test_a_tensor_without_gradient_is_left_alone():
    used, unused = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2, 2))
    used.sum().backward()
    shrink([used, unused], 0.5)
    assert (used == 0.5).all()
    assert (unused == 1).all()


def test_members_of_a_stack_are_shrunk_one_by_one():
    stacked = nn.Parameter(torch.ones(2, 3, 4))
    stacked.sum().backward()
    shrink([stacked], torch.tensor([1.0, 0.25]))
    assert stacked[0].eq(1).all()
    assert stacked[1].eq(0.25).all()


@given(rates, st.floats(0, 50))
def test_total_shrink_is_what_is_lost_by_a_weight_that_has_no_gradient(steps, weight_decay):
    weight = 1.0
    for rate in steps:
        weight -= rate * weight_decay * weight
    assert total_shrink(steps, weight_decay) == pytest.approx(1 - weight, abs=1e-12)


@given(rates, st.floats(0, 50))
def test_kappa_bounds_the_total_shrink(steps, weight_decay):
    assert total_shrink(steps, weight_decay) <= kappa(steps, weight_decay) + 1e-12


def test_after_one_timescale_a_weight_is_down_to_one_part_in_e():
    steps = round(timescale(1e-3, 0.5))
    assert 1 - total_shrink([1e-3] * steps, 0.5) == pytest.approx(1 / math.e, rel=1e-3)


def test_the_norm_is_that_of_all_numbers_together():
    parts = [torch.arange(6.0).reshape(2, 3), torch.tensor([7.0])]
    assert norm(parts) == pytest.approx(np.linalg.norm([0, 1, 2, 3, 4, 5, 7]))
    assert norm([]) == 0


def test_a_record_without_decay_is_plain_values_that_json_takes():
    record = decay_record(nn.Linear(2, 1), 0.0, [1e-3]).as_dict()
    assert record["timescale"] is None
    assert (record["total_shrink"], record["kappa"]) == (0, 0)
