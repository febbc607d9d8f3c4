"""What does a training loop of the user's own leave for comparison?"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from data_checks.errors import ModelError, TrainingDivergedError
from data_checks.splits import Split, read_inputs
from wd_train.outcomes import Diverged, Outcome, corrupted_positions, outcome_of
from wd_train.training import Training
from wd_train.watching import watching_for
from wdgate.evaluation.onnx_file import OnnxModel
from wdgate.evaluation.robustness import corrupted, corruptions_for
from wdgate.evaluation.tasks import Task

AT_ONCE = 1024
NOT_FINITE = "its outputs are not finite numbers"

Loop = Callable[[Split, Split, Training], Any]


def train_own(
    loop: Loop, train: Split, validation: Split, task: Task, training: Training
) -> Outcome | Diverged:
    """Run the user's own loop, and keep what its module or ONNX file does on the validation rows.

    Raises:
        ModelError: it gave back something else.
    """
    started = time.perf_counter()
    try:
        with watching_for():  # one of many: nobody is told of each, and none goes on
            model = loop(train, validation, training)
    except TrainingDivergedError as error:
        return Diverged(str(error))
    seconds = time.perf_counter() - started
    if isinstance(model, nn.Module):
        outcome = outcome_of(model.eval(), nn.Identity(), validation, task, seconds=seconds)
        return Diverged(NOT_FINITE) if outcome is None else outcome
    if isinstance(model, str | Path):
        model = Path(model).read_bytes()
    if not isinstance(model, bytes):
        expected = "a torch.nn.Module, or an ONNX file as bytes or as a path"
        raise ModelError(
            f"the pipeline's own train gave back {type(model).__name__}, but {expected} was expected"
        )
    return _of_onnx(OnnxModel(model), validation, task, seconds)


def _of_onnx(model: OnnxModel, validation: Split, task: Task, seconds: float) -> Outcome | Diverged:
    batches = np.array_split(np.arange(len(validation)), -(-len(validation) // AT_ONCE))
    parts = [model.predict(read_inputs(validation.inputs, rows)) for rows in batches]
    predictions = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if not all(np.isfinite(values).all() for values in predictions.values() if values.dtype.kind == "f"):
        return Diverged(NOT_FINITE)
    nan = float("nan")
    return Outcome(predictions, _worse(model, validation, task), (), 0, seconds, norm_ratio=nan)


def _worse(model: OnnxModel, validation: Split, task: Task) -> NDArray[np.floating] | None:
    """The primary score of each corrupted row (n,), a mean over corruptions and severities."""
    which, positions = corruptions_for(validation.inputs), corrupted_positions(validation)
    scores = []
    for rows, cells in corrupted(validation, positions, which, AT_ONCE):
        each = [task.scores(model.predict(cell), validation.targets[rows])[task.primary] for cell in cells]
        scores.append(np.mean(each, axis=0))
    return np.concatenate(scores) if scores else None
