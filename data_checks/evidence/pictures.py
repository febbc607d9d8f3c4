"""Are the inputs pictures, and what do they look like small and grey?

Everything that pictures are asked works on thumbnails: grey levels from 0 to 255, at most 32 x 32, held in
memory, so that a picture file is decoded once. Whole numbers are averaged exactly, so that a thumbnail never
depends on which other rows were decoded beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import DataError
from data_checks.evidence.schema import batches
from data_checks.splits import Array, Split, Splits, read_inputs

SMALLEST = 12
LARGEST = 32
WHITE = 255
_SAMPLE_ROWS = 512
# Of red, green and blue, in thousandths, as seen by the eye (ITU-R BT.601).
_LUMA = (299, 587, 114)


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
    if isinstance(split.inputs, Mapping) or not len(split):
        return None
    first = read_inputs(split.inputs, np.arange(1))
    if isinstance(first, Mapping) or first.dtype.kind not in "biuf":
        return None
    shape = first.shape[1:]
    axes = _axes(shape)
    return axes if axes and min(shape[axis] for axis in axes) >= SMALLEST else None


def _axes(shape: tuple[int, ...]) -> tuple[int, int] | None:
    if len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3) and shape[0] not in (1, 3)):
        return (0, 1)
    return (1, 2) if len(shape) == 3 and shape[0] in (1, 3) else None


@dataclass(frozen=True, eq=False)
class Form:
    """How inputs become thumbnails.

    Args:
        black: the value that becomes 0.
        white: the value that becomes 255.
        size: height and width of a thumbnail.
        shrunk: whether train's own pictures are larger, so that a pixel of theirs is a part of one here.
    """

    black: float
    white: float
    size: tuple[int, int]
    shrunk: bool = False


@dataclass(frozen=True, eq=False)
class Thumbnails:
    """Small grey pictures.

    Args:
        levels: from 0 to 255 (N, h, w), uint8.
        finite: whether a row held numbers alone (N,).
    """

    levels: NDArray[np.uint8]
    finite: NDArray[np.bool_]


def fit_form(train: Split) -> Form:
    """The form of the train rows; the units of numbers other than 0 to 255 from a sample by content."""
    first = np.asarray(read_inputs(train.inputs, np.arange(1)))
    axes = picture_axes(train)
    if axes is None:
        raise DataError(
            f"rows of shape {first.shape[1:]} are no pictures of at least {SMALLEST} x {SMALLEST}"
        )
    height, width = (first.shape[1:][axis] for axis in axes)
    shrink = min(1.0, LARGEST / max(height, width))
    size = (max(SMALLEST, round(height * shrink)), max(SMALLEST, round(width * shrink)))
    return Form(*_unit(train, first.dtype), size, shrunk=size != (height, width))


def _unit(train: Split, dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype == np.uint8 or dtype.kind == "b":
        return (0.0, 1.0 if dtype.kind == "b" else float(WHITE))
    chosen = np.argsort(train.keys, kind="stable")[:_SAMPLE_ROWS]
    ranges = [_range(batch) for batch in batches(train.take(chosen).inputs, len(chosen))]
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    for white in (1.0, float(WHITE)):
        if low >= 0 and white / 2 < high <= white:
            return 0.0, white
    return (low, high) if low < high else (low, low + 1)


def _range(batch: Any) -> tuple[float, float]:
    values = np.asarray(batch)[np.isfinite(batch)]
    return (float(values.min()), float(values.max())) if len(values) else (np.inf, -np.inf)


def thumbnails(form: Form, split: Split) -> Thumbnails:
    """The rows of a split as thumbnails, whatever their own size.

    Raises:
        DataError: rows that are no pictures.
    """
    parts = [_reduce(form, np.asarray(batch)) for batch in batches(split.inputs, len(split))]
    return Thumbnails(np.concatenate([p.levels for p in parts]), np.concatenate([p.finite for p in parts]))


def _reduce(form: Form, batch: Array) -> Thumbnails:
    axes = _axes(batch.shape[1:])
    if axes is None or batch.dtype.kind not in "biuf":
        raise DataError(f"rows of shape {batch.shape[1:]} cannot be compared with train's pictures")
    channels_last = np.moveaxis(batch, 1, -1) if batch.ndim == 4 and axes == (1, 2) else batch
    levels, finite = _levels(form, channels_last)
    if levels.ndim == 4:
        levels = _grey(levels)
    return Thumbnails(_average(levels, form.size), finite)


def _levels(form: Form, batch: Array) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    if batch.dtype == np.uint8 and (form.black, form.white) == (0, WHITE):
        return batch, np.ones(len(batch), bool)
    finite = np.asarray(np.isfinite(batch).reshape(len(batch), -1).all(axis=1))
    known = np.where(np.isfinite(batch), batch, form.black).astype(float)
    with np.errstate(over="ignore"):
        scaled = (known - form.black) * (WHITE / (form.white - form.black))
    return np.rint(np.clip(scaled, 0, WHITE)).astype(np.uint8), finite


def _grey(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if levels.shape[3] == 1:
        return levels[..., 0]
    weighted = sum(levels[..., channel].astype(np.int32) * share for channel, share in enumerate(_LUMA))
    return np.asarray((np.asarray(weighted) + 500) // 1000, np.uint8)


def _average(levels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Pictures (n, H, W) by averaging areas (n, h, w); sums of whole numbers are exact in any order."""
    height, width = levels.shape[1:]
    if (height, width) == size:
        return np.ascontiguousarray(levels)
    rows = levels.reshape(-1, width).astype(float) @ _overlaps(width, size[1]).T
    columns = rows.reshape(-1, height, size[1]).transpose(0, 2, 1).reshape(-1, height)
    sums = (columns @ _overlaps(height, size[0]).T).reshape(-1, size[1], size[0]).transpose(0, 2, 1)
    area = height * width
    return np.asarray((sums.astype(np.int64) + area // 2) // area, np.uint8)


def _overlaps(length: int, cells: int) -> NDArray[np.float64]:
    """How much of each pixel lies in each cell (cells, length), in whole numbers that sum up to `length`."""
    edges, pixels = np.arange(cells + 1) * length, np.arange(length + 1) * cells
    begin = np.maximum(edges[:-1, None], pixels[None, :-1])
    end = np.minimum(edges[1:, None], pixels[None, 1:])
    return np.asarray(np.maximum(end - begin, 0), float)


def why_no_pictures(splits: Splits) -> str:
    """Why the rows cannot be asked about as pictures, or nothing."""
    return "" if is_pictures(splits) else f"rows are no pictures of at least {SMALLEST} x {SMALLEST} pixels"
