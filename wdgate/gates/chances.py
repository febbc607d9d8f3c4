"""How likely is a gate to pass a model that should pass, and how many rows make that likely enough?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from wdgate.gates.bounds import clopper_pearson
from wdgate.gates.paired import tango_score

POWER = 0.8
"""A gate decides on so many rows if it lets a model that should pass do so four times in five."""

# A number of rows beyond this is no advice.
MOST_ROWS = 10**9
# Beyond so many disagreements the exact sum takes long, and the normal distribution is as good.
MOST_DISAGREEMENTS = 4000
# Counts further from their mean have a probability below 1e-14.
DEVIATIONS = 8


def chance_of_no_worse(rows: int, margin: float, disagreement: float, alpha: float) -> float:
    """The probability that `no_worse` passes an equally good model: Tango's lower bound is above -margin.

    Args:
        rows: independent test rows, or groups of them.
        margin: the loss that is allowed, a share of rows.
        disagreement: the share of rows that one of the two models gets right and the other wrong.
        alpha: the error probability of this look.

    Returns:
        The exact sum over all counts of rows that either model alone gets right; from 4,000 disagreements on
        the normal approximation of the score test.

    Example:
        >>> round(chance_of_no_worse(888, margin=0.03, disagreement=0.06, alpha=0.0025), 2)
        0.74
    """
    if rows * disagreement > MOST_DISAGREEMENTS:
        return _normal_chance(rows, margin, disagreement, alpha)
    half = disagreement / 2
    # Either model alone is right on so many rows; given the one count, the other is binomial too.
    better, worse = _likely(rows, half)[:, None], _likely(rows, half)[None, :]
    chances = stats.binom.pmf(better, rows, half) * stats.binom.pmf(worse, rows - better, half / (1 - half))
    possible = better + worse <= rows
    passes = tango_score(better, worse, rows, -margin) >= special.ndtri(1 - alpha)
    return float((chances * (passes & possible)).sum())


def rows_for_no_worse(margin: float, disagreement: float, alpha: float, power: float = POWER) -> int | None:
    """How many independent rows let `no_worse` pass an equally good model with probability `power`.

    None where it would take more than a thousand million.

    Example:
        >>> [rows_for_no_worse(m, disagreement=0.06, alpha=0.0025) for m in (0.03, 0.02)]
        [987, 2106]
    """
    return fewest(lambda rows: chance_of_no_worse(rows, margin, disagreement, alpha) >= power)


def textbook_rows(margin: float, disagreement: float, alpha: float, power: float = POWER) -> float:
    """What textbooks say instead: (z(1 - alpha) + z(power))^2 x disagreement / margin^2.

    Its variance is that of two equally good models; a score interval takes that of models a margin apart,
    which is larger where few rows disagree. So the gate itself needs more rows.

    Example:
        >>> [round(textbook_rows(m, disagreement=0.06, alpha=0.0025)) for m in (0.03, 0.02, 0.01)]
        [888, 1997, 7988]
    """
    quantiles = special.ndtri(1 - alpha) + special.ndtri(power)
    return float(quantiles**2 * disagreement / margin**2)


def chance_of_limit(rows: int, limit: float, share: float, alpha: float) -> float:
    """The probability that `at_least` passes a model whose true share of right rows is `share`: exact.

    Example:
        >>> round(chance_of_limit(700, limit=0.88, share=0.93, alpha=0.0025), 2)
        0.95
    """
    needed = fewest(lambda right: right <= rows and clopper_pearson(right, rows, alpha)[0] >= limit, rows)
    return 0.0 if needed is None else float(stats.binom.sf(needed - 1, rows, share))


def rows_for_limit(limit: float, share: float, alpha: float, power: float = POWER) -> int | None:
    """How many independent rows let `at_least` pass a model that is right on a `share` of all rows.

    None where it would take more than a thousand million, as it does where the share is not above the limit.

    Example:
        >>> rows_for_limit(limit=0.88, share=0.93, alpha=0.0025)
        480
    """
    if not share > limit:
        return None
    return fewest(lambda rows: chance_of_limit(rows, limit, share, alpha) >= power)


def _normal_chance(rows: int, margin: float, disagreement: float, alpha: float) -> float:
    # The score of the expected counts, and its spread: that of two equal models over that of a margin apart.
    half = rows * disagreement / 2
    expected = float(tango_score(half, half, rows, -margin))
    spread = float(expected * np.sqrt(rows * disagreement) / (rows * margin))
    return float(special.ndtr((expected - special.ndtri(1 - alpha)) / spread))


def _likely(rows: int, share: float) -> NDArray[np.intp]:
    """The counts (K,) that a binomial number of `rows` takes with any probability worth counting."""
    reach = DEVIATIONS * (rows * share * (1 - share)) ** 0.5 + DEVIATIONS
    return np.arange(max(0, int(rows * share - reach)), min(rows, int(rows * share + reach)) + 1)


def fewest(enough: Callable[[int], bool], most: int = MOST_ROWS) -> int | None:
    """The smallest whole number from 1 that is enough, by halving; None where `most` is not."""
    few, many = 0, 1
    while not enough(min(many, most)):
        if many >= most:
            return None
        few, many = many, 2 * many
    many = min(many, most)
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if enough(middle) else (middle, many)
    return many
