"""In which ways is a test picture looked at, so that a flipped or shifted train picture is one again?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.uint8]
Region = tuple[slice, slice]

_PARTS = 64  # of a pixel, in which a turned or zoomed picture is sampled


@dataclass(frozen=True)
class View:
    """How a test picture is laid on train pictures.

    Args:
        down: how many pixels the test picture was shifted downwards.
        right: to the right.
        flipped: left and right were exchanged.
        upside_down: top and bottom were.
        inverted: black and white were.
        turned: by how many degrees it was turned.
        zoomed: how many times larger it was made.
    """

    down: int = 0
    right: int = 0
    flipped: bool = False
    upside_down: bool = False
    inverted: bool = False
    turned: float = 0.0
    zoomed: float = 1.0

    @property
    def exact(self) -> bool:
        """Whether pixels fall on pixels."""
        return self.turned == 0 and self.zoomed == 1

    def words(self) -> str:
        """What was done to the picture; nothing for a picture as it stands."""
        said = [
            _direction(self.down, "down", "up"),
            _direction(self.right, "to the right", "to the left"),
        ]
        moved = " and ".join(word for word in said if word)
        words = [f"shifted {moved}" if moved else ""]
        words += [name for name in ("flipped", "upside_down", "inverted") if getattr(self, name)]
        words += [f"rotated by about {abs(self.turned):g} degrees" if self.turned else ""]
        words += [f"zoomed by about {self.zoomed:g}" if self.zoomed != 1 else ""]
        return ", ".join(word.replace("_", " ") for word in words if word)


def _direction(pixels: int, ahead: str, back: str) -> str:
    return f"{abs(pixels)} px {ahead if pixels > 0 else back}" if pixels else ""


def _views() -> tuple[View, ...]:
    shifts = [View(down=down, right=right) for down in range(-2, 3) for right in range(-2, 3)]
    nearest_first = sorted(shifts, key=lambda view: abs(view.down) + abs(view.right))
    flips = [View(flipped=True), View(upside_down=True), View(flipped=True, upside_down=True)]
    turns = [View(turned=degrees) for degrees in (-9, -6, -3, 3, 6, 9)]
    zooms = [View(zoomed=factor) for factor in (0.93, 1.04, 1.08, 1.12, 1.16)]
    return (*nearest_first, *flips, View(inverted=True), *turns, *zooms)


VIEWS = _views()


def margin(size: tuple[int, int]) -> int:
    """What is left out at every side (pixels), so that every view finds pixels there."""
    return 2 if max(size) <= 28 else 3


def window(size: tuple[int, int], more: int = 0) -> Region:
    """The middle of a picture, as rows and columns; `more` pixels are left out beyond the margin."""
    edge = margin(size) + more
    return slice(edge, size[0] - edge), slice(edge, size[1] - edge)


def halves(size: tuple[int, int]) -> tuple[Region, ...]:
    """The upper, lower, left and right half of the middle of a picture."""
    down, right = window(size)
    middle_row, middle_column = (down.start + down.stop) // 2, (right.start + right.stop) // 2
    upper, lower = slice(down.start, middle_row), slice(middle_row, down.stop)
    left, beside = slice(right.start, middle_column), slice(middle_column, right.stop)
    return (upper, right), (lower, right), (down, left), (down, beside)


def see(pictures: Levels, view: View) -> Levels:
    """Pictures (n, h, w) with the view undone (n, h, w); what lies outside repeats the border.

    An inverted picture is left as it is: what is fitted may be negative.
    """
    down, right = _coordinates(pictures.shape[1:], view)
    if view.exact:
        return pictures[:, down.astype(int), right.astype(int)]
    return _sample(pictures, down, right)


def _coordinates(size: tuple[int, ...], view: View) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where each pixel (h, w) is looked up: its row and its column."""
    height, width = size
    center = (height - 1) / 2, (width - 1) / 2
    y, x = np.mgrid[0:height, 0:width] - np.array(center)[:, None, None]
    y, x = (-y if view.upside_down else y), (-x if view.flipped else x)
    angle = np.deg2rad(view.turned)
    down = view.zoomed * (np.cos(angle) * y - np.sin(angle) * x) + center[0] + view.down
    right = view.zoomed * (np.sin(angle) * y + np.cos(angle) * x) + center[1] + view.right
    return np.clip(down, 0, height - 1), np.clip(right, 0, width - 1)


def _sample(pictures: Levels, down: NDArray[np.float64], right: NDArray[np.float64]) -> Levels:
    """Between four pixels in whole numbers, which no machine rounds otherwise."""
    top = np.minimum(down.astype(int), pictures.shape[1] - 2)
    left = np.minimum(right.astype(int), pictures.shape[2] - 2)
    below, beside = (
        np.rint((at - whole) * _PARTS).astype(np.int32) for at, whole in ((down, top), (right, left))
    )
    total = np.full((1, *down.shape), _PARTS * _PARTS // 2, np.int32)
    for dy, weight_y in ((0, _PARTS - below), (1, below)):
        for dx, weight_x in ((0, _PARTS - beside), (1, beside)):
            total = total + weight_y * weight_x * pictures[:, top + dy, left + dx]
    return (total // (_PARTS * _PARTS)).astype(np.uint8)
