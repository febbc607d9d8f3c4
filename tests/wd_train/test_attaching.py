"""Does a decay act on an optimizer that somebody else steps, as torch's own would?"""

import copy

import pytest
import torch
from torch import nn

from data_checks.errors import TrainingError
from wd_train.attaching import Attached
from wd_train.decay import Decay
from wd_train.provenance import param_groups


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)).double()


def trained(net, optimizer, steps=10):
    inputs = torch.randn(8, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, steps)
    for _ in range(steps):
        optimizer.zero_grad()
        net(inputs).square().mean().backward()
        optimizer.step()
        scheduler.step()
    return [p.detach() for p in net.parameters()]


@pytest.mark.parametrize(
    ("form", "kind", "options"),
    [
        ("decoupled", torch.optim.AdamW, {"lr": 1e-2}),
        ("l2", torch.optim.Adam, {"lr": 1e-2}),
        ("l2", torch.optim.SGD, {"lr": 1e-1, "momentum": 0.9, "nesterov": True}),
    ],
)
def test_an_attached_decay_takes_torchs_own_steps_bit_for_bit(form, kind, options):
    ours, theirs = model(), model()
    optimizer = kind(ours.parameters(), **options, weight_decay=0.3)
    Attached(optimizer, ours, 0.5, Decay(form))
    expected = trained(theirs, kind(param_groups(theirs, 0.5), **options))
    for a, b in zip(trained(ours, optimizer), expected, strict=True):
        assert torch.equal(a, b)


def test_every_group_decays_at_its_own_rate():
    net = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
    groups = [
        {"params": list(layer.parameters()), "lr": lr} for layer, lr in zip(net, (0.1, 0.2), strict=True)
    ]
    optimizer = torch.optim.SGD(groups)
    before = copy.deepcopy(net)
    Attached(optimizer, net, 0.5)
    for p in net.parameters():
        p.grad = torch.zeros_like(p)
    optimizer.step()
    for now, then, left in zip(net, before, (0.95, 0.9), strict=True):
        torch.testing.assert_close(now.weight, then.weight * left)
        assert torch.equal(now.bias, then.bias)


def test_a_removed_decay_acts_no_more():
    ours, theirs = model(), model()
    optimizer = torch.optim.SGD(ours.parameters(), lr=0.1)
    Attached(optimizer, ours, 0.5).remove()
    expected = trained(theirs, torch.optim.SGD(theirs.parameters(), lr=0.1))
    assert all(torch.equal(a, b) for a, b in zip(trained(ours, optimizer), expected, strict=True))


def test_it_goes_on_from_its_state_as_if_nothing_had_happened():
    through, stopped = model(), model()
    optimizer = torch.optim.SGD(through.parameters(), lr=0.1)
    Attached(optimizer, through, 0.5, Decay("constrained"))
    expected = trained(through, optimizer, 4) and trained(through, optimizer, 4)
    first = torch.optim.SGD(stopped.parameters(), lr=0.1)
    kept = Attached(first, stopped, 0.5, Decay("constrained"))
    trained(stopped, first, 4)
    resumed = copy.deepcopy(stopped)
    second = torch.optim.SGD(resumed.parameters(), lr=float(first.param_groups[0]["lr"]))
    Attached(second, resumed, 0.5, Decay("constrained")).load_state_dict(kept.state_dict())
    for a, b in zip(trained(resumed, second, 4), expected, strict=True):
        assert torch.equal(a, b)


def test_what_cannot_be_attached_is_refused():
    net = model()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, maximize=True)
    with pytest.raises(TrainingError, match="needs the steps of the whole training, got none"):
        Attached(optimizer, net, 0.5, Decay(schedule="cosine"))
    with pytest.raises(TrainingError, match="expected an optimizer that minimizes"):
        Attached(optimizer, net, 0.5, Decay("l2"))
