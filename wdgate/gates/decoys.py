"""Which models must a gate never let pass?

A decoy is made from the predictions that are there, beyond the gate's own limit: by as little as can be, by
handing rows each other's predictions, by being too sure, by being no number. Nothing is predicted again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wdgate.evaluation.calibration import confidence
from wdgate.evaluation.corruptions import CORRUPTED
from wdgate.evaluation.evaluation import Evaluation
from wdgate.evaluation.out_of_distribution import apart, is_ood
from wdgate.gates.pairing import pair

if TYPE_CHECKING:  # the gates bring these decoys
    from wdgate.evaluation.tasks import Task
    from wdgate.gates.gates import Case

Floats = NDArray[np.floating]

# "Just beyond" in a score that is no share of rows: far above rounding, far below what matters.
HAIR = 1e-6


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


@dataclass(frozen=True, eq=False)
class Bad:
    """Bad models with the predictions of a good one, each made when it is first asked for.

    Args:
        evaluation: of the good one.
        task: what is predicted, and how it is scored.
    """

    evaluation: Evaluation
    task: Task

    @cached_property
    def permuted(self) -> Evaluation:
        """Every row has the prediction of another: what is left is what guessing would reach."""
        # Fixed, so that the same rows are always dealt alike; a shift would leave sorted classes in place.
        order = np.random.default_rng(0).permutation(len(self.evaluation))
        return self._predicting({n: values[order] for n, values in self.evaluation.predictions.items()})

    @cached_property
    def sure(self) -> Evaluation | None:
        """The permuted one, sure of every answer; None where the task has no probabilities."""
        predictions = self.permuted.predictions
        if "probs" not in predictions or "predicted" not in predictions:
            return None
        probs = np.zeros_like(predictions["probs"])
        probs[np.arange(len(probs)), predictions["predicted"]] = 1
        return self._predicting({**predictions, "probs": probs})

    @cached_property
    def constant(self) -> Evaluation:
        """The same answer to every row."""
        targets = self.evaluation.targets
        # In the types of the file's own outputs, as its answers would be.
        constant = self.task.constant(targets, len(targets))
        own = self.evaluation.predictions
        return self._predicting({n: v.astype(own[n].dtype) if n in own else v for n, v in constant.items()})

    @cached_property
    def nothing(self) -> Evaluation:
        """No score is a number."""
        scores = {name: np.full(len(values), np.nan) for name, values in self.evaluation.scores.items()}
        return replace(self.evaluation, scores=scores)

    def with_mean(self, score: str, mean: float, *, above: bool) -> Evaluation | None:
        """The mean of a score is just above a number, or just below it; None where no such scores are."""
        evaluation, values = self.evaluation, np.asarray(self.evaluation.scores[score], np.float64)
        if not len(values) or not np.isfinite(values).all():
            return None
        weights = evaluation.rows_of(score).weights
        if np.isin(values, (0.0, 1.0)).all():
            moved = _share(len(values), weights, mean, above)
        else:
            beyond = HAIR * max(1.0, abs(mean)) * (1 if above else -1)
            moved = values + (mean + beyond - mean_of(values, weights))
        reached = mean_of(moved, weights)
        if not (reached > mean if above else reached < mean):
            return None
        return replace(evaluation, scores={**evaluation.scores, score: moved})

    def _predicting(self, predictions: Mapping[str, NDArray[Any]]) -> Evaluation:
        evaluation, task = self.evaluation, self.task
        scores = task.scores(predictions, evaluation.targets)
        for name in evaluation.scores:
            if name.startswith(CORRUPTED):  # no better where rows are corrupted than where they are not
                scores[name] = scores[task.primary][evaluation.rows_of(name).positions]
        metrics = task.metrics(predictions, evaluation.targets, evaluation.weights)
        made = evaluation.permuted
        if made is not None and "probs" in predictions:  # as sure of other rows as of the test rows
            made = replace(made, confidence=confidence(predictions["probs"])[made.positions])
        return replace(evaluation, predictions=predictions, scores=scores, metrics=metrics, permuted=made)


def of_limit(score: str, low: float, high: float, case: Case) -> Iterator[Decoy]:
    """Models whose score is below `low` or above `high`: by as little as can be, or because they are bad."""
    bad = case.bad
    if score in case.evaluation.scores:
        yield from _at_limit(score, low, high, case)
    metric = score in case.evaluation.metrics
    known: set[float] = set()
    made_of = {"permuted predictions": bad.permuted, "too sure": bad.sure, "constant": bad.constant}
    for name, made in made_of.items():
        reached = None if made is None else _reached(made, score)
        if reached is None or reached in known:  # a model that is too sure is right as often
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
    if not isinstance(other, Evaluation) or _reached(other, score) is None:
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
    change = (_reached(bad.permuted, score) or 0.0) - (_reached(champion, score) or 0.0)
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
    reached, limit = _reached(bad.permuted, score), mean_of(evaluation.baseline[score], evaluation.weights)
    worse = reached is not None and reached >= limit
    reason = "it is better than the constant"
    yield _decoy("permuted predictions", case, bad.permuted if worse else None, reason)


def mean_of(values: Floats, weights: Floats | None) -> float:
    """The (weighted) mean; NaN where nothing weighs."""
    mass = np.ones(len(values)) if weights is None else weights
    return float((mass * values).sum() / mass.sum()) if mass.sum() > 0 else float("nan")


def _decoy(name: str, case: Case, made: Evaluation | None, reason: str = "") -> Decoy:
    return Decoy(name, None, reason) if made is None else Decoy(name, replace(case, evaluation=made))


def _reached(evaluation: Evaluation, score: str) -> float | None:
    """What a model reaches in a score or metric, measured apart from the gate; None where it has none."""
    if score in evaluation.scores:
        return mean_of(evaluation.scores[score], evaluation.rows_of(score).weights)
    if is_ood(score):
        found = apart(score, evaluation)
        return None if found is None else found.ranking.value
    return evaluation.metrics.get(score)


def _share(rows: int, weights: Floats | None, mean: float, above: bool) -> Floats:
    """Scores of 0 and 1 (N,) with a mean just above or below a number."""
    mass = np.ones(rows) if weights is None else np.asarray(weights, np.float64)
    cumulated = np.cumsum(mass) / (mass.sum() or 1.0)
    if above:
        return 1.0 - (cumulated < 1 - mean)
    return (cumulated < mean).astype(np.float64)


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
