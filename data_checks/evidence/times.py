"""Did every row that is judged on happen after the rows that were learned from?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import DataError
from data_checks.evidence.table import Columns, by_split
from data_checks.splits import Array, Split, Splits


def measure(splits: Splits) -> Columns:
    """`not_after_train`: a row outside train no later than train's last, or any row without a time."""
    times = {name: _times(name, split, splits.train) for name, split in splits.named().items()}
    end = last_time(times["train"])

    def too_early(name: str, split: Split) -> Array:
        lost = missing(times[name])
        early = lost.copy()
        if name != "train":
            early[~lost] = times[name][~lost] <= end
        return early

    return {"not_after_train": by_split(splits, too_early)}


def last_time(times: Array) -> Any:
    """The latest of the times (N,) that are known."""
    known = times[~missing(times)]
    if not len(known):
        raise DataError("train has times, but every one of them is missing")
    return max(known) if known.dtype.kind in "OUS" else known.max()


def missing(times: Array) -> NDArray[np.bool_]:
    """True where a time (N,) is None, NaN or NaT, none of which equals itself."""
    if times.dtype.kind == "O":
        return np.array([time is None or time != time for time in times], bool)
    return np.asarray(times != times, bool)


def _times(name: str, split: Split, train: Split) -> Array:
    if split.times is None or train.times is None:
        raise DataError(f"{name} and train must both have times, or neither")
    if _sort_kind(split.times) != _sort_kind(train.times):
        kinds = f"{split.times.dtype} in {name} and {train.times.dtype} in train"
        raise DataError(f"times must be of one type in all splits, got {kinds}")
    return split.times


def _sort_kind(times: Array) -> str:
    return "number" if times.dtype.kind in "biuf" else times.dtype.kind
