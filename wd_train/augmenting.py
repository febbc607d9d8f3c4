"""How are training batches changed at random, and no others?

Each class here is an `augment` of a pipeline: called with a batch as it was read and a generator, it gives
back a changed batch of the same shape and type, drawn from the generator alone. `in_turn` joins several.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor

from data_checks.errors import DataError, TrainingError
from wd_train.rows import Augment, Tensors


@dataclass(frozen=True)
class Shift:
    """Move each picture (N, H, W[, C]) by up to `pixels` in each direction: pad it, and crop at random.

    Args:
        pixels: of the padding at each side.
        fill: what is padded with.

    Example:
        >>> Shift(1)(torch.ones(1, 2, 2, dtype=torch.uint8), torch.Generator().manual_seed(0)).tolist()
        [[[0, 1], [0, 0]]]
    """

    pixels: int
    fill: float = 0.0

    def __post_init__(self) -> None:
        if type(self.pixels) is not int or self.pixels < 1:
            raise TrainingError(f"Shift takes a whole number of pixels of at least 1, got {self.pixels!r}")

    def __call__(self, batch: Tensor, generator: Generator) -> Tensor:
        """The pictures, each moved on its own."""
        (count, height, width, *colours), pixels = _pictures(self, batch).shape, self.pixels
        padded = batch.new_full((count, height + 2 * pixels, width + 2 * pixels, *colours), self.fill)
        padded[:, pixels:-pixels, pixels:-pixels] = batch
        down, across = torch.randint(2 * pixels + 1, (2, count, 1), generator=generator)
        first = torch.arange(count)[:, None, None]
        at = (first, (down + torch.arange(height))[:, :, None], (across + torch.arange(width))[:, None, :])
        return padded[tuple(_to(batch, index) for index in at)]


@dataclass(frozen=True)
class Flip:
    """Mirror a share of the pictures (N, H, W[, C]), left to right."""

    share: float = 0.5

    def __post_init__(self) -> None:
        _check_share(self, self.share)

    def __call__(self, batch: Tensor, generator: Generator) -> Tensor:
        """The pictures, some of them mirrored."""
        pictures = _pictures(self, batch)
        chosen = torch.rand(len(pictures), generator=generator) < self.share
        return torch.where(_spread(_to(batch, chosen), pictures), pictures.flip(2), pictures)


@dataclass(frozen=True)
class Erase:
    """Fill a rectangle in a share of the pictures (N, H, W[, C]) (Zhong et al. 2020).

    Args:
        share: of the pictures.
        most: of a picture's height, and of its width, that a rectangle may take.
        fill: the value in it.
    """

    share: float = 0.5
    most: float = 0.5
    fill: float = 0.0

    def __post_init__(self) -> None:
        _check_share(self, self.share)
        _check_share(self, self.most)

    def __call__(self, batch: Tensor, generator: Generator) -> Tensor:
        """The pictures, a rectangle of each chosen one filled."""
        pictures, count = _pictures(self, batch), len(batch)
        chosen = torch.rand(count, generator=generator) < self.share
        down, across = (self._between(count, size, generator) for size in pictures.shape[1:3])
        return _filled(pictures, chosen[:, None, None] & down[:, :, None] & across[:, None, :], self.fill)

    def _between(self, count: int, size: int, generator: Generator) -> Tensor:
        """Where (count, size) an interval of 1 to `most` of `size` pixels lies, at any place within."""
        length, place = torch.rand(2, count, 1, generator=generator)
        pixels = 1 + (length * max(1, int(self.most * size))).floor()
        start = (place * (size - pixels + 1)).floor()
        at = torch.arange(size)
        inside: Tensor = (at >= start) & (at < start + pixels)
        return inside


@dataclass(frozen=True)
class Noise:
    """Add normal noise to columns of floats; whole numbers, which may be codes, are left.

    Args:
        size: the noise's standard deviation, in those of the column in the batch; missing values stay.
        columns: of a batch of named columns; None means all.
    """

    size: float
    columns: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.size, int | float) and 0 <= self.size < float("inf")):
            raise TrainingError(f"Noise takes a size of at least 0, got {self.size!r}")

    def __call__(self, batch: Tensors, generator: Generator) -> Tensors:
        """The columns (N, ...) with noise."""
        return _each(batch, self.columns, lambda column: self._noisy(column, generator))

    def _noisy(self, column: Tensor, generator: Generator) -> Tensor:
        if not column.is_floating_point():
            return column
        spread = (column - column.nanmean(dim=0)).square().nanmean(dim=0).sqrt()
        drawn = torch.randn(column.shape, generator=generator, dtype=column.dtype)
        noise: Tensor = self.size * spread * _to(column, drawn)
        return column + noise


@dataclass(frozen=True)
class Mask:
    """Replace a share of the values in columns (N, ...), each drawn on its own.

    Args:
        share: of the values.
        fill: what stands instead.
        columns: of a batch of named columns; None means all.
    """

    share: float
    fill: float = 0.0
    columns: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        _check_share(self, self.share)

    def __call__(self, batch: Tensors, generator: Generator) -> Tensors:
        """The columns, some of their values masked."""

        def masked(column: Tensor) -> Tensor:
            return _filled(column, torch.rand(column.shape, generator=generator) < self.share, self.fill)

        return _each(batch, self.columns, masked)


@dataclass(frozen=True)
class Swap:
    """Replace a share of the values in columns (N, ...) by the same column's in another row of the batch.

    A column keeps its distribution (swap noise, as denoising autoencoders for tables are trained with).

    Args:
        share: of the values.
        columns: of a batch of named columns; None means all.
    """

    share: float
    columns: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        _check_share(self, self.share)

    def __call__(self, batch: Tensors, generator: Generator) -> Tensors:
        """The columns, some of their values swapped."""
        return _each(batch, self.columns, lambda column: self._swapped(column, generator))

    def _swapped(self, column: Tensor, generator: Generator) -> Tensor:
        chosen = torch.rand(column.shape, generator=generator) < self.share
        others = torch.randint(len(column), column.shape, generator=generator)
        return torch.where(_to(column, chosen), column.gather(0, _to(column, others)), column)


@dataclass(frozen=True)
class InTurn:
    """Several changes, one after the other."""

    augments: tuple[Augment, ...]

    def __call__(self, batch: Any, generator: Generator) -> Any:
        """The batch after all of them."""
        return functools.reduce(lambda changed, augment: augment(changed, generator), self.augments, batch)


def in_turn(*augments: Augment) -> InTurn:
    """One change that makes several, in their order.

    Example:
        >>> in_turn(Shift(2), Flip())
        InTurn(augments=(Shift(pixels=2, fill=0.0), Flip(share=0.5)))
    """
    return InTurn(augments)


def _pictures(asked: object, batch: object) -> Tensor:
    if isinstance(batch, Tensor) and batch.ndim in (3, 4):
        return batch
    given = f"shape {tuple(batch.shape)}" if isinstance(batch, Tensor) else "named columns"
    raise DataError(f"{type(asked).__name__} changes pictures (N, H, W) or (N, H, W, C), but got {given}")


def _check_share(asked: object, share: float) -> None:
    if not (isinstance(share, int | float) and 0 <= share <= 1):
        raise TrainingError(f"{type(asked).__name__} takes a share from 0 to 1, got {share!r}")


def _filled(values: Tensor, chosen: Tensor, fill: float) -> Tensor:
    """The values (N, ...) with `fill` where they are chosen (N, H, W), or each on its own."""
    return values.masked_fill(_spread(_to(values, chosen), values), fill)


def _spread(chosen: Tensor, values: Tensor) -> Tensor:
    return chosen.view(chosen.shape + (1,) * (values.ndim - chosen.ndim))


def _to(batch: Tensor, drawn: Tensor) -> Tensor:
    # Generators stand on the CPU, so that a training draws the same wherever its batches lie.
    return drawn.to(batch.device)


def _each(batch: Tensors, columns: tuple[str, ...] | None, change: Callable[[Tensor], Tensor]) -> Tensors:
    if isinstance(batch, Tensor):
        return change(batch)
    unknown = sorted(set(columns or ()) - batch.keys())
    if unknown:
        raise DataError(f"there is no column {unknown[0]!r} to augment, only {', '.join(batch)}")
    return {
        name: change(column) if columns is None or name in columns else column
        for name, column in batch.items()
    }
