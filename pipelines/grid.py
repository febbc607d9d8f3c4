"""Which trainings is a sweep made of? Axes become points, and every point has a control without decay."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from data_checks.errors import CannotProceed, PipelineError
from pipelines.arguments import convert, is_listed, parameter_hints, unknown
from pipelines.locating import find_function
from pipelines.pipeline import Pipeline, Plan, load_pipeline
from pipelines.sameness import Unsure, digest, form_of

if TYPE_CHECKING:  # torch takes a second to import
    from wd_train.training import Training

Stage = Literal["all", "early", "late"]

SEEDS = 5
RESERVED: Mapping[str, Any] = {"seeds": int, "folds": int, "rows": float, "stage": Stage}
"""Words that are the sweep's own, unless the pipeline takes an argument of that name."""


@dataclass(frozen=True)
class Axis:
    """An argument with several values, in the order in which they were given."""

    name: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Asked:
    """What was asked of a sweep, understood.

    Args:
        locator: the pipeline.
        fixed: arguments with one value.
        axes: arguments with several values, and `rows` and `stage` where they have several.
        seeds: trainings a point; their seeds count up from the pipeline's own.
        folds: of a cross-validation; 1 is none; None leaves it to the number of validation rows.
        rows: the share of the train rows where it is no axis.
        stage: when the decay acts where it is no axis.
    """

    locator: str
    fixed: Mapping[str, Any] = field(default_factory=dict)
    axes: tuple[Axis, ...] = ()
    seeds: int = SEEDS
    folds: int | None = None
    rows: float = 1.0
    stage: Stage = "all"


@dataclass(frozen=True, eq=False)
class Point:
    """One way of training that a sweep compares, with every seed.

    Args:
        plan: the pipeline.
        given: what its function was called with, besides its own defaults.
        values: of the axes; a control that several points share lacks those in which they differ.
        training: as its members train, but for the seed.
        rows: the share of the train rows.
        stage: when the decay acts; `all` is as configured.
        without_decay: its decay is switched off in the training, whatever the pipeline configured.
        parts: names everything but the training: equal where pipelines do the same; beginning with `?` where
            only their arguments say so.
        control: the number of the point without decay that it is compared with; its own for a control.
        listed: it was asked for; else it was added as a control.
    """

    plan: Plan
    given: Mapping[str, Any]
    values: Mapping[str, Any]
    training: Training
    rows: float
    stage: Stage
    parts: str
    without_decay: bool = False
    control: int = 0
    listed: bool = True

    @property
    def words(self) -> str:
        """The point as it is typed.

        Example:
            >>> grid_of(read_asked("pipelines.digits", {"weight_decay": "0,1"})).points[1].words
            'weight_decay=1'
        """
        return " ".join(f"{name}={as_text(value)}" for name, value in self.values.items())


@dataclass(frozen=True, eq=False)
class Grid:
    """The points of a sweep, with their controls among them.

    Args:
        asked: what was asked for.
        points: in the order of the axes; controls that were added come last.
    """

    asked: Asked
    points: tuple[Point, ...]

    def trainings(self, point: Point) -> list[Training]:
        """The members of a point: the same training from seeds that count up from the pipeline's own."""
        seed = point.training.seed
        return [replace(point.training, seed=seed + more) for more in range(self.asked.seeds)]

    def is_control(self, number: int) -> bool:
        """Whether the point of this number is trained without decay."""
        return self.points[number].control == number


def read_asked(locator: str, given: Mapping[str, Any]) -> Asked:
    """What `name=value` words mean for a pipeline: one value is fixed, several between commas are an axis.

    A value in which a comma belongs to the text is quoted; of an argument that is itself a list or a tuple,
    commas part the items, and semicolons several values.

    Raises:
        PipelineError: an argument that there is none of, a value of the wrong type, an axis without values,
            or seeds as an axis.

    Example:
        >>> asked = read_asked("pipelines.digits", {"weight_decay": "0,0.3,0.3", "epochs": "5", "seeds": "2"})
        >>> asked.axes, asked.fixed, asked.seeds
        ((Axis(name='weight_decay', values=(0.0, 0.3)),), {'epochs': 5}, 2)
    """
    function, _ = find_function(locator)
    own = parameter_hints(function)
    reserved = [name for name in RESERVED if name not in own]
    hints = {**RESERVED, **own}
    for name in given:
        if name not in hints:
            raise PipelineError(f"{unknown(name, [*own, *reserved], locator)}; only these can be axes")
    values = {name: _values(name, value, hints[name]) for name, value in given.items()}
    for name in values.keys() - own.keys():
        _check_reserved(name, values[name])
    _check_seed(values.get("seed", ()))
    ours = {name: found[0] for name, found in values.items() if name not in own and len(found) == 1}
    return Asked(
        locator,
        fixed={name: found[0] for name, found in values.items() if name in own and len(found) == 1},
        axes=tuple(Axis(name, found) for name, found in values.items() if len(found) > 1),
        **ours,
    )


