"""What does a person see of a sweep: a table, a plot, one tidy row a member, seed and metric?"""

from __future__ import annotations

import io
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.report import escape
from pipelines.dependence import effect_on, in_points
from pipelines.results import PointResult, Sweep, said
from wd_train.answers import SHARES
from wd_train.effects import CORRUPTED, ScoreEffect

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table


_NOT_SHOWN = ("balanced_accuracy", "auc")
_NOT_NEGATIVE = ("nll", "brier", "squared_error", "absolute_error")
GAP = 2
Cells = tuple[list[str], list[list[str]]]
MOST_LINES = 8
"""Settings of the other axes that one plot can tell apart."""


def show(sweep: Sweep, console: Console, next_command: str = "") -> None:
    """Print the result for a person."""
    console.print(f"\n[bold]{escape(sweep.model)}[/bold]: {escape(_basis(sweep))}\n", highlight=False)
    console.print(table(sweep, console.width))
    hidden = left_out(sweep, console.width)
    if hidden:
        where = "sweep.md has them" if sweep.folder else "a wider terminal shows them"
        console.print(f"Too wide for this terminal: {', '.join(hidden)}; {where}", highlight=False)
    console.print(f"\n[bold]What the sweep says[/bold]\n{escape(sweep.sentence)}", highlight=False)
    for note in sweep.notes:
        console.print(escape(note), highlight=False)
    if sweep.command:
        console.print(
            f"\nRun the chosen point:  [bold]{escape(sweep.command)}[/bold]", highlight=False, soft_wrap=True
        )
    if sweep.folder:
        files = (
            "the table (sweep.md), the plot (sweep.png), the rows (sweep.parquet) and all of it (sweep.json)"
        )
        console.print(escape(f"{sweep.folder} holds {files}"), highlight=False, soft_wrap=True)
    if next_command:
        console.print(f"See it in MLflow:  [bold]{next_command}[/bold]", highlight=False)


def table(sweep: Sweep, width: int = 200) -> Table:
    """A row a point: what it reached, and what its decay did against none; the scores that the width has."""
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0))
    heads, rows = _fitting(sweep, width)
    for head in heads:
        shown.add_column(head, justify="left" if head == "" else "right", no_wrap=True)
    for point, row in zip(sweep.points, rows, strict=True):
        style = "bold" if sweep.chosen is not None and point is sweep.points[sweep.chosen] else None
        shown.add_row(*[escape(cell) for cell in row], style=style)
    return shown


def cells(sweep: Sweep, most: int = 9) -> Cells:
    """The heads and the rows of the table as text, with at most so many scores besides the primary one."""
    axes = axes_of(sweep)
    scores = [score for score in sweep.best if score not in (*_NOT_SHOWN, sweep.primary)]
    # What is left out first says least besides the others.
    others = sorted(sorted(scores, key=_importance)[:most], key=scores.index)
    lost = any(point.diverged for point in sweep.points)
    heads = [*axes, sweep.primary, "effect (95 %)", *(_head(score) for score in others)]
    rows = [
        [
            *(_axis(point, axis) for axis in axes),
            _mean(point, sweep.primary),
            _effect(point, sweep.primary),
            *(_mean(point, score) for score in others),
            *([_diverged(point)] if lost else []),
            _word(sweep, point),
        ]
        for point in sweep.points
    ]
    return [*heads, *(["diverged"] if lost else []), ""], rows


def left_out(sweep: Sweep, width: int) -> list[str]:
    """The heads of the scores that a table of this width has no room for."""
    fitting, _ = _fitting(sweep, width)
    return [head for head in cells(sweep)[0] if head not in fitting]


def _fitting(sweep: Sweep, width: int) -> Cells:
    """The table with as many scores as the width has room for."""
    narrower = (cells(sweep, most) for most in range(len(sweep.best), -1, -1))
    return next((found for found in narrower if _width(*found) <= width), cells(sweep, 0))


def _width(heads: list[str], rows: list[list[str]]) -> int:
    widest = [max(len(line[column]) for line in [heads, *rows]) for column in range(len(heads))]
    return sum(widest) + GAP * (len(widest) - 1)


def _importance(score: str) -> int:
    first = ("nll", "squared_error", "ece", f"{CORRUPTED}accuracy", f"{CORRUPTED}absolute_error")
    return first.index(score) if score in first else len(first)


