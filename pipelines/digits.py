"""Which digit did somebody write? Scikit-learn's 1,797 pictures of 8 x 8 pixels.

Rows stay in file order, because the last ones come from other writers than the first: a split at random
would let the same hand stand on both sides, and flatters the accuracy by three points.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from pipelines import (
    Classification,
    Decay,
    Pipeline,
    Split,
    Splits,
    Training,
    at_least,
    no_worse,
    robust,
    within,
)
from wd_train.forms import FormName

TRAIN, VALIDATION = 897, 200
BRIGHTEST = 16


class Pixels(nn.Module):
    """Pictures (N, 8, 8) of brightness 0 to 16 as rows (N, 64) of 0 to 1."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Rows (N, 64)."""
        return inputs.flatten(1).float() / BRIGHTEST


def load_splits() -> Splits:
    """897 train, 200 validation and 700 test rows, in file order; the ids are row numbers of the file."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    rows = Split(digits.images.astype(np.uint8), digits.target, ids=np.arange(len(digits.target)))
    train, validation, test = np.split(np.arange(len(rows)), [TRAIN, TRAIN + VALIDATION])
    return Splits(
        train=rows.take(train),
        validation=rows.take(validation),
        test=rows.take(test),
        public=True,
        source="sklearn.datasets.load_digits",
    )


def network(width: int, dropout: float) -> nn.Module:
    """One hidden layer, from rows (N, 64) to logits (N, 10)."""
    # A dropout of 0 would be one more module that does nothing.
    dropped = [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(nn.Linear(64, width), nn.ReLU(), *dropped, nn.Linear(width, 10))


def pipeline(
    *,
    weight_decay: float = 0.3,
    decay: FormName = "decoupled",
    learning_rate: float = 3e-3,
    epochs: int = 60,
    batch_size: int = 64,
    width: int = 128,
    dropout: float = 0.0,
    seed: int = 0,
) -> Pipeline:
    """A network of one hidden layer; its gates are what 700 rows can decide over 20 looks."""
    return Pipeline(
        name="digits",
        splits=load_splits,
        task=Classification(tuple("0123456789")),
        preprocess=lambda train: Pixels(),
        model=lambda train: network(width, dropout),
        training=Training(
            weight_decay=weight_decay,
            decay=Decay(decay),
            learning_rate=learning_rate,
            epochs=epochs,
            batch_size=batch_size,
            seed=seed,
        ),
        gates=[
            at_least("accuracy", 0.88),
            within("confidence_gap", 0.06),
            robust(0.75),
            no_worse("accuracy", margin=0.03),
        ],
    )
