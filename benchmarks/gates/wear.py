"""What do 200 retrains do to one test set, and 200 promotions to the truth?"""

from __future__ import annotations

import numpy as np

from wdgate.gates.bounds import clopper_pearson
from wdgate.gates.paired import tango

RETRAINS, LOOKS, ALPHA = 200, 20, 0.05


def compare(quick: bool) -> None:
    """Print the overstatement of what is promoted, and how far a chain of promotions drifts."""
    _overstatement(50 if quick else 1_000)
    _drift(3 if quick else 20)


def _overstatement(times: int, rows: int = 360, truth: float = 0.85) -> None:
    """Equally good retrains on the same rows: the naive gate takes whatever is observed best."""
    print(
        f"{RETRAINS} retrains of one true accuracy ({truth:g}) on the same {rows} test rows, {times:,} "
        f"simulations; at_least {truth - 0.1:g}, no_worse, {LOOKS} looks, alpha {ALPHA}"
    )
    columns = ("naive", "gated", "bound", "promotions", "bound too high")
    print(f"{'retrains':11} {'margin':>7} overstated, points: " + " ".join(f"{name:>14}" for name in columns))
    for alike in (False, True):
        for margin in (0.03, 0.01):
            best, ours = _retrained(times, rows, truth, alike, margin)
            some = ours.some
            told = [_points(best - truth), _points((ours.observed - truth)[some])]
            told += [_points((ours.lower - truth)[some]), f"{ours.promotions.mean():.2f}"]
            told += [f"{(ours.lower > truth)[some].mean():.4f}"]
            name = "alike" if alike else "independent"
            print(f"{name:11} {margin:>7.2f} {'':19} " + " ".join(f"{value:>14}" for value in told))


def _retrained(
    times: int, rows: int, truth: float, alike: bool, margin: float
) -> tuple[np.ndarray, _Standing]:
    """What the naive gate says of its champion (times,), and our standing after all retrains."""
    draw, best, ours = np.random.default_rng(0), np.zeros(times), _Standing(times)
    # Where rows differ in difficulty, retrains agree on most of them.
    ease = draw.beta(8 * truth, 8 * (1 - truth), (times, rows)) if alike else truth
    for look in range(RETRAINS):
        right = draw.random((times, rows)) < ease
        best = np.maximum(best, right.mean(axis=1))
        if look < LOOKS:  # later ones are refused: the rows are worn out
            ours.judge(right, truth - 0.1, margin)
    return best, ours


class _Standing:
    """The champion of many registries at once."""

    def __init__(self, times: int) -> None:
        self.right: np.ndarray | None = None
        self.some = np.zeros(times, bool)
        self.observed, self.lower, self.promotions = (np.zeros(times) for _ in range(3))

    def judge(self, right: np.ndarray, limit: float, margin: float) -> None:
        """Ask at_least and no_worse of a candidate for each registry, and promote what passes."""
        rows, alpha = right.shape[1], ALPHA / LOOKS
        lower = clopper_pearson(right.sum(axis=1), rows, alpha)[0]
        if self.right is None:
            self.right = np.zeros_like(right)
        better, worse = (right & ~self.right).sum(axis=1), (~right & self.right).sum(axis=1)
        kept = tango(better, worse, rows, alpha)[0] >= -margin
        passed = (lower >= limit) & (kept | ~self.some)
        self.right[passed] = right[passed]
        self.observed[passed], self.lower[passed] = right.mean(axis=1)[passed], lower[passed]
        self.some |= passed
        self.promotions += passed


def _drift(times: int, rows: int = 10_000, margin: float = 0.01, loss: float = 0.002) -> None:
    """200 candidates, each truly a little worse than the champion and not by the margin."""
    print(
        f"\n{RETRAINS} candidates, each {100 * loss:g} points worse than the champion, margin "
        f"{100 * margin:g} point, {rows:,} rows, {times} simulations, alpha {ALPHA} over {RETRAINS} looks"
    )
    for anchored in (False, True):
        ends = [_chain(seed, rows, margin, loss, anchored) for seed in range(times)]
        lost, promoted = zip(*ends, strict=True)
        name = "champion and anchor" if anchored else "champion alone"
        print(
            f"{name:20} true accuracy lost {_points(np.array(lost))} points (most: {100 * max(lost):.1f}), "
            f"{np.mean(promoted):.0f} promotions"
        )


def _chain(seed, rows, margin, loss, anchored, truth=0.9, disagreement=0.01):
    """The true accuracy that is lost, and the number of promotions, of one chain."""
    draw = np.random.default_rng(seed)
    champion = draw.random(rows) < truth
    anchor, now, promotions = champion.copy(), truth, 0
    for _ in range(RETRAINS):
        # Of right rows some are lost and of wrong rows some are won, whichever rows they are.
        lost, won = (disagreement + loss) / 2 / now, (disagreement - loss) / 2 / (1 - now)
        candidate = np.where(champion, draw.random(rows) >= lost, draw.random(rows) < won)
        others = (champion, anchor) if anchored else (champion,)
        if all(_not_worse(candidate, other, margin) for other in others):
            champion, now, promotions = candidate, now - loss, promotions + 1
    return truth - now, promotions


def _not_worse(ours, theirs, margin):
    better, worse = int((ours & ~theirs).sum()), int((~ours & theirs).sum())
    return tango(better, worse, len(ours), ALPHA / RETRAINS)[0] >= -margin


def _points(values):
    return f"{100 * values.mean():.1f}" if len(values) else "-"
