"""What does somebody gain who climbs by the numbers that he is told, and what would forbid it?"""

from __future__ import annotations

import numpy as np
from scipy import special

from wdgate.gates.bounds import clopper_pearson
from wdgate.gates.expected import expected_on_new_rows
from wdgate.gates.paired import tango_score

LOOKS, ALPHA, ROWS, TRUTH, MARGIN = 20, 0.05, 360, 0.85, 0.03
QUANTILE = float(special.ndtri(1 - ALPHA / LOOKS))
# The share of rows on which a next candidate answers anew.
CHANGED = 0.15


def compare(times: int) -> None:
    """Print what an adversary reaches within the looks, and the rows that a strict bound would take."""
    print(
        f"\ndeliberate climbing, {ROWS} rows, no_worse {MARGIN:g} of champion and anchor, {LOOKS} looks, "
        f"{times:,} simulations: each candidate is the best\n"
        f"so far, answering anew on {CHANGED:g} of all rows, and is kept if the accuracy that wdgate reports "
        "is higher\n"
        f"{'new answers are':17} overstated, points: observed expected    bound   (too high)   truth lost  "
        "any promoted worse by the margin"
    )
    for loss in (0.0, 0.05, 0.1, 0.2):
        name = "as good" if not loss else f"{100 * loss:g} points worse"
        print(f"{name:17} {_climbed(times, loss)}")
    print(
        "\na bound that holds for candidates chosen by what was told, and what it takes in rows, compared "
        "with\n"
        f"alpha / {LOOKS} (80 % power; each candidate that could have come next has its share of alpha)"
    )
    told = {"passed or refused": 2, "passed, failed or inconclusive": 3, "tenths of a percent": 1001}
    for name, outcomes in told.items():
        print(f"told {name:33} {_times_the_rows(outcomes):6.1f} times")


def _climbed(times: int, loss: float) -> str:
    ends = [_climb(np.random.default_rng(seed), loss) for seed in range(times)]
    observed, expected, bound, truth, worse = (np.array(each) for each in zip(*ends, strict=True))
    means = [100 * (each - truth).mean() for each in (observed, expected, bound)]
    return (
        f"{means[0]:29.1f} {means[1]:8.1f} {means[2]:8.1f} {(bound > truth).mean():12.4f} "
        f"{100 * (TRUTH - truth).mean():12.2f} {worse.mean():12.4f}"
    )


def _climb(draw: np.random.Generator, loss: float) -> tuple[float, float, float, float, bool]:
    """Of the last champion: its observed and expected accuracy, bound and truth; whether one was too bad."""
    anchor = draw.random(ROWS) < TRUTH
    best, best_truth, champion, champion_truth = anchor, TRUTH, anchor, TRUTH
    seen, own, position, worse = [anchor.mean()], None, 0, False
    for look in range(1, LOOKS):
        candidate, truth = _changed(draw, best, best_truth, loss)
        seen.append(candidate.mean())
        if _not_worse(candidate, champion) and _not_worse(candidate, anchor):
            worse |= bool(truth <= TRUTH - MARGIN or truth <= champion_truth - MARGIN)
            own, position = _own(candidate, champion), look
            champion, champion_truth = candidate, truth
        if round(1000 * candidate.mean()) > round(1000 * best.mean()):
            best, best_truth = candidate, truth
    observed = champion.mean()
    error = (observed * (1 - observed) / ROWS) ** 0.5
    found = expected_on_new_rows(observed, error, seen[:position], seen[position + 1 :], own_error=own)
    lower = clopper_pearson(int(champion.sum()), ROWS, ALPHA / LOOKS)[0]
    return observed, found.value, lower, champion_truth, worse


def _changed(draw, right, truth, loss):
    """The same model, but for new answers on some rows, whichever they are."""
    anew = draw.random(ROWS) < CHANGED
    return np.where(anew, draw.random(ROWS) < truth - loss, right), truth - CHANGED * loss


def _counts(ours, theirs):
    return int((ours & ~theirs).sum()), int((~ours & theirs).sum())


def _not_worse(ours, theirs):
    return tango_score(*_counts(ours, theirs), ROWS, -MARGIN) >= QUANTILE


def _own(ours, theirs):
    better, worse = _counts(ours, theirs)
    return (((better + worse) / ROWS - ((better - worse) / ROWS) ** 2) / 2 / ROWS) ** 0.5


def _times_the_rows(outcomes: int) -> float:
    """A union over all candidates of a tree of answers (Blum & Hardt 2015): outcomes^0 + outcomes^1 + ..."""
    power = float(special.ndtri(0.8))
    candidates = np.logaddexp.reduce(np.arange(LOOKS) * np.log(outcomes))
    strict = -float(special.ndtri_exp(np.log(ALPHA) - candidates))
    return ((strict + power) / (QUANTILE + power)) ** 2
