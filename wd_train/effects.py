"""How large is the effect of the decay on each score, and how sure is that?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from data_checks.splits import Split
from wd_train.intervals import Differences, Positions, interval, of_metric, of_rows
from wd_train.outcomes import Diverged, Outcome, corrupted_positions
from wdgate.evaluation.evaluation import units_of
from wdgate.evaluation.tasks import Task

EffectStatus = Literal["measured", "not measured", "nothing to measure"]
ScoreStatus = Literal["better", "worse", "changed", "no measurable effect", "not measured"]
Members = Sequence[Outcome | Diverged]

OF_GATES = ("average_precision", "l2_ece", "smooth_ece", "classwise_ece")
METRICS = ("ece",)
"""The metrics, numbers that are no mean of rows, on which the effect is measured."""

CORRUPTED = "corrupted_"
NAN = math.nan


@dataclass(frozen=True)
class ScoreEffect:
    """The effect of the decay on one score, on validation rows.

    Args:
        score: its name; `corrupted_<primary>` is the primary score on corrupted rows.
        with_decay, without_decay: means over rows and pairs.
        difference: with minus without.
        lower, upper: 95 % interval of the difference, for other seeds and other rows; from one pair, for
            other rows alone.
        status: what the interval says; `changed` where the score has no better side. Of one pair it claims
            nothing: a pair of another seed may differ by more than the rows do.
        pairs: how many pairs of trainings were compared.
        missing: how many were left out, because a training of theirs diverged.
    """

    score: str
    with_decay: float
    without_decay: float
    difference: float
    lower: float
    upper: float
    status: ScoreStatus = "not measured"
    pairs: int = 0
    missing: int = 0

    @property
    def measurable(self) -> bool:
        """Whether the interval excludes 0, and is one for other seeds too."""
        return _excludes_zero(self.lower, self.upper, self.pairs)


@dataclass(frozen=True)
class DecayEffect:
    """What the configured decay did, compared with none.

    Args:
        status: whether anything was compared.
        effects: one entry a score; empty unless measured.
        seeds: how many pairs of trainings were compared.
        rows: how many train rows each training had.
        seconds: what all of it took.
        sentence: the answer for a reader who is no specialist.
        missing: how many pairs were left out, because a training of theirs diverged.
        controls: where the trainings without decay came from: `fleet`, `trained beside`, or
            `kept from 3 days ago`.
    """

    status: EffectStatus
    effects: tuple[ScoreEffect, ...]
    seeds: int
    rows: int
    seconds: float
    sentence: str
    missing: int = 0
    controls: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The effect as plain values."""
        return {**asdict(self), "effects": [asdict(effect) for effect in self.effects]}


def compare(task: Task, with_decay: Members, without: Members, validation: Split) -> tuple[ScoreEffect, ...]:
    """The paired effect on every score of the task, on `ece` where it has one, and on corrupted rows.

    Args:
        task: what is predicted, and how it is scored.
        with_decay: a member a seed (P,).
        without: the control of the same seeds, in the same order (P,); a pair of which a member diverged
            is left out and counted as missing.
        validation: the rows that the outcomes are about; where they have groups or times, those are the
            units that an interval is for.

    Returns:
        One entry a score; where no pair is left, one of status `not measured` for the primary score.
    """
    pairs = _complete(with_decay, without)
    missing = len(with_decay) - len(pairs)
    if not pairs:
        return (ScoreEffect(task.primary, NAN, NAN, NAN, NAN, NAN, missing=missing),)
    return tuple(
        _effect(task, name, means, differences, missing)
        for name, means, differences in _differences(task, pairs, validation)
    )


def values_of(task: Task, outcome: Outcome, validation: Split) -> dict[str, float]:
    """What one training reached, by score and metric: means over the (weighted) validation rows."""
    values = {
        name: float(np.average(scores, weights=_of_rows(validation.weights, score=name, split=validation)))
        for name, scores in _scores(task, outcome, validation).items()
    }
    known = task.metrics(outcome.predictions, validation.targets, validation.weights)
    return values | {name: known[name] for name in known if is_compared(name)}


def is_compared(metric: str) -> bool:
    """Whether trainings are compared by a metric: what gates alone ask for is dear, and fills a table."""
    return metric not in OF_GATES and "/" not in metric and not metric.endswith("_if_perfect")


