"""A loop in plain PyTorch: two of its lines show what the decay does, and let it go on after a kill.

Run it:  wdgate run examples/plain_loop.py
"""

import copy

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


class Net(nn.Sequential):
    """From pixels (N, 64) to logits (N, 10)."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))

    def forward(self, inputs: Tensor) -> Tensor:
        """What is exported takes rows as `load` gave them, so the division by 16 is inside."""
        return super().forward(inputs / 16)


def tensors(rows: Split) -> TensorDataset:
    """Inputs (N, 64) and targets (N,)."""
    return TensorDataset(torch.as_tensor(rows.inputs), torch.as_tensor(rows.targets))


def fit(train: Split, validation: Split, training: Training) -> nn.Module:
    """Train with AdamW's own decay, and give back the weights of the best epoch."""
    torch.manual_seed(training.seed)
    model = Net()
    optimizer = torch.optim.AdamW(param_groups(model, training.weight_decay), lr=training.learning_rate)
    loader = DataLoader(tensors(train), batch_size=64, shuffle=True)
    steps = training.epochs * len(loader)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, training.learning_rate, steps)

    watched = watch(model, optimizer, scheduler=scheduler)
    watched.kept.setdefault("best_loss", float("inf"))
    for _ in watched.epochs(training.epochs):
        model.train()
        for inputs, targets in watched.batches(loader):
            loss = nn.functional.cross_entropy(model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
        loss_now = measured(model, validation)
        if loss_now < watched.kept["best_loss"]:
            watched.kept.update(best_loss=loss_now, best=copy.deepcopy(model.state_dict()))
    model.load_state_dict(watched.kept["best"])
    return model


@torch.no_grad()
def measured(model: nn.Module, rows: Split) -> float:
    """The mean loss over rows."""
    inputs, targets = tensors(rows).tensors
    return float(nn.functional.cross_entropy(model.eval()(inputs), targets))


def pipeline(*, weight_decay: float = 0.1, epochs: int = 20, seed: int = 0) -> Pipeline:
    """Digits, by a loop that is not wdgate's."""
    return Pipeline(
        name="plain_loop",
        splits=load,
        task=Classification(tuple("0123456789")),
        train=fit,
        training=Training(weight_decay=weight_decay, learning_rate=1e-2, epochs=epochs, seed=seed),
        gates=[at_least("accuracy", 0.85), no_worse("accuracy", margin=0.03)],
    )
