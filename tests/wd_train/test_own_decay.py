"""Is the share of a weight that an optimizer's own decay takes the one that it takes?"""

import pytest
import torch
from torch import nn

from wd_train.own_decay import decayed_by, known_share, rates_of

WD, LR = 0.5, 0.1


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (torch.optim.AdamW, {}),
        (torch.optim.Adam, {"decoupled_weight_decay": True}),
        (torch.optim.NAdam, {"decoupled_weight_decay": True}),
        (torch.optim.RAdam, {"decoupled_weight_decay": True}),
        (torch.optim.Muon, {}),
        (torch.optim.Adafactor, {}),
        (torch.optim.SGD, {}),
    ],
)
def test_a_step_without_a_gradient_takes_the_share_that_is_told(kind, options):
    layer = nn.Linear(3, 2, bias=False).double()
    before = layer.weight.detach().clone()
    optimizer = kind(layer.parameters(), lr=LR, weight_decay=WD, **options)
    layer.weight.grad = torch.zeros_like(layer.weight)
    told = known_share(optimizer)
    optimizer.step()
    torch.testing.assert_close(layer.weight.detach(), (1 - told) * before)


@pytest.mark.parametrize("dampening", [0.0, 0.3])
def test_momentum_multiplies_what_sgd_takes_over_many_steps(dampening):
    layer = nn.Linear(3, 2, bias=False).double()
    optimizer = torch.optim.SGD(
        layer.parameters(), lr=1e-4, weight_decay=WD, momentum=0.5, dampening=dampening
    )
    layer.weight.grad = torch.zeros_like(layer.weight)
    for _ in range(100):
        optimizer.step()
    before = layer.weight.detach().clone()
    optimizer.step()
    told = known_share(optimizer)
    torch.testing.assert_close(layer.weight.detach(), (1 - told) * before, rtol=1e-6, atol=0)


class Others(torch.optim.Optimizer):
    """An optimizer of somebody else's, whose decay may be anything."""

    def __init__(self, parameters):
        super().__init__(parameters, {"lr": LR, "weight_decay": WD})


@pytest.mark.parametrize(
    "made",
    [
        lambda p: torch.optim.Adam(p, weight_decay=WD),
        lambda p: torch.optim.SGD(p, lr=LR, weight_decay=WD, maximize=True),
        lambda p: torch.optim.SGD([{"params": p[:1]}, {"params": p[1:], "lr": 0.2}], lr=LR, weight_decay=WD),
        lambda p: torch.optim.SGD(p, lr=LR),
        Others,
    ],
)
def test_what_nobody_can_know_is_none(made):
    assert known_share(made(list(nn.Linear(3, 2).parameters()))) is None


def test_decayed_are_the_trained_tensors_of_groups_with_a_decay():
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2), nn.Linear(2, 1))
    net[1].bias.requires_grad_(False)
    groups = [{"params": net[1].parameters(), "weight_decay": WD, "lr": 0.2}, {"params": net[0].parameters()}]
    optimizer = torch.optim.SGD(groups, lr=LR)
    decayed = decayed_by(optimizer, net)
    assert list(decayed) == ["1.weight"]
    assert decayed["1.weight"] is net[1].weight
    assert rates_of(optimizer, decayed) == {"1.weight": 0.2}
