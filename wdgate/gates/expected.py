"""What would a model score on new rows, where others were judged on the same rows before?

The score that got a model promoted is better than the model: of many, the one was taken that happened to suit
these rows. By how much is told by how far all models that were judged on these rows lie apart. If no further
than chance moves them, they are equally good as far as these rows know, and each is expected at their mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from wdgate.evaluation.evaluation import Evaluation, Incomparable
from wdgate.evaluation.tasks import Task
from wdgate.gates.measuring import improvement, incomparable, measured
from wdgate.gates.sentences import SHARES, spoken

# As much of the spread is taken for chance as chance exceeds in one case of ten. The unbiased choice, the
# mean of chi-squared, overstates what was selected, because the selected are those that chance has spread.
TAKEN_FOR_CHANCE = 0.9
# However alike two models are, so much of the variance is taken to be their own: a candidate that differs
# from the champion on two rows has inherited its luck, which their difference does not show.
LEAST_OWN = 0.25
# Models further from the median than so many standard deviations are of another kind.
OF_ONE_KIND = 3.0
# Bounds at this error probability are one standard error from what was observed.
ONE_SIGMA = float(special.ndtr(-1.0))


@dataclass(frozen=True)
class Expected:
    """What a model is expected to score on new rows.

    Args:
        observed: its score on the rows that it was judged on.
        value: the expected score, in the same unit.
        error: the standard deviation of the true score around `value`.
        looks: how many models were judged on these rows, this one included.
        shrinkage: the share of the distance to the mean of all that is taken for luck, 0 to 1.
    """

    observed: float
    value: float
    error: float
    looks: int
    shrinkage: float

    def between(self, level: float = 0.95) -> tuple[float, float]:
        """The interval that holds the true score with probability `level`, by the normal distribution."""
        reach = float(special.ndtri((1 + level) / 2)) * self.error
        return self.value - reach, self.value + reach

    def sentence(self, score: str) -> str:
        """The same for a reader who is no specialist.

        Example:
            >>> print(Expected(0.934, 0.921, 0.01, 7, 0.8).sentence("accuracy"))
            Accuracy is 93.4 % on test rows that were used 7 times; about 92.1 % is to be expected on new ...
        """
        name = spoken(score)
        seen = f"{name[0].upper()}{name[1:]} is {_said(score, self.observed)} on test rows that"
        if self.looks == 1:
            return f"{seen} no other model was judged on."
        value = _said(score, self.value)
        return f"{seen} were used {self.looks} times; about {value} is to be expected on new rows."


def expected_on_new_rows(
    observed: float,
    standard_error: float,
    earlier: Sequence[float] = (),
    later: Sequence[float] = (),
    *,
    own_error: float | None = None,
    higher_is_better: bool = True,
) -> Expected:
    """The empirical Bayes estimate of a model's score on new rows, from all judged on the same rows.

    The mean of all plus (1 - shrinkage) times the distance from it (James & Stein 1961, positive part; Efron
    2011 on selection). The shrinkage is c v / S, at most 1: S is the sum of squared distances from the mean,
    v the variance of a score around its truth, and c the .9 quantile of chi-squared with K - 1 degrees of
    freedom for K models, where the unbiased choice would be K - 1. Of one model alone nothing is known but
    its score.

    Later models can lower what is expected of a champion, for the lucky one is not displaced; they do not
    raise it, for they may be better.

    Args:
        observed: the mean score, or metric, of the model in question.
        standard_error: of `observed`, on as many rows.
        earlier: what other models reached on these rows before, whether they were promoted or not.
        later: likewise, after it.
        own_error: the part of the standard error that two models on the same rows do not share: that of their
            difference, divided by the root of 2. At least half of it; all of it where nothing is given,
            which shrinks most.
        higher_is_better: which side of two estimates is the lower one.

    Example:
        >>> seen = [0.861, 0.844, 0.853, 0.850, 0.869, 0.842]
        >>> found = expected_on_new_rows(0.894, 0.0163, seen)
        >>> round(found.value, 3), found.looks, round(found.shrinkage, 2)
        (0.859, 7, 1.0)
    """
    least = LEAST_OWN**0.5 * standard_error
    own = standard_error if own_error is None else min(max(own_error, least), standard_error)
    # What shrinking may take off the error is what is known to be a model's own.
    error = (standard_error, least if own_error is None else own)
    first = _shrunk(observed, own, error, earlier)
    if not len(later):
        return first
    now = _shrunk(observed, own, error, [*earlier, *later])
    lower = now.value < first.value if higher_is_better else now.value > first.value
    kept = now if lower else first
    return Expected(observed, kept.value, kept.error, now.looks, kept.shrinkage)


def expected_of(
    score: str,
    ours: Evaluation,
    theirs: Evaluation | Incomparable | None,
    task: Task,
    earlier: Sequence[float] = (),
) -> Expected | None:
    """What a model is expected to reach in a score or metric; None where it was not measured.

    Args:
        score: the name of a score, or of a metric.
        ours: the model in question.
        theirs: another one on the same rows, such as the champion: it tells how much of the error is shared.
        task: what is predicted, and how it is scored.
        earlier: what other models reached in the same score on these rows.
    """
    bounds = measured(score, ours, task, ONE_SIGMA)
    if bounds is None or not np.isfinite([bounds.observed, bounds.lower, bounds.upper]).all():
        return None
    error, own = (bounds.upper - bounds.lower) / 2, None
    if theirs is not None and incomparable(score, ours, theirs) is None and isinstance(theirs, Evaluation):
        apart = improvement(score, ours, theirs, task, ONE_SIGMA)
        width = (apart.upper - apart.lower) / 2 / math.sqrt(2)
        own = width if math.isfinite(width) else None
    return expected_on_new_rows(bounds.observed, error, earlier, own_error=own)


def _shrunk(observed: float, own: float, error: tuple[float, float], others: Sequence[float]) -> Expected:
    known = np.asarray(others, np.float64)
    known = known[np.isfinite(known)]
    scores = np.append(_of_one_kind(known, observed, own), observed)
    count, mean = len(scores), float(scores.mean())
    spread = float(((scores - mean) ** 2).sum())
    chance = own**2 * float(special.chdtri(count - 1, 1 - TAKEN_FOR_CHANCE)) if count > 1 else 0.0
    shrinkage = min(1.0, chance / spread) if spread > 0 else 0.0
    distance = observed - mean
    unsure = _posterior_error(*error, shrinkage, distance, count)
    return Expected(observed, mean + (1 - shrinkage) * distance, unsure, len(known) + 1, shrinkage)


def _of_one_kind(known: NDArray[np.float64], observed: float, own: float) -> NDArray[np.float64]:
    """The scores that tell how far apart such models lie, without those of broken ones.

    One model at 50 % among twenty at 85 % would make all differences look real, and nothing would shrink.
    """
    everybody = np.append(known, observed)
    away = np.abs(known - np.median(everybody))
    # The median distance from the median, in standard deviations of a normal distribution.
    usual = 1.4826 * float(np.median(np.abs(everybody - np.median(everybody))))
    kept: NDArray[np.float64] = known[away <= OF_ONE_KIND * max(usual, own)]
    return kept


def _posterior_error(error: float, own: float, shrinkage: float, distance: float, count: int) -> float:
    """What is not known: the luck that all share, what is left of a model's own, and how much to shrink.

    The last is that of Morris (1983, JASA 78), which takes four models or more; with fewer it is as large as
    can be.
    """
    left = error**2 - own**2 * shrinkage * (1 - 1 / count)
    unsure = min(1.0, 2 / max(count - 3, 1)) * (shrinkage * distance) ** 2
    return math.sqrt(left + unsure)


def _said(score: str, value: float) -> str:
    if SHARES.fullmatch(score.removeprefix("corrupted_")):
        return f"{round(100 * value, 1) + 0.0:.1f}".removesuffix(".0") + " %"
    return f"{value:.3g}"
