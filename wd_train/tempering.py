"""By what are a trained network's outputs divided in its file, and what does that gain?"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from data_checks.splits import Split, read_inputs
from wd_train.network import FILTERED_AT_ONCE
from wd_train.rows import as_tensors
from wdgate.evaluation.evaluation import units_of
from wdgate.evaluation.temperature import Temperature, temperature

MOST_LOGITS = 2**23
"""Logits that are kept, 64 MiB in double precision; of more rows, those with the smallest keys are taken."""


def temperature_of(network: nn.Module, validation: Split) -> Temperature:
    """The temperature of a network, if its gain on validation rows is surely above 0.

    Predicted on the CPU in evaluation mode, batch by batch in the order of the rows, so that the same weights
    and rows give the same number.

    Args:
        network: from rows as they were read to logits (N, C).
        validation: the rows; their groups, times and weights count.
    """
    network = network.cpu().eval()
    if not len(validation):
        return temperature(np.zeros((0, 1)), validation.targets)
    rows = _few_enough(network, validation)
    logits = logits_of(network, rows)
    return temperature(logits, rows.targets, groups=units_of(rows), weights=rows.weights)


def logits_of(network: nn.Module, rows: Split) -> NDArray[np.float32]:
    """The outputs (N, C) of a network in evaluation mode, for all rows, at least one, in their order."""
    parts = np.array_split(np.arange(len(rows)), -(-len(rows) // FILTERED_AT_ONCE))
    return np.concatenate([_outputs(network, rows, part) for part in parts])


def _few_enough(network: nn.Module, rows: Split) -> Split:
    most = max(1, MOST_LOGITS // _outputs(network, rows, np.arange(1)).size)
    if len(rows) <= most:
        return rows
    return rows.take(np.sort(np.argsort(rows.keys, kind="stable")[:most]))


def _outputs(network: nn.Module, rows: Split, part: NDArray[np.intp]) -> NDArray[Any]:
    with torch.no_grad():
        return np.asarray(network(as_tensors(read_inputs(rows.inputs, part))).float())
