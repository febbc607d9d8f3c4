"""What does one of Optuna's workers do?"""

from __future__ import annotations

import os
import sys
import time
from functools import cache
from pathlib import Path

# Optuna's own environment has no torch: the one that the fleet uses is found behind its own packages.
sys.path.append(os.environ["OURS"])

import optuna
import torch
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from sklearn.datasets import load_digits

from fleet.lean import Rows, train

optuna.logging.set_verbosity(optuna.logging.WARNING)


def make_study(journal: Path) -> optuna.Study:
    """A study that draws at random, which is the cheapest sampler."""
    return optuna.create_study(
        study_name="digits",
        direction="maximize",
        storage=JournalStorage(JournalFileBackend(str(journal))),
        sampler=optuna.samplers.RandomSampler(seed=0),
        load_if_exists=True,
    )


def work(journal: Path, trials: int, epochs: int, batch_size: int) -> float:
    """Train so many networks, tell their accuracy on the validation rows, and how many seconds that took."""
    torch.set_num_threads(1)
    started = time.process_time()
    (inputs, targets), (unseen, expected) = rows()

    def objective(trial: optuna.Trial) -> float:
        weight_decay = trial.suggest_float("weight_decay", 0.0, 1.0)
        net = train((inputs, targets), (64, 64, 10), batch_size, epochs=epochs, weight_decay=weight_decay)
        with torch.no_grad():
            return float((net(unseen).argmax(dim=1) == expected).float().mean())

    make_study(journal).optimize(objective, n_trials=trials)
    return time.process_time() - started


@cache
def rows() -> tuple[Rows, Rows]:
    """The train and validation rows of the digits pipeline."""
    digits = load_digits()
    inputs = torch.tensor(digits.data / 16, dtype=torch.float32)
    targets = torch.tensor(digits.target)
    return (inputs[:897], targets[:897]), (inputs[897:1097], targets[897:1097])