def grid_of(asked: Asked) -> Grid:
    """Every combination of the axes, each with the control without decay that it is compared with.

    Points that differ in their decay alone share one control; one that is without decay is a control itself.

    Raises:
        PipelineError: a combination that the pipeline does not take, with its values.
    """
    points: list[Point] = []
    controls: dict[str, int] = {}
    own = parameter_hints(find_function(asked.locator)[0]).keys()
    for values in _combinations(asked.axes):
        point = _point(asked, values, own)
        if point.training.weight_decay == 0:
            point = _as_control(point)
            place = controls.setdefault(_control_key(point), len(points))
            if place < len(points):
                points[place] = replace(points[place], values=_common(points[place].values, values))
                continue
        points.append(point)
    found = _with_controls(points, controls)
    return Grid(asked, tuple(_without_what_matters_not(point, asked) for point in found))


def training_of(pipeline: Pipeline, stage: Stage, without_decay: bool) -> Training:
    """A pipeline's training with the decay in one stage alone, or with none.

    Raises:
        PipelineError: a stage for a decay that follows another schedule already.
    """
    from wd_train.decay import Decay

    training = pipeline.training
    if without_decay:
        return replace(training, weight_decay=0.0, decay=Decay())
    if stage == "all":
        return training
    configured = training.decay.schedule
    if training.weight_decay and configured not in ("constant", stage):
        raise PipelineError(
            f"stage={stage} would replace the schedule {configured!r} that the pipeline's decay follows, "
            "expected 'constant'; leave stage out, or set it to all"
        )
    return replace(training, decay=replace(training.decay, schedule=stage))


def as_text(value: Any) -> str:
    """A value as it is typed on the command line, and read again by `pipelines.arguments`.

    Example:
        >>> as_text(0.30000000000000004), as_text((64, 32)), as_text(None), as_text(True), as_text(3.0)
        ('0.30000000000000004', '64,32', 'none', 'true', '3')
    """
    if isinstance(value, list | tuple):
        return ",".join(as_text(part) for part in value)
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _values(name: str, value: Any, hint: Any) -> tuple[Any, ...]:
    found = [convert(name, part, hint) for part in _parted(name, value, hint)]
    # By their words, because a list cannot be looked up.
    return tuple({repr(part): part for part in found}.values())


def _parted(name: str, value: Any, hint: Any) -> Sequence[Any]:
    """The values of an argument: between commas, or between semicolons where commas part the items of one."""
    listed = is_listed(hint)
    if not isinstance(value, str):
        several = isinstance(value, list | tuple) and not (listed and not _nested(value))
        parts = value if several else [value]
    elif hint is str and not value:
        return [value]
    elif listed:
        return value.split(";")
    else:
        parts = next(csv.reader([value], skipinitialspace=True), [])
    if not parts or any(part == "" for part in parts):
        raise PipelineError(f"{name} names no value, or an empty one between commas, got {value!r}")
    return list(parts)


def _nested(value: Sequence[Any]) -> bool:
    return bool(value) and all(isinstance(part, list | tuple) for part in value)


def _check_reserved(name: str, values: tuple[Any, ...]) -> None:
    if name in ("seeds", "folds") and (len(values) > 1 or values[0] < 1):
        got = ",".join(str(value) for value in values)
        raise PipelineError(f"{name} must be a whole number of at least 1, got {got}")
    if name == "rows" and not all(0 < value <= 1 for value in values):
        wrong = next(value for value in values if not 0 < value <= 1)
        raise PipelineError(f"rows must be shares of the train rows, above 0 and at most 1, got {wrong}")


def _check_seed(values: tuple[Any, ...]) -> None:
    if len(values) > 1:
        # Points that differ by chance alone would be chosen among, each with a control of its own.
        got = ",".join(as_text(value) for value in values)
        raise PipelineError(
            f"seed is no axis, got {got}: seeds={len(values)} trains every point with as many seeds, "
            "which count up from a single seed"
        )


def _combinations(axes: tuple[Axis, ...]) -> Iterator[dict[str, Any]]:
    for values in itertools.product(*(axis.values for axis in axes)):
        yield {axis.name: value for axis, value in zip(axes, values, strict=True)}


def _point(asked: Asked, values: Mapping[str, Any], own: Collection[str]) -> Point:
    given = {**asked.fixed, **{name: value for name, value in values.items() if name in own}}
    ours = {name: value for name, value in values.items() if name not in own}
    rows, stage = ours.get("rows", asked.rows), ours.get("stage", asked.stage)
    try:
        plan = load_pipeline(asked.locator, given)
        training = training_of(plan.pipeline, stage, without_decay=False)
    except CannotProceed as error:
        where = " ".join(f"{name}={as_text(value)}" for name, value in {**given, **ours}.items())
        raise PipelineError(
            f"the point {where} cannot be trained: {error}" if where else str(error)
        ) from error
    return Point(plan, given, values, training, rows, stage, parts_of(plan))


