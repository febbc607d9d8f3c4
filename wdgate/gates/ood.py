"""How far may the area under the ROC curve be by which confidence tells test rows from others?"""

from __future__ import annotations

from dataclasses import replace

from wdgate.evaluation.evaluation import Evaluation
from wdgate.evaluation.out_of_distribution import Apart, apart
from wdgate.evaluation.ranking import Ranking
from wdgate.gates.bounds import Bounds
from wdgate.gates.ranked import ranked_bounds

KINDS = ("test rows", "other rows")


def ood_bounds(name: str, evaluation: Evaluation, alpha: float) -> Bounds | None:
    """The bounds at error probability `alpha`; None where the other rows were not predicted."""
    found = apart(name, evaluation)
    return None if found is None else _bounds(found, found.ranking, evaluation, alpha, (0.0, 1.0))


def ood_improvement(name: str, ours: Evaluation, theirs: Evaluation, alpha: float) -> Bounds | None:
    """The bounds of how much better `ours` tells them apart than `theirs`, on the same rows."""
    first, second = apart(name, ours), apart(name, theirs)
    if first is None or second is None or len(first.is_test) != len(second.is_test):
        return None
    change = Ranking(first.ranking.value - second.ranking.value, first.ranking.added - second.ranking.added)
    return _bounds(first, change, ours, alpha, (-1.0, 1.0))


def _bounds(
    found: Apart, ranking: Ranking, evaluation: Evaluation, alpha: float, span: tuple[float, float]
) -> Bounds:
    kind = (~found.is_test).astype(int)
    bounds = ranked_bounds(ranking, kind, KINDS, found.groups, found.weights, alpha, span)
    return replace(bounds, rows=len(evaluation))
