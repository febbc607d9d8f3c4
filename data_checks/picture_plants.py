"""What do changed pictures look like, made of the user's own train pictures?"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.picture_views import View, see
from data_checks.evidence.pictures import WHITE, fit_form, picture_axes
from data_checks.evidence.table import lowest
from data_checks.plants import PLANTED_ROWS, bare, some_rows
from data_checks.splits import Array, Split, Splits, read_inputs

Floats = NDArray[np.float64]
# Changes grey levels (n, channels, H, W) of 0 to 255, picture by picture, with a generator.
Change = Callable[[Floats, np.random.Generator], Floats]

_MARKED_ROWS = 1000
_DRAWN = 3 * PLANTED_ROWS // 2
# Grey levels; where less is to be seen, nobody could recognize the picture.
_LEAST_SPREAD = 8


def changed(splits: Splits, rng: np.random.Generator, change: Change) -> Split | None:
    """Train pictures, changed; None where no picture shows anything that could be recognized."""
    train = splits.train
    rows = some_rows(train, rng, _DRAWN)
    read = np.asarray(read_inputs(train.inputs, rows))
    form = fit_form(train)
    span = form.white - form.black
    axes = [axis + 1 for axis in picture_axes(train) or (0, 1)]
    upright = np.moveaxis(read, axes, [-2, -1])
    levels = (upright.reshape(len(read), -1, *upright.shape[-2:]).astype(float) - form.black) * (WHITE / span)
    shows = np.isfinite(levels).all((1, 2, 3)) & (np.nan_to_num(levels).std((1, 2, 3)) >= _LEAST_SPREAD)
    rows, levels = rows[shows], levels[shows]
    if not len(rows):
        return None
    made = np.rint(np.clip(change(levels, rng), 0, WHITE))
    differ = np.flatnonzero((made != np.rint(levels)).any((1, 2, 3)))[:PLANTED_ROWS]
    inputs = _stored(made[differ] * (span / WHITE) + form.black, read.dtype)
    return bare(train, rows[differ], np.moveaxis(inputs.reshape(-1, *upright.shape[1:]), [-2, -1], axes))


def _stored(values: Floats, dtype: np.dtype[np.generic]) -> Array:
    return np.asarray(np.rint(values).astype(dtype) if dtype.kind in "biu" else values.astype(dtype))


def mark_of_a_class(splits: Splits, rng: np.random.Generator) -> Splits:
    """Some rows of each split; those of train's most frequent class have a small mark near a corner."""
    classes, counts = np.unique(splits.train.targets, return_counts=True)
    target = classes[counts.argmax()]
    corner = rng.integers(0, 2, 2)
    train, test = (_mark(splits, split, target, corner) for split in (splits.train, splits.test))
    return replace(splits, train=train, test=test, validation=train.take(np.arange(0)), also={})


def _mark(splits: Splits, split: Split, target: int, corner: NDArray[np.intp]) -> Split:
    some = split.take(lowest(split.keys, _MARKED_ROWS))
    form, axes = fit_form(splits.train), picture_axes(splits.train) or (0, 1)
    pictures = np.array(read_inputs(some.inputs, np.arange(len(some))))
    where: list[slice | NDArray[np.intp]] = [slice(None)] * pictures.ndim
    where[0] = np.flatnonzero(some.targets == target)
    for axis, last in zip(axes, corner.tolist(), strict=True):
        length = pictures.shape[axis + 1]
        side = max(3, length // 7)
        start = length - 1 - side if last else 1
        where[axis + 1] = slice(start, start + side)
    # A level that no background has.
    pictures[tuple(where)] = _stored(np.array(form.black + 0.6 * (form.white - form.black)), pictures.dtype)
    return replace(some, inputs=pictures)


def noisy(levels: Floats, rng: np.random.Generator) -> Floats:
    """Noise of five grey levels."""
    return levels + rng.normal(0, 5, levels.shape)


def brighter(levels: Floats, rng: np.random.Generator) -> Floats:
    """Darker or brighter by up to a fourth, and by up to twenty grey levels."""
    each = (len(levels), 1, 1, 1)
    return levels * rng.uniform(0.75, 1.25, each) + rng.uniform(-20, 20, each)


def bent(levels: Floats, rng: np.random.Generator) -> Floats:
    """A gamma of 0.7 to 0.9, or the inverse."""
    each = (len(levels), 1, 1, 1)
    gamma = rng.uniform(0.7, 0.9, each) ** rng.choice([-1, 1], each)
    return np.asarray(WHITE * (levels / WHITE).clip(0, 1) ** gamma)


def compressed(levels: Floats, rng: np.random.Generator) -> Floats:
    """JPEG of quality 50, channel by channel."""
    from PIL import Image

    def through(channel: NDArray[np.uint8]) -> Array:
        file = io.BytesIO()
        Image.fromarray(channel).save(file, "JPEG", quality=50)
        return np.asarray(Image.open(file), float)

    channels = np.rint(levels.clip(0, WHITE)).astype(np.uint8).reshape(-1, *levels.shape[2:])
    return np.stack([through(channel) for channel in channels]).reshape(levels.shape)


def shifted(levels: Floats, rng: np.random.Generator) -> Floats:
    """Moved by one or two pixels along both axes; what comes in is black."""
    made = np.zeros_like(levels)
    height, width = levels.shape[2:]
    for row, (down, right) in enumerate(rng.choice([-2, -1, 1, 2], (len(levels), 2)).tolist()):
        to, beside = slice(max(down, 0), height + min(down, 0)), slice(max(right, 0), width + min(right, 0))
        at, aside = slice(max(-down, 0), height - max(down, 0)), slice(max(-right, 0), width - max(right, 0))
        made[row, :, to, beside] = levels[row, :, at, aside]
    return made


def flipped(levels: Floats, rng: np.random.Generator) -> Floats:
    """Left and right exchanged."""
    return levels[..., ::-1]


def inverted(levels: Floats, rng: np.random.Generator) -> Floats:
    """Black and white exchanged."""
    return WHITE - levels


def rotated(levels: Floats, rng: np.random.Generator) -> Floats:
    """Turned by three to ten degrees."""
    degrees = rng.uniform(3, 10, len(levels)) * rng.choice([-1, 1], len(levels))
    return _seen(levels, [View(turned=float(angle)) for angle in degrees])


def zoomed(levels: Floats, rng: np.random.Generator) -> Floats:
    """Made larger by a twentieth to a seventh."""
    return _seen(levels, [View(zoomed=float(1 / factor)) for factor in rng.uniform(1.05, 1.15, len(levels))])


def marked(levels: Floats, rng: np.random.Generator) -> Floats:
    """A square of one grey level pasted somewhere, a fifth of the picture wide."""
    made = levels.copy()
    side = round(min(levels.shape[2:]) * 3 / 14)
    for picture in made:
        down, right = (rng.integers(0, length - side + 1) for length in levels.shape[2:])
        picture[:, down : down + side, right : right + side] = rng.integers(0, WHITE + 1)
    return made


def _seen(levels: Floats, views: list[View]) -> Floats:
    whole = np.rint(levels.clip(0, WHITE)).astype(np.uint8)
    return np.stack([see(picture, view) for picture, view in zip(whole, views, strict=True)]).astype(float)
