"""How does the effect of the decay depend on the number of rows, and on the stage at which it acts?"""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.grid import as_text
from pipelines.results import PointResult
from wd_train.answers import SHARES
from wd_train.effects import ScoreEffect

MOST = 3
"""Settings of all else that are told of; the table has the others."""


def effects_over(name: str, points: Sequence[PointResult], score: str) -> list[str]:
    """One sentence for each setting of all else, with the effect on a score at each value of an axis."""
    settings: dict[str, list[PointResult]] = {}
    for point in points:
        if name in point.values and effect_on(point, score) is not None:
            settings.setdefault(_rest(point, name), []).append(point)
    several = [(rest, own) for rest, own in settings.items() if len(own) > 1]
    return [_sentence(name, rest, own, score) for rest, own in several[:MOST]]


def effect_on(point: PointResult, score: str) -> ScoreEffect | None:
    """What the decay of a point did to a score; None for a control, or where it was not measured."""
    if point.effect is None:
        return None
    return next((effect for effect in point.effect.effects if effect.score == score), None)


def in_points(effect: ScoreEffect, score: str) -> str:
    """An effect with its interval, in points where the score is a share.

    Example:
        >>> in_points(ScoreEffect("accuracy", 0.93, 0.9, 0.03, 0.01, 0.05), "accuracy")
        '+3.0 (+1.0 to +5.0)'
    """
    share = any(score.endswith(known) for known in SHARES)
    values = (effect.difference, effect.lower, effect.upper)
    middle, lower, upper = (f"{100 * value:+.1f}" if share else f"{value:+.3g}" for value in values)
    return f"{middle} ({lower} to {upper})"


def _rest(point: PointResult, name: str) -> str:
    return " ".join(f"{key}={as_text(value)}" for key, value in point.values.items() if key != name)


def _sentence(name: str, rest: str, own: Sequence[PointResult], score: str) -> str:
    told = [
        f"{in_points(effect, score)} at {name}={as_text(point.values[name])}"
        for point in own
        if (effect := effect_on(point, score)) is not None
    ]
    return f"The effect on {score.replace('_', ' ')}{f' of {rest}' if rest else ''}: {', '.join(told)}."
