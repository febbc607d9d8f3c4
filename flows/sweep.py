"""Which weight decay, beside which other settings? Trains a grid, and chooses on validation."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from prefect import flow

from data_checks.splits import Splits
from flows import sweep_report, tracking_sweep
from flows.check_data import check, load_splits
from flows.checked import data_docs
from flows.interrupting import stopping_between_steps
from flows.kept import outcomes_folder
from flows.progress import now, say, share_done
from flows.settings import Settings, read_settings
from flows.steps import step
from pipelines.conclusions import conclude
from pipelines.folds import Material, folds_for, material_of
from pipelines.grid import Grid, Point, grid_of, read_asked, size_in_words
from pipelines.results import Sweep
from pipelines.sameness import Unsure, digest, form_of
from pipelines.sweeping import Schedule, outcomes_of, schedule, train_all
from wd_train.kept import remove_abandoned
from wdgate import __version__

MANY = 300
"""Trainings above which their number is said as a warning."""


@flow(name="sweep", persist_result=False)
def sweep(pipeline: str, parameters: dict[str, Any] | None = None, out: Path | None = None) -> Sweep:
    """Train every combination of the parameters' values with several seeds, and measure what the decay did.

    What is trained is kept by its content, so that the same sweep, killed or not, trains nothing twice.

    Args:
        pipeline: where it is found.
        parameters: `name=value` words: several values between commas, or in a list, are an axis.
        out: the folder for the table, the plot and the rows; under `WDGATE_HOME` where nothing is given.

    Raises:
        DataCheckFailed: a check of the data failed, and nothing was trained.
    """
    settings = read_settings()
    grid = step(_grid, "Making the grid")(pipeline, parameters or {})
    materials = step(_check_rows, "Checking the data")(grid, settings)
    kept = outcomes_folder(settings)
    left = step(schedule, "Looking for what is trained already")(grid, materials, kept)
    for words in words_before(grid, materials, left):
        say(words)
    with stopping_between_steps():
        step(_train, "Training")(left, settings)
    result = step(_conclude, "Comparing")(grid, materials, kept)
    key = key_of(grid, materials)
    folder = (out or settings.home / "sweeps" / key).resolve()
    result = replace(result, folder=str(folder))
    paths = sweep_report.write(result, folder)
    step(tracking_sweep.log_sweep, "Logging to MLflow")(settings, result, key, paths)
    return result


def key_of(grid: Grid, materials: list[Material]) -> str:
    """What makes two sweeps the same: the points, the seeds, the rows, the code."""
    points = [
        (
            point.words,
            point.parts,
            form_of(point.training.as_dict()),
            point.rows,
            point.stage,
            str(point.given),
        )
        for point in grid.points
    ]
    prints = [material.fingerprints for material in materials]
    return digest(points, prints, grid.asked.seeds, grid.asked.folds, __version__)


def words_before(grid: Grid, materials: list[Material], left: Schedule) -> list[str]:
    """What a person should know before the training: folds that nobody asked for, and how much is to do."""
    folds = max(folds_for(material, grid.asked.folds) for material in materials)
    words = []
    if folds > 1 and grid.asked.folds is None:
        rows = len(materials[0].validation)
        words.append(
            f"{rows:,} validation rows are too few to choose on: {folds} folds of train and validation rows "
            "(folds=1 does without)"
        )
    kept = f", of which {left.kept:,} are kept of earlier sweeps" if left.kept else ""
    size = f"{size_in_words(grid, folds)}{kept}"
    about = f", about {left.seconds:,.0f} s on one core" if left.seconds >= 1 else ""
    if left.members > MANY or left.seconds > 1:
        words.append(f"{size}{about}")
    return words


def _grid(pipeline: str, parameters: Mapping[str, Any]) -> Grid:
    return grid_of(read_asked(pipeline, parameters))


def _check_rows(grid: Grid, settings: Settings) -> list[Material]:
    """The rows of each point, loaded and checked once for all points of the same splits.

    The checks compare them with the test rows; what comes back holds none.
    """
    found: dict[str, Material] = {}
    for point in grid.points:
        key = _splits_key(point)
        if key not in found:
            found[key] = _checked(point, load_splits(point.plan), settings)
    return [found[_splits_key(point)] for point in grid.points]


def _checked(point: Point, splits: Splits, settings: Settings) -> Material:
    check(point.plan, splits, data_docs(settings, splits)).raise_if_failed()
    return material_of(splits)


def _splits_key(point: Point) -> str:
    try:
        return digest(form_of(point.plan.pipeline.splits), form_of(point.plan.pipeline.task))
    except Unsure:
        return digest({name: str(value) for name, value in point.plan.arguments.items()})


def _train(left: Schedule, settings: Settings) -> None:
    remove_abandoned(outcomes_folder(settings), time.time())
    left = _with_checkpoints(left, settings.checkpoint_seconds)

    def tell(done: float) -> None:
        now(f"Training: {int(done + 1e-6):,} of {left.members:,}")
        share_done(done / left.members)

    if left.jobs:
        tell(left.kept)
    train_all(left, tell)


def _with_checkpoints(left: Schedule, every: float) -> Schedule:
    jobs = tuple((replace(job, every=every), works) for job, works in left.jobs)
    return replace(left, jobs=jobs)


def _conclude(grid: Grid, materials: list[Material], kept: Path) -> Sweep:
    outcomes, validations = outcomes_of(grid, materials, kept)
    folds = max(folds_for(material, grid.asked.folds) for material in materials)
    train_rows = len(materials[0].train)
    if folds > 1:
        train_rows = round((train_rows + len(materials[0].validation)) * (folds - 1) / folds)
    return conclude(grid, outcomes, validations, folds=folds, train_rows=train_rows)
