"""How often does a number order two rows as their targets do, and how sure is that?

For two classes that share is the area under the ROC curve. For more, it is that of the two classes that are
told apart worst: a column gives the target away if it tells all of them apart. For values it is Harrell's
concordance index. A number that orders the other way round says as much.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_checks.splits import Array, Splits

Floats = NDArray[np.float64]

ENOUGH_ROWS = 20
"""Classes of fewer rows are not asked about: a perfect order of fewer is not surely above `NEARLY`."""
NEARLY, FULLY = 0.98, 0.995
SURE = 2.326
"""Standard errors to the bound that a share is above in 99 of 100 cases."""
_PAIRS_OF_CLASSES = 500
_VALUE_ROWS = 2000
_FIRST_ROWS = 300
_FIRST_SHARE = 0.95


@dataclass(frozen=True, order=True)
class Reading:
    """How well something orders rows by their targets.

    Args:
        share: of the pairs of rows with different targets, 0.5 to 1; equal numbers count half.
        surely: what the share is above with a certainty of 99 %.
    """

    share: float
    surely: float

    @property
    def fully(self) -> bool:
        """Whether it gives the target away."""
        return self.share >= FULLY and self.surely > NEARLY

    @property
    def nearly(self) -> bool:
        """Whether it nearly gives the target away, and surely."""
        return NEARLY <= self.share < FULLY and self.surely > NEARLY


NOTHING = Reading(0.5, 0.0)


def order_by(values: Floats, targets: Array) -> Reading:
    """How well numbers (n,) order rows by their targets (n,); NaN is left out.

    Example:
        >>> order_by(np.arange(100.0), np.arange(100) >= 50).share
        1.0
        >>> order_by(np.arange(100.0), np.arange(100.0) ** 3).fully
        True
    """
    kept = ~np.isnan(values)
    if 2 * kept.sum() < len(values):
        return NOTHING
    ordered = order_values if targets.dtype.kind == "f" else order_classes
    return ordered(values[kept], targets[kept])


def order_classes(values: Floats, targets: Array) -> Reading:
    """How well numbers (n,) tell the two classes apart that they tell apart worst."""
    rows = {label: np.sort(values[targets == label]) for label in enough_classes(targets)}
    worst = Reading(1.0, 1.0) if len(rows) > 1 else NOTHING
    for left, right in _nearest_first({label: float(v[len(v) // 2]) for label, v in rows.items()}):
        worst = min(worst, surely_at_least(area(rows[left], rows[right]), len(rows[left]), len(rows[right])))
        if worst.share < NEARLY:
            break
    return worst


def enough_classes(targets: Array) -> list[int]:
    """The classes of the targets (n,) that have enough rows."""
    labels, counts = np.unique(targets, return_counts=True)
    return [int(label) for label in labels[counts >= ENOUGH_ROWS]]


def _nearest_first(middles: dict[int, float]) -> list[tuple[int, int]]:
    """Pairs of classes; those whose middles are nearest to each other are hardest to tell apart."""
    by_middle = sorted(middles, key=lambda label: middles[label])
    if len(by_middle) > 32:
        return list(itertools.pairwise(by_middle))
    pairs = list(itertools.combinations(by_middle, 2))
    return sorted(pairs, key=lambda pair: middles[pair[1]] - middles[pair[0]])[:_PAIRS_OF_CLASSES]


def area(left: Floats, right: Floats) -> float:
    """The share of pairs of one of `left` and one of `right`, both sorted, in the same order, 0.5 to 1."""
    below = np.searchsorted(left, right, "left") + np.searchsorted(left, right, "right")
    share = float(below.mean() / 2 / len(left))
    return max(share, 1 - share)


def surely_at_least(share: float, left: int, right: int) -> Reading:
    """A share of pairs of `left` and `right` rows, with its bound (Hanley & McNeil 1982).

    Half a pair is taken to be in the wrong order, or a perfect order of few rows would be certain.

    Example:
        >>> surely_at_least(1.0, 50, 50).surely > 0.99, surely_at_least(0.98, 50, 50).surely > 0.98
        (True, False)
    """
    a = min(share, 1 - 1 / (2 * left * right))
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    variance = (a * (1 - a) + (left - 1) * (q1 - a * a) + (right - 1) * (q2 - a * a)) / (left * right)
    return Reading(share, a - SURE * float(np.sqrt(max(variance, 0))))


def order_values(values: Floats, targets: Array) -> Reading:
    """How well numbers (n,) order rows by the value of their targets; of at most 2,000 rows.

    The bound is that of a U-statistic, from what each row adds to it (Sen 1960).
    """
    finite = np.isfinite(targets)
    values, targets = values[finite][:_VALUE_ROWS], targets[finite][:_VALUE_ROWS]
    if len(values) < 2 * ENOUGH_ROWS:
        return NOTHING
    first = _signs_by_row(values[:_FIRST_ROWS], targets[:_FIRST_ROWS])
    agreed = first if abs(first.mean()) < 2 * _FIRST_SHARE - 1 else _signs_by_row(values, targets)
    share = (1 + abs(float(agreed.mean()))) / 2
    kept = min(share, 1 - 1 / len(agreed) ** 2)
    # Where all agree, what they add does not vary; then it is as if one of n * n pairs might not have agreed.
    variance = agreed.var() / len(agreed) + 2 / len(agreed) ** 3
    return Reading(share, kept - SURE * float(np.sqrt(variance)))


def _signs_by_row(values: Floats, targets: Array) -> Floats:
    """For each row (n,), how much more often it is ordered right than wrong, -1 to 1."""
    higher = np.sign(targets[:, None] - targets[None])
    with np.errstate(invalid="ignore"):
        same = np.sign(np.nan_to_num(values[:, None] - values[None])) * higher
    different = np.abs(higher).sum(1)
    return np.asarray((same.sum(1) / np.maximum(different, 1))[different > 0])


def why_no_order(splits: Splits) -> str:
    """Why nothing can be said to order these rows by their targets, or nothing."""
    targets = [split.targets for split in splits.named().values()]
    kinds = {"f" if part.dtype.kind == "f" else "i" if part.dtype.kind in "iub" else "" for part in targets}
    if len(kinds) > 1 or "" in kinds:
        return "the targets are neither classes in all splits nor values in all"
    every = np.concatenate(targets)
    if "f" in kinds:
        few = np.isfinite(every).sum() < 2 * ENOUGH_ROWS
        return f"fewer than {2 * ENOUGH_ROWS} rows have a target" if few else ""
    return "" if len(enough_classes(every)) > 1 else f"no two classes have {ENOUGH_ROWS} rows each"
