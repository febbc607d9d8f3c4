"""Is a step what it says?"""

import pytest
import torch
from torch import nn

from wd_train.configuration import Training
from wd_train.decay import Decay, WeightDecay
from wd_train.optimizers import make_optimizer
from wd_train.steps import take_step


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
