"""Were gaps filled with what test rows say?

A filled gap is a value that comes again and again and that is the mean, or the median, of all others. Where
it is that of train and test together, and not of train alone, it was computed on both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from data_checks.evidence.columns import Pool, column_of, joined, named_values, pool, why_no_columns
from data_checks.evidence.preparation import (
    DOUBLE,
    ByName,
    Floats,
    Prepared,
    exactness,
    finite,
    flagged,
    is_round,
    numbers_by_split,
    one_each,
    poolings,
)
from data_checks.evidence.table import Evidence
from data_checks.splits import Array, Splits

FEWEST = 5
"""A value that comes less often in the sample is not taken for a filled gap."""
_CANDIDATES = 3
_NEIGHBOURS = 5
_SPIKE = 6.0
_MOST_DECIMALS = 6
# Of values that come more often than this, one that comes still more often may be there by nature.
_NATURAL = 3


def measure(splits: Splits) -> Evidence:
    """`filled_on_more`: how many columns were filled on more than train; the facts are a `Prepared` each."""
    rows, over = pool(splits), poolings(splits)
    sampled = [dict(named_values(part)) for part in rows.parts.values()]
    told: list[Prepared] = []
    for name, values in numbers_by_split(splits, "fiu"):
        few = _sample(name, sampled, rows)
        candidates = frequent(few)
        if len(candidates):
            told += _filled(name, values, candidates, spikes(few, candidates), over)
    facts = one_each(told)
    return Evidence(flagged(splits, "filled_on_more", facts), facts)


def _sample(name: str, sampled: list[dict[str, Array]], rows: Pool) -> Floats:
    numbers = column_of(name, joined([columns[name] for columns in sampled])[rows.order]).numbers
    return np.empty(0) if numbers is None else numbers[np.isfinite(numbers)]


def frequent(values: Floats) -> Floats:
    """The few values (k,) that come most often among (n,), if they come often enough."""
    unique, counts = np.unique(values, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_CANDIDATES]
    return unique[order[counts[order] >= FEWEST]]


def spikes(values: Floats, candidates: Floats) -> Floats:
    """The candidates (k,) that come much more often among (n,) than values next to them, which are rare.

    Example:
        >>> spikes(np.r_[np.arange(100.0), np.full(20, 41.0)], np.array([41.0, 42.0])).tolist()
        [41.0]
    """
    unique, counts = np.unique(values, return_counts=True)
    kept = []
    for candidate in candidates.tolist():
        place = int(np.searchsorted(unique, candidate))
        around = np.r_[counts[max(0, place - _NEIGHBOURS) : place], counts[place + 1 :][:_NEIGHBOURS]]
        usual = float(around.mean()) if len(around) else 0.0
        # The least and the largest value often stand out, as nothing and all, and are no median.
        if (
            0 < place < len(unique) - 1
            and usual <= _NATURAL
            and counts[place] >= FEWEST + usual + _SPIKE * usual**0.5
        ):
            kept.append(candidate)
    return np.array(kept)


@dataclass(frozen=True, eq=False)
class _Gap:
    """A value of a column that may have filled gaps, all others by split, and how exact they are."""

    column: str
    value: float
    others: ByName
    exact: float


def _filled(
    name: str, values: Mapping[str, Array], candidates: Floats, spikes: Floats, over: list[tuple[str, ...]]
) -> Iterator[Prepared]:
    exact = exactness(values) if values["train"].dtype.kind == "f" else DOUBLE
    numbers = finite(values)
    for value in candidates.tolist():
        gap = _Gap(name, value, {part: rows[rows != value] for part, rows in numbers.items()}, exact)
        if not exact or not len(gap.others["train"]):
            continue
        if could_be_a_mean(value, gap.others):
            yield from _filled_with("mean", is_mean, gap, over)
        # Where several values stand out, it is by nature: 2, 3 and 4 among ratios.
        if spikes.tolist() == [value] and is_exact(value, gap.others):
            yield from _filled_with("median", is_median, gap, over)


def could_be_a_mean(value: float, others: ByName) -> bool:
    """Whether a value has more decimals than all others, or those have many; a mean mostly does."""
    decimals = _decimals(others)
    return decimals > _MOST_DECIMALS or not is_round(np.array([value]), decimals)


def is_exact(value: float, others: ByName) -> bool:
    """Whether a value has as many decimals as others; zero, and what stands out by nature, mostly has not."""
    return not is_round(np.array([value]), _decimals(others) - 1)


def _decimals(others: ByName) -> int:
    """How many decimals values have; one more than six, where they have more."""
    every = np.concatenate(list(others.values()))
    tried = range(_MOST_DECIMALS + 1)
    return next((d for d in tried if is_round(every[:1000], d) and is_round(every, d)), _MOST_DECIMALS + 1)


def _filled_with(
    word: str, fits: Callable[[_Gap, Floats, float], bool], gap: _Gap, over: list[tuple[str, ...]]
) -> Iterator[Prepared]:
    if fits(gap, gap.others["train"], 10.0):
        return
    for splits in over:
        if fits(gap, np.concatenate([gap.others[part] for part in splits]), 1.0):
            yield Prepared(gap.column, f"gaps filled with the {word}", splits)


def is_mean(gap: _Gap, others: Floats, slack: float) -> bool:
    """Whether the value is the mean of other values (n,), but for rounding."""
    step = gap.exact * max(float(others.std()), float(np.finfo(float).tiny))
    return abs(float(others.mean()) - gap.value) <= slack * step


def is_median(gap: _Gap, others: Floats, slack: float) -> bool:
    """Whether as many values (n,) are below as above, but for a few that were equal by nature."""
    return abs(int((others < gap.value).sum()) - int((others > gap.value).sum())) <= _NATURAL


def why_not(splits: Splits) -> str:
    """Why filled gaps cannot be told from these columns, or nothing."""
    numbers = any(numbers_by_split(splits, "fiu"))
    return why_no_columns(splits) or ("" if numbers else "no column holds numbers")
