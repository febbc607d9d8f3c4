"""How do the points of a sweep get their outcomes: what is kept, and what trains together, and where?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from data_checks.errors import CannotProceed
from data_checks.splits import Split
from pipelines.folds import Material, folds_for, parts_of_fold
from pipelines.grid import Grid, Point
from pipelines.jobs import Job, Member, train_here, train_job
from pipelines.keeping import outcome_name
from pipelines.merging import merged, predicted_rows
from pipelines.pipeline import Pipeline
from pipelines.sameness import digest, form_of
from wd_train.decay import Decay
from wd_train.devices import pick_device
from wd_train.fleet import MOST_TOGETHER
from wd_train.network import build_network, check_network
from wd_train.outcomes import Diverged, Outcome, load_outcome
from wd_train.pool import START_SECONDS, cores, one_thread, run_in_workers
from wd_train.stacked import stacks

if TYPE_CHECKING:
    from wd_train.training import Training

STEP_SECONDS, STACKED_STEP_SECONDS = 4e-4, 6e-5
"""What a step of the smallest network takes, alone and as a member of a stack (measured on one core)."""

OPERATIONS_A_SECOND = 2e10
"""Floating-point operations that one thread does, roughly; told to nobody but as `about`."""


@dataclass(frozen=True, eq=False)
class Work:
    """A training that is to be done, with what it needs in this process.

    Args:
        member: the training.
        pipeline: of its point.
        training: with its own seed.
        material: the rows of its point.
        rows: the share of the train rows.
        fold, folds: which rows are predicted.
        alike: equal for trainings that differ in fold, seed, decay and learning rate alone.
    """

    member: Member
    pipeline: Pipeline
    training: Training
    material: Material
    rows: float
    fold: int
    folds: int
    alike: str


@dataclass(frozen=True, eq=False)
class Schedule:
    """The jobs that are left to do.

    Args:
        jobs: each with what it needs in this process.
        kept: how many trainings need not be done again.
        members: how many trainings the sweep has in all, each counted once.
        seconds: what the jobs take on one core, about; NaN where a loop is the user's own.
    """

    jobs: tuple[tuple[Job, tuple[Work, ...]], ...]
    kept: int
    members: int
    seconds: float


def schedule(grid: Grid, materials: Sequence[Material], kept: Path) -> Schedule:
    """What is left to train, after what earlier sweeps have left.

    Args:
        grid: the points.
        materials: the rows of each point; points of the same splits share one object.
        kept: the folder of outcomes.

    Raises:
        ModelError: a network that does not fit its rows or its task.
        TrainingError: a training that cannot start.
    """
    points = _works(grid, materials, kept)
    works = {work.member.path: work for point in points for seeds in point for work in seeds}
    left = [work for path, work in works.items() if load_outcome(path) is None]
    groups: dict[tuple[str, int], list[Work]] = {}
    for work in left:
        groups.setdefault((work.alike, work.fold), []).append(work)
    weighed: dict[str, Weighed] = {}
    for (alike, _), group in groups.items():
        weighed[alike] = weighed.get(alike) or _weigh(group[0])
    seconds = sum(weighed[work.alike].seconds for work in left)
    jobs = [
        job
        for (alike, _), group in groups.items()
        for job in _jobs(grid.asked.locator, weighed[alike], group, seconds)
    ]
    return Schedule(tuple(jobs), len(works) - len(left), len(works), seconds)


def train_all(left: Schedule, on_progress: Callable[[float], None] | None = None) -> None:
    """Do all jobs: here one after another where that is sooner, and else in one-thread workers.

    Args:
        left: what is to be done.
        on_progress: told how many trainings of this sweep are done, those that were kept included, and the
            part that is done of one.
    """

    def tell(done: float) -> None:
        if on_progress is not None:
            on_progress(left.kept + done)

    (_train_in_workers if _wants_workers(left) else _train_here)(left, tell)


def outcomes_of(
    grid: Grid, materials: Sequence[Material], kept: Path
) -> tuple[list[list[Outcome | Diverged]], list[Split]]:
    """What each point's seeds left (P, S), and of each point (P) the rows that this is about, in their order.

    Raises:
        CannotProceed: an outcome that was kept a moment ago cannot be read.
    """
    rows = {
        id(material): predicted_rows(material, folds_for(material, grid.asked.folds))
        for material in {id(material): material for material in materials}.values()
    }
    outcomes = [
        [merged([_found(work) for work in folds], *rows[id(material)]) for folds in seeds]
        for seeds, material in zip(_works(grid, materials, kept), materials, strict=True)
    ]
    return outcomes, [rows[id(material)][1] for material in materials]


def _works(grid: Grid, materials: Sequence[Material], kept: Path) -> list[list[list[Work]]]:
    """Every training: of each point (P), of each seed (S), of each fold (F)."""
    counts = {id(material): folds_for(material, grid.asked.folds) for material in materials}
    return [
        [
            [
                _work(point, training, material, fold, counts[id(material)], kept)
                for fold in range(counts[id(material)])
            ]
            for training in grid.trainings(point)
        ]
        for point, material in zip(grid.points, materials, strict=True)
    ]


def _work(point: Point, training: Training, material: Material, fold: int, folds: int, kept: Path) -> Work:
    where = (point.parts, material.fingerprints, form_of(point.rows), folds)
    name = outcome_name(
        point.parts,
        material.fingerprints,
        training,
        point.plan.arguments,
        rows=point.rows,
        fold=fold,
        folds=folds,
    )
    member = Member(point.given, point.stage, point.without_decay, training.seed, kept / name)
    shared = replace(training, weight_decay=0.0, decay=Decay(), learning_rate=1.0, seed=0)
    # Parts that only arguments tell apart are others for other arguments.
    apart = {name: str(value) for name, value in point.given.items()} if point.parts[0] == "?" else {}
    alike = digest(where, form_of(shared), form_of(apart))
    return Work(member, point.plan.pipeline, training, material, point.rows, fold, folds, alike)


@dataclass(frozen=True)
class Weighed:
    """Whether trainings stack, and how many seconds one of them takes, about; NaN where nobody knows."""

    stacked: bool
    seconds: float


def _weigh(work: Work) -> Weighed:
    own, training = work.pipeline, work.training
    if own.model is None:
        return Weighed(False, float("nan"))
    train, _ = parts_of_fold(work.material, work.fold, work.folds, work.rows)
    training.rates(len(train))  # a warmup that is too long is told now
    network = build_network(own.model, own.preprocess, train, training.seed)
    operations = 3.0 * check_network(network, train, own.task) * len(train) * training.epochs
    together = own.augment is None and stacks(own.model, own.preprocess, train, own.task, training)
    steps = training.epochs * training.batches(len(train))
    each = STACKED_STEP_SECONDS if together else STEP_SECONDS
    return Weighed(together, steps * each + operations / OPERATIONS_A_SECOND)


def _jobs(
    locator: str, weighed: Weighed, group: Sequence[Work], seconds: float
) -> Iterator[tuple[Job, tuple[Work, ...]]]:
    size = 1
    if weighed.stacked:
        # A stack is parted between cores only where workers pay.
        parts = cores() if seconds > START_SECONDS * cores() else 1
        size = min(MOST_TOGETHER, -(-len(group) // parts))
        # One form of decay is one stack, and members of one seed share their batches.
        group = sorted(group, key=lambda work: (repr(work.training.decay), work.training.seed))
    for start in range(0, len(group), size):
        some = tuple(group[start : start + size])
        first = some[0]
        members = tuple(work.member for work in some)
        prints = first.material.fingerprints
        yield Job(locator, members, first.rows, first.fold, first.folds, prints), some


def _wants_workers(left: Schedule) -> bool:
    if len(left.jobs) < 2 or cores() < 2 or _on_accelerator(left):
        return False
    # Written so that NaN, the time of a loop that nobody knows, wants them.
    return not left.seconds <= START_SECONDS * cores()


def _on_accelerator(left: Schedule) -> bool:
    trainings = [work.training for _, works in left.jobs for work in works if work.pipeline.model is not None]
    return any(pick_device(name).type != "cpu" for name in {training.device for training in trainings})


def _train_in_workers(left: Schedule, tell: Callable[[float], None]) -> None:
    # The longest first, so that no core waits for a long one that began last.
    jobs = sorted((job for job, _ in left.jobs), key=lambda job: -len(job.members))
    done = 0
    for _, count in run_in_workers(train_job, jobs):
        done += count
        tell(done)


def _train_here(left: Schedule, tell: Callable[[float], None]) -> None:
    done = 0
    with one_thread():
        for job, works in left.jobs:
            tell_share = partial(_tell_share, tell, done, len(works))
            train_here(job, [work.pipeline for work in works], works[0].material, tell_share)
            done += len(works)
            tell(done)


def _tell_share(tell: Callable[[float], None], done: int, members: int, share: float) -> None:
    tell(done + share * members)


def _found(work: Work) -> Outcome | Diverged:
    outcome = load_outcome(work.member.path)
    if outcome is None:
        raise CannotProceed(f"{work.member.path} should hold the outcome of a training, but cannot be read")
    return outcome
