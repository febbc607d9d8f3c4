"""Tables of twenty columns, and more and more rows."""

from __future__ import annotations

import numpy as np

from leakage.case import Case

COLUMNS, FACTORS, TEST_SHARE, PLANTED = 20, 5, 0.2, 100


def scale_case(rows: int, seed: int = 0) -> Case:
    """Numbers (20, N), a column a row, that depend on five hidden ones; 100 test rows are train's."""
    rng = np.random.default_rng([seed, rows])
    hidden, weights = rng.standard_normal((FACTORS, rows)), rng.standard_normal((COLUMNS, FACTORS))
    table = np.empty((COLUMNS, rows))
    for column, weight in zip(table, weights, strict=True):
        column[:] = weight @ hidden + rng.standard_normal(rows)
    targets = (hidden[0] + rng.standard_normal(rows) > 0).astype(np.int64)
    cut = round(rows * (1 - TEST_SHARE))
    originals = rng.permutation(cut)[:PLANTED]
    table[:, -PLANTED:], targets[-PLANTED:] = table[:, originals], targets[originals]
    places = list(range(rows - cut - PLANTED, rows - cut))
    parts = {"train": targets[:cut], "test": targets[cut:]}
    return Case("scale", f"{rows:,} rows", table[:, :cut], table[:, cut:], parts, {"exact": places})


def megabytes(rows: int) -> float:
    return rows * COLUMNS * 8 / 1e6
