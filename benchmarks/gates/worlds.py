"""Test sets of models whose truth is known: at the edge of what a gate must refuse, and well within it.

Each function draws `times` test sets of `groups` groups of `size` rows; rows of one group are alike.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import optimize, special

# How alike the rows of a group are: the share of the variance that lies between groups.
ALIKE = 0.1
ALIKE_PAIRS = 0.03


def shares(draw, times, groups, size, truth):
    """The share of right rows in each group (times, groups): beta-binomial, or independent rows."""
    if size == 1:
        return draw.binomial(groups, truth, times)[:, None]  # a count is all that is needed
    spread = 1 / ALIKE - 1
    return draw.binomial(size, draw.beta(truth * spread, (1 - truth) * spread, (times, groups))) / size


def pairs(draw, times, groups, size, difference, disagreement=0.06, alike=ALIKE_PAIRS):
    """The shares (2, times, groups) of rows that only the candidate, and only the champion, got right."""
    chances = np.array([disagreement + difference, disagreement - difference]) / 2
    if size == 1:
        counts = draw.multinomial(groups, [*chances, 1 - disagreement], times)
        return counts.T[:2, :, None]
    spread = 1 / alike - 1
    amounts = [draw.gamma(c * spread, size=(times, groups)) for c in (*chances, 1 - disagreement)]
    total = sum(amounts)
    better = draw.binomial(size, amounts[0] / total)
    worse = draw.binomial(size - better, np.clip(amounts[1] / (total - amounts[0]), 0, 1))
    return np.array([better, worse]) / size


def gaps(draw, times, groups, size, gap):
    """Mean confidence minus correct of each group (times, groups): a model that is sure, and rarely wrong."""
    confidence = draw.uniform(0.85, 1.0, (times, groups, size))
    effect = draw.choice([-0.03, 0.03], (times, groups, 1)) if size > 1 else 0.0
    right = draw.random((times, groups, size)) < confidence - gap + effect
    return (confidence - right).mean(axis=2)


def corrupted(draw, times, groups, size, truth):
    """The mean accuracy under 30 corruptions of each group's rows (times, groups)."""
    of_group = draw.beta(20 * truth, 20 * (1 - truth), (times, groups, 1)) if size > 1 else truth
    of_row = draw.beta(4 * of_group, 4 * (1 - of_group), (times, groups, size))
    return (draw.binomial(30, of_row) / 30).mean(axis=2)


def gains(draw, times, groups, size, better):
    """How much lower a group's log-loss is than that of a coin (times, groups), in nats."""
    spread = (1.0, 0.5 if size > 1 else 0.0)
    logits = _shift(better, sum(s**2 for s in spread)) + spread[0] * draw.normal(size=(times, groups, size))
    logits += spread[1] * draw.normal(size=(times, groups, 1))
    return (np.log(2) + special.log_expit(logits)).mean(axis=2)


def errors(draw, times, groups, size, r2):
    """Predictions and targets (2, times, groups x size) of which the predictions explain a share `r2`."""
    noise = draw.normal(size=(times, groups, size))
    if size > 1:
        noise = (noise + draw.normal(size=(times, groups, 1)) * ALIKE**0.5) / (1 + ALIKE) ** 0.5
    predicted = draw.normal(size=noise.shape) * (r2 / (1 - r2)) ** 0.5
    return np.array([predicted, predicted + noise]).reshape(2, times, groups * size)


@cache
def _shift(better, variance):
    """The mean logit of the truth with which normal logits cost `better` nats less than a coin."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)

    def mean(shift):
        gain = np.log(2) + special.log_expit(shift + variance**0.5 * nodes)
        return (weights * gain).sum() / weights.sum() - better

    return optimize.brentq(mean, -5, 20)
