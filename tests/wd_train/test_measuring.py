"""Is what diverged named, and is the right epoch kept?"""

import numpy as np
import pytest
import torch
from torch import nn

from data_checks.errors import TrainingError
from data_checks.splits import Split
from wd_train.measuring import Best, Seen, weighted_mean
from wd_train.network import CPU, AsFloat
from wd_train.rows import Rows
from wdgate.evaluation.tasks import Classification

TASK = Classification("abc")


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


def classes(count=40):
    """Rows of three classes with the outputs of a network for them."""
    generator = np.random.default_rng(0)
    split = Split(np.zeros((count, 1)), generator.integers(0, 3, count))
    return Rows(split, AsFloat(), CPU), torch.tensor(generator.normal(size=(count, 3))).float()


def seen_of(rows, outputs, batches, seen):
    for indices in batches:
        seen.add(torch.tensor(1.0), outputs[indices], indices)
    return seen


def test_outputs_too_many_to_keep_are_folded_into_the_same_score(monkeypatch):
    rows, outputs = classes()
    batches = torch.arange(40).split(7)
    whole = seen_of(rows, outputs, batches, Seen(0, TASK, rows)).score(TASK, rows)
    monkeypatch.setattr("wd_train.measuring.KEPT_OUTPUTS", 30)
    folded = seen_of(rows, outputs, batches, Seen(0, TASK, rows))
    assert sum(len(kept) for kept in folded.state_dict()["outputs"]) * 3 <= 30
    assert folded.score(TASK, rows) == pytest.approx(whole, abs=1e-12)


@pytest.mark.parametrize("stop", range(7))
def test_a_stop_between_two_batches_changes_no_byte_of_a_folded_score(monkeypatch, stop):
    monkeypatch.setattr("wd_train.measuring.KEPT_OUTPUTS", 30)
    rows, outputs = classes()
    batches = torch.arange(40).split(7)
    through = seen_of(rows, outputs, batches, Seen(0, TASK, rows))
    gone_on = Seen(0, TASK, rows)
    gone_on.load_state_dict(seen_of(rows, outputs, batches[:stop], Seen(0, TASK, rows)).state_dict())
    seen_of(rows, outputs, batches[stop:], gone_on)
    assert gone_on.score(TASK, rows) == through.score(TASK, rows)


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
