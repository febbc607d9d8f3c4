"""How often does each gate let a model pass that is exactly as bad as it must refuse, and stop a good one?"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gates import broken, effect, worlds
from wdgate.evaluation.scores import r2
from wdgate.gates.bounds import Bounds, clopper_pearson, linearized, unit_bounds
from wdgate.gates.gap_gate import recovered
from wdgate.gates.gates import ABOVE_ZERO
from wdgate.gates.paired import tango, unit_difference_bounds
from wdgate.gates.resampling import jackknife_bounds

ALPHA, LOOKS = 0.05, (1, 5, 20)
ROWS, SIZES = (360, 1_000, 10_000), (1, 10, 100)
AT_ONCE = 2_000_000
MOST = 20_000_000
"""Numbers that are drawn for one line of the table; with more rows there are fewer simulations."""


@dataclass(frozen=True)
class Contest:
    """A gate, and the models that it is asked about.

    Args:
        name: the gate.
        draw: `draw(generator, times, groups, size, truth)` gives test sets.
        passes: `passes(drawn, size, alpha)` says of each whether the gate lets it pass.
        edge, good: the truth of a model that must not pass, and of one that should.
        most: the most simulations.
        counts: whether independent rows are drawn as counts, so that their number costs nothing.
    """

    name: str
    draw: Callable[..., Any]
    passes: Callable[[Any, int, float], np.ndarray]
    edge: float
    good: float
    most: int = 40_000
    counts: bool = False


def accuracy(drawn, size, alpha, limit=0.88):
    """at_least accuracy .88: Clopper and Pearson, on groups by their effective number."""
    return _share_bounds(drawn[1], size, drawn[0], alpha)[0] >= limit


def gap_to_train(drawn, size, alpha, limit=0.08):
    """gap_at_most accuracy .08: 1,000 independent train rows beside the test rows."""
    rows, (train, test) = drawn
    ours = Bounds(train / 1000, *clopper_pearson(train, 1000, alpha), 1000)
    mean = test[:, 0] / rows if size == 1 else test.mean(axis=1)
    return recovered(ours, Bounds(mean, *_share_bounds(test, size, rows, alpha), rows))[1] <= limit


def no_worse(drawn, size, alpha, margin=0.03):
    """no_worse accuracy by .03 at 6 % disagreement: Tango, on groups by their effective number."""
    rows, (better, worse) = drawn
    if size == 1:
        return tango(better[:, 0], worse[:, 0], rows, alpha)[0] >= -margin
    units = linearized(better - worse, each=size)
    return unit_difference_bounds(units, better.mean(axis=1), worse.mean(axis=1), alpha)[0] >= -margin


def within(drawn, size, alpha, limit=0.06):
    """within confidence_gap .06: studentized."""
    lower, upper = unit_bounds(linearized(drawn[1], each=size), alpha, False, (-1.0, 1.0))
    return (lower >= -limit) & (upper <= limit)


def robust(drawn, size, alpha, limit=0.75):
    """robust .75: studentized."""
    return unit_bounds(linearized(drawn[1], each=size), alpha, False, (0.0, 1.0))[0] >= limit


def skill(drawn, size, alpha):
    """skill: studentized."""
    return unit_bounds(linearized(drawn[1], each=size), alpha, False)[0] >= ABOVE_ZERO


def explained(drawn, size, alpha, limit=0.5):
    """at_least r2 .5: the jackknife."""
    rows, (predicted, targets) = drawn
    groups = None if size == 1 else np.arange(rows) // size
    bounds = [
        jackknife_bounds(lambda some, p=p, t=t: r2(p[some], t[some]), rows, alpha, groups)
        for p, t in zip(predicted, targets, strict=True)
    ]
    return np.array([b.lower for b in bounds]) >= limit


def _with_train(draw, times, groups, size, gap):
    return draw.binomial(1000, 0.95, times), worlds.shares(draw, times, groups, size, 0.95 - gap)


CONTESTS = (
    Contest("WD202 accuracy .88", worlds.shares, accuracy, 0.88, 0.93, counts=True),
    Contest("WD203 confidence gap .06", worlds.gaps, within, 0.06, 0.01),
    Contest("WD204 robust .75", worlds.corrupted, robust, 0.75, 0.82),
    Contest("WD205 accuracy, margin .03", worlds.pairs, no_worse, -0.03, 0.0, counts=True),
    Contest("WD207 skill", worlds.gains, skill, 0.0, 0.1),
    Contest("WD212 gap .08", _with_train, gap_to_train, 0.08, 0.03, counts=True),
    Contest("WD202 R2 .5, jackknife", worlds.errors, explained, 0.5, 0.6, most=400),
)


def rate(contest: Contest, rows: int, size: int, truth: float, most: int) -> tuple[list[float], int]:
    """The share of test sets on which a gate lets a model pass, by looks, and of how many they are."""
    groups = max(rows // size, 2)
    drawn = groups if contest.counts and size > 1 else 1 if contest.counts else groups * size
    times = max(100, min(most, contest.most, MOST // drawn))
    step, draw = max(1, AT_ONCE // drawn), np.random.default_rng(rows + size)
    passed = np.zeros(len(LOOKS))
    for start in range(0, times, step):
        sets = contest.draw(draw, min(step, times - start), groups, size, truth)
        for place, looks in enumerate(LOOKS):
            passed[place] += contest.passes((groups * size, sets), size, ALPHA / looks).sum()
    return (passed / times).tolist(), times


def compare(quick: bool) -> None:
    """Print a line a gate, a number of rows and a size of groups."""
    print("A model exactly at the edge passes, by looks (nominal .0500 .0100 .0025); a good one is blocked")
    head = f"{'gate':27} {'rows':>6} {'group':>6} {'simulated':>10}"
    print(f"{head} {_three(LOOKS, 'd')}   blocked:{LOOKS[0]:>2} {LOOKS[1]:>6} {LOOKS[2]:>6}")
    began = time.perf_counter()
    for contest, rows, size in itertools.product(CONTESTS, ROWS, SIZES):
        if contest.name.endswith("jackknife") and (rows > 1000 or size > 10):
            continue  # 200 measurements a bound
        _line(contest, rows, size, 400 if quick else 40_000)
    effect.compare(quick)
    broken.compare(quick)
    print(f"{time.perf_counter() - began:.0f} s")


def _line(contest: Contest, rows: int, size: int, most: int) -> None:
    wrong, times = rate(contest, rows, size, contest.edge, most)
    right, _ = rate(contest, rows, size, contest.good, max(100, most // 10))
    false, blocked = (_three(each, ".4f") for each in (wrong, 1 - np.array(right)))
    print(f"{contest.name:27} {rows:>6,} {size:>6} {times:>10,} {false}    {blocked}")


def _three(values, form):
    return " ".join(f"{value:7{form}}" for value in values)


def _share_bounds(shares, size, rows, alpha):
    if size == 1:
        return clopper_pearson(shares[:, 0], rows, alpha)
    return unit_bounds(linearized(shares, each=size), alpha, True)