def _head(score: str) -> str:
    return "corrupted" if score.startswith(CORRUPTED) else score.replace("_", " ")


def axes_of(sweep: Sweep) -> list[str]:
    """The names of what differs between points, the decay always among them."""
    names = dict.fromkeys([*sweep.axes, *(name for point in sweep.points for name in point.values)])
    return list(names)


def frame(sweep: Sweep) -> pd.DataFrame:
    """One row a member and metric: its point's axes, its seed, the metric and the value."""
    import pandas as pd

    rows = [
        {
            # Axes first: what a column of ours says of the training as well stands there.
            **{name: point.values.get(name) for name in axes_of(sweep)},
            "point": number,
            "control": point.control,
            "weight_decay": point.weight_decay,
            "decay_form": point.form,
            "learning_rate": point.learning_rate,
            "rows": point.rows,
            "seed": member.seed,
            "diverged": member.diverged,
            "seconds": member.seconds,
            "metric": metric,
            "value": value,
        }
        for number, point in enumerate(sweep.points)
        for member in point.members
        for metric, value in (member.values or {sweep.primary: math.nan}).items()
    ]
    tidy = pd.DataFrame(rows)
    for column in axes_of(sweep):
        # A control that several points share has no value of the axis in which they differ.
        if not all(isinstance(value, int | float) for value in tidy[column].dropna()):
            tidy[column] = tidy[column].map(str, na_action="ignore")
    return tidy


def plot(sweep: Sweep) -> bytes:
    """Scores over the first axis, a line for each setting of the others; bars are the effect's interval."""
    from matplotlib.figure import Figure

    scores = [score for score in sweep.best if score not in (*_NOT_SHOWN, "brier")][:4]
    axis = _plotted_axis(sweep)
    figure = Figure(figsize=(4.2 * max(1, len(scores)), 3.6), layout="constrained")
    for column, score in enumerate(scores):
        panel = figure.add_subplot(1, len(scores), column + 1)
        places = _places(sweep, axis)
        for label, points in list(_lines(sweep, axis).items())[:MOST_LINES]:
            _draw(panel, score, axis, points, places, label)
        _scale(panel, axis, places)
        panel.set(xlabel=axis.replace("_", " "), ylabel=score.replace("_", " "))
    if scores and len(_lines(sweep, axis)) > 1:
        figure.axes[0].legend(frameon=False, fontsize=7)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def markdown(sweep: Sweep) -> str:
    """The table and the sentences as a page."""
    heads, rows = cells(sweep)
    lines = [heads, ["---"] * len(heads), *rows]
    rendered = "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
    notes = "\n\n".join(sweep.notes)
    command = f"\n\n    {sweep.command}" if sweep.command else ""
    return (
        f"# Sweep of {sweep.model}\n\n{sweep.sentence}\n\n{_basis(sweep)}\n\n{rendered}\n\n{notes}{command}\n"
    )


