"""Did every row that is judged on happen after the rows that were learned from?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import DataError
from data_checks.evidence.table import Columns, Evidence, by_split
from data_checks.splits import Array, Split, Splits

_NO_MOMENT = ("", "NaT")


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


def measure_embargo(splits: Splits) -> Columns:
    """`times_within_embargo`: a row later than an earlier split's last by less than the promised embargo.

    Rows without a time are within it, too, for nobody knows that they are not.
    """
    times = {name: _times(name, split, splits.train) for name, split in splits.named().items()}
    ends = {name: last_time(times[name]) for name in ("train", "validation") if name in times}

    def within(name: str, split: Split) -> Array:
        earlier = [other for other in ends if other != name and name != "train"]
        found = np.zeros(len(split), bool)
        known = ~missing(times[name])
        for other in earlier:
            # Written as "not at least" so that whatever cannot be compared offends.
            enough = before(times[name][known], splits.embargo) >= ends[other]
            found[known] |= np.logical_not(enough.astype(bool))
        return found | ~known if earlier else found

    return {"times_within_embargo": by_split(splits, within)}


def measure_later_inputs(splits: Splits) -> Evidence:
    """`times_later_inputs`: how many of a row's moments are later than the row's own; facts: their names."""
    later = {name: _later_inputs(name, split) for name, split in splits.named().items()}
    names = sorted({column for columns in later.values() for column, rows in columns.items() if rows.any()})

    def count(name: str, split: Split) -> Array:
        return np.asarray(sum(later[name].values(), np.zeros(len(split), int)))

    return Evidence({"times_later_inputs": by_split(splits, count)}, tuple(names))


def moment_columns(split: Split) -> list[str]:
    """The names of the inputs that are moments."""
    if not isinstance(split.inputs, Mapping):
        return []
    return sorted(name for name, column in split.inputs.items() if column.dtype.kind == "M")


def _later_inputs(name: str, split: Split) -> dict[str, NDArray[np.bool_]]:
    if split.times is None or not isinstance(split.inputs, Mapping):
        return {}
    times = comparable(split.times, f"times of {name}")[:, None]
    return {
        column: np.asarray((split.inputs[column].reshape(len(split), -1) > times).any(1))
        for column in moment_columns(split)
    }


def before(times: Array, embargo: Any) -> Array:
    """The moments (N,) that lie the embargo before the given ones, none of which is missing.

    Raises:
        DataError: an embargo below 0, or of another unit than the times.

    Example:
        >>> before(np.array(["2024-01-08"], "M8[D]"), timedelta(days=7)).astype("M8[D]")
        array(['2024-01-01'], dtype='datetime64[D]')
    """
    kind = times.dtype.kind
    expected = {"M": "a timedelta", "O": "a timedelta or a number"}.get(kind, "a number")
    span = isinstance(embargo, timedelta | np.timedelta64)
    number = isinstance(embargo, int | float | np.number) and not span
    try:
        if kind == "M" and span and embargo >= type(embargo)(0):
            return np.asarray(times - _timedelta(embargo))
        if kind in "iuf" and number and embargo >= 0:
            wide = kind == "f" or float(embargo) != int(embargo)
            return np.asarray(times.astype(np.float64 if wide else np.int64) - embargo)
        if kind == "O" and (span or number) and embargo >= type(embargo)(0):
            return np.array([*[time - embargo for time in times], None], object)[:-1]
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"embargo must be {expected} of at least 0, got {embargo!r}") from error
    raise DataError(f"embargo must be {expected} of at least 0, as the rows' times are, got {embargo!r}")


def halfway(end: Any, embargo: Any) -> Array:
    """The moment (1,) in the middle of an embargo that begins at `end`."""
    moment = np.array([end])
    return np.asarray(moment + (_timedelta(embargo) if moment.dtype.kind == "M" else embargo) / 2)


def _timedelta(embargo: Any) -> Any:
    import pandas as pd

    # Months have no length, which pandas refuses and numpy only where it must subtract them.
    return pd.Timedelta(embargo).to_timedelta64()


def in_words(embargo: Any) -> str:
    """An embargo as people say it.

    Example:
        >>> in_words(timedelta(days=7)), in_words(3)
        ('7 days', '3')
    """
    if not isinstance(embargo, timedelta | np.timedelta64):
        return str(embargo)
    import pandas as pd

    return str(pd.Timedelta(embargo)).removesuffix(" 00:00:00")


def first_time(times: Array) -> Any:
    """The earliest of comparable times (N,), none of which is missing."""
    return min(times) if times.dtype.kind == "O" else times.min()


def comparable(times: Array, what: str = "times") -> Array:
    """Times (N,) that sort as they happened: text in ISO 8601 as moments, all else as it is.

    What is known without a time zone is the moment in Greenwich, as files are read.

    Args:
        times: when each row happened; no text and None are no moment.
        what: whose times they are, for the message.

    Raises:
        DataError: any other text, whose order would be that of its letters.

    Example:
        >>> comparable(np.array(["2024-01-31", "2024-02-01T00:30+01:00"])).astype("M8[m]")
        array(['2024-01-31T00:00', '2024-01-31T23:30'], dtype='datetime64[m]')
    """
    if not is_text(times):
        return times
    import pandas as pd

    texts = pd.Series(times.astype(str) if times.dtype.kind == "S" else times, dtype=object)
    lost = missing(times) | texts.isin(_NO_MOMENT).to_numpy()
    # Only text: beside it, a number would be read as another moment than it is where it stands alone.
    read = texts.where([isinstance(text, str) for text in texts])
    moments = pd.to_datetime(read, format="ISO8601", errors="coerce", utc=True).dt.tz_convert(None).to_numpy()
    other = int((np.isnat(moments) & ~lost).sum())
    if other:
        # How many, not which: the cell of a private row must not stand in a message.
        raise DataError(
            f"{what} must be moments, numbers, or text in ISO 8601 such as 2024-01-31, "
            f"got others in {other:,} of {len(times):,} rows"
        )
    return np.asarray(moments)


def is_text(times: Array) -> bool:
    """Whether any of the times (N,) is text."""
    if times.dtype.kind == "O":
        return any(isinstance(time, str | bytes) for time in times)
    return times.dtype.kind in "US"


def last_time(times: Array) -> Any:
    """The latest of comparable times (N,) that are known."""
    known = times[~missing(times)]
    if not len(known):
        raise DataError("train has times, but every one of them is missing")
    return max(known) if known.dtype.kind == "O" else known.max()


def missing(times: Array) -> NDArray[np.bool_]:
    """True where a time (N,) is None, NaN, NaT or pandas' NA."""
    import pandas as pd

    return np.asarray(pd.isna(times), bool)


def _times(name: str, split: Split, train: Split) -> Array:
    if split.times is None or train.times is None:
        raise DataError(f"{name} and train must both have times, or neither")
    if _sort_kind(split.times) != _sort_kind(train.times):
        kinds = f"{split.times.dtype} in {name} and {train.times.dtype} in train"
        raise DataError(f"times must be of one type in all splits, got {kinds}")
    return comparable(split.times, f"times of {name}")


def _sort_kind(times: Array) -> str:
    if is_text(times):
        return "M"
    return "number" if times.dtype.kind in "biuf" else times.dtype.kind
