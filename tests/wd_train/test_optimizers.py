"""Are hidden matrices stepped by Muon, all else by Adam, and everything decayed at one rate?"""

import pytest
import torch
from torch import nn

from data_checks.errors import TrainingError
from wd_train.configuration import Training
from wd_train.decay import Decay, WeightDecay
from wd_train.optimizers import MuonAndAdam, hidden_matrices, make_optimizer, optimizer_of
from wd_train.steps import take_step

MUON = Training(weight_decay=0.5, optimizer="muon", learning_rate=0.01)


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Embedding(5, 6), nn.Flatten(), nn.Linear(12, 8), nn.LayerNorm(8), nn.Linear(8, 4), nn.Linear(4, 2)
    ).double()


def gradients_of(net, step):
    net.zero_grad()
    inputs = torch.randint(5, (7, 2), generator=torch.Generator().manual_seed(step))
    net(inputs).square().mean().backward()


def decay_of(net, names):
    chosen = {name: p for name, p in net.named_parameters() if name in names}
    return WeightDecay(chosen, MUON.weight_decay, Decay(), full_rate=MUON.learning_rate, steps=9)


def test_embeddings_biases_norms_filters_and_the_head_are_no_hidden_matrices():
    assert hidden_matrices(network()) == ["2.weight", "4.weight"]
    pictures = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 4), nn.Linear(4, 2))
    assert hidden_matrices(pictures) == ["2.weight"]


def test_frozen_matrices_are_not_stepped():
    net = network()
    net[2].weight.requires_grad_(False)
    assert hidden_matrices(net) == ["4.weight"]
    stepped = [p for group in optimizer_of(MUON, net).param_groups for p in group["params"]]
    assert {id(p) for p in stepped} == {id(p) for p in net.parameters() if p.requires_grad}


@pytest.mark.parametrize("frozen", [(5,), (4, 5), (0, 5), (0,)])
def test_the_head_is_the_last_matrix_whether_it_is_trained_or_not(frozen):
    net = network()
    for layer in frozen:
        net[layer].requires_grad_(False)
    assert hidden_matrices(net) == [name for name in ("2.weight", "4.weight") if int(name[0]) not in frozen]


def test_a_network_whose_trained_tensors_are_all_hidden_is_stepped():
    net = nn.Sequential(nn.Linear(4, 3, bias=False), nn.Linear(3, 2, bias=False).requires_grad_(False))
    optimizer, before = optimizer_of(MUON, net), net[0].weight.detach().clone()
    net(torch.ones(5, 4)).square().mean().backward()
    optimizer.step()
    assert not torch.equal(net[0].weight, before)
    optimizer_of(MUON, net).load_state_dict(optimizer.state_dict())


def test_a_frozen_embedding_behind_the_head_is_no_head():
    net = network()
    net.append(nn.Embedding(3, 2).requires_grad_(False))
    assert hidden_matrices(net) == ["2.weight", "4.weight"]


def test_it_steps_as_torch_muon_and_torch_adamw_do_each_on_its_own():
    ours, theirs = network(), network()
    optimizer, decay = optimizer_of(MUON, ours), decay_of(ours, ["2.weight", "4.weight", "5.weight"])
    hidden, head = [theirs[2].weight, theirs[4].weight], [theirs[5].weight]
    rest = [p for p in theirs.parameters() if all(p is not q for q in hidden + head)]
    apart = [
        torch.optim.Muon(hidden, weight_decay=0.5, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW([{"params": head}, {"params": rest, "weight_decay": 0.0}], weight_decay=0.5),
    ]
    for step, rate in enumerate((0.01, 0.004, 0.002)):
        gradients_of(ours, step)
        take_step(optimizer, rate, decay)
        gradients_of(theirs, step)
        for other in apart:
            for group in other.param_groups:
                group["lr"] = rate
            other.step()
    for name, value in ours.state_dict().items():
        torch.testing.assert_close(value, theirs.state_dict()[name], rtol=0, atol=1e-9)


def test_updates_of_muon_are_of_the_size_of_those_of_adam():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(64, 16), nn.Linear(16, 4))
    before = net[0].weight.detach().clone()
    optimizer = optimizer_of(MUON, net)
    for parameter in net.parameters():
        parameter.grad = torch.randn_like(parameter)
    optimizer.step()
    size = (net[0].weight - before).square().mean().sqrt() / MUON.learning_rate
    assert 0.1 < size < 0.3  # 0.2 is what AdamW's updates have, up to Newton and Schulz's rounding


def test_it_goes_on_from_its_state():
    whole, halted = network(), network()
    optimizer, first = optimizer_of(MUON, whole), optimizer_of(MUON, halted)
    for step in range(2):
        for net, stepping in ((whole, optimizer), (halted, first)):
            gradients_of(net, step)
            stepping.step()
    again = optimizer_of(MUON, halted)
    again.load_state_dict(first.state_dict())
    for net, stepping in ((whole, optimizer), (halted, again)):
        gradients_of(net, 2)
        take_step(stepping, 0.003, decay_of(net, ["5.weight"]))
    for name, value in whole.state_dict().items():
        assert torch.equal(value, halted.state_dict()[name])


def test_zero_grad_forgets_the_gradients_of_both():
    net = network()
    optimizer = optimizer_of(MUON, net)
    gradients_of(net, 0)
    optimizer.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_muon_refuses_a_network_without_hidden_matrices():
    with pytest.raises(TrainingError, match="steps hidden matrices, but the network has none"):
        MuonAndAdam(MUON, nn.Linear(3, 2))


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])
def test_others_step_every_trained_parameter(optimizer):
    net, training = network(), Training(weight_decay=0.5, optimizer=optimizer)
    chosen = optimizer_of(training, net)
    assert type(chosen) is type(make_optimizer(training, list(net.parameters())))
    assert len(chosen.param_groups[0]["params"]) == len(list(net.parameters()))
