"""Is one picture another one, but for brightness, contrast and noise?

Both pictures are blurred a little, which takes away noise and leaves shapes. Then the grey levels of one are
fitted by a bent line of those of the other (its bends cover gamma, saturation and inversion), and what is
left is measured in grey levels. A turned or zoomed picture may besides be moved, turned, zoomed and
sharpened a little, to first order (the tangent distance of Simard, LeCun & Denker 1993). The sums of the
fits are whole numbers, exact in any order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.picture_views import Levels, window

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

_BENDS = (12, 40, 96, 160, 208)
_BLUR = 16  # the sum of its weights
# Blurring leaves 36 of 256 of white noise, and much more of shapes. A third of what it would leave, were all
# noise, is forgiven (more would forgive honest pictures their texture), but never all that is left.
_WHITE, _LEAST = 12.0, 0.05
_MARK = 4
# Keeps the equations solvable where columns say the same: a share of each column's own square sum.
_RIDGE = 1e-6
_PAIRS_AT_ONCE = 1000


@dataclass(frozen=True, eq=False)
class Misfit:
    """What is left of test pictures after fitting train pictures to them.

    Args:
        levels: root mean square (n,), in grey levels of blurred pictures.
        share: of the test picture's own variance (n,).
    """

    levels: Floats
    share: Floats


def curved(test: Levels, train: Levels) -> Misfit:
    """How badly train pictures (n, h, w) fit test pictures (n, h, w), but for their grey levels."""
    return _in_parts(_fit, test, train)


def free(test: Levels, train: Levels) -> Misfit:
    """The same, where they may besides be moved, turned, zoomed and sharpened a little."""
    return _in_parts(_fit_freely, test, train)


def nudged(test: Levels, train: Levels) -> Misfit:
    """The same, where they may be moved and sharpened, and neither turned nor zoomed."""
    return _in_parts(partial(_fit_freely, turns=False), test, train)


def outside_a_square(test: Levels, train: Levels) -> Misfit:
    """The same with equal grey levels, but for the square in which they differ most."""
    return _in_parts(_differ, test, train)


def _in_parts(fit: Callable[[Levels, Levels], tuple[Floats, Floats]], test: Levels, train: Levels) -> Misfit:
    starts = range(0, len(test), _PAIRS_AT_ONCE)
    parts = [fit(test[at : at + _PAIRS_AT_ONCE], train[at : at + _PAIRS_AT_ONCE]) for at in starts]
    return Misfit(*(np.concatenate([part[place] for part in parts]) for place in (0, 1)))


def _differ(test: Levels, train: Levels) -> tuple[Floats, Floats]:
    side = max(4, 3 * min(test.shape[1:]) // 8)
    ours = blur(test.astype(np.int32))
    squares = np.square((ours - blur(train.astype(np.int32))).astype(np.int64))
    marked = _in_squares(squares, side).reshape(len(test), -1).max(1)
    left = squares.sum((1, 2)) - marked
    pixels = test.shape[1] * test.shape[2]
    inside, outside = marked / side**2, left / (pixels - side**2)
    variance = ours.reshape(len(test), -1).astype(float).var(1) * pixels
    # Where the square differs little more than the rest does, there is no mark, and nothing is to be found.
    share = np.where(inside >= _MARK**2 * outside, left / np.maximum(variance, pixels), np.inf)
    return np.sqrt(outside) / _BLUR, share


def _in_squares(values: NDArray[np.int64], side: int) -> NDArray[np.int64]:
    """The sum in every square of a side (n, h - side + 1, w - side + 1), from running sums."""
    sums = np.pad(values, ((0, 0), (1, 0), (1, 0))).cumsum(1).cumsum(2)
    upper, lower = sums[:, :-side], sums[:, side:]
    return np.asarray(lower[:, :, side:] - lower[:, :, :-side] - upper[:, :, side:] + upper[:, :, :-side])


def _fit(test: Levels, train: Levels) -> tuple[Floats, Floats]:
    """What is left beside noise of pictures (n, h, w) fitted but for their grey levels."""
    sharp = [test.astype(np.int32), *_curve(train)]
    sums, plain = _products([blur(column) for column in sharp]), _products(sharp)
    mixture = _mixture(sums)
    left, noise = _left_over(sums, mixture), _left_over(plain, mixture) * _WHITE
    return _rms(np.maximum(left - noise, _LEAST * left), test), left / _variance(sums)


def _fit_freely(test: Levels, train: Levels, turns: bool = True) -> tuple[Floats, Floats]:
    curve = [blur(column) for column in _curve(train)]
    moves = _moves(curve[1])
    sums = _products([blur(test.astype(np.int32)), *curve, *moves, *(_turns(moves) if turns else ())])
    left = _left_over(sums, _mixture(sums))
    return _rms(left, test), left / _variance(sums)


def _products(columns: list[Ints]) -> Floats:
    """The sums of products (n, k, k) of the middles of pictures (n, h, w)."""
    down, right = window((columns[0].shape[1], columns[0].shape[2]), more=1)
    rows = np.stack([column[:, down, right] for column in columns], 1).astype(float)
    rows = rows.reshape(*rows.shape[:2], -1)
    return np.asarray(rows @ rows.transpose(0, 2, 1))


def _mixture(sums: Floats) -> Floats:
    """How much of the other columns (n, k - 1) comes nearest to column 0, from products of columns."""
    known, wanted = sums[:, 1:, 1:], sums[:, 1:, 0]
    ridge = _RIDGE * np.einsum("nii->ni", known) + 1
    mixed = np.linalg.solve(known + np.eye(known.shape[1]) * ridge[:, None, :], wanted[:, :, None])
    return np.asarray(mixed[:, :, 0])


def _left_over(sums: Floats, mixture: Floats) -> Floats:
    """The square sum (n,) of column 0 minus a mixture of the others, from products of columns."""
    known, wanted = sums[:, 1:, 1:], sums[:, 1:, 0]
    explained = 2 * (mixture * wanted).sum(1) - ((known * mixture[:, None, :]).sum(2) * mixture).sum(1)
    return np.asarray(np.maximum(sums[:, 0, 0] - explained, 0))


def _rms(left: Floats, test: Levels) -> Floats:
    down, right = window((test.shape[1], test.shape[2]), more=1)
    pixels = (down.stop - down.start) * (right.stop - right.start)
    return np.asarray(np.sqrt(left / pixels) / _BLUR)


def _variance(sums: Floats) -> Floats:
    """The square sum (n,) of column 0 around its mean, at least a grey level's; column 1 is constant."""
    around = sums[:, 0, 0] - np.square(sums[:, 0, 1]) / sums[:, 1, 1]
    return np.asarray(np.maximum(around, sums[:, 1, 1]))


