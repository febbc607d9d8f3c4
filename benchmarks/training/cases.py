"""Which networks are trained, on what?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from torch import nn

from data_checks.splits import Split, Splits
from pipelines.digits import load_splits
from wdgate.evaluation.tasks import Classification

CLASSES = Classification(tuple("0123456789"))


@dataclass(frozen=True)
class Case:
    """A network with its rows.

    Args:
        name: in the tables.
        build: the network.
        rows: train and validation.
        batch_size: rows a step.
        epochs: of one training, about two seconds long.
        measure_every: epochs between two measurements.
    """

    name: str
    build: Callable[[], nn.Module]
    rows: Callable[[], Splits]
    batch_size: int
    epochs: int
    measure_every: int


def mlp(*widths: int) -> nn.Module:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(nn.Flatten(), *layers[:-1])


def convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 49, 10),
    )


def digits() -> Splits:
    return load_splits()


def pictures(shape: tuple[int, ...] = (1, 28, 28), rows: int = 1920) -> Splits:
    """Random pictures as large as those of Fashion-MNIST: what is on them does not change the time."""
    random = np.random.default_rng(0)

    def split(count: int) -> Split:
        return Split(random.random((count, *shape), dtype=np.float32), random.integers(0, 10, count))

    return Splits(split(rows), split(rows // 8), split(rows // 8))


CASES = (
    Case("digits 64-64-10", lambda: mlp(64, 64, 10), digits, 16, 80, 10),
    Case("digits 64-64-10", lambda: mlp(64, 64, 10), digits, 64, 240, 20),
    Case("digits 64-64-10", lambda: mlp(64, 64, 10), digits, 256, 400, 40),
    Case("wide 784-1024-1024-10", lambda: mlp(784, 1024, 1024, 10), pictures, 128, 9, 3),
    Case("convolutional, 1x28x28", convolutional, pictures, 64, 4, 1),
)
