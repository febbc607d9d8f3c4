"""What the leaks that are planted are made of: the user's own rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_checks.splits import Array, Split

PLANTED_ROWS = 100


def some_rows(split: Split, rng: np.random.Generator, rows: int = PLANTED_ROWS) -> NDArray[np.intp]:
    """Positions of different rows, or of all where there are fewer."""
    return rng.permutation(len(split))[:rows]


def bare(split: Split, rows: NDArray[np.intp], inputs: Array) -> Split:
    """The rows with other inputs, and with nothing but their targets beside."""
    return Split(inputs, split.targets[rows])
