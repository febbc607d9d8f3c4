"""How far may the order of the rows be from what a few rows of the rarer class have shown?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from wdgate.evaluation.ranking import Ranking
from wdgate.gates.bounds import Bounds, Floats, studentized
from wdgate.gates.class_bounds import rows_of_classes

# Of fewer the spread of the rows cannot be told from the rows.
FEWEST = 10


def ranked_bounds(
    ranking: Ranking,
    targets: NDArray[Any],
    classes: Sequence[str],
    groups: NDArray[Any] | None,
    weights: Floats | None,
    alpha: float,
    span: tuple[float, float] = (0.0, 1.0),
) -> Bounds:
    """Bounds of a ranking, or of the difference of two, at error probability `alpha`.

    From what each row adds, as of a mean, with three corrections for few rows of a class: its variance is
    divided by one row less; Student's t has the degrees of freedom of the classes' own rows (Satterthwaite
    1946); and the bounds hold too if the share of each class that its rows may have missed, with probability
    alpha, is ranked as badly as can be. NaN with fewer than ten independent rows of a class.

    Args:
        ranking: of N rows.
        targets: true classes (N,).
        classes: their names.
        groups: the unit of each row (N,), or None.
        weights: of the rows (N,), or None.
        alpha: the error probability of each bound.
        span: the least and the most that it can be.
    """
    counts = rows_of_classes(targets, len(classes), groups, weights)
    if not counts.min() >= FEWEST:
        return _not_bounded(ranking.value, len(targets), counts, classes)
    parts = _by_class(ranking.added, targets, counts, groups)
    deviations = parts.sum(axis=0)
    lower, upper = studentized(ranking.value, deviations, alpha)
    wider = _wider(parts, counts, len(deviations), alpha)
    # Of two classes there is one ranking, which the unseen of either class spoil as a whole.
    unseen = unseen_share(counts.min(keepdims=True) if len(counts) == 2 else counts, alpha)
    lowest = ranking.value - (ranking.value - span[0]) * unseen
    highest = ranking.value + (span[1] - ranking.value) * unseen
    lower, upper = (ranking.value + (side - ranking.value) * wider for side in (lower, upper))
    return Bounds(
        ranking.value, max(span[0], min(lower, lowest)), min(span[1], max(upper, highest)), len(targets)
    )


def unseen_share(counts: Floats, alpha: float) -> float:
    """The largest mean over classes of a share that rows (C,) of each miss together with probability `alpha`.

    Of shares s with the product of (1 - s)^count at alpha, those that are largest on average: (1 - s) is
    proportional to the count, and no share is below 0.

    Example:
        >>> [round(unseen_share(np.array(counts), 0.0025), 4) for counts in ([100.0], [100.0, 1e9])]
        [0.0582, 0.0291]
    """
    ordered = np.sort(counts)
    for few in range(len(ordered), 0, -1):
        some = ordered[:few]
        scale = float(np.exp(((some * np.log(some)).sum() - np.log(alpha)) / some.sum()))
        if some[-1] <= scale:
            return float((1 - some / scale).sum() / len(counts))
    return 0.0


def _not_bounded(value: float, rows: int, counts: Floats, classes: Sequence[str]) -> Bounds:
    fewest = int(counts.argmin())
    there = f"{counts[fewest]:.0f}" if counts[fewest] == round(counts[fewest]) else f"{counts[fewest]:.1f}"
    why = (
        f"it takes {FEWEST} independent rows of each class, and of class {classes[fewest]} there are {there}"
    )
    return Bounds(value, float("nan"), float("nan"), rows, remark=why)


def _by_class(
    added: Floats, targets: NDArray[Any], counts: Floats, groups: NDArray[Any] | None
) -> NDArray[np.float64]:
    """What the rows of each class add, a unit (C, G), as of one row less."""
    unit = np.arange(len(targets)) if groups is None else np.unique(groups, return_inverse=True)[1].ravel()
    scaled = added * np.sqrt(counts / (counts - 1))[targets]
    units = int(unit.max()) + 1
    return np.stack([np.bincount(unit, scaled * (targets == one), units) for one in range(len(counts))])


def _wider(parts: Floats, counts: Floats, units: int, alpha: float) -> float:
    """Student's quantile with the degrees of freedom of the classes' own rows, over that of all units."""
    variances = (parts**2).sum(axis=1)
    if not variances.sum() > 0:
        return 1.0
    freedom = float(variances.sum() ** 2 / (variances**2 / (counts - 1)).sum())
    return float(special.stdtrit(freedom, 1 - alpha) / special.stdtrit(units - 1, 1 - alpha))