def parts_of(plan: Plan) -> str:
    """Names everything of a pipeline but its training, the same where two do the same.

    Where that cannot be told, all its arguments name it, and the name begins with `?`.
    """
    pipeline = plan.pipeline
    parts = (pipeline.splits, pipeline.model, pipeline.preprocess, pipeline.augment, pipeline.train)
    try:
        return digest(plan.code_sha256, form_of((*parts, pipeline.task)))
    except Unsure:
        # All of them: a network may hang on its coefficient, which then is no control of another.
        others = {name: str(plan.arguments[name]) for name in sorted(plan.arguments)}
        return f"?{digest(plan.code_sha256, plan.locator, form_of(others))}"


def training_form(training: Training, arguments: Mapping[str, Any]) -> Any:
    """What a training is made of, in words of the pipeline's arguments where a function in it has no form."""
    try:
        return form_of(training)
    except Unsure:
        from wd_train.decay import Decay

        # What hides in a function of the user's own, the arguments name; the rest is told as ever.
        plain = replace(training.decay, form=Decay().form)
        named = {name: str(value) for name, value in sorted(arguments.items())}
        return named, training.decay.name, form_of(replace(training, decay=plain))


def _control_key(point: Point) -> str:
    off = training_of(point.plan.pipeline, "all", without_decay=True)
    return digest(point.parts, training_form(off, point.plan.arguments), form_of(point.rows))


def _as_control(point: Point) -> Point:
    """A point without decay, for which its form and its stage do not matter."""
    training = training_of(point.plan.pipeline, "all", without_decay=True)
    return replace(point, training=training, stage="all", without_decay=True)


def _with_controls(points: list[Point], controls: Mapping[str, int]) -> Iterator[Point]:
    """The points with the numbers of their controls, then the controls that nobody listed."""
    places = dict(controls)
    added: dict[str, Point] = {}
    for point in points:
        key = _control_key(point)
        if key not in places:
            places[key] = len(points) + len(added)
            added[key] = _added_control(point)
        elif key in added:
            added[key] = replace(added[key], values=_common(added[key].values, _off_values(point)))
        yield replace(point, control=places[key])
    # Of the last ones their values are known only now.
    yield from (replace(point, control=places[key]) for key, point in added.items())


def _added_control(point: Point) -> Point:
    """The control of a point: its pipeline called with `weight_decay=0` if that is all, or switched off."""
    values = _off_values(point)
    off = replace(_as_control(point), values=values, listed=False)
    if "weight_decay" not in point.plan.arguments:
        return off
    given = {**point.given, "weight_decay": 0.0}
    try:
        plan = load_pipeline(point.plan.locator, given)
    except CannotProceed:
        return off
    called = _as_control(
        Point(plan, given, values, plan.pipeline.training, point.rows, "all", parts_of(plan))
    )
    # Only where nothing but the decay hangs on that argument.
    return replace(called, listed=False) if _control_key(called) == _control_key(point) else off


def _without_what_matters_not(point: Point, asked: Asked) -> Point:
    """A control that several points share, called without the arguments in which they differ."""
    differ = [axis.name for axis in asked.axes if axis.name in point.given and axis.name not in point.values]
    if not differ:
        return point
    given = {name: value for name, value in point.given.items() if name not in differ}
    try:
        plan = load_pipeline(point.plan.locator, given)
    except CannotProceed:
        return point
    called = replace(point, plan=plan, given=given, parts=parts_of(plan))
    return called if _control_key(called) == _control_key(point) else point


def _off_values(point: Point) -> dict[str, Any]:
    values = {
        name: value for name, value in point.values.items() if name != "stage" or "stage" in point.given
    }
    return {**values, "weight_decay": 0.0}


def _common(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """What two points agree in."""
    return {name: first[name] for name in first if name in second and repr(first[name]) == repr(second[name])}


def size_in_words(grid: Grid, folds: int = 1) -> str:
    """How many trainings a sweep takes, in words.

    Example:
        >>> size_in_words(grid_of(read_asked("pipelines.digits", {"weight_decay": "0.3,1", "seeds": "3"})))
        '9 trainings: 3 points x 3 seeds'
    """
    members = len(grid.points) * grid.asked.seeds * folds
    parts = [f"{len(grid.points)} points", f"{grid.asked.seeds} seeds"]
    parts += [f"{folds} folds"] if folds > 1 else []
    return f"{members:,} trainings: {' x '.join(parts)}"
