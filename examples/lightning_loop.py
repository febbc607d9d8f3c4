"""Lightning's Trainer, one epoch at a time: `watch` sees its steps, and lets it go on after a kill.

Run it:  pip install lightning; wdgate run examples/lightning_loop.py

The optimizer must decay by itself, for Lightning hands it a function that computes the gradients within its
step, which is too late for `Attached`. In one `Trainer.fit` of all epochs `watch` still shows what the decay
does; for going on after a kill the epochs come from `watched.epochs`.
"""

import logging
import warnings

import lightning
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from pipelines import Classification, Pipeline, Split, Splits, Training, at_least, no_worse
from wd_train import watch
from wd_train.provenance import param_groups


def load() -> Splits:
    """Digits of 64 pixels, from 0 to 16; those that come last are the test rows."""
    digits = load_digits()
    rows = Split(digits.data.astype(np.float32), digits.target)
    train, validation, test = np.split(np.arange(len(rows)), [897, 1097])
    return Splits(rows.take(train), rows.take(validation), rows.take(test))


class Net(lightning.LightningModule):
    """From pixels (N, 64) to logits (N, 10)."""

    def __init__(self, training: Training) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))
        # Made once, so that every epoch's Trainer steps the same one.
        self.optimizer = torch.optim.AdamW(
            param_groups(self.layers, training.weight_decay), lr=training.learning_rate
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """What is exported takes rows as `load` gave them, so the division by 16 is inside."""
        outputs: Tensor = self.layers(inputs / 16)
        return outputs

    def training_step(self, batch: list[Tensor]) -> Tensor:
        """The mean loss of a batch."""
        inputs, targets = batch
        return nn.functional.cross_entropy(self(inputs), targets)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The one of before."""
        return self.optimizer


def fit(train: Split, validation: Split, training: Training) -> nn.Module:
    """Train with AdamW's own decay, and give back the layers alone: a Trainer is no part of a model."""
    torch.manual_seed(training.seed)
    net = Net(training)
    rows = TensorDataset(torch.as_tensor(train.inputs), torch.as_tensor(train.targets))
    loader = DataLoader(rows, batch_size=64, shuffle=True)
    watched = watch(net, net.optimizer, steps=training.epochs * len(loader))
    for _ in watched.epochs(training.epochs):
        trainer().fit(net, loader)
    return Predictor(net.layers)


def trainer() -> lightning.Trainer:
    """A Trainer of one epoch that says and writes nothing."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=UserWarning, module="lightning")
    return lightning.Trainer(
        accelerator="cpu",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


class Predictor(nn.Module):
    """From pixels (N, 64) to logits (N, 10), as torch alone."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits (N, 10)."""
        outputs: Tensor = self.layers(inputs / 16)
        return outputs


def pipeline(*, weight_decay: float = 0.1, epochs: int = 10, seed: int = 0) -> Pipeline:
    """Digits, by Lightning."""
    return Pipeline(
        name="lightning_loop",
        splits=load,
        task=Classification(tuple("0123456789")),
        train=fit,
        training=Training(weight_decay=weight_decay, learning_rate=1e-2, epochs=epochs, seed=seed),
        gates=[at_least("accuracy", 0.85), no_worse("accuracy", margin=0.03)],
    )
