"""How do rows of any kind look as a few numbers each, all on one scale?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.columns import WIDEST, Column, column_of, joined, named_values, width
from data_checks.evidence.pictures import picture_axes
from data_checks.splits import Array, Split, read_inputs

Floats = NDArray[np.float64]

BLOCKS = 8
"""A picture is told by the means of 8 x 8 blocks."""
_LEVELS = 20
_FEWEST_OF_A_LEVEL = 0.01
_FEATURES = 256


def columns_over(parts: list[Split]) -> Iterator[Column]:
    """The columns that all parts have, each over all of their rows, one part behind the other.

    Rows that are decoded when they are read are decoded here. Of pictures, and of very wide rows, the columns
    are the means of blocks of a row.
    """
    named = [dict(_columns(_decoded(part))) for part in parts]
    for name in named[0]:
        if all(name in columns for columns in named):
            yield column_of(name, joined([columns[name] for columns in named]))


def _decoded(part: Split) -> Split:
    if isinstance(part.inputs, np.ndarray | Mapping):
        return part
    return replace(part, inputs=read_inputs(part.inputs, np.arange(len(part))))


def _columns(part: Split) -> Iterator[tuple[str, Array]]:
    axes = picture_axes(part)
    if axes is None and (width(part) <= WIDEST or isinstance(part.inputs, Mapping)):
        yield from named_values(part)
        return
    rows = np.asarray(part.inputs)
    blocks = picture_blocks(rows, axes) if axes is not None else wide_blocks(rows)
    yield from ((f"block {place}", blocks[:, place]) for place in range(blocks.shape[1]))


def picture_blocks(pictures: Array, axes: tuple[int, int]) -> Floats:
    """The means (n, 64) of the blocks of pictures (n, ...), over all colours.

    Args:
        pictures: the rows.
        axes: which axes of a row are height and width.

    Example:
        >>> picture_blocks(np.ones((1, 28, 28), np.uint8), (0, 1)).tolist()[0][:3]
        [1.0, 1.0, 1.0]
    """
    others = tuple(axis for axis in range(1, pictures.ndim) if axis - 1 not in axes)
    grey = pictures.mean(axis=others, dtype=np.float64) if others else pictures.astype(np.float64)
    return _block_means(_block_means(grey, 1, BLOCKS), 2, BLOCKS).reshape(len(pictures), -1)


def wide_blocks(rows: Array) -> Floats:
    """The means (n, 64) of 64 stretches of rows (n, ...)."""
    return _block_means(rows.reshape(len(rows), -1).astype(np.float64), 1, BLOCKS**2)


def _block_means(values: Floats, axis: int, blocks: int) -> Floats:
    edges = np.linspace(0, values.shape[axis], blocks + 1).astype(int)
    sizes = np.diff(edges).reshape([-1 if place == axis else 1 for place in range(values.ndim)])
    return np.asarray(np.add.reduceat(values, edges[:-1], axis=axis) / sizes)


def features(columns: list[Column]) -> Floats:
    """Rows as at most 256 numbers (n, k) of mean 0, from the columns over them.

    Of numbers: the rank and its square, so that a change in spread is seen as one in place is, however long
    the tails are. Of texts: which of the usual ones it is, and how long. Of both: whether there is one.
    """
    found = [feature for column in columns for feature in _features_of(column)]
    if not found:
        return np.zeros((0, 0))
    table = np.stack(found, axis=1)
    if table.shape[1] > _FEATURES:
        signs = np.random.default_rng(0).choice([-1.0, 1.0], (table.shape[1], _FEATURES))
        table = table @ (signs / np.sqrt(table.shape[1]))
    return np.asarray(table)


def _features_of(column: Column) -> Iterator[Floats]:
    present = ~column.missing
    if column.missing.any() and present.any():
        yield _standard(column.missing.astype(np.float64))
    values = column.numbers if column.texts is None else np.array([len(t) for t in column.texts], float)
    if values is not None and present.any():
        ranks = places(values, present)
        yield _standard(ranks)
        yield _standard(np.where(present, np.square(ranks), np.square(ranks[present]).mean()))
    if column.texts is not None:
        levels, counts = np.unique(column.texts.astype(str), return_counts=True)
        usual = levels[np.lexsort((levels, -counts))][:_LEVELS]
        shares = {level: float((column.texts == level).mean()) for level in usual.tolist()}
        yield from (_standard(column.texts == t) for t, s in shares.items() if s >= _FEWEST_OF_A_LEVEL)


def places(values: Floats, present: NDArray[np.bool_]) -> Floats:
    """Where each value (n,) lies among all that are present, -1 to 1; 0 where there is none.

    Example:
        >>> places(np.array([5.0, np.nan, 7.0, 5.0]), np.array([True, False, True, True])).round(2).tolist()
        [-0.33, 0.0, 0.67, -0.33]
    """
    known = np.sort(values[present])
    ranks = (np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right")) / len(
        known
    ) - 1
    return np.where(present, ranks, 0.0)


def _standard(values: Array) -> Floats:
    centred = values - values.mean()
    deviation = float(centred.std())
    return np.asarray(centred / deviation if deviation > 0 else centred * 0.0, np.float64)
