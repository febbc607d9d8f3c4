"""Which judged rows lie on a straight line with two of their nearest train rows?

Rows that were made between two others before the split (SMOTE, Chawla et al. 2002) carry train rows into test
and test rows into train. Three rows are on a line when the directions to two of them are the same or opposite
to the last digits; of m dimensions, honest rows come within an angle with its power m - 1 as probability.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import DataError
from data_checks.evidence.index import Index, comparable
from data_checks.evidence.near import why_not as near_why_not
from data_checks.evidence.neighbours import nearest
from data_checks.evidence.space import Floats, numbers
from data_checks.evidence.table import Columns, Part, lowest
from data_checks.splits import Split, Splits, read_inputs

NEIGHBOURS = 16
# On a line in fewer columns honest rows are by chance, unless the row has decimals that train never has.
MINIMUM_COLUMNS, _OFF_GRID_COLUMNS = 3, 2
# Of larger splits, rows whose key is low are looked at first, and all of them if one of those is on a line.
LOOKED_AT = 1000
_FALSE_ROWS = 0.01
_WIDEST, _FINEST = 1e-4, 1e-6
# Of two rows that nearly coincide the direction to a third is the same without any line.
_APART = 0.02
# On a grid, as of whole numbers, honest rows divide each other's distance in simple ratios.
_DENOMINATORS = np.arange(1, 65)
_VALUES_AT_ONCE = 4_000_000
_SAMPLE_ROWS = 2000
# Of the most varied column: what is left of one once the others are taken out.
_DEPENDENT = 1e-3
_UNSEEN = -2


@dataclass(frozen=True, eq=False)
class Lines:
    """What is known of train, how many radians from a line still count, and which rows are looked at.

    Args:
        index: train's rows.
        angle: in radians.
        share: of the rows that are looked at, 0 to 1.
        found: the train rows (n,) that rows looked at before lie on a line with, by their keys; -1 for none.
        columns: those (D,) that are no mixture of others, which would be on a line whenever those are.
    """

    index: Index
    angle: float
    share: float
    found: Mapping[bytes, int]
    columns: NDArray[np.bool_]


def fit(index: Index, splits: Splits) -> Lines:
    """The widest angle that no honest row has, and whether all rows must be looked at."""
    judged = [split for name, split in splits.named().items() if name not in ("train", "validation")]
    most = max(len(split) for split in judged)
    angle = allowed_angle(index.dimensions, min(most, LOOKED_AT))
    lines = Lines(index, angle, min(1.0, LOOKED_AT / most), {}, independent(index))
    if lines.share == 1 or lines.angle == 0:
        return lines
    seen: dict[bytes, int] = {}
    for split in judged:
        chosen = split.take(_looked_at(split, lines.share))
        seen |= dict(zip(chosen.keys.tolist(), on_line(lines, chosen).tolist(), strict=True))
    every = any(twin >= 0 for twin in seen.values())
    return replace(lines, share=1.0 if every else lines.share, found=seen)


def independent(index: Index) -> NDArray[np.bool_]:
    """The columns (D,) that are not made of others, such as a price in another currency (QR with pivots).

    Raises:
        DataError: too few train rows are complete.
    """
    from scipy.linalg import qr

    some = index.space.known(numbers(index.held.rows(lowest(index.held.keys, _SAMPLE_ROWS))))
    complete = some[np.isfinite(some).all(1)]
    if len(complete) < NEIGHBOURS:
        raise DataError(
            f"{len(complete):,} of {len(some):,} train rows have no gap, and {NEIGHBOURS} are needed"
        )
    steps = (complete - complete.mean(0)) / index.space.scale
    triangle, pivots = qr(steps, mode="r", pivoting=True)
    sizes = np.abs(np.diag(triangle))
    found = np.zeros(steps.shape[1], bool)
    found[pivots[: len(sizes)][sizes > _DEPENDENT * max(float(sizes[0]), 1e-300)]] = True
    return found


def rows(lines: Lines, part: Part) -> Columns:
    """The rows of one part that lie on a line with train rows.

    Returns:
        `interpolated`: whether the row does;
        `interpolated_from`: the position of the nearer of the two train rows among all, or -1.
    """
    found = np.full(len(part.rows), -1)
    if part.name not in ("train", "validation") and lines.angle:
        chosen = _looked_at(part.rows, lines.share)
        keys = part.rows.keys[chosen].tolist()
        known = np.array([lines.found.get(key, _UNSEEN) for key in keys], np.intp)
        fresh = known == _UNSEEN
        known[fresh] = on_line(lines, part.rows.take(chosen[fresh]))
        found[chosen] = known
    return {"interpolated": found >= 0, "interpolated_from": found}


def allowed_angle(dimensions: float, asked: int) -> float:
    """The angle in radians within which no honest row is on a line; 0 where rounding would decide.

    Example:
        >>> allowed_angle(10, 1000), allowed_angle(1.5, 1000)
        (0.0001, 0.0)
    """
    pairs = asked * (2 * NEIGHBOURS) * (2 * NEIGHBOURS - 1) / 2
    angle = float((_FALSE_ROWS / pairs) ** (1 / max(dimensions - 1, 1e-9)))
    return min(_WIDEST, angle) if angle >= _FINEST else 0.0


def on_line(lines: Lines, split: Split) -> NDArray[np.intp]:
    """The train row (N,) that each row lies on a line with, or -1."""
    index = lines.index
    split = comparable(index.train, split)
    found = np.full(len(split), -1)
    if lines.angle == 0:
        return found
    at_once = max(1, min(LOOKED_AT, _VALUES_AT_ONCE // (NEIGHBOURS * index.space.width)))
    for start in range(0, len(split), at_once):
        places = np.arange(start, min(start + at_once, len(split)))
        found[places] = _nearest_on_line(lines, split, places)
    return found


def _looked_at(split: Split, share: float) -> NDArray[np.intp]:
    if share >= 1:
        return np.arange(len(split))
    # Keys are hashes in hexadecimal digits, so that the least of them are rows at random.
    low = np.frombuffer(b"%08x" % int(share * 0xFFFFFFFF), "S8")[0]
    return np.flatnonzero(split.keys.astype("S8") <= low)


def _nearest_on_line(lines: Lines, split: Split, places: NDArray[np.intp]) -> NDArray[np.intp]:
    index = lines.index
    own = index.space.known(numbers(read_inputs(split.inputs, places)))
    found = np.full(len(places), -1)
    finite = np.flatnonzero(np.isfinite(own).all(1))
    twins, apart = _neighbours(index, own[finite])
    apart = apart[:, :, lines.columns]
    needed = np.where(_off_grid(index, own[finite]), _OFF_GRID_COLUMNS, MINIMUM_COLUMNS)
    straight = straight_pairs(apart, lines.angle, needed)
    hit = straight.any((1, 2))
    # Neighbours come nearest first, so that the first of a pair is the nearer one.
    found[finite[hit]] = twins[hit, straight[hit].any(2).argmax(1)]
    return found


def _neighbours(index: Index, own: Floats) -> tuple[NDArray[np.intp], Floats]:
    """The nearest rows in standard deviations, and in the numbers as they are: rows are made of either."""
    twins, apart = nearest(index, own, NEIGHBOURS)
    if index.space.one_unit:
        return twins, apart
    unit = np.full(index.space.width, float(index.space.scale.max()))
    others, farther = nearest(index, own, NEIGHBOURS, unit)
    return np.hstack([twins, others]), np.concatenate([apart, farther], axis=1)


def _off_grid(index: Index, own: Floats) -> NDArray[np.bool_]:
    """Whether a row (n,) has decimals that train has not, in at least two columns."""
    with np.errstate(over="ignore", invalid="ignore"):
        grid = own * 10.0 ** np.nan_to_num(index.decimals)
        apart = np.abs(grid - np.round(grid)) > 1e-6 * np.maximum(1, np.abs(grid))
    return np.asarray((apart & np.isfinite(index.decimals)).sum(1) >= _OFF_GRID_COLUMNS)


def straight_pairs(
    apart: Floats, angle: float, needed: NDArray[np.intp] | int = MINIMUM_COLUMNS
) -> NDArray[np.bool_]:
    """Pairs of neighbours (n, k, k) between which, or behind which, a row lies on a line.

    Args:
        apart: from the row to its neighbours (n, k, D).
        angle: in radians.
        needed: in how many columns a row must differ from a neighbour (n,).

    Example:
        >>> apart = np.array([[[1.0, 2, 3], [-0.31, -0.62, -0.93], [1, 0, 0]]])
        >>> np.argwhere(np.triu(straight_pairs(apart, 1e-4)[0])).tolist()
        [[0, 1]]
    """
    apart = np.where(np.isfinite(apart).all(2, keepdims=True), apart, 0)
    length = np.sqrt(np.square(apart).sum(2))
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = apart / length[:, :, None]
    cosine = np.matmul(unit, unit.swapaxes(1, 2))
    straight = np.abs(cosine) > 1 - angle**2 / 2
    straight &= ((np.abs(unit) > 1e-9).sum(2) >= np.reshape(needed, (-1, 1)))[:, :, None]
    n, first, second = np.nonzero(straight)
    kept = _between(length[n, first], length[n, second], cosine[n, first, second])
    straight[n[~kept], first[~kept], second[~kept]] = False
    return np.asarray(straight & straight.swapaxes(1, 2))


def _between(left: Floats, right: Floats, cosine: Floats) -> NDArray[np.bool_]:
    """Whether the middle one of three rows on a line divides it (n,) in no simple ratio, nor at its end."""
    whole = np.where(cosine < 0, left + right, np.maximum(left, right))
    share = np.minimum(left, right) / whole
    multiples = share[:, None] * _DENOMINATORS
    simple = (np.abs(multiples - np.round(multiples)) < 1e-5).any(1)
    return np.asarray((share > _APART) & (share < 1 - _APART) & ~simple)


def why_not(splits: Splits) -> str:
    """Why straight lines say nothing of these rows, or nothing."""
    if len(splits.train) < NEIGHBOURS:
        return f"train has fewer than {NEIGHBOURS} rows to look among"
    return near_why_not(splits)
