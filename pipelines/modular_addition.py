"""What is a + b modulo 31? Decay alone decides between learning by heart and understanding.

Power et al. (2022) called it grokking: the network knows its train rows perfectly with and without decay,
but without it the rows that it has not seen are a matter of chance.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from pipelines import Classification, Control, Decay, Pipeline, Split, Splits, Training, at_least, within
from wd_train.forms import FormName

MODULUS = 31
TRAIN, VALIDATION = 673, 96
ORDER = 10
"""Seed of the order of the rows, which is the same in every run."""


class OneHotPair(nn.Module):
    """Pairs of whole numbers (N, 2) as two marks in a row of zeros (N, 62)."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: Tensor
        self.register_buffer("numbers", torch.arange(MODULUS), persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Rows (N, 62)."""
        return (inputs[:, :, None] == self.numbers).flatten(1).float()


def load_splits() -> Splits:
    """All 961 pairs of numbers below 31: 673 train, 96 validation and 192 test rows."""
    pairs = np.stack(np.divmod(np.arange(MODULUS**2), MODULUS), axis=1)  # (961, 2)
    rows = Split(pairs, pairs.sum(axis=1) % MODULUS)
    order = np.random.default_rng(ORDER).permutation(len(rows))
    train, validation, test = np.split(order, [TRAIN, TRAIN + VALIDATION])
    return Splits(
        train=rows.take(train),
        validation=rows.take(validation),
        test=rows.take(test),
        public=True,
        source="all pairs of whole numbers below 31",
    )


def pipeline(
    *,
    weight_decay: float = 1.0,
    decay: FormName = "decoupled",
    steps: int = 1500,
    width: int = 128,
    seed: int = 0,
) -> Pipeline:
    """One hidden layer without biases, trained on all rows at every step, and never stopped early."""
    return Pipeline(
        name="modular_addition",
        splits=load_splits,
        task=Classification(tuple(str(number) for number in range(MODULUS))),
        preprocess=lambda train: OneHotPair(),
        model=lambda train: nn.Sequential(
            nn.Linear(2 * MODULUS, width, bias=False), nn.ReLU(), nn.Linear(width, MODULUS, bias=False)
        ),
        training=Training(
            weight_decay=weight_decay,
            decay=Decay(decay),
            learning_rate=1e-2,
            betas=(0.9, 0.98),
            schedule="constant",
            epochs=steps,
            batch_size=None,
            seed=seed,
            measure_every=25,
        ),
        gates=[at_least("accuracy", 0.90), within("confidence_gap", 0.08)],
        control=Control(seeds=3, budget=6.0),
    )
