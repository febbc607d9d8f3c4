"""How far may the share of values between two quantiles be from what it should be?"""

from __future__ import annotations

import numpy as np

from wdgate.evaluation.evaluation import Evaluation
from wdgate.gates.bounds import Bounds, mean_bounds


def coverage_bounds(evaluation: Evaluation, nominal: float, alpha: float) -> Bounds:
    """Bounds of `coverage_gap`, each at error probability `alpha`: of the covered share, less `nominal`.

    A row is inside or not, so that the share has exact bounds; those of the gap's mean alone would be of no
    width where every row is inside.

    Args:
        evaluation: with the score `coverage_gap`.
        nominal: the share that should be inside.
        alpha: the error probability of each bound.
    """
    # Rounding undoes what subtracting and adding the nominal share cost.
    inside = np.round(evaluation.scores["coverage_gap"] + nominal, 9)
    share = mean_bounds(inside, alpha, evaluation.groups, evaluation.weights, (0.0, 1.0))

    def less(bounds: tuple[float, float]) -> tuple[float, float]:
        return bounds[0] - nominal, bounds[1] - nominal

    return Bounds(
        share.observed - nominal,
        *less((share.lower, share.upper)),
        share.rows,
        method=lambda times: less(share.on_times_the_rows(times)),
    )
