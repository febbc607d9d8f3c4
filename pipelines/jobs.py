"""What does one process train at a time, and how does it find all that it needs by itself?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from data_checks.errors import PipelineError
from data_checks.splits import Split
from pipelines.folds import Material, material_of, parts_of_fold
from pipelines.grid import Stage, training_of
from pipelines.locating import MISTAKES, find_function, mistake
from pipelines.own_loops import train_own
from pipelines.pipeline import Pipeline, load_pipeline
from wd_train.checkpoints import EVERY
from wd_train.fleet import train_members
from wd_train.kept import UnderWay
from wd_train.outcomes import Diverged, Outcome, save_outcome
from wd_train.training import Training

logger = logging.getLogger("wdgate")


@dataclass(frozen=True)
class Member:
    """One training of a sweep.

    Args:
        given: what the pipeline's function is called with.
        stage: when the decay acts.
        without_decay: it is switched off.
        seed: of the training.
        path: where its outcome is kept.
    """

    given: Mapping[str, Any]
    stage: Stage
    without_decay: bool
    seed: int
    path: Path

    def training(self, pipeline: Pipeline) -> Training:
        """The training of this member, by the pipeline that `given` leads to."""
        return replace(training_of(pipeline, self.stage, self.without_decay), seed=self.seed)


@dataclass(frozen=True)
class Job:
    """Members that are trained together: they differ in seed, decay and learning rate alone.

    Args:
        locator: the pipeline.
        members: one or more.
        rows: the share of the train rows.
        fold: which rows are predicted, from 0.
        folds: of how many; 1 is train and validation as they are.
        fingerprints: of the train and validation rows, which must be what the pipeline gives.
        every: seconds between two checkpoints.
    """

    locator: str
    members: tuple[Member, ...]
    rows: float
    fold: int
    folds: int
    fingerprints: tuple[str, str]
    every: float = EVERY


def train_job(job: Job) -> int:
    """Train a job in a process of its own, and keep the outcomes; how many there were.

    Raises:
        PipelineError: the pipeline's own code failed here, or gives other rows each time it is called.
    """
    try:
        pipelines = [_loaded(job.locator, member) for member in job.members]
        train_here(job, pipelines, _material(pipelines[0], job.fingerprints))
    except MISTAKES as error:
        _, file = find_function(job.locator)
        raise mistake(error, f"{job.locator} could not be trained", file) from error
    return len(job.members)


def train_here(
    job: Job,
    pipelines: Sequence[Pipeline],
    material: Material,
    on_share: Callable[[float], None] | None = None,
) -> list[Outcome | Diverged]:
    """Train a job in this process, and keep the outcomes.

    Args:
        job: what is trained.
        pipelines: of each member.
        material: the rows.
        on_share: told which share of the job is done, 0 to 1.
    """
    train, validation = parts_of_fold(material, job.fold, job.folds, job.rows)
    trainings = [member.training(own) for member, own in zip(job.members, pipelines, strict=True)]
    paths = [member.path for member in job.members]
    names = {training: path.name for training, path in zip(trainings, paths, strict=True)}
    under_way = UnderWay(paths[0].parent, names, every=job.every, tell=logger.warning)
    outcomes = _outcomes(pipelines[0], train, validation, trainings, on_share, under_way)
    for path, outcome in zip(paths, outcomes, strict=True):
        save_outcome(path, outcome)
    under_way.clear()
    return outcomes


def _outcomes(
    pipeline: Pipeline,
    train: Split,
    validation: Split,
    trainings: list[Training],
    on_share: Callable[[float], None] | None,
    under_way: UnderWay,
) -> list[Outcome | Diverged]:
    if pipeline.train is not None:
        own = pipeline.train
        return [train_own(own, train, validation, pipeline.task, training) for training in trainings]
    assert pipeline.model is not None  # noqa: S101 - a pipeline has one or the other
    parts = (pipeline.model, pipeline.preprocess, train, validation, pipeline.task)
    return train_members(*parts, trainings, augment=pipeline.augment, on_share=on_share, under_way=under_way)


def _loaded(locator: str, member: Member) -> Pipeline:
    return load_pipeline(locator, member.given).pipeline


def _material(pipeline: Pipeline, fingerprints: tuple[str, str]) -> Material:
    """The rows that the fingerprints name, loaded once for all jobs of this process that want them."""
    return _materials(_Source(pipeline, fingerprints))


@dataclass(frozen=True)
class _Source:
    """A pipeline's rows, known by their fingerprints."""

    pipeline: Pipeline
    fingerprints: tuple[str, str]

    def __hash__(self) -> int:
        return hash(self.fingerprints)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Source) and other.fingerprints == self.fingerprints


@lru_cache(maxsize=1)
def _materials(source: _Source) -> Material:
    material = material_of(source.pipeline.splits())
    if material.fingerprints != source.fingerprints:
        raise PipelineError(
            f"the splits of pipeline {source.pipeline.name} gave other rows when they were called again, "
            "expected the same ones: seed what is drawn"
        )
    return material
