"""At which moments do validation and test begin, and which rows come too shortly before?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import DataError
from data_checks.evidence.times import before, comparable, first_time, missing
from data_checks.splits import Array, Splits

Cut = tuple[Any, Any]


def cut_of(splits: Splits) -> Cut:
    """The first moments of validation and of test: what `split(..., cut=...)` is pinned by.

    Example:
        >>> from data_checks.splits import Split
        >>> from data_checks.splitting import split
        >>> rows = Split(np.eye(10), np.arange(10) % 2, times=np.arange(10))
        >>> [int(moment) for moment in cut_of(split(rows, by="time"))]
        [7, 8]
    """
    return first_time(_given(splits.validation.times)), first_time(_given(splits.test.times))


def masks_by_time(
    times: Array | None, chosen_from: float, judged_from: float, cut: Cut | None, embargo: Any
) -> dict[str, NDArray[np.bool_]]:
    """Which rows (N,) are train, validation and test; rows within the embargo are none of them.

    Args:
        times: when each row happened (N,).
        chosen_from: the share of rows before validation, where no cut is given.
        judged_from: the share of rows before test, where no cut is given.
        cut: the moments at which validation and test begin.
        embargo: how much time must lie between the last row of a part and the first of the next.

    Raises:
        DataError: no times, rows without one, or a cut or an embargo that does not fit them.
    """
    known = _given(times)
    lost = int(missing(known).sum())
    if lost:
        raise DataError(f"rows cannot be split by time where {lost:,} of {len(known):,} have none")
    begin, judged = _moments(known, chosen_from, judged_from) if cut is None else _pinned(known, cut)
    masks = {
        "train": known < begin,
        "validation": (known >= begin) & (known < judged),
        "test": known >= judged,
    }
    if embargo is not None:
        masks["train"] &= known <= _before(begin, embargo, known)
        masks["validation"] &= known <= _before(judged, embargo, known)
    return {name: np.asarray(mask, bool) for name, mask in masks.items()}


def _moments(times: Array, chosen_from: float, judged_from: float) -> Cut:
    """The first moments with the given shares of rows before them: rows of one moment stay together."""
    unique, counts = np.unique(times, return_counts=True)
    place = np.concatenate([[0], np.cumsum(counts)[:-1]]) / len(times)
    # With some slack, because 1 - .2 - .1 is a little more than .7.
    judged = place >= judged_from - 1e-9
    chosen_on = (place >= chosen_from - 1e-9) & ~judged
    for name, mask in (("test", judged), ("validation", chosen_on)):
        if not mask.any():
            raise DataError(
                f"no row fell into {name}: {len(times):,} rows of {len(unique):,} moments are too few "
                "for such a split by time"
            )
    return unique[chosen_on][0], unique[judged][0]


def _pinned(times: Array, cut: Cut) -> Cut:
    if len(cut) != 2:
        raise DataError(f"cut must be two moments, those of validation and of test, got {cut!r}")
    begin, judged = (_like(moment, times) for moment in cut)
    if not begin < judged:
        raise DataError(f"cut must name validation's first moment, then test's later one, got {cut!r}")
    return begin, judged


def _like(moment: Any, times: Array) -> Any:
    """A moment of the user's in the type that the times have."""
    number = isinstance(moment, int | float | np.number) and not isinstance(moment, bool)
    if times.dtype.kind == "O":
        return moment
    if times.dtype.kind == "M" and not number:
        return _moment(moment)
    if times.dtype.kind in "iuf" and number and np.isfinite(moment):
        return moment
    expected = "moments, such as '2024-01-31'" if times.dtype.kind == "M" else "numbers"
    raise DataError(f"cut must be {expected}, as the rows' times are, got {moment!r}")


def _moment(moment: Any) -> Any:
    import pandas as pd

    try:
        stamp = pd.Timestamp(moment)
    except (ValueError, TypeError) as error:
        raise DataError(f"cut must be moments, such as '2024-01-31', got {moment!r}") from error
    # What is known without a time zone is the moment in Greenwich, as files are read.
    return (stamp if stamp.tzinfo is None else stamp.tz_convert(None)).to_datetime64()


def _before(moment: Any, embargo: Any, times: Array) -> Any:
    one = np.empty(1, object) if times.dtype.kind == "O" else np.asarray([moment])
    one[0] = moment
    return before(one, embargo)[0]


def _given(times: Array | None) -> Array:
    if times is None:
        raise DataError("rows cannot be split by time, because no times were given")
    return comparable(times)
