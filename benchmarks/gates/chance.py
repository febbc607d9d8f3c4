"""How likely is an equally good model to pass, beside an exact test, and what of rows that are alike?"""

from __future__ import annotations

import numpy as np
from scipy import special, stats

from gates import worlds
from wdgate.gates.bounds import linearized
from wdgate.gates.chances import chance_of_no_worse
from wdgate.gates.paired import tango, tango_score, unit_difference_bounds

ALPHA, MARGIN = 0.05, 0.03
NUISANCE = np.geomspace(0.001, 0.45, 60)


def exact_quantile(rows, most):
    """The smallest quantile of Tango's score at which no nuisance value lets it err more often than alpha.

    The exact unconditional test with this statistic: its rejection region, made so small that its probability
    under every model a margin apart is at most alpha (Lloyd & Moldovan 2008).
    """
    better, worse = np.arange(most)[:, None], np.arange(most)[None, :]
    scores = np.where(better + worse <= rows, tango_score(better, worse, rows, -MARGIN), -np.inf).ravel()
    order = np.argsort(-scores, kind="stable")
    worst = np.zeros(len(scores))
    for share in NUISANCE:  # P(better) = share, P(worse) = share + margin
        chances = _chances(better, worse, rows, share, share + MARGIN).ravel()
        worst = np.maximum(worst, np.cumsum(chances[order]))
    allowed = scores[order][np.searchsorted(worst, ALPHA, side="right") - 1]
    return float(allowed)


def chance(rows, most, quantile, disagreement):
    """The probability that an equally good model's score reaches a quantile: an exact sum."""
    better, worse = np.arange(most)[:, None], np.arange(most)[None, :]
    passes = (better + worse <= rows) & (tango_score(better, worse, rows, -MARGIN) >= quantile)
    return float((_chances(better, worse, rows, disagreement / 2, disagreement / 2) * passes).sum())


def compare(quick: bool) -> None:
    """Print power beside the exact test's, and how often a naive test errs on patients with many rows."""
    print(f"no_worse by {MARGIN:g} at alpha {ALPHA:g}, one look: an equally good model passes (exact sums)")
    print("rows  disagreement   ours  exact unconditional test (quantile)   ours - exact, points")
    for rows in (100,) if quick else (100, 360, 700):
        most = min(rows, int(rows * 0.6) + 40)
        quantile = exact_quantile(rows, most)
        for disagreement in (0.02, 0.06, 0.1):
            ours = chance_of_no_worse(rows, MARGIN, disagreement, ALPHA)
            exact = chance(rows, most, quantile, disagreement)
            print(
                f"{rows:>4} {disagreement:>13.2f} {ours:>6.3f} {exact:>11.3f} ({quantile:.3f}) {'':15}"
                f" {100 * (ours - exact):>+10.1f}"
            )
    _patients(400 if quick else 40_000)


def _patients(times: int) -> None:
    """100 patients of 50 rows, no model better than the other: McNemar's test and the gate's own bound."""
    print(
        f"\n100 patients of 50 rows, two equal models, {times:,} simulations, alpha {ALPHA:g}: called better"
    )
    for alike in (0.0, 0.03, 0.1):
        better, worse = worlds.pairs(np.random.default_rng(1), times, 100, 50, 0.0, alike=max(alike, 1e-4))
        counts = [each.sum(axis=1) * 50 for each in (better, worse)]
        naive = tango_score(*counts, 5000, 0.0) >= special.ndtri(1 - ALPHA)  # at no difference: McNemar's
        rows = tango(*counts, 5000, ALPHA)[0] > 0
        units = linearized(better - worse, each=50)
        ours = unit_difference_bounds(units, better.mean(axis=1), worse.mean(axis=1), ALPHA)[0] > 0
        print(
            f"correlation within patients {alike:.2f}: McNemar {naive.mean():.3f}, "
            f"Tango on rows {rows.mean():.3f}, t on patients {_studentized(units).mean():.3f}, "
            f"the gate {ours.mean():.3f}"
        )


def _studentized(units):
    count = units.deviations.shape[-1]
    return units.mean / np.sqrt(units.variance) >= stats.t.ppf(1 - ALPHA, count - 1)


def _chances(better, worse, rows, first, second):
    counts = stats.binom.pmf(better, rows, first)
    return counts * stats.binom.pmf(worse, rows - better, second / (1 - first)) * (better + worse <= rows)
