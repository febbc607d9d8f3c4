"""Which bad models can be made from the predictions of a good one?

By as little as can be, by handing rows each other's predictions, by being too sure, by being no number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wdgate.evaluation.calibration import confidence
from wdgate.evaluation.corruptions import CORRUPTED
from wdgate.evaluation.evaluation import Evaluation
from wdgate.evaluation.named import share
from wdgate.evaluation.out_of_distribution import apart, is_ood

if TYPE_CHECKING:
    from typing import Any

    from wdgate.evaluation.tasks import Task

Floats = NDArray[np.floating]

# "Just beyond" in a score that is no share of rows: far above rounding, far below what matters.
HAIR = 1e-6


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
        constant = self.task.constant(targets, len(targets), self.evaluation.weights)
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
        # Of a covered share of 0 or 1 a row, the gap is less by what it should be.
        least = -getattr(self.task, "nominal", 0.0) if score == "coverage_gap" else 0.0
        shares = values - least
        if np.minimum(np.abs(shares), np.abs(shares - 1)).max() < HAIR:
            moved = _share(len(values), weights, mean - least, above) + least
        else:
            beyond = HAIR * max(1.0, abs(mean)) * (1 if above else -1)
            moved = values + (mean + beyond - mean_of(values, weights))
        reached = mean_of(moved, weights)
        if not (reached > mean if above else reached < mean):
            return None
        return replace(evaluation, scores={**evaluation.scores, score: moved})

    def recalling(self, score: str, limit: float) -> Evaluation | None:
        """Just less than a share of the rows of a class is found; None where the score is no recall."""
        kind, _, label = score.partition("/")
        rows = self._rows_of(score)
        if kind != "recall" or rows is None or not len(rows):
            return None
        place = self._classes.index(label) if label else 1
        weights = None if self.evaluation.weights is None else self.evaluation.weights[rows]
        found = _share(len(rows), weights, limit, above=False)
        predicted = self.evaluation.predictions["predicted"].copy()
        predicted[rows] = np.where(found == 1, place, (place + 1) % len(self._classes))
        made = replace(self.evaluation, predictions={**self.evaluation.predictions, "predicted": predicted})
        return made if mean_of(found, weights) < limit else None

    def reached(self, evaluation: Evaluation, score: str) -> float | None:
        """What a model reaches in a score or metric, measured apart from the gate; None where it has none."""
        if score in evaluation.scores:
            return mean_of(evaluation.scores[score], evaluation.rows_of(score).weights)
        if is_ood(score):
            found = apart(score, evaluation)
            return None if found is None else found.ranking.value
        part = share(score, self._classes, evaluation.predictions, evaluation.targets)
        if part is None:
            return evaluation.metrics.get(score)
        weights = None if evaluation.weights is None else evaluation.weights[part.positions]
        return mean_of(part.values, weights)

    @property
    def _classes(self) -> tuple[str, ...]:
        return tuple(getattr(self.task, "classes", ()))

    def _rows_of(self, score: str) -> NDArray[np.intp] | None:
        part = share(score, self._classes, self.evaluation.predictions, self.evaluation.targets)
        return None if part is None else part.positions

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


def mean_of(values: Floats, weights: Floats | None) -> float:
    """The (weighted) mean; NaN where nothing weighs."""
    mass = np.ones(len(values)) if weights is None else weights
    return float((mass * values).sum() / mass.sum()) if mass.sum() > 0 else float("nan")


def _share(rows: int, weights: Floats | None, mean: float, above: bool) -> Floats:
    """Scores of 0 and 1 (N,) with a mean just above or below a number."""
    mass = np.ones(rows) if weights is None else np.asarray(weights, np.float64)
    cumulated = np.cumsum(mass) / (mass.sum() or 1.0)
    if above:
        return 1.0 - (cumulated < 1 - mean)
    return (cumulated < mean).astype(np.float64)
