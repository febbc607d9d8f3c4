"""How far does diabetes progress in a year? Scikit-learn's 442 patients, ten measurements each.

A table of named columns and a number to predict: the rows are few, so what can be asked of the model is
little more than that it knows something at all.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from data_checks.splits import Array
from pipelines import Pipeline, Regression, Split, Splits, Training, at_least, no_worse, skill, split


class Standardized(nn.Module):
    """Columns (N,) each, as rows (N, columns) with the mean and spread of the train rows taken out."""

    def __init__(self, train: Split) -> None:
        super().__init__()
        columns: Mapping[str, Array] = train.inputs  # type: ignore[assignment]  # the splits below hold columns
        self.names = sorted(columns)
        table = np.stack([columns[name] for name in self.names], axis=1).astype(np.float64)
        self.mean: Tensor
        self.spread: Tensor
        self.register_buffer("mean", torch.tensor(table.mean(axis=0), dtype=torch.float32))
        self.register_buffer("spread", torch.tensor(table.std(axis=0), dtype=torch.float32))

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """Rows (N, columns)."""
        table = torch.stack([inputs[name].float() for name in self.names], dim=1)
        return (table - self.mean) / self.spread


class InUnits(nn.Module):
    """A network whose outputs (N, 1) are in the targets' unit, around the mean of the train targets."""

    def __init__(self, net: nn.Module, targets: Array) -> None:
        super().__init__()
        self.net = net
        self.mean, self.spread = float(np.mean(targets)), float(np.std(targets))

    def forward(self, inputs: Tensor) -> Tensor:
        """Predicted targets (N, 1)."""
        return self.net(inputs) * self.spread + self.mean  # type: ignore[no-any-return]


def load_splits() -> Splits:
    """267 train, 47 validation and 128 test patients, assigned by a hash of what was measured of them."""
    from sklearn.datasets import load_diabetes

    table = load_diabetes(scaled=False)
    columns = dict(zip(table.feature_names, table.data.T.copy(), strict=True))
    rows = Split(columns, table.target)
    return split(rows, test=0.3, validation=0.1, public=True, source="sklearn.datasets.load_diabetes")


def pipeline(
    *,
    weight_decay: float = 1.0,
    learning_rate: float = 1e-2,
    epochs: int = 40,
    batch_size: int = 32,
    width: int = 32,
    seed: int = 0,
) -> Pipeline:
    """A network of one hidden layer, which without decay learns noise; it must be better than a constant."""
    return Pipeline(
        name="diabetes",
        splits=load_splits,
        task=Regression(),
        preprocess=Standardized,
        model=lambda train: InUnits(
            nn.Sequential(nn.Linear(10, width), nn.ReLU(), nn.Linear(width, 1)), train.targets
        ),
        training=Training(
            weight_decay=weight_decay,
            learning_rate=learning_rate,
            epochs=epochs,
            batch_size=batch_size,
            seed=seed,
        ),
        gates=[skill(), at_least("r2", 0.15), no_worse("r2", margin=0.1)],
    )
