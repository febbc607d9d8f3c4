"""Is what diverged named, and is the right epoch kept?"""

import pytest
import torch
from torch import nn

from data_checks.errors import TrainingError
from wd_train.measuring import Best, Seen, weighted_mean


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