def _complete(with_decay: Members, without: Members) -> list[tuple[Outcome, Outcome]]:
    return [
        (a, b)
        for a, b in zip(with_decay, without, strict=True)
        if isinstance(a, Outcome) and isinstance(b, Outcome)
    ]


def _differences(
    task: Task, pairs: Sequence[tuple[Outcome, Outcome]], validation: Split
) -> list[tuple[str, tuple[float, float], Differences]]:
    """A score's name, its means with and without the decay, and the differences in the pairs."""
    units = units_of(validation)
    sides = [[_scores(task, pair[side], validation) for pair in pairs] for side in (0, 1)]
    found = []
    for name in sides[0][0]:
        if not all(name in scores for side in sides for scores in side):
            continue
        values = [np.stack([scores[name] for scores in side]) for side in sides]  # (P, n) each
        groups, weights = (_of_rows(each, name, validation) for each in (units, validation.weights))
        means = tuple(float(np.average(each.mean(axis=0), weights=weights)) for each in values)
        found.append((name, (means[0], means[1]), of_rows(values[0], values[1], groups, weights)))
    names = _metrics(task, pairs[0][0], validation)
    return found + [_metric(task, name, pairs, validation, units) for name in names]


def _metric(
    task: Task,
    name: str,
    pairs: Sequence[tuple[Outcome, Outcome]],
    validation: Split,
    units: NDArray[Any] | None,
) -> tuple[str, tuple[float, float], Differences]:
    measures = [[_measure(task, name, pair[side], validation) for pair in pairs] for side in (0, 1)]
    everything = np.arange(len(validation))
    means = [float(np.mean([measure(everything) for measure in side])) for side in measures]

    def change(pair: int) -> Callable[[Positions], float]:
        return lambda rows: measures[0][pair](rows) - measures[1][pair](rows)

    differences = of_metric([change(pair) for pair in range(len(pairs))], len(validation), units)
    return name, (means[0], means[1]), differences


def _measure(task: Task, name: str, outcome: Outcome, validation: Split) -> Callable[[Positions], float]:
    weights, targets = validation.weights, validation.targets

    def measure(rows: Positions) -> float:
        some = {each: values[rows] for each, values in outcome.predictions.items()}
        return task.metrics(some, targets[rows], None if weights is None else weights[rows])[name]

    return measure


def _metrics(task: Task, outcome: Outcome, validation: Split) -> list[str]:
    known = task.metrics(outcome.predictions, validation.targets, validation.weights)
    return [name for name in METRICS if name in known]


def _scores(task: Task, outcome: Outcome, validation: Split) -> dict[str, NDArray[np.floating]]:
    scores: Mapping[str, NDArray[np.floating]] = task.scores(outcome.predictions, validation.targets)
    worse = {} if outcome.corrupted is None else {f"{CORRUPTED}{task.primary}": outcome.corrupted}
    return {**scores, **worse}


def _of_rows(values: NDArray[Any] | None, score: str, split: Split) -> NDArray[Any] | None:
    """The values (N,) of the rows that a score was measured on."""
    if values is None or not score.startswith(CORRUPTED):
        return values
    some: NDArray[Any] = values[corrupted_positions(split)]
    return some


def _effect(
    task: Task, name: str, means: tuple[float, float], differences: Differences, missing: int
) -> ScoreEffect:
    lower, upper = interval(differences)
    pairs = len(differences.means)
    status = _status(task, name, lower, upper, pairs)
    return ScoreEffect(name, *means, differences.mean, lower, upper, status, pairs, missing)


def _status(task: Task, name: str, lower: float, upper: float, pairs: int) -> ScoreStatus:
    if not (math.isfinite(lower) and math.isfinite(upper)):
        return "not measured"
    if not _excludes_zero(lower, upper, pairs):
        return "no measurable effect"
    better = better_side(task, name)
    return "changed" if better is None else "better" if better == (lower > 0) else "worse"


def _excludes_zero(lower: float, upper: float, pairs: int) -> bool:
    return pairs > 1 and (lower > 0 or upper < 0)


def better_side(task: Task, score: str) -> bool | None:
    """Whether more of a score is better; None where it has no better side, or the task does not say."""
    return task.higher_is_better.get(score.removeprefix(CORRUPTED))
