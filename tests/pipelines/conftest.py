"""A pipeline of milliseconds for the tests of sweeps."""

from __future__ import annotations

import pytest

OWN = """
from functools import partial
import numpy as np
import torch
from torch import nn
from data_checks.errors import TrainingDivergedError
from pipelines import Classification, Pipeline, Split, Splits, Training
from wd_train.decay import Decay

def rows(count, start, calls=[0]):
    generator = np.random.default_rng(start)
    inputs = generator.normal(size=(count, 4)).astype(np.float32) + start / 1000
    targets = (inputs[:, 0] + 0.5 * generator.normal(size=count) > start / 1000).astype(np.int64)
    return Split(inputs, targets, ids=np.arange(start, start + count))

def load(validation):
    return Splits(rows(80, 0), rows(validation, 1000), rows(60, 2000), public=True)

class Net(nn.Module):
    def __init__(self, width, dropout):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, 2))
    def forward(self, inputs):
        return self.layers(inputs)

def build(width, dropout, train):
    layers = [nn.Linear(4, width), nn.ReLU()] + ([nn.Dropout(dropout)] if dropout else [])
    return nn.Sequential(*layers, nn.Linear(width, 2))

def pipeline(*, weight_decay: float = 0.1, decay: str = "decoupled", learning_rate: float = 0.01,
             dropout: float = 0.0, width: int = 5, validation: int = 150, batch_size: int = 16,
             epochs: int = 3, optimizer: str = "adamw", seed: int = 0) -> Pipeline:
    return Pipeline(
        "tiny", partial(load, validation), Classification("ab"),
        Training(weight_decay, decay=Decay(decay), learning_rate=learning_rate, epochs=epochs,
                 batch_size=batch_size, optimizer=optimizer, seed=seed),
        gates=[], model=partial(build, width, dropout),
    )

def _loop(train, validation, training):
    if training.weight_decay > 50:
        raise TrainingDivergedError("the training diverged: its loss was nan at step 3, not a finite number")
    torch.manual_seed(training.seed)
    net = build(3, 0.0, train)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(1 / (1 + training.weight_decay))
    return net

def looped(*, weight_decay: float = 0.1) -> Pipeline:
    return Pipeline("looped", partial(load, 150), Classification("ab"),
                    Training(weight_decay, learning_rate=1e-3), gates=[], train=_loop)

def _fails(train):
    raise ValueError("no such column")

def failing(*, weight_decay: float = 0.1) -> Pipeline:
    return Pipeline("failing", partial(load, 150), Classification("ab"), Training(weight_decay), gates=[],
                    model=_fails)

def _moody():
    count = rows.__defaults__[0]
    count[0] += 1
    return Splits(rows(80, count[0]), rows(150, 1000), rows(60, 2000))

def moody() -> Pipeline:
    return Pipeline("moody", _moody, Classification("ab"), Training(0.1, epochs=1), gates=[],
                    model=partial(build, 3, 0.0))
"""


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file of the pipeline."""
    file = tmp_path_factory.mktemp("tiny") / "tiny.py"
    file.write_text(OWN)
    return str(file)
