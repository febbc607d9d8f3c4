"""Which rows is a network fitted on that shall see a share of them?"""

from __future__ import annotations

import numpy as np

from data_checks.splits import Split

ORDER = 0
"""Seed of the permutation whose first rows are taken."""


def some_of(rows: Split, share: float) -> Split:
    """A share of the rows, in their order: the first ones of one permutation, so that shares are nested.

    Example:
        >>> rows = Split(np.arange(10.0)[:, None], np.arange(10))
        >>> half, all_rows = some_of(rows, 0.5), some_of(rows, 1.0)
        >>> len(half), set(some_of(rows, 0.3).targets.tolist()) < set(half.targets.tolist()), all_rows is rows
        (5, True, True)
    """
    if share >= 1:
        return rows
    order = np.random.default_rng(ORDER).permutation(len(rows))
    return rows.take(np.sort(order[: max(1, round(share * len(rows)))]))
