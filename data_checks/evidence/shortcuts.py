"""Does the border of a picture, or its file, give its class away?

A shortcut is something beside the subject that all pictures of a class share and hardly any other has: a
mark in a corner, a frame, a background of one level, a size, a format (Geirhos et al. 2020). So each pixel
near the border, each side and each corner is asked: is there a level that nearly all of a class have there,
and hardly any other picture? What merely tends to differ, as honest subjects do, has no such level. The most
common level is none: that a small subject leaves the background free where a large one does not is honest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.pictures import fit_form, thumbnails, why_no_pictures
from data_checks.evidence.table import Evidence, by_split, lowest
from data_checks.readers import Pictures
from data_checks.splits import Array, RowsOf, Split, Splits

Floats = NDArray[np.float64]

AUC = 0.98
_SAMPLE_ROWS = 4000
_FEWEST = 20  # rows of a class
_LEVELS = 8  # that pictures of one mark may differ by
_PIXELS = 3  # that a mark must have
_MOST = 0.9  # of them, that a row with the mark has
_BY_CHANCE = 0.5
_COMMON = 0.1


@dataclass(frozen=True)
class Shortcut:
    """What gives a class away.

    Args:
        target: the class.
        where: in words.
        share: of the rows of the class that have it.
        others: of the other rows.
    """

    target: int
    where: str
    share: float
    others: float


def measure(splits: Splits) -> Evidence:
    """`picture_shortcuts`: how many things beside the subject give a class of train away; facts say which."""
    found = tuple(find_shortcuts(splits.train))
    column = by_split(splits, lambda name, split: len(found) if name == "train" else 0)
    return Evidence({"picture_shortcuts": column}, found)


def find_shortcuts(train: Split) -> Iterator[Shortcut]:
    """What gives classes away, class by class, in a sample of the rows by their content."""
    some = train.take(lowest(train.keys, _SAMPLE_ROWS))
    small = thumbnails(fit_form(train), some)
    some, levels = some.take(small.finite), small.levels[small.finite].astype(float)
    pixels, places = _near_border(levels)
    strips, names = _strips(levels)
    headers, headings = _headers(some)
    background = _background(pixels)
    usual = np.repeat([background, 0.0], len(names) // 2)
    for target in _targets(some):
        own = np.asarray(some.targets == target)
        spots = _Values(pixels, _LEVELS, np.array(background))
        yield from _of_pixels(target, own, spots, places, levels.shape[1:])
        yield from _of_names(target, own, _Values(strips, _LEVELS, usual), names)
        yield from _of_names(target, own, _Values(headers, 0, np.full(len(headings), -1.0)), headings)


def _background(pixels: Floats) -> float:
    """The most common level near the border; none (NaN) where no level is common."""
    counts = np.bincount(pixels.astype(int).reshape(-1))
    return float(counts.argmax()) if counts.max() >= _COMMON * counts.sum() else np.nan


def _targets(split: Split) -> list[int]:
    classes, counts = np.unique(split.targets, return_counts=True)
    enough = (counts >= _FEWEST) & (len(split) - counts >= _FEWEST)
    return [int(target) for target in classes[enough]]


@dataclass(frozen=True, eq=False)
class _Values:
    """Values of pictures (n, m), how near equal ones are, and the level that tells nothing (m,)."""

    values: Floats
    within: float
    usual: Floats


def _shares(own: NDArray[np.bool_], asked: _Values) -> tuple[Array, Floats, Floats]:
    """Which rows have what is typical of a class (n, m), and how many of its own and of others do (m,)."""
    typical = np.median(asked.values[own], axis=0)
    near = (np.abs(asked.values - typical) <= asked.within) & ~(np.abs(typical - asked.usual) <= asked.within)
    return near, near[own].mean(0), near[~own].mean(0)


def _gives_away(share: Any, others: Any) -> Any:
    """Whether having it or not tells a class from the rest with an AUC of at least .98."""
    return (1 + share - others) / 2 >= AUC


def _of_pixels(
    target: int, own: NDArray[np.bool_], pixels: _Values, places: NDArray[np.intp], size: tuple[int, ...]
) -> Iterator[Shortcut]:
    near, share, others = _shares(own, pixels)
    # Others have the level of one pixel by chance, but not of all pixels of a mark.
    mark = np.flatnonzero((share >= AUC) & (others <= _BY_CHANCE))
    if len(mark) < _PIXELS:
        return
    marked = near[:, mark].mean(1) >= _MOST
    share, others = marked[own].mean(), marked[~own].mean()
    if _gives_away(share, others):
        down, right = (places[:, mark].mean(1) / (np.array(size) - 1)).tolist()
        at = f"{_place(down, 'top', 'bottom')} {_place(right, 'left', 'right')}".strip() or "border"
        yield Shortcut(target, f"a mark of {len(mark)} pixels near the {at}", float(share), float(others))


def _place(at: float, first: str, last: str) -> str:
    return first if at < 1 / 3 else last if at > 2 / 3 else ""


def _of_names(target: int, own: NDArray[np.bool_], values: _Values, names: list[str]) -> Iterator[Shortcut]:
    _, share, others = _shares(own, values)
    for place in np.flatnonzero(_gives_away(share, others)):
        yield Shortcut(target, names[place], float(share[place]), float(others[place]))


def _near_border(levels: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """The pixels within a quarter of the border (n, m), and their rows and columns (2, m)."""
    height, width = levels.shape[1:]
    frame = np.ones((height, width), bool)
    frame[height // 4 : height - height // 4, width // 4 : width - width // 4] = False
    return levels[:, frame], np.array(np.nonzero(frame))


def _strips(levels: Floats) -> tuple[Floats, list[str]]:
    """The mean and the spread of every side and corner (n, 16), and what they are called."""
    down, right = (max(2, length // 8) for length in levels.shape[1:])
    parts = {
        "the upper border": levels[:, :1],
        "the lower border": levels[:, -1:],
        "the left border": levels[:, :, :1],
        "the right border": levels[:, :, -1:],
        "the upper left corner": levels[:, :down, :right],
        "the upper right corner": levels[:, :down, -right:],
        "the lower left corner": levels[:, -down:, :right],
        "the lower right corner": levels[:, -down:, -right:],
    }
    means = [part.mean((1, 2)) for part in parts.values()]
    spreads = [part.std((1, 2)) for part in parts.values()]
    names = [f"the {kind} of {name}" for kind in ("mean", "spread") for name in parts]
    return np.stack([*means, *spreads], 1), names


def _headers(split: Split) -> tuple[Floats, list[str]]:
    """Width, height, format and mode of picture files as numbers (n, 4); of other rows nothing (n, 0)."""
    files = _files(split.inputs)
    if not files:
        return np.empty((len(split), 0)), []
    columns = list(zip(*(_header(file) for file in files), strict=True))
    codes = [np.unique(np.array(column), return_inverse=True)[1].reshape(-1) for column in columns]
    return np.stack(codes, 1).astype(float), [
        "the width of files",
        "the height of files",
        "the format of files",
        "the colours of files",
    ]


def _files(inputs: Any) -> list[Any]:
    if isinstance(inputs, RowsOf):
        files = _files(inputs.reader)
        return [files[position] for position in inputs.positions] if files else []
    return list(inputs.files) if isinstance(inputs, Pictures) else []


def _header(file: Any) -> tuple[int, int, str, str]:
    from PIL import Image

    # The pixels of this file were decoded already, so that it is a picture.
    with Image.open(file) as picture:
        return (*picture.size, str(picture.format), picture.mode)


def why_not(splits: Splits) -> str:
    """Why shortcuts to a class cannot be looked for, or nothing."""
    targets: Array = splits.train.targets
    if targets.dtype.kind not in "iub":
        return "targets are no classes"
    if len(_targets(splits.train)) < 1:
        return f"no two classes have {_FEWEST} rows"
    return why_no_pictures(splits)
