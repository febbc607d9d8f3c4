"""Are the gradients of a batch the same in one piece and in many, and is a full memory halved?"""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from data_checks.errors import TrainingError
from data_checks.splits import Split
from wd_train.configuration import Training
from wd_train.decay import Decay, WeightDecay
from wd_train.gradients import BatchGradients
from wd_train.losses import TrainLoss
from wd_train.network import AsFloat
from wd_train.optimizers import optimizer_of
from wd_train.rows import Rows
from wd_train.steps import take_step
from wdgate.evaluation.tasks import Classification

CPU = torch.device("cpu")
ROWS = 13


class Hungry(nn.Module):
    """A network that has memory for so many rows at once."""

    def __init__(self, most):
        super().__init__()
        self.inner, self.most = nn.Linear(4, 3), most

    def forward(self, inputs):
        if len(inputs) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return self.inner(inputs)


def parts(weighted):
    generator = np.random.default_rng(0)
    weights = generator.uniform(0.1, 3, ROWS) if weighted else None
    split = Split(generator.normal(size=(ROWS, 4)), generator.integers(0, 3, ROWS), weights=weights)
    rows = Rows(split, AsFloat(), CPU)
    return rows, TrainLoss(Classification(("a", "b", "c")), rows, Training(weight_decay=0))


def gradients(most, weighted, clip_norm=None):
    torch.manual_seed(0)
    rows, loss_of = parts(weighted)
    net, told = Hungry(most).double(), []
    rows.prepared = rows.prepared.double()
    finds = BatchGradients(net, loss_of, tell=told.append, clip_norm=clip_norm)
    indices = torch.arange(ROWS).flip(0)
    loss, outputs = finds.of(rows.inputs(indices), indices)
    return loss, outputs, [p.grad.clone() for p in net.parameters()], told, finds


@given(st.integers(1, ROWS), st.booleans())
def test_pieces_add_up_to_the_whole(most, weighted):
    *whole, none_told, _ = gradients(ROWS, weighted)
    *found, told, finds = gradients(most, weighted)
    assert not none_told
    assert torch.allclose(found[0], whole[0], atol=1e-7)
    assert torch.equal(found[1], whole[1]) or torch.allclose(found[1], whole[1], atol=1e-12)
    for ours, theirs in zip(found[2], whole[2], strict=True):
        assert torch.allclose(ours, theirs, atol=1e-7)
    assert len(told) == np.log2(finds.pieces)
    assert all("a batch of 13 rows does not fit into memory: it is taken in" in words for words in told)


@pytest.mark.parametrize("most", [ROWS, 3])
def test_gradients_of_all_pieces_together_are_clipped(most):
    _, _, whole, *_ = gradients(most, weighted=True)
    length = float(torch.cat([g.flatten() for g in whole]).norm())
    _, _, clipped, *_ = gradients(most, weighted=True, clip_norm=length / 4)
    _, _, short, *_ = gradients(most, weighted=True, clip_norm=length * 4)
    for ours, theirs, same in zip(clipped, whole, short, strict=True):
        torch.testing.assert_close(ours, theirs / 4, rtol=1e-5, atol=1e-7)
        assert torch.equal(same, theirs)


def test_a_row_that_does_not_fit_is_named():
    with pytest.raises(TrainingError, match="a single row of a batch does not fit into the memory"):
        gradients(0, weighted=False)


def test_other_errors_travel_on():
    rows, loss_of = parts(weighted=False)
    finds = BatchGradients(nn.Linear(5, 3), loss_of)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        finds.of(rows.inputs(torch.arange(4)), torch.arange(4))


def test_a_resumed_training_takes_as_many_pieces():
    finds = gradients(3, weighted=False)[-1]
    again = BatchGradients(nn.Linear(4, 3), parts(weighted=False)[1])
    again.load_state_dict(finds.state_dict())
    assert again.pieces == finds.pieces == 8


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_decay_is_not_clipped(momentum):
    training = Training(weight_decay=0.5, decay=Decay("l2"), optimizer="sgd", momentum=momentum)
    rows, loss_of = parts(weighted=True)
    net = nn.Linear(4, 3)
    finds, optimizer = BatchGradients(net, loss_of, clip_norm=1e-3), optimizer_of(training, net)
    decay = WeightDecay({"weight": net.weight}, 0.5, training.decay, full_rate=0.1, steps=1)
    before = net.weight.detach().clone()
    finds.of(rows.inputs(torch.arange(ROWS)), torch.arange(ROWS))
    clipped = net.weight.grad.clone()
    take_step(optimizer, 0.1, decay)
    torch.testing.assert_close(net.weight, before - 0.1 * (clipped + 0.5 * before))
    assert torch.nn.utils.get_total_norm([clipped]) <= 1e-3 < torch.nn.utils.get_total_norm([0.5 * before])
