"""Into which cells are rows put by their confidence, and what error do the cells' sums add up to?

A calibration error is a function of the sums of (confidence - correct) in each cell. Keeping the cells
apart from the sums lets the same cells be filled again with what a perfect model would have got right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Floats = NDArray[np.floating]

# Finer than the narrowest kernel that a hundred thousand rows lead to.
FINE = 2048
HALVINGS = 14


@dataclass(frozen=True, eq=False)
class Grid:
    """The cell of each row, and the error that sums over cells come to.

    Args:
        place: the cell of each row (N,), from 0.
        cells: how many there are.
        error: of the sums of (confidence - correct) in each cell (cells,), divided by the mass of all rows.
    """

    place: NDArray[np.intp]
    cells: int
    error: Callable[[Floats], float]


def equal_mass(confidence: Floats, weights: Floats | None, bins: int) -> Grid:
    """Bins of equal mass, which rows of the same confidence share, for the expected calibration error."""
    _, level = np.unique(np.asarray(confidence, np.float64), return_inverse=True)
    mass = np.bincount(level, weights)
    # The middle of a level's mass decides its bin, which is never beyond the last one.
    middle = np.cumsum(mass) - mass / 2
    total = float(mass.sum()) if mass.size else 0.0
    place = np.minimum(bins * middle / (total or 1.0), bins - 1).astype(np.intp)[level]
    return Grid(place, bins, lambda sums: float(np.abs(sums).sum()))


def fine_grid(confidence: Floats) -> Grid:
    """Cells of equal width over 0 to 1, with the smooth calibration error of Blasiok & Nakkiran (2023)."""
    # A confidence that is no number is put anywhere: the sum of its cell is no number either.
    place = np.minimum(np.nan_to_num(np.asarray(confidence, np.float64)) * FINE, FINE - 1).astype(np.intp)
    return Grid(np.maximum(place, 0), FINE, _smooth)


def _smooth(sums: Floats) -> float:
    if not np.isfinite(sums).all():
        return float("nan")
    waves = fft.dct(sums, norm="ortho")
    narrow, wide = 0.0, 1.0
    # The error falls and the width rises: they meet once.
    for _ in range(HALVINGS):
        width = (narrow + wide) / 2
        narrow, wide = (width, wide) if _with_kernel(waves, width) > width else (narrow, width)
    return _with_kernel(waves, wide)


def _with_kernel(waves: Floats, width: float) -> float:
    """The error under a Gaussian kernel of some standard deviation, reflected at 0 and 1.

    Reflecting without end is diffusion in a closed interval, of which cosines are the waves.
    """
    damped = waves * np.exp(-((np.pi * width * np.arange(len(waves))) ** 2) / 2)
    return float(np.abs(fft.idct(damped, norm="ortho")).sum())
