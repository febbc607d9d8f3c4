"""Do trainings that run together end as they would have ended alone?"""

import numpy as np
import pytest
from torch import nn

from data_checks.splits import Split
from wd_train.alone import train_alone
from wd_train.fleet import train_members
from wd_train.training import Training
from wdgate.evaluation.tasks import Classification

TASK = Classification(("low", "high"))
MEMBERS = [
    Training(weight_decay=wd, learning_rate=1e-2, epochs=3, batch_size=8, device="cpu", seed=seed)
    for seed in (0, 1)
    for wd in (0.5, 0.0)
]


def rows(n, seed):
    inputs = np.random.default_rng(seed).normal(size=(n, 4))
    return Split(inputs, (inputs[:, 0] > 0).astype(int))


TRAIN, VALIDATION = rows(40, 0), rows(20, 1)


@pytest.mark.parametrize("layers", [(), (nn.Dropout(0.1),)])
def test_members_end_as_trainings_one_by_one(layers):
    parts = (lambda split: nn.Sequential(*layers, nn.Linear(4, 2)), None, TRAIN, VALIDATION, TASK)
    for outcome, member in zip(train_members(*parts, MEMBERS), MEMBERS, strict=True):
        alone = train_alone(*parts, member)
        np.testing.assert_allclose(outcome.predictions["probs"], alone.predictions["probs"], atol=1e-5)
        np.testing.assert_allclose(outcome.corrupted, alone.corrupted, atol=0.02)
        assert outcome.norm_ratio == pytest.approx(alone.norm_ratio, abs=1e-4)
