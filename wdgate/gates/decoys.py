"""Which models must a gate never let pass?

A decoy is made from the predictions that are there, beyond the gate's own limit. Nothing is predicted again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wdgate.evaluation.evaluation import Evaluation
from wdgate.gates.bad import HAIR, Bad, mean_of
from wdgate.gates.pairing import pair

if TYPE_CHECKING:  # the gates bring these decoys
    from wdgate.gates.gates import Case

Floats = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Decoy:
    """A model that a gate must refuse.

    Args:
        name: how it was made, in a few words.
        case: what the gate is asked; None where these rows allow no such model.
        reason: why not, as a clause.
    """

    name: str
    case: Case | None
    reason: str = ""


def of_limit(score: str, low: float, high: float, case: Case) -> Iterator[Decoy]:
    """Models whose score is below `low` or above `high`: by as little as can be, or because they are bad."""
    bad = case.bad
    if score in case.evaluation.scores:
        yield from _at_limit(score, low, high, case)
    recalled = bad.recalling(score, low) if np.isfinite(low) else None
    if recalled is not None:
        yield _decoy(f"{score} just below {low:g}", case, recalled)
    metric = score in case.evaluation.metrics
    known: set[float] = set()
    made_of = {"permuted predictions": bad.permuted, "too sure": bad.sure, "constant": bad.constant}
    for name, made in made_of.items():
        reached = None if made is None else bad.reached(made, score)
        if (
            reached is None or not np.isfinite(reached) or reached in known
        ):  # a model that is too sure is right as often
            continue
        known.add(reached)
        beyond = not low <= reached <= high
        yield _decoy(name, case, made if beyond else None, "it keeps to the limit")
        if metric and beyond:  # a metric's bound takes 200 measurements
            return


def _at_limit(score: str, low: float, high: float, case: Case) -> Iterator[Decoy]:
    for limit, above in ((low, False), (high, True)):
        if np.isfinite(limit):
            made = case.bad.with_mean(score, limit, above=above)
            name = f"{score} just {'above' if above else 'below'} {limit:g}"
            yield _decoy(name, case, made, "rows of this score cannot have such a mean")
    yield _decoy(f"{score} not a number", case, case.bad.nothing)


def of_margin(
    score: str, margin: float, higher_is_better: bool, whom: str, other: Any, case: Case
) -> Iterator[Decoy]:
    """Models that are worse than another one, here in the champion's place, by more than the margin."""
    if not isinstance(other, Evaluation) or case.bad.reached(other, score) is None:
        yield Decoy(f"worse than the {whom}", None, f"there is no {whom} to be compared with")
        return
    ours, champion = pair(case.evaluation, other, case.task)
    if not len(champion):
        yield Decoy(f"worse than the {whom}", None, f"the {whom} has learned from all of these rows")
        return
    bad = case.bad if ours is case.evaluation else Bad(ours, case.task)
    case = replace(case, evaluation=ours, champion=champion, anchor=None)
    if score in case.evaluation.scores:
        made = _worse_by(margin, score, higher_is_better, case.evaluation, champion)
        yield _decoy(f"{score} just {margin:g} worse than the {whom}'s", case, made, "too few rows are right")
        yield _decoy(f"{score} not a number beside the {whom}'s", case, bad.nothing)
    change = (bad.reached(bad.permuted, score) or 0.0) - (bad.reached(champion, score) or 0.0)
    worse = (change if higher_is_better else -change) < -margin
    reason = "it is within the margin"
    yield _decoy(f"permuted predictions beside the {whom}'s", case, bad.permuted if worse else None, reason)


def of_skill(score: str, case: Case) -> Iterator[Decoy]:
    """The constant predictor itself, and models that are worse."""
    evaluation, bad = case.evaluation, case.bad
    if score not in evaluation.scores or score not in evaluation.baseline:
        yield Decoy("the constant itself", None, f"{score} of the constant predictor was not measured")
        return
    itself = replace(evaluation, scores={**evaluation.scores, score: evaluation.baseline[score]})
    yield _decoy("the constant itself", case, itself)
    yield _decoy(f"{score} not a number", case, bad.nothing)
    reached, limit = bad.reached(bad.permuted, score), mean_of(evaluation.baseline[score], evaluation.weights)
    worse = reached is not None and reached >= limit
    reason = "it is better than the constant"
    yield _decoy("permuted predictions", case, bad.permuted if worse else None, reason)


def _decoy(name: str, case: Case, made: Evaluation | None, reason: str = "") -> Decoy:
    return Decoy(name, None, reason) if made is None else Decoy(name, replace(case, evaluation=made))


def _worse_by(
    margin: float, score: str, higher_is_better: bool, evaluation: Evaluation, champion: Evaluation
) -> Evaluation | None:
    """The champion's own scores, made worse by just more than the margin."""
    theirs = np.asarray(champion.scores[score], np.float64)
    weights = evaluation.rows_of(score).weights
    if np.isin(theirs, (0.0, 1.0)).all():
        mass = np.ones(len(theirs)) if weights is None else np.asarray(weights, np.float64)
        lost = np.cumsum(mass * theirs) / (mass.sum() or 1.0)
        # Right rows are lost until more than the margin is: the one that crosses it is lost too.
        ours = np.where(lost - mass * theirs / (mass.sum() or 1.0) <= margin + HAIR, 0.0, theirs)
    else:
        ours = theirs + (margin + HAIR * max(1.0, margin)) * (-1 if higher_is_better else 1)
    change = mean_of(ours - theirs, weights) * (1 if higher_is_better else -1)
    return replace(evaluation, scores={**evaluation.scores, score: ours}) if change < -margin else None
