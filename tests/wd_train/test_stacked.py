"""Is a member of a stack trained as it would be alone?"""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from data_checks.splits import Split
from wd_train.network import build_network
from wd_train.rows import Rows
from wd_train.stacked import fit_stacked, stacks
from wd_train.training import Training, train
from wdgate.evaluation.tasks import Classification

CPU = torch.device("cpu")
TASK = Classification(("low", "high"))


class Doubles(nn.Module):
    """Inputs in float64, where rounding hides nothing."""

    def forward(self, inputs):
        return inputs.double()


def rows(n, seed):
    random = np.random.default_rng(seed)
    inputs = random.integers(0, 9, size=(n, 5))
    targets = (inputs[:, 0] + random.normal(size=n) > 4).astype(int)
    return Split(inputs, targets, weights=random.random(n).astype(np.float32))


TRAIN, VALIDATION = rows(37, 0), rows(11, 1)
TRAINING = Training(weight_decay=0.5, learning_rate=1e-2, epochs=6, batch_size=8, device="cpu")


def model(split):
    return nn.Sequential(nn.Linear(5, 7), nn.LayerNorm(7), nn.Tanh(), nn.Linear(7, 2)).double()


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"batch_size": None, "schedule": "constant"},
        {"optimizer": "sgd", "schedule": "linear", "warmup": 3},
        {"patience": 2, "learning_rate": 0.1, "epochs": 15},
    ],
    ids=["adamw", "full batch", "sgd", "patience"],
)
def test_members_of_a_stack_equal_trainings_one_by_one(changed):
    base = dataclasses.replace(TRAINING, **changed)
    members = [dataclasses.replace(base, seed=s, weight_decay=wd) for s in (0, 1) for wd in (0.0, 0.5, 3.0)]
    nets = [build_network(model, None, TRAIN, member.seed).net for member in members]
    fit_stacked(nets, Rows(TRAIN, Doubles(), CPU), Rows(VALIDATION, Doubles(), CPU), TASK, members)
    for net, member in zip(nets, members, strict=True):
        alone = train(model, lambda split: Doubles(), TRAIN, VALIDATION, TASK, member).network.net
        for ours, theirs in zip(net.parameters(), alone.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)


class Branching(nn.Linear):
    def forward(self, inputs):
        return super().forward(inputs) * (2 if self.weight.sum() > 0 else 1)


class Forgetful(nn.Linear):
    """Draws numbers without being a module that is known for it."""

    def forward(self, inputs):
        return super().forward(nn.functional.dropout(inputs, 0.5, self.training))


@pytest.mark.parametrize(
    ("net", "expected"),
    [
        (nn.Linear(5, 2), True),
        (nn.Sequential(nn.Linear(5, 4), nn.LayerNorm(4), nn.Dropout(0.0), nn.Linear(4, 2)), True),
        (nn.Sequential(nn.Dropout(0.5), nn.Linear(5, 2)), False),
        (nn.Sequential(nn.BatchNorm1d(5), nn.Linear(5, 2)), False),
        (Forgetful(5, 2), False),
        (Branching(5, 2), False),
        (nn.Sequential(nn.Unflatten(1, (1, 5)), nn.Conv1d(1, 2, 3), nn.Flatten(), nn.Linear(6, 2)), False),
        (nn.Sequential(nn.Linear(5, 4000), nn.Linear(4000, 2000), nn.Linear(2000, 2)), False),
    ],
    ids=["linear", "norm", "dropout", "batch norm", "functional dropout", "branch", "filters", "large"],
)
def test_only_what_is_small_and_pure_is_stacked(net, expected):
    assert stacks(lambda split: net, None, TRAIN, TASK, TRAINING) is expected
