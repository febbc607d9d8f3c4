"""Which numbers of a run does MLflow show, and by which names?

A slash in a name makes a section of its own in the MLflow UI, so that the curves of a training stay together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from flows.candidate import Candidate
from wdgate.evaluation.out_of_distribution import OOD, apart

if TYPE_CHECKING:
    from data_checks.report import DataReport
    from wd_train.diagnostics import Reading, TensorReading
    from wdgate.evaluation.evaluation import Evaluation

# What MLflow takes in no name of a metric.
FORBIDDEN = r"[^\w\-. ]"
CURVES_OF_ITS_OWN = 8
"""Decayed tensors up to which each has curves; of more, the first, the last and the median of all have."""


def shares_found(report: DataReport) -> dict[str, float]:
    """What the checks found of the planted leaks, and of the test rows as they are, 0 to 1."""
    found = {
        f"data/found/{finding.code}": finding.share_found
        for finding in report.findings
        if finding.share_found is not None
    }
    flagged = {
        f"data/flagged/{finding.code}": len(finding.rows) / max(1, len(report.left_out))
        for finding in report.findings
        if finding.share_found is not None
    }
    return {**found, **flagged}


def on_test(evaluation: Evaluation | None) -> dict[str, float]:
    """Means of the scores on the test rows, and the metrics; nothing where no look was taken."""
    if evaluation is None:
        return {}
    rows = {name: evaluation.rows_of(name) for name in evaluation.scores}
    scores = {name: np.average(evaluation.scores[name], weights=rows[name].weights) for name in rows}
    found = apart(OOD, evaluation)
    told = {} if found is None else {OOD: found.ranking.value}
    return {f"test_{name}": value for name, value in {**scores, **evaluation.metrics, **told}.items()}


def under_corruptions(corruptions: Mapping[str, Any]) -> dict[str, float]:
    """What corruptions cost on the test rows; which of them most is a tag."""
    figures = ("clean_error", "corruption_error", "relative_corruption_error", "corruption_error_ratio")
    return {f"test/{name}": corruptions[name] for name in figures if corruptions.get(name) is not None}


def on_further_sets(also: Mapping[str, Any]) -> dict[str, float]:
    """Every score of each further test set, with its bounds."""
    return {
        f"also/{re.sub(FORBIDDEN, '_', name)}/{score} {side}": bounds[side]
        for name, numbers in also.items()
        for score, bounds in numbers.items()
        for side in ("observed", "lower", "upper")
        if bounds[side] is not None
    }


def at_the_end(training: Mapping[str, Any]) -> dict[str, float]:
    """What a training came to, what attacks on its validation rows do, and what it cost."""
    parts = {"cost": "cost", "attacks": "validation"}
    came_to = {f"final/{name}": float(value) for name, value in training.items() if name not in parts}
    told = {
        f"{section}/{name}": float(value)
        for part, section in parts.items()
        for name, value in training.get(part, {}).items()
        if name not in ("sentence", "rows")
    }
    return {**came_to, **told}


def of_file(export: Mapping[str, Any]) -> dict[str, float]:
    """Size and latency of the exported file, and the temperature in it with what it gains, if asked for."""
    latency, tempered = export.get("latency", {}), export.get("tempered", {})
    found = {
        "file/bytes": export.get("bytes"),
        "file/latency_p50_ms": latency.get("p50"),
        "file/latency_p99_ms": latency.get("p99"),
        "validation/temperature": tempered.get("value"),
        "validation/temperature_gain": tempered.get("gain"),
    }
    return {name: float(value) for name, value in found.items() if value is not None}


def of_decay(candidate: Candidate) -> dict[str, float]:
    """How far the decay shrank the weights, and its effect on each score with the 95 % interval."""
    figures = ("weight_decay", "timescale", "total_shrink", "kappa")
    reached = {name: candidate.decay.get(name) for name in figures}
    effects = {
        f"effect on {effect['score']} {side}": effect[side]
        for effect in candidate.effect["effects"]
        for side in ("difference", "lower", "upper")
    }
    return {f"decay/{name}": value for name, value in {**reached, **effects}.items() if value is not None}


def decay_points(reading: Reading) -> list[tuple[str, float, int]]:
    """What was read of the decayed tensors, as points of curves over the steps."""
    shown = {tensor.name: _quantities(tensor) for tensor in _of_their_own(reading.tensors)}
    if len(shown) < len(reading.tensors):
        shown["median"] = _medians([_quantities(tensor) for tensor in reading.tensors])
    return [
        (f"decay/{quantity}/{name}", value, reading.step)
        for name, values in shown.items()
        for quantity, value in values.items()
        if value is not None
    ]


def _of_their_own(tensors: Sequence[TensorReading]) -> Sequence[TensorReading]:
    return tensors if len(tensors) <= CURVES_OF_ITS_OWN else (tensors[0], tensors[-1])


def _quantities(tensor: TensorReading) -> dict[str, float | None]:
    return {name: value for name, value in asdict(tensor).items() if name != "name"}


def _medians(all_values: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    known = {name: [v for each in all_values if (v := each[name]) is not None] for name in all_values[0]}
    return {name: float(np.median(values)) if values else None for name, values in known.items()}


def on_new_rows(expected: Mapping[str, Any]) -> dict[str, float]:
    """The primary score that is to be expected on new rows, where these were used before.

    Example:
        >>> on_new_rows({"score": "accuracy", "observed": 0.934, "value": 0.921, "looks_before": 6})
        {'test/accuracy_expected': 0.921}
    """
    return {f"test/{expected['score']}_expected": expected["value"]} if expected else {}


def gate_bounds(gates: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """What each gate observed, with its bounds and its limit."""
    return {
        f"gates/{gate['code']} {gate['name'].replace(chr(39), '')} {side}": gate[side]
        for gate in gates
        for side in ("observed", "lower", "upper", "limit")
        if gate[side] is not None
    }
