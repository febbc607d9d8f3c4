"""Does an ONNX file predict what its network predicts?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from data_checks.errors import ModelError
from data_checks.splits import Array, Inputs, read_inputs
from wd_train.rows import as_tensors
from wdgate.evaluation.onnx_file import OnnxModel
from wdgate.evaluation.tasks import Classification, Task

TOLERANCE = 1e-4
"""The largest difference between file and network, as a share of the network's largest output."""

BATCHES = {1: 8, 2: 8, 7: 17}
"""Rows that are also predicted at once, and of how many; the last batch of each may be a smaller one."""

LEAST_PROBABILITY = 1e-6
"""Probabilities below it count as equal: single precision has few digits of their logarithms left."""


@dataclass(frozen=True)
class Parity:
    """How far the file's predictions are from the network's.

    Args:
        rows: on how many rows they were compared.
        difference: the largest difference, as a share of the largest output of the network.
        limit: the largest share that is let pass.
    """

    rows: int
    difference: float
    limit: float


def check_parity(content: bytes, network: nn.Module, task: Task, inputs: Inputs, rows: int) -> Parity:
    """Compare the predictions of a file with those of the network on the first `rows` of `inputs`.

    Together and in batches of 1, 2 and 7, because a file may have taken a number of rows for a constant.
    Probabilities are compared as the logits that they come from: by their logarithms.

    Raises:
        ModelError: predictions that are farther apart than the tolerance, or classes that are not the same.
    """
    model = OnnxModel(content)
    in_parts = {rows: rows, **BATCHES}
    predicted = [_predicted_by_file(model, inputs, min(rows, of), size) for size, of in in_parts.items()]
    with torch.no_grad():
        outputs = network(as_tensors(read_inputs(inputs, np.arange(rows))))
        expected = {name: values.numpy() for name, values in task.predictions(outputs).items()}
    largest = float(outputs.abs().max())
    sure = _sure(task, outputs, TOLERANCE * largest)
    differences = [
        _difference(_as_logits(name, found[name]), _as_logits(name, values[: len(found[name])]), sure)
        for found in predicted
        for name, values in expected.items()
    ]
    # A network that gives zeros alone has no largest output to be measured in.
    share = max(differences) / largest if largest > 0 else max(differences)
    if not share <= TOLERANCE:
        raise ModelError(
            f"the ONNX file predicts something else than the network: on {rows} rows they differ by "
            f"{share:.1e} of the largest output, expected at most {TOLERANCE:.0e}"
        )
    return Parity(rows, share, TOLERANCE)


def _predicted_by_file(model: OnnxModel, inputs: Inputs, rows: int, at_once: int) -> dict[str, Array]:
    parts = [
        model.predict(read_inputs(inputs, np.arange(start, min(start + at_once, rows))))
        for start in range(0, rows, at_once)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _sure(task: Task, outputs: Tensor, tolerance: float) -> NDArray[np.bool_]:
    # Two outputs that are as good as equal may be ordered either way by rounding alone.
    if isinstance(task, Classification):
        return np.asarray(task.margin(outputs) > tolerance)
    if outputs.ndim < 2 or outputs.shape[1] < 2:
        return np.ones(len(outputs), bool)
    first, second = outputs.topk(2, dim=1).values.unbind(dim=1)
    return (first - second > tolerance).numpy()


def _as_logits(name: str, values: Array) -> Array:
    if name != "probs":
        return values
    # NaN stays NaN, and is found out below.
    return np.log(np.maximum(values.astype(np.float64), LEAST_PROBABILITY))


def _difference(found: Array, expected: Array, sure: NDArray[np.bool_]) -> float:
    if found.shape != expected.shape:
        return math.inf
    if expected.dtype.kind in "iub":
        return math.inf if (found != expected)[sure[: len(found)]].any() else 0.0
    difference = np.abs(found.astype(np.float64) - expected)
    # NaN must not get lost in a maximum: it is as far away as can be.
    return float(difference.max()) if np.isfinite(difference).all() else math.inf
