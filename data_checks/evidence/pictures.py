"""Are the inputs pictures?"""

from __future__ import annotations

import numpy as np

from data_checks.splits import Split, Splits, read_inputs

SMALLEST = 12


def is_pictures(splits: Splits) -> bool:
    """Whether a train row is a grey or coloured picture of at least 12 x 12 pixels.

    Example:
        >>> part = Split(np.zeros((2, 28, 28), np.uint8), np.array([0, 1]))
        >>> is_pictures(Splits(part, part, part))
        True
    """
    return picture_axes(splits.train) is not None


def picture_axes(split: Split) -> tuple[int, int] | None:
    """Which axes of a row are its height and its width; None where rows are no pictures."""
    if isinstance(split.inputs, dict) or not len(split):
        return None
    first = read_inputs(split.inputs, np.arange(1))
    if isinstance(first, dict) or first.dtype.kind not in "biuf":
        return None
    shape = first.shape[1:]
    if len(shape) == 2:
        axes = (0, 1)
    elif len(shape) == 3 and shape[0] in (1, 3):
        axes = (1, 2)
    elif len(shape) == 3 and shape[2] in (1, 3):
        axes = (0, 1)
    else:
        return None
    return axes if min(shape[axis] for axis in axes) >= SMALLEST else None
