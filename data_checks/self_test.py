"""Would the checks have found a leak in these very rows, had there been one?

Known leaks are planted into a copy of the splits: their test rows are replaced by rows that leak in one way,
and the same measurement is made again. That costs about as much as one more check of the data.
Judging is not repeated: a row offends by its evidence alone, which is all that the judgement counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from data_checks.check import Check
from data_checks.evidence.table import first_rows
from data_checks.splits import Splits

# Rows of a reader are decoded when they are measured, so that only some of them take part.
READER_ROWS = 2000


def vouch(splits: Splits, checks: Sequence[Check], seed: int = 0) -> dict[str, tuple[bool, float]]:
    """Whether each check that has plants found enough of them, and the share that it found, by code.

    Args:
        splits: the rows; a reader's train rows take part up to `READER_ROWS`.
        checks: those that applied to these rows and were measured.
        seed: chooses the rows that are planted.
    """
    splits = _affordable(splits)
    shares = {check.code: share_found(splits, check, seed) for check in checks if check.plant}
    return {
        check.code: (shares[check.code] >= check.must_find, shares[check.code])
        for check in checks
        if check.plant
    }


def share_found(splits: Splits, check: Check, seed: int = 0) -> float:
    """The share of planted rows, 0 to 1, that a check complains of."""
    if check.plant is None:
        raise ValueError(f"nothing can be planted for {check.code}")
    planted = replace(splits, test=check.plant(splits, np.random.default_rng(seed)), also={})
    start = first_rows(planted)["test"]
    # Written as "not at most" for the reason given where real rows are judged.
    return float(np.mean(~(np.asarray(check.measure(planted)[check.column][start:]) <= 0)))


def _affordable(splits: Splits) -> Splits:
    if isinstance(splits.train.inputs, np.ndarray | dict):
        return splits
    chosen = np.argsort(splits.train.keys, kind="stable")[:READER_ROWS]
    return replace(splits, train=splits.train.take(np.sort(chosen)))
