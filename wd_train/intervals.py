"""How far may an effect be from the measured one, with other seeds and on other rows?

Seeds and rows are crossed: each pair of trainings, one a seed, is compared on the same rows. The variance of
the mean difference has a part of the seeds, a part of the rows, and what is left in the single cells
(Cameron, Gelbach & Miller 2011; Owen 2007). The parts are known from few seeds and many rows, so that one
number of degrees of freedom for their sum (Satterthwaite 1946) covers too rarely: 89 % instead of 95 % with
two seeds that differ. Each part has its own quantile instead, and the squares are added, as Howe (1974) does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wdgate.gates.bounds import linearized, studentized
from wdgate.gates.paired import tango
from wdgate.gates.resampling import jackknife

Floats = NDArray[np.floating]
Positions = NDArray[np.intp]

TAIL = 0.025
"""The error probability of each end of an interval."""


@dataclass(frozen=True, eq=False)
class Differences:
    """What P pairs of trainings say about a difference, on U independent units of rows.

    Args:
        means: the difference in each pair (P,).
        deviations: what each unit adds to it (P, U); each row adds up to 0.
        better, worse: shares of the cells, a pair and a row, in which a score of 0 and 1 changed; None for
            other scores.
    """

    means: Floats
    deviations: Floats
    better: float | None = None
    worse: float | None = None

    @property
    def mean(self) -> float:
        """The mean over the pairs."""
        return float(self.means.mean())


def of_rows(
    with_decay: Floats,
    without: Floats,
    groups: NDArray[Any] | None = None,
    weights: Floats | None = None,
) -> Differences:
    """The differences of scores (P, N) of the same rows; a unit is a row, or a group of rows.

    Example:
        >>> of_rows(np.array([[1.0, 1.0]]), np.array([[0.0, 1.0]])).means
        array([0.5])
    """
    change = np.asarray(with_decay, np.float64) - without
    pairs = [linearized(each, groups, weights) for each in change]
    found = np.array([pair.mean for pair in pairs]), np.stack([pair.deviations for pair in pairs])
    if not np.isin([with_decay, without], (0.0, 1.0)).all():
        return Differences(*found)
    better, worse = (linearized(sign.mean(axis=0), None, weights).mean for sign in (change > 0, change < 0))
    return Differences(*found, better, worse)


def of_metric(
    measures: Sequence[Callable[[Positions], float]], rows: int, groups: NDArray[Any] | None = None
) -> Differences:
    """The differences of a metric that is no mean of rows, by the jackknife over up to 200 blocks of units.

    Args:
        measures: of each pair, the difference on the rows at these positions (P,).
        rows: how many there are.
        groups: the unit of each row (N,).
    """
    pairs = [jackknife(measure, rows, groups) for measure in measures]
    return Differences(np.array([mean for mean, _ in pairs]), np.stack([units for _, units in pairs]))


def interval(differences: Differences) -> tuple[float, float]:
    """The 95 % interval of the mean difference, for other seeds and other rows.

    From one pair it is for other rows alone. It is never narrower than the interval of the rows, or that of
    the seeds. NaN with fewer than two units.

    Example:
        >>> agree = of_rows(np.eye(40)[:3] + 0.5, np.eye(40)[:3])
        >>> [round(bound, 3) for bound in interval(agree)]
        [0.5, 0.5]
    """
    mean, deviations = differences.mean, differences.deviations
    lower, upper = _row_bounds(differences)
    if not len(differences.means) > 1:
        return lower, upper
    # The rows of one seed and those of another share what is the rows' own; the rest is in the seeds' part.
    own = max(0.0, 1 - _ratio(_cell_variance(deviations), _row_variance(deviations)))
    seeds = _quantile(len(differences.means) - 1) ** 2 * _seed_variance(differences.means)
    down, up = (max(math.sqrt(seeds + own * part**2), part) for part in (mean - lower, upper - mean))
    if differences.better is None:
        return mean - down, mean + up
    # A share changes by 1 at most.
    return max(mean - down, -1.0), min(mean + up, 1.0)


def mean_interval(values: Floats) -> tuple[float, float]:
    """The 95 % interval of a mean by Student's t, from independent values (n,); infinite for one value.

    Example:
        >>> [round(bound, 3) for bound in mean_interval(np.array([1.0, 2.0, 3.0]))]
        [-0.484, 4.484]
    """
    if len(values) < 2:
        return -math.inf, math.inf
    half = _quantile(len(values) - 1) * math.sqrt(_seed_variance(values))
    return float(values.mean()) - half, float(values.mean()) + half


def _row_bounds(differences: Differences) -> tuple[float, float]:
    """Bounds of the mean for other rows and these seeds."""
    mean, units = differences.mean, differences.deviations.mean(axis=0)
    lower, upper = studentized(mean, units, TAIL)
    if differences.better is None or differences.worse is None or not len(units) > 1:
        return lower, upper
    # Changes of a few rows, or of none, tell little of how often rows change; Tango's interval knows that.
    rows = _effective_rows(differences)
    least, most = tango(differences.better * rows, differences.worse * rows, rows, TAIL)
    return min(lower, least), max(upper, most)


def _effective_rows(differences: Differences) -> float:
    """How many independent rows of one pair would say as much: all units where no cell changed."""
    better, worse = differences.better or 0.0, differences.worse or 0.0
    pairs, units = differences.deviations.shape
    variance = _row_variance(differences.deviations)
    single = better + worse - (better - worse) ** 2
    return min(single / variance, float(pairs * units)) if variance > 0 and single > 0 else float(units)


def _seed_variance(means: Floats) -> float:
    return float(means.var(ddof=1)) / len(means)


def _row_variance(deviations: Floats) -> float:
    units = deviations.shape[1]
    return float((deviations.mean(axis=0) ** 2).sum()) * units / (units - 1) if units > 1 else math.nan


def _cell_variance(deviations: Floats) -> float:
    pairs, units = deviations.shape
    rest = deviations - deviations.mean(axis=0)
    return float((rest**2).sum()) * units / (units - 1) / (pairs * (pairs - 1)) if units > 1 else math.nan


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 1.0


def _quantile(freedom: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 1 - TAIL))
