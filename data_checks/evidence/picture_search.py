"""Which train pictures look most like a test picture, seen in one way?

A picture is described by few whole numbers: its middle, brought to one brightness and contrast, along the
directions in which train pictures vary, each in units of its spread. Products and sums of such small whole
numbers are exact in single precision in whatever order they are added, so that matrix products decide, and
a row finds the same candidates whichever rows are looked up beside it.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.picture_views import Levels, Region

CANDIDATES = 10
_DIRECTIONS = 40
_SAMPLE_ROWS = 4096
# Of the largest spread; below, a direction is mostly noise, and is not blown up further.
_FLOOR = 0.01
_STEPS = 40  # a standard deviation
# 40 x 250^2 x 3 stays below 2^24, up to which single precision counts exactly.
_LARGEST = 250
_FAR = float(1 << 22)
_FLATTEST = 2.0  # grey levels of spread
_BLOCKS = 1024
_VALUES_AT_ONCE = 16_000_000
_TILE = 64
# Below so many products a matrix product is left to one thread, of which we have our own: those of the
# library wait for each other at every tile, and where the machine is busy they wait long.
_PRODUCTS = 1 << 18
_PICTURES_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class Directions:
    """What a picture is described by.

    Args:
        region: the rows and columns of a picture that are looked at.
        columns: directions (D, k), in multiples of 1 / 4096 so that sums of grey levels are exact.
    """

    region: Region
    columns: NDArray[np.float64]

    def describe(self, pictures: Levels) -> NDArray[np.float32]:
        """Pictures (n, h, w) as whole numbers (n, k)."""
        starts = range(0, len(pictures), _PICTURES_AT_ONCE)
        parts = [self._describe(pictures[start : start + _PICTURES_AT_ONCE]) for start in starts]
        return np.concatenate(parts) if parts else np.empty((0, self.columns.shape[1]), np.float32)

    def _describe(self, pictures: Levels) -> NDArray[np.float32]:
        rows = _flat(pictures, self.region)
        mean, spread = _moments(rows)
        along = rows @ self.columns - mean[:, None] * self.columns.sum(0)
        steps = np.rint(along * (_STEPS / np.maximum(spread, _FLATTEST))[:, None])
        return np.asarray(np.clip(steps, -_LARGEST, _LARGEST).astype(np.float32))


def _flat(pictures: Levels, region: Region) -> NDArray[np.float64]:
    return pictures[:, region[0], region[1]].reshape(len(pictures), -1).astype(float)


def _moments(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation (n,) of rows of whole numbers; exact sums in any order."""
    mean = rows.sum(1) / rows.shape[1]
    return mean, np.sqrt(np.maximum(np.square(rows).sum(1) / rows.shape[1] - mean**2, 0))


def fit_directions(pictures: Levels, region: Region) -> Directions:
    """The directions in which a region of pictures (n, h, w) varies, whitened."""
    sample = _flat(pictures[:_SAMPLE_ROWS], region)
    mean, spread = _moments(sample)
    rows = (sample - mean[:, None]) / np.maximum(spread, _FLATTEST)[:, None]
    rows -= rows.mean(0)
    spreads, vectors = np.linalg.eigh(rows.T @ rows / len(rows))
    spreads, vectors = np.maximum(spreads[::-1][:_DIRECTIONS], 0), vectors[:, ::-1][:, :_DIRECTIONS]
    white = vectors / np.sqrt(spreads + max(_FLOOR * float(spreads[0]), 1e-12))
    return Directions(region, np.rint(white * 4096) / 4096)


@dataclass(frozen=True, eq=False)
class Described:
    """Descriptions of train pictures, in blocks.

    Args:
        tiles: whole numbers and their square sum, some rows a tile (tiles, rows, k + 1).
        block: how many rows compete for being one candidate.
    """

    tiles: NDArray[np.float32]
    block: int


def in_blocks(descriptions: NDArray[np.float32]) -> Described:
    """Descriptions (n, k), ready to be searched."""
    # A power of two, so that a tile holds whole blocks, or a block whole tiles.
    block = 1 << max(0, (len(descriptions) // _BLOCKS).bit_length() - 1)
    squares = np.square(descriptions).sum(1, keepdims=True)
    rows = np.hstack([descriptions, squares])
    missing = np.zeros((-len(rows) % max(block, _TILE), rows.shape[1]), np.float32)
    missing[:, -1] = _FAR
    return Described(np.vstack([rows, missing]).reshape(-1, _TILE, rows.shape[1]), block)


def nearest(
    train: Described, descriptions: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """The best of each of the ten best blocks.

    Returns:
        Squared distances (n, 10), rising, and places in train (n, 10).
    """
    shape = (len(descriptions), CANDIDATES)
    distances, places = np.empty(shape, np.float32), np.empty(shape, np.intp)
    tiles, rows, width = train.tiles.shape
    at_once = int(np.clip(min(_VALUES_AT_ONCE // (tiles * rows), _PRODUCTS // (rows * width)), 4, 256))
    starts = range(0, len(descriptions), at_once)
    workers = min(os.cpu_count() or 1, len(starts)) or 1

    def search(worker: int) -> None:
        # Memory that is used again is four times as quick as memory that was never touched.
        room = np.empty((2, tiles, rows, at_once), np.float32)
        for start in starts[worker::workers]:
            some = slice(start, start + at_once)
            distances[some], places[some] = _nearest(train, descriptions[some], room)

    with ThreadPoolExecutor(workers) as pool:
        # Asked for all results, so that what a thread raises is raised here.
        list(pool.map(search, range(workers)))
    return distances, places


def _nearest(
    train: Described, descriptions: NDArray[np.float32], room: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    n = len(descriptions)
    asked = np.vstack([-2 * descriptions.T, np.ones((1, n), np.float32)])
    # Squared distances but for the test row's own square.
    apart = np.matmul(train.tiles, asked, out=room[0, :, :, :n]).reshape(-1, train.block, n)
    least = _least(apart, room[1, :, :, :n].reshape(apart.shape))
    blocks = np.argpartition(least, CANDIDATES - 1, axis=0)[:CANDIDATES]
    inside = apart[blocks, :, np.arange(n)]
    best = inside.argmin(2)  # (10, n)
    squared = np.take_along_axis(inside, best[:, :, None], 2)[:, :, 0]
    places = blocks * train.block + best
    order = np.lexsort((places.T, squared.T))
    distances = squared.T + np.square(descriptions).sum(1, keepdims=True)
    return np.take_along_axis(distances, order, 1), np.take_along_axis(places.T, order, 1)


def _least(apart: NDArray[np.float32], room: NDArray[np.float32]) -> NDArray[np.float32]:
    """The least of each block (blocks, n) of (blocks, block, n), by halves: five times as quick as `min`."""
    half = apart.shape[1] // 2
    while half:
        apart = np.minimum(apart[:, :half], apart[:, half : 2 * half], out=room[:, :half])
        half //= 2
    return apart[:, 0]
