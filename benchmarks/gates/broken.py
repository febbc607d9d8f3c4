"""How often does a gate err where some groups are wrong as a whole, and none of them may be in the sample?"""

from __future__ import annotations

import numpy as np

from wdgate.gates.bounds import linearized, unit_bounds
from wdgate.gates.paired import unit_difference_bounds

ALPHAS = (0.05, 0.01, 0.0025)
LIMIT, MARGIN, DISAGREEMENT = 0.88, 0.03, 0.02
HARM = (20, 10, 5, 4.2, 4, 3, 2, 1)
"""As many broken groups as a sample misses with so many times alpha."""
POSSIBLE = (0.0105, 0.049)
"""Shares of lost groups with which the others can make up for the rest of a loss of MARGIN."""


def wrong_as_a_whole(draw, times, groups, size, broken, left=0.0):
    """Shares of right rows (times, groups), LIMIT on average; `left` in `broken` of the groups."""
    healthy = (LIMIT - broken * left) / (1 - broken)
    chances = np.where(draw.random((times, groups)) < broken, left, healthy)
    return draw.binomial(size, chances) / size


def all_alike(draw, times, groups, size):
    """The same where the rows of a group are all right or all wrong."""
    return (draw.random((times, groups)) < LIMIT).astype(float)


def lost_as_a_whole(draw, times, groups, size, broken):
    """Shares (2, times, groups) of rows that only the candidate, and only the champion, got right.

    The candidate loses all rows of `broken` of the groups, and differs from the champion in a few rows of the
    others, such that it is worse by MARGIN.
    """
    others = (broken - MARGIN) / (1 - broken)
    chances = np.array([DISAGREEMENT + others, DISAGREEMENT - others]) / 2
    counts = draw.multinomial(size, [*chances, 1 - DISAGREEMENT], (times, groups))[..., :2]
    lost = draw.random((times, groups)) < broken
    better, worse = np.where(lost, 0, counts[..., 0]), np.where(lost, size, counts[..., 1])
    return np.array([better, worse]) / size


def absolute_error(shares, size, alpha):
    """How often the lower bound is at or above the limit, which is the truth."""
    return float((unit_bounds(linearized(shares, each=size), alpha, True)[0] >= LIMIT).mean())


def paired_error(pairs, size, alpha):
    """How often the loss seems to be within the margin, at which it is."""
    better, worse = pairs
    units = linearized(better - worse, each=size)
    means = better.mean(axis=1), worse.mean(axis=1)
    return float((unit_difference_bounds(units, *means, alpha)[0] >= -MARGIN).mean())


def worst(groups, size, alpha, kind, times):
    """The largest error over shares of broken groups, and with which share."""
    draw, found = np.random.default_rng(groups + size), []
    for harm in HARM:
        broken = 1 - min(harm * alpha, 0.9) ** (1 / groups)
        if kind == "lost":
            broken = float(np.clip(broken, *POSSIBLE))
            pairs = lost_as_a_whole(draw, times, groups, size, broken)
            found.append((paired_error(pairs, size, alpha), broken))
        elif broken < 1 - LIMIT:
            left = 0.5 if kind == "half" else 0.0
            shares = wrong_as_a_whole(draw, times, groups, size, broken, left)
            found.append((absolute_error(shares, size, alpha), broken))
    return max(found, default=(0.0, float("nan")))


def compare(quick: bool) -> None:
    """Print a line a kind of harm, a number of groups and a size."""
    print("\nGroups that are wrong as a whole: the most errors over shares of them (in points), by alpha")
    print(f"{'world':38} {'groups':>6} {'rows':>5} {'.05':>16} {'.01':>16} {'.0025':>16}")
    kinds = {
        "whole": f"at_least {LIMIT}, all rows wrong",
        "half": f"at_least {LIMIT}, half of the rows wrong",
        "lost": f"no_worse by {MARGIN}, all rows lost",
    }
    for kind, name in kinds.items():
        for groups in (36, 100, 300, 1000):
            for size in (10, 100):
                times = 400 if quick else 4_000_000 // max(groups, 200)
                _print(name, groups, size, [worst(groups, size, alpha, kind, times) for alpha in ALPHAS])
    for groups in (36, 100, 300, 1000):
        shares = all_alike(np.random.default_rng(groups), 400 if quick else 4_000_000 // groups, groups, 10)
        name = f"at_least {LIMIT}, rows of a group all alike"
        _print(name, groups, 10, [(absolute_error(shares, 10, alpha), None) for alpha in ALPHAS])


def _print(name, groups, size, found):
    cells = (f"{error:.4f}" + ("" if share is None else f" ({100 * share:.1f})") for error, share in found)
    print(f"{name:38} {groups:>6,} {size:>5} " + " ".join(f"{cell:>16}" for cell in cells))
