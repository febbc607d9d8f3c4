"""How far from the observed value of a metric, which is no mean of rows, may the true one be?

By the jackknife: the metric is measured again without each unit, and what the unit changes is its
contribution, from which the bound follows as it does for a mean. A bootstrap's percentiles would need
many times 1 / alpha resamples - tens of thousands at alpha .05 over 20 looks - and would give another
answer for another seed; the jackknife gives the same question the same answer, with 200 measurements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wdgate.gates.bounds import Bounds, studentized
from wdgate.gates.enough import kish, too_few_differ, too_few_units, why_untold

Rows = NDArray[np.intp]
Floats = NDArray[np.floating]

# More would cost more time for hardly more degrees of freedom: t with 199 is within 2 % of the normal.
BLOCKS = 200


def jackknife_bounds(
    measure: Callable[[Rows], float], rows: int, alpha: float, groups: NDArray[Any] | None = None
) -> Bounds:
    """Bounds of `measure(positions)` on all `rows`, each at error probability `alpha`.

    Delete-a-group jackknife (Quenouille 1956, Tukey 1958): up to 200 blocks of rows, or of whole
    groups. Good for metrics that change smoothly with the rows, such as R2 and the area under the ROC
    curve; an expected calibration error is overstated on few rows, so its upper bound is on the safe
    side. NaN where the metric is, on all rows or without one block, and where there are fewer than
    ten blocks or too few of them differ: a metric that no block changes has no spread to be bounded by.

    Example:
        >>> values = np.random.default_rng(0).normal(size=400)
        >>> bounds = jackknife_bounds(lambda rows: float(values[rows].var()), 400, alpha=0.05)
        >>> bounds.lower < bounds.observed < bounds.upper
        True
    """
    observed, deviations = jackknife(measure, rows, groups)
    sizes = np.bincount(_blocks(rows, groups)).astype(np.float64)
    independent = float(kish(sizes)) if rows else 0.0
    if np.isfinite(deviations).all() and (
        too_few_units(independent) or too_few_differ(deviations, sizes, observed, alpha)
    ):
        nan = float("nan")
        return Bounds(observed, nan, nan, rows, remark=why_untold(independent, groups is not None))
    return Bounds(observed, *studentized(observed, deviations, alpha, independent), rows)


def jackknife(
    measure: Callable[[Rows], float], rows: int, groups: NDArray[Any] | None = None
) -> tuple[float, Floats]:
    """`measure` on all rows, and what each block of rows adds to it (B,); they add up to 0.

    The same rows and groups make the same blocks. NaN where the metric is not finite without one of them.

    Example:
        >>> observed, added = jackknife(lambda rows: float(rows.mean()), 4)
        >>> observed, sorted(added.round(3).tolist())
        (1.5, [-0.375, -0.125, 0.125, 0.375])
    """
    everything = np.arange(rows)
    block = _blocks(rows, groups)
    count = int(block.max()) + 1 if rows else 0
    without = np.array([measure(everything[block != left_out]) for left_out in range(count)])
    if count < 2 or not np.isfinite(without).all():
        return measure(everything), np.full(count, np.nan)
    # Of such a size that they count as the deviations of a mean do.
    return measure(everything), (without.mean() - without) * (count - 1) / count


def _blocks(rows: int, groups: NDArray[Any] | None) -> Rows:
    """The block of each row (N,): units dealt out evenly, in an order that has nothing to do with theirs."""
    _, unit = np.unique(np.arange(rows) if groups is None else groups, return_inverse=True)
    count = int(unit.max()) + 1 if rows else 0
    # Fixed, so that the same rows are always dealt alike; rows sorted by class must not share a block.
    shuffled = np.random.default_rng(0).permutation(count)
    dealt: Rows = (shuffled % BLOCKS)[unit.ravel()]
    return dealt
