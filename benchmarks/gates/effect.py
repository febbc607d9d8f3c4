"""How often does an effect of the decay that is not there, or is too small, seem to be there (WD209)?"""

from __future__ import annotations

import numpy as np
from scipy import special

from wd_train.intervals import interval, of_rows

SEEDS, ROWS, ALIKE = 0.06, 1.0, 0.5
"""Standard deviations of probits: of seeds, of rows, and of what a row does under either training."""


def trainings(draw, pairs, rows, limit, effect=0.0, size=1):
    """Right or wrong rows (2, pairs, rows) of trainings with and without decay, which improves by `limit`."""
    hard = 1.3 + ROWS * draw.normal(size=rows)
    if size > 1:
        hard += 0.5 * np.repeat(draw.normal(size=rows // size), size)
    spread = (1 + SEEDS**2 + ALIKE**2 + ROWS**2 + (0.25 if size > 1 else 0.0)) ** 0.5
    base = special.ndtr(1.3 / spread)
    shift = spread * special.ndtri(base + limit + effect) - 1.3
    found = []
    for step in (shift, 0.0):
        own = ALIKE * draw.normal(size=rows)  # what a training without decay does to a row, whatever its seed
        chances = special.ndtr(hard + own + step + SEEDS * draw.normal(size=(pairs, 1)))
        found.append(draw.random((pairs, rows)) < chances)
    return np.array(found, dtype=float)


def rate(pairs, rows, size, limit, effect, times):
    """How often the lower end of the 95 % interval is at or above the limit."""
    draw, passed = np.random.default_rng(pairs + rows + size), 0
    groups = None if size == 1 else np.arange(rows) // size
    for _ in range(times):
        ours, theirs = trainings(draw, pairs, rows, limit, effect, size)
        passed += interval(of_rows(ours, theirs, groups))[0] >= limit
    return passed / times


def compare(quick: bool) -> None:
    """Print a line a number of pairs of trainings, of rows, and a size of groups."""
    print("\nWD209 decay_helps accuracy by .01, the trainer's interval at 95 % (nominal .0250)")
    print("pairs   rows  group  simulated  at the edge passes  five points better is blocked")
    times = 100 if quick else 4_000
    for pairs in (2, 3, 5, 10):
        for rows, size in ((360, 1), (1_000, 1), (1_000, 10)):
            wrong, right = (rate(pairs, rows, size, 0.01, more, times) for more in (0.0, 0.05))
            print(f"{pairs:>5} {rows:>6,} {size:>6} {times:>10,} {wrong:>19.4f} {1 - right:>30.4f}")
