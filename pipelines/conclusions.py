"""What does a sweep say: which decay does what, which point is chosen, and what is to be run next?

The chosen point is the one of the best log-loss (or squared error: the score that only the true distribution
minimizes) among those whose primary score is within one standard error of the best. Accuracy alone chooses by
chance among equals, and not calibration: it is too coarse on a few hundred rows (Breiman et al. 1984 take the
simplest model within one standard error; which decay is simplest, nobody can say). A point of which a member
diverged, or that was trained on a part of the rows, is not chosen.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.splits import Split
from pipelines.cautions import cautions
from pipelines.dependence import effects_over
from pipelines.grid import Grid, Point, as_text
from pipelines.near import primary_scores, within_one_error
from pipelines.ranges import RateRange, in_words, rate_ranges
from pipelines.reaching import reaching
from pipelines.results import MemberResult, PointResult, Sweep, said
from wd_train.answers import summarize
from wd_train.effects import better_side, values_of
from wd_train.outcomes import Diverged, Outcome
from wdgate.evaluation.tasks import Task

Members = Sequence[Outcome | Diverged]


def conclude(
    grid: Grid, outcomes: Sequence[Members], validations: Sequence[Split], *, folds: int, train_rows: int
) -> Sweep:
    """What the outcomes of a sweep say.

    Args:
        grid: the points.
        outcomes: of each point (P), of each seed (S).
        validations: the rows of each point (P) that its outcomes are about.
        folds: of the cross-validation; 1 is none.
        train_rows: how many there are to fit on.
    """
    task = grid.points[0].plan.pipeline.task
    points = tuple(
        _point_result(grid, number, outcomes, validations[number], train_rows)
        for number in range(len(grid.points))
    )
    best = {score: number for score in _scores(points) if (number := _best(task, score, points)) is not None}
    chosen = _chosen(task, points, outcomes, validations)
    ranges = rate_ranges(task, grid, points, outcomes, validations)
    return Sweep(
        outcome="swept",
        sentence=_sentence(task, points, chosen),
        pipeline=grid.asked.locator,
        model=grid.points[0].plan.pipeline.name,
        axes={axis.name: [_shown(value) for value in axis.values] for axis in grid.asked.axes},
        seeds=grid.asked.seeds,
        folds=folds,
        train_rows=round(max(point.rows for point in points) * train_rows),
        validation_rows=len(validations[0]),
        primary=task.primary,
        points=points,
        best=best,
        chosen=chosen,
        ranges=ranges,
        notes=(
            *_notes(points, chosen, ranges, task.primary),
            *cautions(grid, points, task.primary, train_rows),
        ),
        command=points[chosen].command if chosen is not None else "",
        seconds=float(np.nansum([member.seconds for point in points for member in point.members])),
    )


def _point_result(
    grid: Grid, number: int, outcomes: Sequence[Members], validation: Split, train_rows: int
) -> PointResult:
    point, members = grid.points[number], outcomes[number]
    task, training = point.plan.pipeline.task, point.training
    control = outcomes[point.control]
    results = tuple(
        _member_result(task, seed, member, validation)
        for seed, member in enumerate(members, point.training.seed)
    )
    means, errors = _means(results)
    rows, is_control = round(point.rows * train_rows), grid.is_control(number)
    coefficient = training.weight_decay
    return PointResult(
        words=point.words,
        values={name: _shown(value) for name, value in point.values.items()},
        weight_decay=coefficient,
        form=training.decay.name if coefficient else "",
        schedule=training.decay.schedule if coefficient else "",
        learning_rate=training.learning_rate,
        rows=point.rows,
        listed=point.listed,
        control=point.control,
        members=results,
        means=means,
        errors=errors,
        effect=None
        if is_control
        else summarize(task, coefficient, members, control, validation, rows=rows, seconds=_seconds(results)),
        reaching=None if is_control else reaching(members, control),
        command=command_of(point),
    )


def command_of(point: Point) -> str:
    """What trains a point on all rows and judges it; empty where no arguments of its pipeline lead to it."""
    switched_off = point.without_decay and point.plan.pipeline.training.weight_decay != 0
    if switched_off or point.stage != "all":
        return ""
    words = [f"{name}={as_text(value)}" for name, value in point.given.items()]
    return shlex.join(["wdgate", "run", point.plan.locator, *words])


def _member_result(task: Task, seed: int, member: Outcome | Diverged, validation: Split) -> MemberResult:
    if isinstance(member, Diverged):
        return MemberResult(seed, {}, diverged=member.reason)
    values = values_of(task, member, validation)
    return MemberResult(seed, values, "", member.best_epoch, member.seconds, member.norm_ratio)


def _means(members: Sequence[MemberResult]) -> tuple[dict[str, float], dict[str, float]]:
    found = [member.values for member in members if not member.diverged]
    if not found:
        return {}, {}
    table = {name: np.array([values[name] for values in found if name in values]) for name in found[0]}
    means = {name: float(values.mean()) for name, values in table.items()}
    errors = {
        name: float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else math.nan
        for name, values in table.items()
    }
    return means, errors


def _seconds(members: Sequence[MemberResult]) -> float:
    return float(np.nansum([member.seconds for member in members]))


def _scores(points: Sequence[PointResult]) -> list[str]:
    return list(dict.fromkeys(name for point in points for name in point.means))


def _candidates(points: Sequence[PointResult]) -> list[int]:
    """Points that may be chosen: on all rows that the sweep was given, and of which no member diverged."""
    most = max(point.rows for point in points)
    return [
        number
        for number, point in enumerate(points)
        if point.rows == most and point.means and not point.diverged
    ]


def _best(task: Task, score: str, points: Sequence[PointResult]) -> int | None:
    """The point that is best in a score; None where the score has no better side, and nobody has it."""
    better = better_side(task, score)
    known = [
        number for number in _candidates(points) if math.isfinite(points[number].means.get(score, math.nan))
    ]
    if better is None or not known:
        return None
    sign = 1 if better else -1
    # Of equals the one with less decay, then the first.
    return max(known, key=lambda n: (sign * points[n].means[score], -points[n].weight_decay, -n))


def _chosen(
    task: Task,
    points: Sequence[PointResult],
    outcomes: Sequence[Members],
    validations: Sequence[Split],
) -> int | None:
    best = _best(task, task.primary, points)
    if best is None:
        return None
    scores = {n: primary_scores(task, outcomes[n], validations[n]) for n in _candidates(points)}
    top = scores[best]
    near = [
        number
        for number, values in scores.items()
        if number == best or (validations[number] is validations[best] and _is_near(values, top))
    ]
    chosen = _best(task, task.proper, [points[number] for number in near])
    return best if chosen is None else near[chosen]


def _is_near(values: NDArray[np.floating] | None, best: NDArray[np.floating] | None) -> bool:
    return values is not None and best is not None and within_one_error(values, best)


def _sentence(task: Task, points: Sequence[PointResult], chosen: int | None) -> str:
    if chosen is None:
        return "No point can be chosen, because a training of each of them diverged."
    point, count = points[chosen], len(_candidates(points))
    seeds = f"{len(point.members)} seeds" if len(point.members) > 1 else "one seed"
    name = task.primary.replace("_", " ")
    reached = f"{name} {said(task.primary, point.means[task.primary])} on validation, over {seeds}"
    of = f"{len(points)} points" if count == len(points) else f"{count} of {_left_out(points)}"
    first = f"Chosen of {of}: {point.words or 'the pipeline as it is configured'} ({reached})."
    if point.effect is None:
        return f"{first} That is without weight decay: none of the decays did better by more than chance."
    return f"{first} {point.effect.sentence}"


def _left_out(points: Sequence[PointResult]) -> str:
    """Why points are no candidates: `8 points (left out: 4 on fewer train rows)`."""
    most = max(point.rows for point in points)
    fewer = sum(point.rows < most for point in points)
    lost = sum(point.rows == most and bool(point.diverged) for point in points)
    told = [f"{fewer} on fewer train rows"] if fewer else []
    told += [f"{lost} of which a training diverged"] if lost else []
    return f"{len(points)} points (left out: {', '.join(told)})"


def _notes(
    points: Sequence[PointResult], chosen: int | None, ranges: Sequence[RateRange], primary: str
) -> list[str]:
    notes = []
    if chosen is not None and len(_candidates(points)) > 1:
        notes.append(
            "The figures of the chosen point are optimistic, because it was chosen on the same rows; what it "
            "is worth on rows that nobody has looked at, its gates say."
        )
    if chosen is not None and points[chosen].rows < 1:
        share = f"{points[chosen].rows:.0%} of the train rows"
        notes.append(
            f"It was trained on {share}; the command trains on all of them, for which another may be better."
        )
    if len(points[0].members) == 1:
        notes.append(
            "One seed a point: the intervals are for other rows alone, and what another seed would change is "
            "not measured; seeds=5 measures it."
        )
    lost = [point for point in points if point.diverged]
    for point in lost:
        seeds = ", ".join(str(member.seed) for member in point.diverged)
        notes.append(
            f"{point.words or 'As configured'}: diverged with seed {seeds} ({point.diverged[0].diverged})."
        )
    notes += in_words(ranges)
    notes += [words for name in ("rows", "stage") for words in effects_over(name, points, primary)]
    if chosen is not None and points[chosen].reaching is not None:
        notes.append(points[chosen].reaching.sentence)  # type: ignore[union-attr]
    if chosen is not None and not points[chosen].command:
        notes.append(_no_command(points[chosen]))
    return notes


def _no_command(point: PointResult) -> str:
    what = f"Decay(schedule={point.schedule!r})" if point.weight_decay else "weight_decay=0"
    return f"No argument of the pipeline leads to the chosen point: set {what} in its Training."


def _shown(value: Any) -> Any:
    """A value as a number, text or a truth; whatever else as it is typed."""
    return value if isinstance(value, bool | int | float | str) else as_text(value)
