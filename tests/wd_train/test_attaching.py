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


def decays_alone(net, optimizer):
    """What is left of the first weight after a step that only the decay takes."""
    before = net[0].weight.detach().clone()
    for p in net.parameters():
        p.grad = torch.zeros_like(p)
    optimizer.step()
    return float((net[0].weight.detach() / before).mean())


def test_an_optimizer_that_loads_its_state_gets_no_second_decay_back():
    net = model()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    kept = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.5).state_dict()
    Attached(optimizer, net, 0.5)
    optimizer.load_state_dict(kept)
    assert decays_alone(net, optimizer) == pytest.approx(1 - 1e-3 * 0.5)


def test_a_scheduler_that_warms_up_before_does_not_lower_the_full_rate():
    net = model()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.25)
    Attached(optimizer, net, 0.2, Decay("independent"))
    assert decays_alone(net, optimizer) == pytest.approx(1 - 0.25 * 0.2)


def test_a_step_that_a_scaler_skips_decays_nothing():
    net = model()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, fused=False)
    scaler = torch.amp.GradScaler("cpu")
    Attached(optimizer, net, 0.5)
    before = net[0].weight.detach().clone()
    scaler.scale(net(torch.full((1, 4), torch.inf, dtype=torch.float64)).sum()).backward()
    scaler.step(optimizer)
    assert torch.equal(net[0].weight, before)


def test_coupled_decay_gives_the_gradient_back_as_it_was():
    net = model()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    Attached(optimizer, net, 0.5, Decay("l2"))
    decays_alone(net, optimizer)
    assert not net[0].weight.grad.any()


def test_a_tensor_that_the_optimizer_does_not_step_is_not_decayed_and_says_why():
    net = model()
    attached = Attached(torch.optim.SGD(net[0].parameters(), lr=0.1), net, 0.5)
    reasons = {tensor.name: (tensor.decayed, tensor.reason) for tensor in attached.tensors}
    assert reasons["0.weight"][0]
    assert reasons["2.weight"] == (False, "the optimizer does not step it")


def test_what_would_decay_wrongly_is_refused():
    net = model()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    with pytest.raises(TrainingError, match=r"must be below 1 or a step overshoots, got 0.5 x 2.0"):
        Attached(optimizer, net, 2.0)
    Attached(optimizer, net, 0.5)
    with pytest.raises(TrainingError, match="has a decay already"):
        Attached(optimizer, net, 0.5)
    with pytest.raises(TrainingError, match="closure makes the gradients too late"):
        optimizer.step(lambda: None)
    optimizer.add_param_group({"params": [nn.Parameter(torch.ones(2, 2))]})
    with pytest.raises(TrainingError, match="another group of parameters"):
        optimizer.step()


def test_a_state_of_another_network_or_form_is_refused():
    def attached(net, form):
        return Attached(torch.optim.SGD(net.parameters(), lr=0.1), net, 0.5, Decay(form))

    state = attached(model(), "to_init").state_dict()
    with pytest.raises(TrainingError, match="of another form than 'decoupled'"):
        attached(model(), "decoupled").load_state_dict(state)
    with pytest.raises(TrainingError, match=r"other tensors than the training: 0.weight, 2.weight, weight"):
        attached(nn.Linear(2, 2), "to_init").load_state_dict(state)


def test_what_cannot_be_attached_is_refused():
    net = model()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, maximize=True)
    with pytest.raises(TrainingError, match="needs the steps of the whole training, got none"):
        Attached(optimizer, net, 0.5, Decay(schedule="cosine"))
    with pytest.raises(TrainingError, match="expected an optimizer that minimizes"):
        Attached(optimizer, net, 0.5, Decay("l2"))