def _curve(train: Levels) -> list[Ints]:
    levels = train.astype(np.int32)
    return [np.ones_like(levels), levels, *(np.maximum(levels - bend, 0) for bend in _BENDS)]


def _moves(blurred: Ints) -> list[Ints]:
    """What a small move along each axis, and a blur, add to a picture (n, h, w)."""
    wide = np.pad(blurred, ((0, 0), (1, 1), (1, 1)), "edge")
    along_y, along_x = wide[:, 2:, 1:-1] - wide[:, :-2, 1:-1], wide[:, 1:-1, 2:] - wide[:, 1:-1, :-2]
    return [along_y, along_x, blurred - blur(blurred) // _BLUR]


def _turns(moves: list[Ints]) -> list[Ints]:
    """What a small turn and zoom add, scaled to whole numbers."""
    along_y, along_x, _ = moves
    height, width = along_y.shape[1:]
    y, x = np.mgrid[0:height, 0:width] * 2 - np.array([height - 1, width - 1])[:, None, None]
    return [(y * along_x - x * along_y) // 16, (y * along_y + x * along_x) // 16]


def blur(levels: Ints) -> Ints:
    """Pictures (n, h, w) under the weights 1, 2, 1 along both axes, times 16."""
    wide = np.pad(levels, ((0, 0), (1, 1), (1, 1)), "edge")
    tall = wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]
    return np.asarray(tall[:, :, :-2] + 2 * tall[:, :, 1:-1] + tall[:, :, 2:])
