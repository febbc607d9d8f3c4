"""Are these the outputs and the targets that a task can score?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import DataError, ModelError

Array = NDArray[Any]


def output(predictions: Mapping[str, Array], name: str) -> Array:
    """An output by its name.

    Raises:
        ModelError: it is not among them.
    """
    if name not in predictions:
        raise ModelError(
            f"the file gives {', '.join(predictions) or 'nothing'}, expected an output named {name}"
        )
    return predictions[name]


def check_classes(
    name: str, values: Array, count: int, kind: type[DataError] | type[ModelError] = ModelError
) -> None:
    """Raise `kind` unless all values are integers from 0 to `count` - 1."""
    expected = f"expected integers from 0 to {count - 1}"
    if values.dtype.kind not in "iu":
        raise kind(f"{name} names classes as {values.dtype}, {expected}")
    strange = values[(values < 0) | (values >= count)]
    if strange.size:
        raise kind(f"{name} names class {strange[0]}, {expected}")


def check_shape(name: str, values: Array, expected: tuple[int, ...], words: str) -> None:
    """Raise a `ModelError` unless an output has a shape, which `words` explain."""
    if values.shape != expected:
        raise ModelError(f"{name} has shape {values.shape}, expected {expected}: {words}")


def check_finite(name: str, values: Array) -> None:
    """Raise a `ModelError` where an output (N, ...) is no number or infinite, with the number of rows."""
    if values.dtype.kind not in "biuf":
        raise ModelError(f"{name} is {values.dtype}, expected numbers")
    wrong = ~np.isfinite(values).reshape(len(values), -1).all(axis=1) if values.size else np.zeros(0, bool)
    if wrong.any():
        raise ModelError(
            f"{name} is NaN or infinite on {wrong.sum():,} of {len(values):,} rows, expected finite numbers"
        )


def check_probabilities(probs: Array) -> None:
    """Raise a `ModelError` unless each row of `probs` (N, C) is from 0 to 1 and adds up to 1."""
    check_finite("probs", probs)
    sums = probs.sum(axis=1, dtype=np.float64)
    # Single precision over many classes is off by less than this; a file that returns logits by far more.
    wrong = (np.abs(sums - 1) > 1e-3) | (probs < -1e-6).any(axis=1)
    if wrong.any():
        raise ModelError(
            f"probs are no probabilities on {wrong.sum():,} of {len(probs):,} rows (one of them adds up "
            f"to {sums[wrong.argmax()]:.4g}), expected numbers from 0 to 1 that add up to 1"
        )


def check_values(targets: Array) -> None:
    """Raise a `DataError` unless targets (N,) are finite numbers."""
    numbers = targets.dtype.kind in "biuf"
    wrong = int((~np.isfinite(targets)).sum()) if numbers else 0
    if not numbers or wrong:
        received = f"NaN or infinite on {wrong:,} of {len(targets):,} rows" if numbers else f"{targets.dtype}"
        raise DataError(f"targets are {received}, expected finite numbers")


def check_rows(rows: int, weights: Array | None) -> None:
    """Raise a `DataError` where there is no row, or nothing that a row can weigh, or all weigh nothing."""
    if not rows:
        raise DataError("a test set has no rows, expected at least one")
    if weights is None:
        return
    numbers = weights.dtype.kind in "biuf"
    # Written as "not above", so that NaN, which compares false, is refused.
    wrong = int((~((weights >= 0) & np.isfinite(weights))).sum()) if numbers else rows
    if wrong:
        raise DataError(
            f"weights are no finite numbers from 0 on {wrong:,} of {rows:,} rows, expected them on every row"
        )
    if not weights.sum() > 0:
        raise DataError(f"the weights of all {rows:,} rows are 0, expected one above it")
