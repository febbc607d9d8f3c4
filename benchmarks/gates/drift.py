"""How far from the truth does a chain of promotions drift, if none may be worse by the margin?"""

from __future__ import annotations

import numpy as np
from scipy import special

from wdgate.gates.paired import mcnemar_mid_p, tango_score

PROMOTIONS, ALPHA, ROWS, MARGIN, START = 200, 0.05, 10_000, 0.01, 0.8
LOSS, GAIN, SOMETIMES, DISAGREEMENT = 0.002, 0.01, 0.05, 0.01
QUANTILE = float(special.ndtri(1 - ALPHA / PROMOTIONS))
KINDS = {
    "champion alone": (False, False),
    "and a fixed anchor": (True, False),
    "and an anchor that moves": (True, True),
}


def compare(times: int) -> None:
    """Print what 200 candidates do to the true accuracy, with and without an anchor."""
    print(
        f"\n{PROMOTIONS} candidates, margin {100 * MARGIN:g} point, {ROWS:,} rows, {times} simulations, "
        f"alpha {ALPHA} over {PROMOTIONS} looks; the anchor moves to what is better than it (McNemar)\n"
        f"{'candidates':42} {'compared with':25} true change (least)  below the best (most)  promotions  "
        "moves"
    )
    worlds = {f"each {100 * LOSS:g} points worse": 0.0}
    worlds[f"so, but {SOMETIMES:g} of them {100 * GAIN:g} point better"] = SOMETIMES
    worlds["each as good"] = -1.0
    for world, sometimes in worlds.items():
        for kind, (anchored, moves) in KINDS.items():
            ends = [_chain(seed, sometimes, anchored, moves) for seed in range(times)]
            change, below, promoted, moved = (np.array(each) for each in zip(*ends, strict=True))
            print(
                f"{world:42} {kind:25} {100 * change.mean():+11.1f} ({100 * change.min():+.1f}) "
                f"{100 * below.mean():14.1f} ({100 * below.max():.1f}) {promoted.mean():13.0f} "
                f"{moved.mean():7.1f}"
            )


def _chain(seed: int, sometimes: float, anchored: bool, moves: bool) -> tuple[float, float, int, int]:
    """The change of the true accuracy, how far it is below its best, promotions, and moves of the anchor."""
    draw = np.random.default_rng(seed)
    champion = draw.random(ROWS) < START
    anchor, now, best, promotions, moved = champion, START, START, 0, 0
    for _ in range(PROMOTIONS):
        change = _change(draw, sometimes)
        candidate = _next(draw, champion, now, change)
        if not (_not_worse(candidate, champion) and (not anchored or _not_worse(candidate, anchor))):
            continue
        champion, now, promotions = candidate, now + change, promotions + 1
        best = max(best, now)
        if moves and mcnemar_mid_p(*_counts(champion, anchor)) <= ALPHA / PROMOTIONS:
            anchor, moved = champion, moved + 1
    return now - START, best - now, promotions, moved


def _change(draw, sometimes):
    if sometimes < 0:
        return 0.0
    return GAIN if draw.random() < sometimes else -LOSS


def _next(draw, champion, now, change):
    # Of right rows some are lost and of wrong rows some are won, whichever rows they are.
    lost, won = (DISAGREEMENT - change) / 2 / now, (DISAGREEMENT + change) / 2 / (1 - now)
    return np.where(champion, draw.random(ROWS) >= lost, draw.random(ROWS) < won)


def _counts(ours, theirs):
    return int((ours & ~theirs).sum()), int((~ours & theirs).sum())


def _not_worse(ours, theirs):
    return tango_score(*_counts(ours, theirs), ROWS, -MARGIN) >= QUANTILE
