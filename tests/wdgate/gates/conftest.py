"""Evaluations with known scores, without a model behind them."""

import numpy as np
import pytest

from wdgate.evaluation.evaluation import Evaluation
from wdgate.evaluation.tasks import Classification

TASK = Classification(("left", "right"))


def evaluation_of(right, confidence=0.9, name="candidate", **more):
    """An evaluation of rows that are `right` or not (N,), all with one confidence."""
    right = np.asarray(right, bool)
    targets = np.arange(len(right)) % 2
    predicted = np.where(right, targets, 1 - targets)
    probs = np.full((len(right), 2), 1 - confidence)
    probs[np.arange(len(right)), predicted] = confidence
    predictions = {"probs": probs, "predicted": predicted}
    parts = {
        "scores": TASK.scores(predictions, targets),
        "metrics": TASK.metrics(predictions, targets, None),
        "baseline": TASK.scores(TASK.constant(targets, len(targets)), targets),
        "robustness": {},
    }
    return Evaluation(name, "rows", predictions, targets, **(parts | more))


@pytest.fixture
def evaluated():
    """Makes an evaluation of rows that are right or not."""
    return evaluation_of


@pytest.fixture
def task():
    """Two classes."""
    return TASK
