"""What do 200 retrains do to one test set, and 200 promotions to the truth?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from gates import climb, drift
from wdgate.gates.bounds import clopper_pearson
from wdgate.gates.expected import expected_on_new_rows
from wdgate.gates.paired import mcnemar_mid_p, tango_score

RETRAINS, LOOKS, ALPHA, ROWS, TRUTH, LIMIT = 200, 20, 0.05, 360, 0.85, 0.75
QUANTILE = float(special.ndtri(1 - ALPHA / LOOKS))
# How much of what makes a row hard is the same for all models (of the variance of a probit model): of two
# models that are right on .85, one is right and the other wrong on .26, and on .11 of the rows.
ALIKE = {"independent": 0.0, "alike": 0.8}
SPREAD = {"one truth": 0.0, "sd .5": 0.005, "sd 1": 0.01, "sd 2": 0.02, "+.3 a look": None}


def compare(quick: bool) -> None:
    """Print the overstatement of what is promoted, what climbing does, and how far promotions drift."""
    _overstatement(50 if quick else 2_000)
    _worse(50 if quick else 4_000)
    climb.compare(20 if quick else 1_000)
    drift.compare(3 if quick else 20)


@dataclass(frozen=True)
class Judged:
    """Many registries (R,), each with its looks (R, LOOKS).

    `observed` and `truth` of each candidate, whether it was `promoted`, its `own` standard error, the
    `champion` at the end (-1: none), and what the best of all retrains showed and was, `naive` (R, 2).
    """

    observed: np.ndarray
    truth: np.ndarray
    promoted: np.ndarray
    own: np.ndarray
    champion: np.ndarray
    naive: np.ndarray


def _overstatement(times: int) -> None:
    print(
        f"{RETRAINS} retrains on the same {ROWS} test rows, true accuracy {TRUTH:g}, {times:,} simulations; "
        f"at_least {LIMIT:g}, no_worse, {LOOKS} looks, alpha {ALPHA}\n"
        "overstated, points: of the best observed of all retrains (naive); of each promoted model, observed "
        "and as expected\non new rows; of the champion after the last look, likewise (later models counted); "
        "of its bound\n"
        f"{'models':11} {'truths':11} margin  naive  observed expected (95 % holds)   "
        "champion expected    bound (too high)  promoted"
    )
    for models in ALIKE:
        for truths in SPREAD:
            for margin in (0.03, 0.01):
                told = _told(_judged(times, models, truths, margin))
                print(f"{models:11} {truths:11} {margin:6.2f} " + told)


def _told(run: Judged) -> str:
    at, standing, kept = [], [], np.flatnonzero(run.champion >= 0)
    for registry, look in zip(*np.nonzero(run.promoted), strict=True):
        found = _expected(run, registry, look)
        low, high = found.between()
        truth = run.truth[registry, look]
        at.append((found.observed - truth, found.value - truth, low <= truth <= high))
    for registry in kept:
        look = run.champion[registry]
        found = _expected(run, registry, look, later=run.observed[registry, look + 1 :])
        lower = clopper_pearson(round(found.observed * ROWS), ROWS, ALPHA / LOOKS)[0]
        standing.append(np.array([found.observed, found.value, lower]) - run.truth[registry, look])
    observed, expected, held = np.mean(at, axis=0)
    last, now = np.mean(standing, axis=0), np.array(standing)
    naive = run.naive[:, 0] - run.naive[:, 1]
    return (
        f"{100 * naive.mean():6.1f} {100 * observed:9.1f} {100 * expected:+8.2f} {held:14.3f} "
        f"{100 * last[0]:10.1f} {100 * last[1]:+8.2f} {100 * last[2]:8.1f} {(now[:, 2] > 0).mean():11.4f} "
        f"{run.promoted.sum(axis=1).mean():9.2f}"
    )


def _expected(run, registry, look, later=()):
    observed = run.observed[registry]
    error = (observed[look] * (1 - observed[look]) / ROWS) ** 0.5
    # The first model is promoted without another one to be paired with.
    own = run.own[registry, look] if run.promoted[registry, :look].any() else None
    return expected_on_new_rows(observed[look], error, observed[:look], later, own_error=own)


def _judged(times: int, models: str, truths: str, margin: float) -> Judged:
    """Retrains whose truths are alike, apart, or rising, each judged while there are looks left."""
    draw, spread = np.random.default_rng(0), SPREAD[truths]
    truth = np.full((times, RETRAINS), TRUTH)
    if spread is None:
        truth += 0.003 * np.minimum(np.arange(RETRAINS), LOOKS)
    else:
        truth = np.clip(draw.normal(truth, spread), 0.5, 0.995)
    rows = Rows(draw, times, ROWS, ALIKE[models])
    registries, naive = Registries(times, margin), np.zeros((times, 2))
    for look in range(RETRAINS):
        right = rows.right(truth[:, look])
        shown = np.array([right.mean(axis=1), truth[:, look]]).T
        naive = np.where(shown[:, :1] > naive[:, :1], shown, naive)
        if look < LOOKS:  # later ones are refused: the rows are worn out
            registries.judge(right)
    observed, promoted, own = (np.array(each).T for each in registries.history)
    return Judged(observed, truth[:, :LOOKS], promoted.astype(bool), own, registries.champion, naive)


class Rows:
    """The test rows of many registries (times, rows), which are hard or easy for all models alike."""

    def __init__(self, draw: np.random.Generator, times: int, rows: int, alike: float) -> None:
        self.draw, self.alike = draw, alike
        self.ease = draw.standard_normal((times, rows), dtype=np.float32) * np.float32(alike**0.5)

    def right(self, truth: np.ndarray) -> np.ndarray:
        """Which rows (times, rows) a model of some true accuracy (times,) gets right."""
        own = self.draw.standard_normal(self.ease.shape, dtype=np.float32) * np.float32(
            (1 - self.alike) ** 0.5
        )
        return self.ease + own < special.ndtri(truth)[:, None].astype(np.float32)


class Registries:
    """The champions of many registries at once, and what was judged in each."""

    def __init__(self, times: int, margin: float, surpass: bool = False) -> None:
        self.margin, self.surpass = margin, surpass
        self.right: np.ndarray | None = None
        self.champion = np.full(times, -1)
        self.history: tuple[list, list, list] = ([], [], [])

    def judge(self, right: np.ndarray) -> np.ndarray:
        """Ask at_least and no_worse (or better) of a candidate for each registry; whether it was promoted."""
        look, some = len(self.history[0]), self.champion >= 0
        self.right = np.zeros_like(right) if self.right is None else self.right
        better, worse = (right & ~self.right).sum(axis=1), (~right & self.right).sum(axis=1)
        rows, alpha = right.shape[1], ALPHA / LOOKS
        if self.surpass:
            kept = mcnemar_mid_p(better, worse) <= alpha
        else:
            kept = tango_score(better, worse, rows, -self.margin) >= QUANTILE
        passed = (clopper_pearson(right.sum(axis=1), rows, alpha)[0] >= LIMIT) & (kept | ~some)
        apart = (better + worse) / rows - ((better - worse) / rows) ** 2
        for kind, values in zip(
            self.history, (right.mean(axis=1), passed, (apart / 2 / rows) ** 0.5), strict=True
        ):
            kind.append(values)
        self.right[passed], self.champion[passed] = right[passed], look
        return passed


def _worse(times: int) -> None:
    """Candidates chosen without looking, each as bad as can be without being let pass."""
    print(
        f"\na champion of {TRUTH:g} promoted at the first look, then {LOOKS - 1} candidates that nobody "
        f"chose by these rows, {times:,} simulations\n(a quarter of them with 3,600 rows): any of them was "
        f"promoted; at most {ALPHA:g} was promised"
    )
    asked = (
        ("no_worse .03, each 3 points worse", 0.03, False),
        ("no_worse .01, each 1 point worse", 0.01, False),
    )
    for name, loss, surpass in (*asked, ("better, each as good", 0.0, True)):
        for models, alike in ALIKE.items():
            for count in (ROWS, 10 * ROWS):
                share = _ever_promoted(times if count == ROWS else times // 4, count, alike, loss, surpass)
                print(f"{name:34} {models:11} {count:5,} rows {share:7.4f}")


def _ever_promoted(times, count, alike, loss, surpass):
    draw = np.random.default_rng(0)
    rows, registries = Rows(draw, times, count, alike), Registries(times, loss, surpass)
    registries.judge(rows.right(np.full(times, TRUTH)))
    ever = np.zeros(times, bool)
    for _ in range(LOOKS - 1):
        ever |= registries.judge(rows.right(np.full(times, TRUTH - loss)))
    return ever.mean()