def write(sweep: Sweep, folder: Path) -> dict[str, Path]:
    """Write the rows, the plot, the table and the result as JSON, each beside and renamed; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = {
        "parquet": _put(folder / "sweep.parquet", lambda path: frame(sweep).to_parquet(path, index=False)),
        "png": _put(folder / "sweep.png", lambda path: path.write_bytes(plot(sweep))),
        "md": _put(folder / "sweep.md", lambda path: path.write_text(markdown(sweep), encoding="utf-8")),
    }
    content = json.dumps(sweep.as_dict(), indent=1, allow_nan=False)
    written["json"] = _put(folder / "sweep.json", lambda path: path.write_text(content, encoding="utf-8"))
    return written


def _put(path: Path, write: Callable[[Path], Any]) -> Path:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path


def _basis(sweep: Sweep) -> str:
    seeds = f"{sweep.seeds} seed{'s' * (sweep.seeds > 1)} a point"
    rows = f"{sweep.train_rows:,} train rows, {sweep.validation_rows:,} validation rows"
    if sweep.folds > 1:
        rows = f"{sweep.folds} folds of {sweep.validation_rows:,} rows, about {sweep.train_rows:,} to fit on"
    return f"{len(sweep.points)} points, {seeds}, {rows}"


def _value(point: PointResult, name: str) -> Any:
    """Where a point stands on an axis; its decay is known also where one value was fixed for all."""
    return point.weight_decay if name == "weight_decay" else point.values.get(name)


def _axis(point: PointResult, name: str) -> str:
    value = _value(point, name)
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _mean(point: PointResult, score: str) -> str:
    return said(score, point.means[score]) if score in point.means else ""


def _effect(point: PointResult, score: str) -> str:
    effect = effect_on(point, score)
    return "" if effect is None else in_points(effect, score)


def _diverged(point: PointResult) -> str:
    return f"{len(point.diverged)} of {len(point.members)}" if point.diverged else ""


def _word(sweep: Sweep, point: PointResult) -> str:
    words = ["chosen"] if sweep.chosen is not None and point is sweep.points[sweep.chosen] else []
    words += [] if point.effect is not None else ["control"]
    return ", ".join(words)


def _plotted_axis(sweep: Sweep) -> str:
    """The decay where it is varied, else the first axis of numbers, else the first of all."""
    values = {name: [_value(point, name) for point in sweep.points] for name in axes_of(sweep)}
    names = [name for name, found in values.items() if len(set(map(repr, found))) > 1]
    numeric = [name for name in names if all(v is None or _is_number(v) for v in values[name])]
    return next(
        iter([name for name in numeric if name == "weight_decay"] or numeric or names), "weight_decay"
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _places(sweep: Sweep, axis: str) -> dict[Any, float]:
    """Where each value of the axis is drawn: numbers where they are, words one after another."""
    values = list(dict.fromkeys(v for point in sweep.points if (v := _value(point, axis)) is not None))
    if all(_is_number(value) for value in values):
        return {value: float(value) for value in values}
    return {value: float(place) for place, value in enumerate(values)}


def _lines(sweep: Sweep, axis: str) -> dict[str, list[PointResult]]:
    """The points of each line, by what they have in common; a shared control begins each line of its own."""
    lines: dict[str, list[PointResult]] = {}
    for point in sweep.points:
        if point.effect is not None or axis != "weight_decay":
            lines.setdefault(_label(point, axis), []).append(point)
    for label, points in lines.items():
        controls = {point.control for point in points if axis == "weight_decay" and point.effect is not None}
        lines[label] = [*(sweep.points[number] for number in sorted(controls)), *points]
    return lines or {"": list(sweep.points)}


def _label(point: PointResult, axis: str) -> str:
    return " ".join(f"{name}={_axis(point, name)}" for name in point.values if name != axis)


def _draw(
    panel: Any, score: str, axis: str, points: Sequence[PointResult], places: Mapping[Any, float], label: str
) -> None:
    known = [point for point in points if _value(point, axis) is not None and score in point.means]
    known.sort(key=lambda point: places[_value(point, axis)])
    x = [places[_value(point, axis)] for point in known]
    y = [point.means[score] for point in known]
    bars = [bar(effect_on(point, score), score, point.means[score]) for point in known]
    sides = [[each[side] for each in bars] for side in (0, 1)]
    panel.errorbar(x, y, yerr=sides, marker="o", markersize=4, capsize=2, linewidth=1, label=label or None)


def bar(effect: ScoreEffect | None, score: str, at: float) -> tuple[float, float]:
    """How far the interval of an effect reaches below a score and above it, where the score can be."""
    if effect is None:
        return 0.0, 0.0
    least, most = possible(score)
    below = min(effect.difference - effect.lower, at - least)
    above = min(effect.upper - effect.difference, most - at)
    sides = (max(0.0, side) if math.isfinite(side) else 0.0 for side in (below, above))
    return next(sides), next(sides)


def possible(score: str) -> tuple[float, float]:
    """The least and the greatest value that a score can have; infinite where wdgate does not know it.

    Example:
        >>> possible("corrupted_accuracy"), possible("nll"), possible("profit")
        ((0.0, 1.0), (0.0, inf), (-inf, inf))
    """
    name = score.removeprefix(CORRUPTED)
    if name in (*SHARES, "auc", "ece"):
        return 0.0, 1.0
    return 0.0 if name in _NOT_NEGATIVE else -math.inf, math.inf


def _scale(panel: Any, axis: str, places: Mapping[Any, float]) -> None:
    positive = sorted(place for place in places.values() if place > 0)
    if all(_is_number(value) for value in places) and len(positive) > 1 and positive[-1] > 5 * positive[0]:
        # Straight from 0 to the first value, so that 0 is shown on a logarithmic axis.
        panel.set_xscale("symlog", linthresh=positive[0])
    panel.set_xticks(list(places.values()), [f"{v:g}" if _is_number(v) else str(v) for v in places])
