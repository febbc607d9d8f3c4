"""Is a step what it says, and is the right epoch kept?"""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from data_checks.errors import TrainingError
from wd_train.decay import Decay, WeightDecay
from wd_train.steps import (
    Best,
    Seen,
    batches,
    make_optimizer,
    pick_device,
    take_step,
    threads_for,
    weighted_mean,
)
from wd_train.training import Training


@given(st.integers(1, 300), st.integers(1, 64), st.integers(0, 9))
def test_an_epoch_holds_every_row_once_in_batches_of_nearly_one_size(rows, batch_size, seed):
    training = Training(weight_decay=0, batch_size=batch_size)
    epoch = list(batches(rows, training, torch.Generator().manual_seed(seed)))
    sizes = [len(batch) for batch in epoch]
    assert sorted(torch.cat(epoch).tolist()) == list(range(rows))
    assert len(sizes) == training.batches(rows)
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= batch_size


def test_a_full_batch_draws_nothing():
    generator = torch.Generator().manual_seed(3)
    before = generator.get_state()
    (batch,) = batches(5, Training(weight_decay=0, batch_size=None), generator)
    assert batch.tolist() == [0, 1, 2, 3, 4]
    assert torch.equal(before, generator.get_state())


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd_decays_by_itself_and_not_through_its_momentum(momentum):
    training = Training(weight_decay=0.5, optimizer="sgd", momentum=momentum, learning_rate=0.1)
    weight = nn.Parameter(torch.tensor([[2.0]], dtype=torch.float64))
    optimizer = make_optimizer(training, [weight])
    decay = WeightDecay({"w": weight}, 0.5, Decay(), full_rate=0.1, steps=5)
    expected, velocity = 2.0, 0.0
    for _ in range(5):
        optimizer.zero_grad()
        (weight * 3).sum().backward()
        take_step(optimizer, 0.1, decay)
        velocity = momentum * velocity + 3
        expected = expected * (1 - 0.1 * 0.5) - 0.1 * velocity
    assert weight.item() == pytest.approx(expected, abs=1e-12)


def test_weights_count_in_a_mean():
    values, weights = torch.tensor([1.0, 4.0]), torch.tensor([3.0, 1.0])
    assert weighted_mean(values, None) == 2.5
    assert weighted_mean(values, weights) == 1.75


def test_the_step_that_diverged_is_named():
    seen = Seen(first_step=10)
    for loss in (1.0, float("nan"), float("inf")):
        seen.add(torch.tensor(loss), torch.zeros(1, 2), torch.tensor([0]))
    with pytest.raises(TrainingError, match="its loss was nan at step 12"):
        seen.mean_loss()


def test_patience_keeps_the_weights_of_the_best_epoch():
    net = nn.Linear(1, 1)
    best = Best(net, patience=2)
    stopped = []
    for epoch, loss in enumerate([3.0, 1.0, 2.0, 1.0], 1):
        nn.init.constant_(net.weight, epoch)
        stopped.append(best.stops(epoch, loss))
    assert stopped == [False, False, False, True]
    assert best.restore() == 2
    assert net.weight.item() == 2


def test_without_patience_the_last_weights_are_kept():
    net = nn.Linear(1, 1)
    best = Best(net, patience=None)
    assert not any(best.stops(epoch, loss) for epoch, loss in ((1, 1.0), (2, 9.0)))
    nn.init.constant_(net.weight, 7)
    assert best.restore() == 2
    assert net.weight.item() == 7


def test_small_steps_take_one_thread_and_give_the_others_back():
    before = torch.get_num_threads()
    with threads_for(1e3):
        assert torch.get_num_threads() == 1
    with threads_for(1e12):
        assert torch.get_num_threads() == before
    assert torch.get_num_threads() == before


def test_a_device_that_is_not_there_is_named():
    with pytest.raises(TrainingError, match="device 'abacus' cannot be used"):
        pick_device("abacus")
