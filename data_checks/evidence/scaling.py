"""Was a column scaled by what test rows say?

A scaler leaves exact traces over the rows that it was fitted on: a mean of 0, a range from 0 to 1. Where the
trace is there over train and test together, and not over train alone, it was fitted on both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from data_checks.evidence.columns import why_no_columns
from data_checks.evidence.preparation import (
    ByName,
    Floats,
    Prepared,
    exactness,
    finite,
    flagged,
    is_round,
    is_written,
    numbers_by_split,
    one_each,
    poolings,
)
from data_checks.evidence.table import Evidence
from data_checks.splits import Array, Splits

_FIRST_VALUES = 2000


@dataclass(frozen=True)
class Moments:
    """Number, sum, sum of squares, least and largest of some values; they add up over splits."""

    count: float
    total: float
    squares: float
    least: float
    largest: float

    @classmethod
    def of(cls, values: Floats) -> Moments:
        """Of values (n,)."""
        if not len(values):
            return cls(0, 0, 0, np.inf, -np.inf)
        with np.errstate(over="ignore"):
            squares = float(np.square(values).sum())
            return cls(len(values), float(values.sum()), squares, float(values.min()), float(values.max()))

    @classmethod
    def over(cls, parts: Iterable[Moments]) -> Moments:
        """Of the values of all parts."""
        count, total, squares, least, largest = zip(
            *((p.count, p.total, p.squares, p.least, p.largest) for p in parts), strict=True
        )
        return cls(sum(count), sum(total), sum(squares), min(least), max(largest))

    @property
    def mean(self) -> float:
        """The mean; 0 of nothing."""
        return self.total / max(self.count, 1)

    @property
    def deviation(self) -> float:
        """The standard deviation (dividing by n)."""
        with np.errstate(over="ignore", invalid="ignore"):
            return float(np.sqrt(max(self.squares / max(self.count, 1) - np.square(self.mean), 0)))


def standardized(moments: Moments, exact: float) -> bool:
    """Whether the mean is 0 and the deviation 1, dividing by n or by n - 1."""
    deviations = (moments.deviation, moments.deviation * (moments.count / max(moments.count - 1, 1)) ** 0.5)
    return centred(moments, exact) and any(abs(deviation - 1) <= exact for deviation in deviations)


def centred(moments: Moments, exact: float) -> bool:
    """Whether the mean is 0."""
    return moments.deviation > 0 and abs(moments.mean) <= exact * moments.deviation


def in_range(moments: Moments, exact: float) -> bool:
    """Whether the values reach from 0 to 1, or from -1 to 1."""
    return abs(moments.largest - 1) <= exact and min(abs(moments.least), abs(moments.least + 1)) <= exact


def of_largest_1(moments: Moments, exact: float) -> bool:
    """Whether the largest value without its sign is 1."""
    return abs(max(abs(moments.least), abs(moments.largest)) - 1) <= exact


@dataclass(frozen=True)
class Scaler:
    """One way of scaling.

    Args:
        how: its trace, in words.
        traced: whether it is seen in the moments of values.
        share: of the columns that could have it, how many must, so that it is no chance.
        by_chance: whether values (n,) are such that they may have it by chance; those columns do not count.
    """

    how: str
    traced: Callable[[Moments, float], bool]
    share: float
    by_chance: Callable[[Floats], bool]


SCALERS = (
    Scaler("mean 0 and deviation 1", standardized, 0.0, is_round),
    Scaler("mean 0", centred, 0.5, is_round),
    Scaler("a range from 0 or -1 to 1", in_range, 0.5, is_written),
    Scaler("a largest value of 1", of_largest_1, 0.5, is_written),
)
ROBUST = Scaler("median 0 and interquartile range 1", lambda moments, exact: False, 0.0, is_round)


@dataclass(frozen=True)
class Trace:
    """Whether a column looks as if a scaler had been fitted on some splits, on train, or by chance."""

    prepared: Prepared
    scaler: Scaler
    seen: bool
    on_train: bool
    by_chance: bool


def measure(splits: Splits) -> Evidence:
    """`scaled_on_more`: how many columns were scaled on more than train; the facts are a `Prepared` each."""
    over = poolings(splits)
    traces = [t for name, values in numbers_by_split(splits) for t in traces_of(name, values, over)]
    facts = one_each(_believed(traces))
    return Evidence(flagged(splits, "scaled_on_more", facts), facts)


def _believed(traces: list[Trace]) -> list[Prepared]:
    """What was scaled on more than train, where so many columns were that it is no chance."""
    alike: dict[tuple[str, tuple[str, ...]], list[Trace]] = {}
    for trace in traces:
        alike.setdefault((trace.prepared.how, trace.prepared.over), []).append(trace)
    return [
        trace.prepared
        for group in alike.values()
        if _no_chance(group)
        for trace in group
        if trace.seen and not trace.on_train and (trace.scaler.share or not trace.by_chance)
    ]


def _no_chance(group: list[Trace]) -> bool:
    """Whether enough of the columns that would not have a trace by chance have it; then others count too."""
    telling = [trace.seen for trace in group if not trace.by_chance]
    return any(telling) and sum(telling) >= group[0].scaler.share * len(telling)


def traces_of(name: str, values: Mapping[str, Array], poolings: list[tuple[str, ...]]) -> list[Trace]:
    """What scalers could have left behind in one column, over each set of splits."""
    exact, numbers = exactness(values), finite(values)
    if not exact or not len(numbers["train"]) or all(is_round(rows, 0) for rows in numbers.values()):
        return []
    moments = {part: Moments.of(rows) for part, rows in numbers.items()}
    found = []
    for scaler in (*SCALERS, ROBUST):
        by_chance = _by_chance(scaler, numbers)
        on_train = _traced(scaler, ("train",), numbers, moments, exact)
        for over in poolings:
            seen = _traced(scaler, over, numbers, moments, exact)
            found.append(Trace(Prepared(name, scaler.how, over), scaler, seen, on_train, by_chance))
    return found


def _traced(
    scaler: Scaler, over: tuple[str, ...], numbers: ByName, moments: Mapping[str, Moments], exact: float
) -> bool:
    if scaler is ROBUST:
        return _robust([numbers[part] for part in over], exact)
    return scaler.traced(Moments.over(moments[part] for part in over), exact)


def _robust(parts: list[Floats], exact: float) -> bool:
    """Whether the median is 0 and the interquartile range 1; a few values tell nearly always that not."""
    few = np.concatenate([part[:: len(part) // _FIRST_VALUES + 1] for part in parts])
    if not _within(few, 0.3):
        return False
    return _within(np.concatenate(parts), exact)


def _within(values: Floats, exact: float) -> bool:
    if not len(values):
        return False
    low, middle, high = np.percentile(values, (25, 50, 75))
    return bool(abs(middle) <= exact and abs(high - low - 1) <= exact)


def _by_chance(scaler: Scaler, numbers: ByName) -> bool:
    """Whether the values may have the trace by chance; a few of them nearly always tell that not."""
    few = np.concatenate([rows[:_FIRST_VALUES] for rows in numbers.values()])
    return is_round(few) and scaler.by_chance(np.concatenate(list(numbers.values())))


def why_not(splits: Splits) -> str:
    """Why scalers cannot be told from these columns, or nothing."""
    return why_no_columns(splits) or ("" if any(numbers_by_split(splits)) else "no column holds fractions")
