"""What did the weight decay do, compared with none?

Pairs of trainings, with the decay and without, share seed, initial weights and order of the rows, so that
nothing but the decay can make them differ. Small networks train together, as one fleet; others one after
another, as many pairs as a share of the training time pays.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from torch import nn

from data_checks.errors import TrainingError
from data_checks.splits import Split
from wd_train.effects import DecayEffect, Scores, not_measured, nothing_to_measure, summarize
from wd_train.network import CPU, BuildModel, BuildPreprocess, build_network, predict, scores_of
from wd_train.rows import Augment, Rows
from wd_train.stacked import fit_stacked, stacks
from wd_train.steps import threads_for
from wd_train.training import Training
from wd_train.training import train as train_alone
from wdgate.evaluation.tasks import Task

FREE_SECONDS = 10.0
"""What pairs may always take: of a training of seconds, a share is not worth saving."""

Parts = tuple[BuildModel, BuildPreprocess | None, Split, Split, Task]


def measure_decay(
    build_model: BuildModel,
    build_preprocess: BuildPreprocess | None,
    train: Split,
    validation: Split,
    task: Task,
    training: Training,
    *,
    seeds: int = 3,
    budget: float = 0.25,
    rows: float = 1.0,
    main_seconds: float,
    augment: Augment | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> DecayEffect:
    """Compare the configured decay with none on the validation rows, in pairs of trainings.

    Args:
        build_model: the network, given the train rows.
        build_preprocess: what stands before it, fitted on the train rows.
        train: the rows to fit on.
        validation: the rows to compare on.
        task: what is predicted, and how it is scored.
        training: as configured; its pairs differ from it in seed and decay alone.
        seeds: how many pairs are wanted; their seeds count up from the training's own.
        budget: the share of `main_seconds` that pairs may take where they do not train as a fleet.
        rows: the share of the train rows that the pairs are trained on.
        main_seconds: how long the configured training took.
        augment: changes a training batch; rows that are augmented do not train as a fleet.
        on_progress: told in a few words what has been done.
    """
    started = time.perf_counter()
    if training.weight_decay == 0:
        return nothing_to_measure()
    some = _share(train, rows, training.seed)
    parts = (build_model, build_preprocess, some, validation, task)
    if augment is None and seeds > 0 and stacks(build_model, build_preprocess, some, task, training):
        scores = train_fleet(*parts, pairs_of(training, seeds))
    else:
        pairs = min(seeds, _affordable(budget, rows, main_seconds))
        scores = _one_by_one(parts, pairs_of(training, pairs), augment, on_progress)
    if not scores:
        return not_measured(seeds, budget, rows, main_seconds)
    seconds = time.perf_counter() - started
    return summarize(task, training.weight_decay, scores[0::2], scores[1::2], rows=len(some), seconds=seconds)


def pairs_of(training: Training, pairs: int) -> list[Training]:
    """Trainings in pairs, with the decay and without; the seeds count up from the training's own."""
    seeds = range(training.seed, training.seed + pairs)
    return [
        replace(training, seed=seed, weight_decay=weight_decay)
        for seed in seeds
        for weight_decay in (training.weight_decay, 0.0)
    ]


def train_fleet(
    build_model: BuildModel,
    build_preprocess: BuildPreprocess | None,
    train: Split,
    validation: Split,
    task: Task,
    members: Sequence[Training],
) -> list[Scores | None]:
    """Train members that differ in seed and decay alone, together: their per-row scores on validation.

    Each ends with the weights that `wd_train.training.train` would have given it, up to rounding; None stands
    for a member that diverged.
    """
    networks = [build_network(build_model, build_preprocess, train, member.seed) for member in members]
    preprocess = networks[0].preprocess
    rows, validation_rows = Rows(train, preprocess, CPU), Rows(validation, preprocess, CPU)
    with threads_for(0):
        nets = fit_stacked([network.net for network in networks], rows, validation_rows, task, members)
        return [_scores(net, validation_rows, task) for net in nets]


def _scores(net: nn.Module, rows: Rows, task: Task) -> Scores | None:
    outputs = predict(net, rows)
    return scores_of(task, outputs, rows.targets) if outputs.isfinite().all() else None


def _one_by_one(
    parts: Parts,
    members: Sequence[Training],
    augment: Augment | None,
    on_progress: Callable[[str], None] | None,
) -> list[Scores | None]:
    scores: list[Scores | None] = []
    for number, member in enumerate(members, 1):
        scores.append(_trained_alone(parts, member, augment))
        if on_progress is not None:
            on_progress(f"control training {number} of {len(members)}")
    return scores


def _trained_alone(parts: Parts, member: Training, augment: Augment | None) -> Scores | None:
    try:
        model = train_alone(*parts, member, augment=augment)
    except TrainingError:
        return None  # it diverged; its pair is left out and counted
    return _scores(model.network.net, Rows(parts[3], model.network.preprocess, CPU), parts[4])


def _affordable(budget: float, rows: float, main_seconds: float) -> int:
    # Rounding must not cost a pair where the share pays exactly.
    return int(max(budget * main_seconds, FREE_SECONDS) / (2 * rows * max(main_seconds, 1e-9)) + 1e-6)


def _share(train: Split, rows: float, seed: int) -> Split:
    if rows >= 1:
        return train
    order = np.random.default_rng(seed).permutation(len(train))
    return train.take(np.sort(order[: max(1, round(rows * len(train)))]))
