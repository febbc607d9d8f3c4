"""What should a reader of a sweep be warned of, which no single figure says?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.grid import Grid, Point
from pipelines.results import PointResult
from wd_train.diagnostics import shrink_diagnosis
from wd_train.provenance import lost


def cautions(grid: Grid, points: Sequence[PointResult], primary: str, train_rows: int) -> list[str]:
    """Decays that do harm, that are too small to do anything, and settings that nothing follows."""
    return [*_harm(points, primary), *_strengths(grid, train_rows), *_equal(points)]


def _harm(points: Sequence[PointResult], primary: str) -> list[str]:
    """The points whose decay measurably lowered the primary score, or raised it where lower is better."""
    worse = [
        point.words or "as configured"
        for point in points
        if point.effect is not None
        and any(each.score == primary and each.status == "worse" for each in point.effect.effects)
    ]
    return [f"Measurably worse than without decay: {'; '.join(worse)}."] if worse else []


def _strengths(grid: Grid, train_rows: int) -> list[str]:
    """Which decays are `inert` or `weak`, by what they take of a weight; known before any training."""
    found: dict[str, list[str]] = {}
    for point in grid.points:
        diagnosis = _diagnosed(point, train_rows)
        if diagnosis is not None:
            found.setdefault(diagnosis, []).append(point.words or "as configured")
    return [f"{words.capitalize()}: {'; '.join(own)}." for words, own in found.items()]


def _diagnosed(point: Point, train_rows: int) -> str | None:
    training = point.training
    if training.weight_decay == 0 or point.plan.pipeline.model is None:
        return None
    rates = training.rates(round(point.rows * train_rows))
    shares = training.decay.shares(training.weight_decay, rates, full_rate=training.learning_rate)
    diagnosis = None if shares is None else shrink_diagnosis(lost(shares))
    if diagnosis is None:
        return None
    limit = "below 2 % of a weight, all but none" if diagnosis.name == "inert" else "2 to 10 % of a weight"
    return f"{diagnosis.name}, for the decay takes {limit}"


def _equal(points: Sequence[PointResult]) -> list[str]:
    """Settings that made no difference to any training: a network or a loop does not follow them."""
    alike: dict[Any, list[str]] = {}
    for point in points:
        if point.effect is not None and not point.diverged:
            values = tuple((member.seed, *sorted(member.values.items())) for member in point.members)
            alike.setdefault(values, []).append(point.words)
    return [
        f"Equal to the last digit in every training: {'; '.join(words)}. Nothing follows what they differ in."
        for words in alike.values()
        if len(words) > 1
    ]
