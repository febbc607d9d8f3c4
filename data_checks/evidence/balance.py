"""Does every class have enough rows to be learned from?"""

from __future__ import annotations

import numpy as np

from data_checks.evidence.table import Columns, by_split
from data_checks.splits import Array, Splits

RARE_SHARE, RARE_ROWS, LOPSIDED = 0.01, 10, 100.0


def measure(splits: Splits) -> Columns:
    """`rare_classes`: how many of train's classes are rare, of train's rows."""
    count = len(rare_classes(splits.train.targets))
    return {"rare_classes": by_split(splits, lambda name, split: count if name == "train" else 0)}


def rare_classes(targets: Array) -> dict[int, int]:
    """The classes of targets (N,) that have too few rows to be learned, and how many they have.

    Rare is below 1 % of the rows, below 10 rows, or below a hundredth of the largest class.

    Example:
        >>> rare_classes(np.repeat([0, 1, 2], [500, 495, 5]))
        {2: 5}
    """
    classes, counts = np.unique(targets, return_counts=True)
    fewest = max(RARE_ROWS, RARE_SHARE * len(targets), counts.max(initial=0) / LOPSIDED)
    rare = counts < fewest
    return dict(zip(classes[rare].astype(int).tolist(), counts[rare].tolist(), strict=True))
