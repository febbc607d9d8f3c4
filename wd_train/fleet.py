"""How do several trainings that differ in seed and decay run together?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from torch import nn

from data_checks.splits import Split
from wd_train.alone import norm_ratio, train_alone
from wd_train.network import CPU, BuildModel, BuildPreprocess, build_network
from wd_train.outcomes import CorruptedRows, Diverged, Outcome, outcome_of
from wd_train.rows import Augment, Rows
from wd_train.stacked import fit_stacked, stacks
from wd_train.steps import threads_for
from wd_train.training import Training
from wdgate.evaluation.tasks import Task

Parts = tuple[BuildModel, BuildPreprocess | None, Split, Split, Task]


def train_members(
    build_model: BuildModel,
    build_preprocess: BuildPreprocess | None,
    train: Split,
    validation: Split,
    task: Task,
    members: Sequence[Training],
    *,
    augment: Augment | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> list[Outcome | Diverged]:
    """Train members that differ in seed and decay alone: together where the network stacks, else in turn.

    Each ends with the weights that `wd_train.training.train` would have given it, up to rounding.
    """
    parts = (build_model, build_preprocess, train, validation, task)
    if augment is None and stacks(build_model, build_preprocess, train, task, members[0]):
        return _together(parts, members)
    return [train_alone(*parts, member, augment=augment) for member in members]


def _together(parts: Parts, members: Sequence[Training]) -> list[Outcome | Diverged]:
    build_model, build_preprocess, train, validation, task = parts
    started = time.perf_counter()
    networks = [build_network(build_model, build_preprocess, train, member.seed) for member in members]
    preprocess = networks[0].preprocess
    worse = CorruptedRows(validation, preprocess)
    rows, validation_rows = Rows(train, preprocess, CPU), Rows(validation, preprocess, CPU)
    with threads_for(0):
        nets = fit_stacked([network.net for network in networks], rows, validation_rows, task, members)
        seconds = (time.perf_counter() - started) / len(members)
        return [
            _outcome(parts, net, preprocess, member, worse, seconds)
            for net, member in zip(nets, members, strict=True)
        ]


def _outcome(
    parts: Parts,
    net: nn.Module,
    preprocess: nn.Module,
    member: Training,
    worse: CorruptedRows,
    seconds: float,
) -> Outcome | Diverged:
    build_model, build_preprocess, train, validation, task = parts
    ratio = norm_ratio(net, build_model, build_preprocess, train, member)
    outcome = outcome_of(
        net,
        preprocess,
        validation,
        task,
        seconds=seconds,
        norm_ratio=ratio,
        best_epoch=member.epochs,
        corrupted_rows=worse,
    )
    return Diverged("its outputs are not finite numbers") if outcome is None else outcome
