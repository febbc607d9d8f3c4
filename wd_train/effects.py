"""How large is the effect of the decay, how sure is that, and how is it said?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wdgate.evaluation.tasks import Task

Scores = dict[str, NDArray[Any]]
EffectStatus = Literal["measured", "not measured", "nothing to measure"]

CONFIDENCE = 0.95
SHARES = ("accuracy", "balanced_accuracy")
"""Scores that are said in percent."""


@dataclass(frozen=True)
class ScoreEffect:
    """The effect of the decay on one score, on validation rows.

    Args:
        score: its name.
        with_decay, without_decay: means over rows and pairs.
        difference: with minus without.
        lower, upper: 95 % interval of the difference.
    """

    score: str
    with_decay: float
    without_decay: float
    difference: float
    lower: float
    upper: float

    @property
    def measurable(self) -> bool:
        """Whether the interval excludes 0."""
        return self.lower > 0 or self.upper < 0


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
    """

    status: EffectStatus
    effects: tuple[ScoreEffect, ...]
    seeds: int
    rows: int
    seconds: float
    sentence: str

    def as_dict(self) -> dict[str, Any]:
        """The effect as plain values."""
        return {**asdict(self), "effects": [asdict(effect) for effect in self.effects]}


def nothing_to_measure() -> DecayEffect:
    """The answer for a training without decay."""
    sentence = "Trained without weight decay, so there is no effect of it to measure."
    return DecayEffect("nothing to measure", (), 0, 0, 0.0, sentence)


def own_loop() -> DecayEffect:
    """The answer for a training loop of the user's own, which wdgate does not run a second time."""
    sentence = "What the weight decay did was not measured: the training loop is the pipeline's own."
    return DecayEffect("not measured", (), 0, 0, 0.0, sentence)


def not_measured(seeds: int, budget: float, rows: float, main_seconds: float) -> DecayEffect:
    """The answer where no pair of trainings could be paid, or none was wanted."""
    if seeds == 0:
        reason = "no pairs of trainings were asked for"
    else:
        reason = (
            f"one pair of trainings takes about {2 * rows * main_seconds:,.0f} s, and {budget:.0%} of the "
            f"training's {main_seconds:,.0f} s were allowed; allow a larger budget or fewer rows"
        )
    return DecayEffect(
        "not measured", (), 0, 0, 0.0, f"What the weight decay did was not measured: {reason}."
    )


def summarize(
    task: Task,
    weight_decay: float,
    with_decay: Sequence[Scores | None],
    without_decay: Sequence[Scores | None],
    *,
    rows: int,
    seconds: float,
) -> DecayEffect:
    """The paired effect on every score, from the per-row scores of each training; None where one diverged."""
    pairs = [
        (a, b) for a, b in zip(with_decay, without_decay, strict=True) if a is not None and b is not None
    ]
    lost = len(with_decay) - len(pairs)
    if not pairs:
        sentence = f"What the weight decay did was not measured: all {lost} pairs of trainings diverged."
        return DecayEffect("not measured", (), 0, rows, seconds, sentence)
    effects = tuple(_effect(name, pairs) for name in pairs[0][0])
    sentence = _sentence(task, weight_decay, effects, pairs, lost)
    return DecayEffect("measured", effects, len(pairs), rows, seconds, sentence)


def mean_interval(values: NDArray[Any]) -> tuple[float, float]:
    """The 95 % interval of a mean by Student's t, from independent values (n,); infinite for one value.

    Example:
        >>> [round(bound, 3) for bound in mean_interval(np.array([1.0, 2.0, 3.0]))]
        [-0.484, 4.484]
    """
    from scipy.special import stdtrit

    if len(values) < 2:
        return -math.inf, math.inf
    quantile = float(stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2))
    half = quantile * float(values.std(ddof=1)) / math.sqrt(len(values))
    return float(values.mean()) - half, float(values.mean()) + half


def _effect(name: str, pairs: Sequence[tuple[Scores, Scores]]) -> ScoreEffect:
    with_decay, without = (np.array([pair[side][name] for pair in pairs], float) for side in (0, 1))  # (P, N)
    differences = (with_decay - without).mean(axis=1)
    # One pair, or pairs that agree to the last digit, say nothing about another seed. They do say how far
    # these rows determine the difference.
    by_seed = len(pairs) > 1 and np.ptp(differences) > 1e-9
    return ScoreEffect(
        name,
        float(with_decay.mean()),
        float(without.mean()),
        float(differences.mean()),
        *mean_interval(differences if by_seed else (with_decay - without).mean(axis=0)),
    )


def _sentence(
    task: Task,
    weight_decay: float,
    effects: Sequence[ScoreEffect],
    pairs: Sequence[tuple[Scores, Scores]],
    lost: int,
) -> str:
    primary = next(effect for effect in effects if effect.score == task.primary)
    others = [_moved(effect, task) for effect in effects if effect.measurable and effect is not primary]
    also = f" It also {_listed(others)}." if others else ""
    missing = f" {lost} of {lost + len(pairs)} pairs diverged and were left out." if lost else ""
    validation = len(pairs[0][0][primary.score])
    return (
        f"{_first(primary, task, weight_decay)} ({_basis(primary, len(pairs), validation)}).{also}{missing}"
    )


def _first(effect: ScoreEffect, task: Task, weight_decay: float) -> str:
    name, both = (
        _named(effect.score),
        f"{_said(effect, effect.with_decay)} with it, {_said(effect, effect.without_decay)} without",
    )
    if not effect.measurable:
        return f"Weight decay {weight_decay:g} had no measurable effect on {name}: {both}"
    return f"Weight decay {weight_decay:g} {_moved(effect, task)}: {both}"


def _basis(effect: ScoreEffect, pairs: int, rows: int) -> str:
    interval = (
        f"95 % interval of the difference {_signed(effect, effect.lower)} to {_signed(effect, effect.upper)}"
    )
    if effect.lower == effect.upper == 0:
        return f"the same on each of {rows:,} validation rows, in {pairs} pairs of trainings"
    if pairs == 1:
        return f"{interval}, over {rows:,} validation rows of one pair of trainings: another seed may differ"
    return f"{interval}, over {pairs} pairs of trainings"


def _moved(effect: ScoreEffect, task: Task) -> str:
    rose = effect.difference > 0
    better = task.higher_is_better.get(effect.score)
    judged = "" if better is None else ", which is better" if better == rose else ", which is worse"
    size = _signed(effect, abs(effect.difference)).removeprefix("+")
    return f"{'raised' if rose else 'lowered'} {_named(effect.score)} by {size}{judged}"


def _named(score: str) -> str:
    return {"nll": "log-loss", "brier": "the Brier score"}.get(score, score.replace("_", " "))


def _said(effect: ScoreEffect, value: float) -> str:
    return f"{value:.1%}" if effect.score in SHARES else f"{value:.3g}"


def _signed(effect: ScoreEffect, value: float) -> str:
    # Adding zero turns -0.0 into 0.0.
    return f"{round(100 * value, 1) + 0.0:+.1f} points" if effect.score in SHARES else f"{value:+.3g}"


def _listed(parts: Sequence[str]) -> str:
    return "; ".join(parts)
