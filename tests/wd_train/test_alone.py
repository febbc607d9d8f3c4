"""Does a training by itself leave what its network does, and what happened on the way?"""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from data_checks.errors import TrainingError
from data_checks.splits import Split
from wd_train.alone import norm_ratio, train_alone
from wd_train.checkpoints import Checkpoints
from wd_train.decay import Decay
from wd_train.network import build_network
from wd_train.outcomes import Diverged
from wd_train.training import Training, train
from wdgate.evaluation.tasks import Classification

TASK = Classification(("low", "high"))
TRAINING = Training(weight_decay=2.0, learning_rate=1e-2, epochs=4, batch_size=8, device="cpu")


def rows(n, seed):
    inputs = np.random.default_rng(seed).normal(size=(n, 4)).astype(np.float32)
    return Split(inputs, (inputs[:, 0] > 0).astype(int))


PARTS = (lambda split: nn.Sequential(nn.Dropout(0.1), nn.Linear(4, 2)), None, rows(40, 0), rows(20, 1), TASK)


def test_the_outcome_is_that_of_the_trained_network():
    told = []
    outcome = train_alone(*PARTS, TRAINING, on_epoch=told.append)
    model = train(*PARTS, TRAINING)
    probs = model.network(torch.from_numpy(PARTS[3].inputs)).softmax(1).detach().numpy()
    np.testing.assert_array_equal(outcome.predictions["probs"], probs)
    assert [(epoch, loss) for epoch, loss, _ in outcome.losses] == [
        (epoch.epoch, epoch.validation_loss) for epoch in model.history
    ]
    assert [epoch.epoch for epoch in told] == [1, 2, 3, 4]
    assert outcome.best_epoch == 4


def test_seconds_rise_from_epoch_to_epoch_and_end_within_the_training():
    outcome = train_alone(*PARTS, TRAINING)
    seconds = [at for _, _, at in outcome.losses]
    assert seconds == sorted(seconds)
    assert 0 < seconds[0] < seconds[-1] <= outcome.seconds * 1.01


def test_the_norm_ratio_is_of_the_decayed_tensors_alone():
    model = train(*PARTS, TRAINING)
    first = build_network(PARTS[0], None, PARTS[2], TRAINING.seed).net
    expected = float((model.network.net[1].weight.norm() / first[1].weight.norm()).detach())
    assert train_alone(*PARTS, TRAINING).norm_ratio == pytest.approx(expected)
    assert norm_ratio(model.network.net, first, TRAINING) == pytest.approx(expected)


def test_a_training_that_diverges_says_where():
    wild = dataclasses.replace(TRAINING, optimizer="sgd", learning_rate=1e38, weight_decay=1e-39)
    outcome = train_alone(*PARTS, wild)
    assert isinstance(outcome, Diverged)
    assert "diverged" in outcome.reason


class Breaking(nn.Module):
    """Gives numbers that are not finite from its ninth batch on."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)
        self.register_buffer("batches", torch.zeros(()))

    def forward(self, inputs):
        self.batches += self.training
        return self.layer(inputs) * (torch.inf if self.training and self.batches > 8 else 1.0)


def test_how_it_diverged_does_not_hang_on_its_checkpoints(tmp_path):
    parts = (lambda split: Breaking(), *PARTS[1:])
    often = Checkpoints(str(tmp_path), "key", every=0.0)
    assert train_alone(*parts, TRAINING, checkpoints=often) == train_alone(*parts, TRAINING)
    assert list(tmp_path.rglob("*.checkpoint"))


def test_a_mistake_of_configuration_is_no_divergence():
    wrong = dataclasses.replace(TRAINING, decay=Decay(exclude=("haed.*",)))
    with pytest.raises(TrainingError, match="no parameter's name matches"):
        train_alone(*PARTS, wrong)
