"""Which optimizer takes the steps of a training?"""

from __future__ import annotations

import torch
from torch import nn

from wd_train.configuration import Training


def make_optimizer(training: Training, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimizer without a decay of its own: `adamw` is `adam`, and `take_step` decays."""
    rate = training.learning_rate
    if training.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=rate, momentum=training.momentum, weight_decay=0.0, fused=True)
    return torch.optim.Adam(parameters, lr=rate, betas=training.betas, weight_decay=0.0, fused=True)
