"""Are averaged weights what they are said to be, and are they measured and kept?"""

import numpy as np
import pytest
import torch
from torch import nn

from data_checks.splits import Split
from wd_train.averaging import Average
from wd_train.measuring import measure
from wd_train.network import AsFloat
from wd_train.rows import Rows
from wd_train.training import Training, train
from wdgate.evaluation.tasks import Classification

TASK = Classification(("a", "b"))


class Masked(nn.Module):
    """Buffers of every kind: statistics, an infinite mask, a table of positions."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.register_buffer("mask", torch.full((2, 2), -torch.inf).triu(1))
        self.register_buffer("positions", torch.arange(5))
        self.register_buffer("on", torch.tensor([True, False]))


def rows(count, seed):
    inputs = np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32)
    return Split(inputs, (inputs[:, 0] > 0).astype(int))


def model(_):
    return nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 2))


def averaged(weights, share):
    expected = weights[0]
    for taken, weight in enumerate(weights[1:], 1):
        kept = min(share, (1 + taken) / (10 + taken))
        expected = kept * expected + (1 - kept) * weight
    return expected


@pytest.mark.parametrize("share", [0.5, 0.9, 0.999])
def test_the_average_is_that_of_its_formula(share):
    net = nn.Linear(1, 1, bias=False).double()
    average, weights = Average(net, share), np.random.default_rng(0).normal(size=200)
    for weight in weights:
        nn.init.constant_(net.weight, weight)
        average.follow()
    assert average.net.weight.item() == pytest.approx(averaged(weights, share), abs=1e-12)
    assert net.weight.item() == weights[-1]
    average.keep()
    assert net.weight.item() == average.net.weight.item()


def test_statistics_are_averaged_and_other_buffers_are_as_they_were():
    net = Masked()
    average = Average(net, 0.9)
    for step in range(4):
        net.norm.running_mean.fill_(step)
        net.positions.copy_(torch.arange(5) + step)
        average.follow()
    expected = averaged(np.arange(4.0), 0.9)
    torch.testing.assert_close(average.net.norm.running_mean, torch.full((3,), expected, dtype=torch.float32))
    assert torch.equal(average.net.mask, net.mask)
    assert torch.equal(average.net.positions, net.positions)
    assert torch.equal(average.net.on, net.on)


def test_without_a_share_the_network_itself_is_measured():
    net = nn.Linear(1, 1)
    average = Average(net, None)
    average.follow()
    average.keep()
    assert average.net is net
    assert average.state_dict() == {}


def test_tied_weights_stay_tied():
    net = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    net[1].weight = net[0].weight
    average = Average(net, 0.9)
    average.follow()
    assert average.net[1].weight is average.net[0].weight


@pytest.mark.parametrize("patience", [None, 1])
def test_the_averaged_weights_are_measured_kept_and_exported(patience):
    options = {"weight_decay": 0.1, "batch_size": 8, "epochs": 4, "learning_rate": 0.05, "patience": patience}
    plain = train(model, None, rows(40, 0), rows(20, 1), TASK, Training(**options))
    result = train(model, None, rows(40, 0), rows(20, 1), TASK, Training(**options, average=0.8))
    validation = Rows(rows(20, 1), AsFloat(), torch.device("cpu"))
    kept = next(epoch for epoch in result.history if epoch.epoch == result.best_epoch)
    assert measure(result.network.net, validation, TASK)[0] == kept.validation_loss
    assert result.validation_score == kept.validation_score
    if patience is None:
        # The steps are those of the training without an average; only what is measured differs.
        assert [e.train_loss for e in result.history] == [e.train_loss for e in plain.history]
        assert kept.validation_loss != plain.history[-1].validation_loss
