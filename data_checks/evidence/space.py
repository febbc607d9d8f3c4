"""How far apart are two rows, and from which few directions is that seen best?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import DataError
from data_checks.evidence.schema import columns_of
from data_checks.evidence.table import lowest
from data_checks.splits import Array, Split, read_inputs

Floats = NDArray[np.floating]

_DIRECTIONS = 12
_SAMPLE_ROWS = 2048
_SAMPLE_VALUES = 8_000_000
# Differences of larger numbers are not finite.
_LARGEST = 1e305


@dataclass(frozen=True, eq=False)
class Space:
    """Units for the values of a row, and directions to look from.

    Args:
        center: the mean row (D,).
        scale: what counts as one step of each value (D,), times the root of D.
        directions: orthonormal columns (D, k).
        one_unit: whether all values of a row share their unit, as pixels do.
        empty: the values that train never has (D,), which are left out of account.
    """

    center: Floats
    scale: Floats
    directions: Floats
    one_unit: bool
    empty: NDArray[np.bool_]

    @property
    def width(self) -> int:
        """How many numbers a row has."""
        return len(self.center)

    def project(self, rows: Array) -> Floats:
        """Rows (n, D) as points (n, k), no farther apart than the rows are; gaps count as the mean."""
        if rows.shape[1] != self.width:
            raise DataError(
                f"rows of {rows.shape[1]:,} numbers cannot be compared with train's {self.width:,}"
            )
        # Small whole numbers and single precision are exact enough in 32 bits; others need 64.
        working = np.result_type(rows.dtype, np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            steps = (rows - self.center.astype(working)) / self.scale.astype(working)
            steps[~np.isfinite(steps)] = 0
            return np.asarray(steps @ self.directions.astype(working), float)

    def filled(self, rows: Array) -> Floats:
        """Rows (n, D) with the mean where they have gaps."""
        return np.where(np.isfinite(rows), rows.astype(float), self.center)

    def known(self, rows: Array) -> Array:
        """Rows (n, D) as floats, in which what train never has is the same in all."""
        return np.where(self.empty, self.center, rows.astype(float))

    def length(self, apart: Floats) -> Floats:
        """The distances (n,) that differences of rows (n, D) stand for, in standard deviations a value."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(np.sqrt(np.square(apart / self.scale).sum(1)))


def numbers(batch: Array | Mapping[str, Array]) -> Array:
    """Inputs (n, ...) as one number a column (n, D); names in alphabetical order, no text and moments."""
    columns = {name: column for name, column in columns_of(batch).items() if column.dtype.kind in "biuf"}
    flat = [columns[name].reshape(len(columns[name]), -1) for name in sorted(columns)]
    joined = flat[0] if len(flat) == 1 else np.hstack(flat)
    return joined.astype(np.uint8) if joined.dtype == bool else joined


def fit_space(train: Split) -> Space:
    """Units and directions of the train rows, from a sample that their order does not change."""
    first = numbers(read_inputs(train.inputs, np.arange(1)))
    rows = int(np.clip(_SAMPLE_VALUES // max(1, first.shape[1]), 64, _SAMPLE_ROWS))
    chosen = lowest(train.keys, rows)
    sample = numbers(read_inputs(train.inputs, chosen)).astype(float)
    sample[~np.isfinite(sample)] = np.nan
    empty = np.isnan(sample).all(0)
    if empty.all():
        raise DataError(f"none of {len(chosen):,} train rows that were looked at has a finite number")
    largest = np.nanmax(np.abs(sample), axis=0, where=~np.isnan(sample), initial=0.0)
    if largest.max() > _LARGEST:
        raise DataError(
            f"numbers as large as {largest.max():.1g} cannot be compared; expected up to {_LARGEST:g}"
        )
    # Divided first, because the sum of large numbers is not finite.
    unit = np.maximum(largest, np.finfo(float).tiny)
    center = np.where(empty, 0.0, np.nanmean(np.where(empty, 0.0, sample / unit), axis=0) * unit)
    sample = np.where(np.isnan(sample), center, sample)
    scale, one_unit = _steps(sample)
    scale = scale * np.sqrt(sample.shape[1])
    return Space(center, scale, _principal((sample - center) / scale), one_unit, empty)


def _steps(sample: Floats) -> tuple[Floats, bool]:
    """One step of each value (D,): the same for all where they share a unit, else a standard deviation.

    Values share a unit where at least half of them span at least half of the widest range: pixels do, the
    columns of a table mostly do not. In one unit, pixels that hardly vary cannot drown the others.
    """
    largest = np.maximum(np.abs(sample).max(0), np.finfo(float).tiny)
    # Divided first, because the square of a large finite number is not finite.
    spans, deviations = np.ptp(sample / largest, axis=0) * largest, (sample / largest).std(0) * largest
    one_unit = bool((spans >= spans.max() / 2).mean() >= 0.5)
    widest = float(deviations.max()) or 1.0
    typical = widest * float(np.sqrt(np.mean((deviations / widest) ** 2))) or 1.0
    own = np.where(deviations > 0, deviations, typical)
    return (np.full(len(own), typical) if one_unit else own), one_unit


def _principal(steps: Floats) -> Floats:
    """The orthonormal directions (D, k) in which the sample (n, D) varies most."""
    if steps.shape[1] <= len(steps):
        directions = np.linalg.eigh(steps.T @ steps)[1][:, ::-1]
        return directions[:, :_DIRECTIONS]
    values, vectors = np.linalg.eigh(steps @ steps.T)
    # Rows that are all equal vary in no direction, and are seen from any.
    useful = np.flatnonzero(values >= values.max() * 1e-9)[::-1][:_DIRECTIONS]
    directions = steps.T @ vectors[:, useful]
    # Once more by QR: only directions that are orthonormal to the last bit never lengthen a distance.
    return np.asarray(np.linalg.qr(directions)[0])
