"""Are the right tensors decayed and is it said why, and is the decay as strong as is said?"""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from data_checks.errors import TrainingError
from wd_train.decay import Decay
from wd_train.provenance import (
    check_decayable,
    decay_record,
    norm,
    param_groups,
    tensor_decays,
)

rates = st.lists(st.floats(0, 1e-2), min_size=1, max_size=50)


def decayed(model, decay=None):
    return {tensor.name for tensor in tensor_decays(model, decay) if tensor.decayed}


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


@settings(deadline=None)
@given(rates, st.floats(0, 50))
def test_the_record_tells_what_a_weight_without_gradient_loses(steps, weight_decay):
    weight = 1.0
    for rate in steps:
        weight -= rate * weight_decay * weight
    record = decay_record(nn.Linear(2, 1), weight_decay, steps)
    assert record.total_shrink == pytest.approx(1 - weight, abs=1e-12)
    assert record.total_shrink <= record.kappa + 1e-12


def test_after_one_timescale_a_weight_is_down_to_one_part_in_e():
    steps = round(decay_record(nn.Linear(2, 1), 0.5, [1e-3]).timescale)
    record = decay_record(nn.Linear(2, 1), 0.5, [1e-3] * steps)
    assert 1 - record.total_shrink == pytest.approx(1 / math.e, rel=1e-3)


def test_the_norm_is_that_of_all_numbers_together():
    parts = [torch.arange(6.0).reshape(2, 3), torch.tensor([7.0])]
    assert norm(parts) == pytest.approx(np.linalg.norm([0, 1, 2, 3, 4, 5, 7]))
    assert norm([]) == 0


def test_a_record_without_decay_is_plain_values_that_json_takes():
    record = decay_record(nn.Linear(2, 1), 0.0, [1e-3]).as_dict()
    assert record["timescale"] is None
    assert (record["total_shrink"], record["kappa"]) == (0, 0)


def test_embeddings_are_decayed_by_choice():
    model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 2))
    assert decayed(model) == {"1.weight"}
    assert decayed(model, Decay(embeddings=True)) == {"0.weight", "1.weight"}


def test_a_name_that_matches_a_pattern_is_excluded_and_says_so():
    model = nn.ModuleDict({"body": nn.Linear(3, 3), "head": nn.Linear(3, 2)})
    tensors = {tensor.name: tensor for tensor in tensor_decays(model, Decay(exclude=("head.*",)))}
    assert tensors["body.weight"].decayed
    assert (tensors["head.weight"].decayed, tensors["head.weight"].reason) == (False, "excluded by 'head.*'")


def test_a_pattern_that_matches_nothing_is_refused_with_the_names_there_are():
    with pytest.raises(TrainingError, match=r"no parameter's name matches 'haed.*'; .* weight, bias"):
        tensor_decays(nn.Linear(3, 2), Decay(exclude=("haed.*",)))


def test_a_network_with_nothing_to_decay_is_refused_only_where_a_decay_was_asked_for():
    tensors = tensor_decays(nn.LayerNorm(3))
    check_decayable(tensors, 0.0)
    with pytest.raises(
        TrainingError, match=r"weight_decay is 0.1, but no tensor .* normalization \(LayerNorm"
    ):
        check_decayable(tensors, 0.1)


def test_a_layer_that_a_normalization_follows_is_known_by_the_modules():
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.LayerNorm(3), nn.Linear(3, 3), nn.Linear(3, 2))
    assert [tensor.name for tensor in tensor_decays(model) if tensor.decayed and tensor.normalized] == [
        "0.weight"
    ]


def test_pytorchs_default_over_1500_cosine_steps_shrinks_by_three_quarters_of_a_percent():
    rates = [1e-3 * 0.5 * (1 + math.cos(math.pi * step / 1500)) for step in range(1500)]
    assert decay_record(nn.Linear(2, 1), 0.01, rates).total_shrink == pytest.approx(0.0075, abs=5e-5)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("decoupled", [0.1 * 0.5, 0.05 * 0.5]),
        ("cautious", [0.1 * 0.5, 0.05 * 0.5]),
        ("to_init", [0.1 * 0.5, 0.05 * 0.5]),
        ("independent", [0.5, 0.25]),
        ("corrected", [0.1 * 0.5, 0.05**2 / 0.1 * 0.5]),
    ],
)
def test_each_form_tells_its_own_strength(form, expected):
    model = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2))
    record = decay_record(model, 0.5, [0.1, 0.05], Decay(form), batches=2)
    assert record.kappa == pytest.approx(sum(expected))
    assert record.total_shrink == pytest.approx(1 - (1 - expected[0]) * (1 - expected[1]))
    assert record.timescale == pytest.approx(1 / expected[0])
    assert record.timescale_epochs == pytest.approx(record.timescale / 2)


def test_coupled_decay_is_as_strong_as_sgds_momentum_makes_it():
    weight = nn.Parameter(torch.ones(1, 1, dtype=torch.float64))
    optimizer = torch.optim.SGD([weight], lr=0.01, momentum=0.9, weight_decay=0.5)
    for _ in range(30):
        weight.grad = torch.zeros_like(weight)
        optimizer.step()
    record = decay_record(nn.Linear(2, 1), 0.5, [0.01] * 30, Decay("l2"), momentum=0.9)
    assert record.total_shrink == pytest.approx(1 - weight.item(), abs=1e-12)


def test_a_coefficient_that_rests_for_half_of_the_steps_is_half_as_strong():
    for schedule in ("early", "late"):
        record = decay_record(nn.Linear(2, 1), 0.5, [0.1] * 4, Decay(schedule=schedule))
        assert record.kappa == pytest.approx(0.1)


@pytest.mark.parametrize("decay", [Decay("constrained"), Decay("l2"), Decay(schedule="gradient_norm")])
def test_what_depends_on_the_gradients_is_not_told_beforehand(decay):
    record = decay_record(nn.Linear(2, 1), 0.5, [0.1] * 4, decay).as_dict()
    assert (record["timescale"], record["total_shrink"], record["kappa"]) == (None, None, None)
