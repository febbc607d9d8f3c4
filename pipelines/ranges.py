"""How wide is the range of learning rates that do about as well as the best, with decay and without?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from data_checks.splits import Split
from pipelines.grid import Grid, Point, as_text, training_form
from pipelines.near import primary_scores, within_one_error
from pipelines.sameness import digest, form_of
from wd_train.answers import SHARES
from wd_train.effects import better_side
from wd_train.outcomes import Diverged, Outcome
from wdgate.evaluation.tasks import Task

if TYPE_CHECKING:
    from pipelines.results import PointResult

FEWEST_RATES = 3
POINT = 0.01
"""How far below the best rate one still does: a point of a share, or a hundredth of any other score."""


@dataclass(frozen=True)
class RateRange:
    """The learning rates around the best one that do about as well, at one setting of everything else.

    Args:
        values: of the other axes.
        weight_decay: at which they were tried.
        rates: all that were tried, in order.
        best: the rate of the best score.
        lowest, highest: of the rates next to one another that are within a standard error, or a point.
        factor: the highest over the lowest.
        open: the range ends at a rate that was the last to be tried, so that it may be wider.
        control: the number of the range without decay in the same list; its own for one without.
        sentence: the same in words; of one with decay, compared with none.
    """

    values: Mapping[str, Any]
    weight_decay: float
    rates: tuple[float, ...]
    best: float
    lowest: float
    highest: float
    factor: float
    open: bool
    control: int
    sentence: str = ""


def rate_ranges(
    task: Task,
    grid: Grid,
    points: Sequence[PointResult],
    outcomes: Sequence[Sequence[Outcome | Diverged]],
    validations: Sequence[Split],
) -> tuple[RateRange, ...]:
    """The range of good rates for each setting of all else, where three rates or more were tried."""
    curves: dict[str, list[int]] = {}
    for number, point in enumerate(grid.points):
        curves.setdefault(_curve(point), []).append(number)
    curves = {key: own for key, own in curves.items() if len(_by_rate(grid, own)) >= FEWEST_RATES}
    order = list(curves)
    found = []
    for place, key in enumerate(order):
        own = _by_rate(grid, curves[key])
        good = _good(task, own, points, outcomes, validations)
        if good is None:
            return ()
        off = _curve(grid.points[grid.points[own[0]].control])
        control = order.index(off) if off in order else place
        found.append(_range(grid, own, good, control))
    return tuple(replace(each, sentence=_sentence(each, found[each.control])) for each in found)


def _curve(point: Point) -> str:
    """Equal for points that differ in their learning rate alone."""
    training = replace(point.training, learning_rate=1.0, weight_decay=0.0)
    coefficient = point.training.weight_decay
    form = training_form(training, {})
    return digest(point.parts, form, form_of(coefficient), form_of(point.rows))


def _by_rate(grid: Grid, numbers: Sequence[int]) -> list[int]:
    rates = {grid.points[number].training.learning_rate: number for number in reversed(numbers)}
    return [rates[rate] for rate in sorted(rates)]


def _good(
    task: Task,
    own: Sequence[int],
    points: Sequence[PointResult],
    outcomes: Sequence[Sequence[Outcome | Diverged]],
    validations: Sequence[Split],
) -> tuple[int, list[bool]] | None:
    """The place of the best rate, and whether each is about as good; None where every one diverged."""
    sign = 1 if better_side(task, task.primary) else -1
    known = [n for n in own if points[n].means and not points[n].diverged]
    if not known:
        return None
    best = max(known, key=lambda n: sign * points[n].means[task.primary])
    top = points[best].means[task.primary]
    margin = POINT if task.primary in SHARES else POINT * abs(top)
    scores = {n: primary_scores(task, outcomes[n], validations[n]) for n in known}

    def good(number: int) -> bool:
        one, other = scores.get(number), scores[best]
        if one is None or other is None:
            return False
        return sign * (top - points[number].means[task.primary]) <= margin or within_one_error(one, other)

    return list(own).index(best), [good(number) for number in own]


def _range(grid: Grid, own: Sequence[int], good: tuple[int, list[bool]], control: int) -> RateRange:
    rates = tuple(grid.points[number].training.learning_rate for number in own)
    first = last = good[0]
    while first > 0 and good[1][first - 1]:
        first -= 1
    while last + 1 < len(rates) and good[1][last + 1]:
        last += 1
    point = grid.points[own[0]]
    shared = {
        name: value
        for name, value in point.values.items()
        if all(repr(grid.points[number].values.get(name)) == repr(value) for number in own)
    }
    return RateRange(
        values={name: as_text(value) for name, value in shared.items()},
        weight_decay=point.training.weight_decay,
        rates=rates,
        best=rates[good[0]],
        lowest=rates[first],
        highest=rates[last],
        factor=rates[last] / rates[first],
        open=first == 0 or last == len(rates) - 1,
        control=control,
    )


def in_words(ranges: Sequence[RateRange]) -> list[str]:
    """What the ranges say, a sentence for all decays of which the same is true."""
    alike: dict[str, list[RateRange]] = {}
    for each in ranges:
        said = each.sentence if not each.weight_decay else _said_of_decay(each)
        alike.setdefault(said, []).append(each)
    return [
        said if not own[0].weight_decay else f"With weight decay {_listed(own)}{said}"
        for said, own in alike.items()
    ]


def _said_of_decay(each: RateRange) -> str:
    return each.sentence.removeprefix(f"With weight decay {each.weight_decay:g}")


def _listed(ranges: Sequence[RateRange]) -> str:
    """Coefficients in words.

    Example:
        >>> from types import SimpleNamespace as Range
        >>> _listed([Range(weight_decay=0.1), Range(weight_decay=1.0), Range(weight_decay=3.0)])
        '0.1, 1 and 3'
    """
    *first, last = [f"{each.weight_decay:g}" for each in ranges]
    return f"{', '.join(first)} and {last}" if first else last


def _sentence(own: RateRange, control: RateRange) -> str:
    others = [f"{name}={value}" for name, value in own.values.items() if name != "weight_decay"]
    where = f" ({' '.join(others)})" if others else ""
    if not own.weight_decay:
        return f"Without decay{where}, {_told(own)}."
    wider = math.log2(own.factor) - math.log2(control.factor)
    compared = (
        "as wide as"
        if abs(wider) < 1e-9
        else f"{abs(wider):.1f} octaves {'wider' if wider > 0 else 'narrower'} than"
    )
    return f"With weight decay {own.weight_decay:g}{where}, {_told(own)}. That is {compared} without."


def _told(own: RateRange) -> str:
    more = "; the range may be wider, for it ends at the last rate that was tried" if own.open else ""
    if own.factor == 1:
        return f"no other learning rate does about as well as {own.best:g}{more}"
    ends = f"{own.lowest:g} to {own.highest:g} (a factor of {own.factor:.3g})"
    return f"learning rates of {ends} do about as well as the best{more}"
