"""How do several trainings that differ in seed, decay and learning rate run together?"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from torch import nn

from data_checks.splits import Split
from wd_train.alone import norm_ratio, train_alone
from wd_train.configuration import Training
from wd_train.courses import Course
from wd_train.devices import pick_device, threads_for
from wd_train.kept import UnderWay
from wd_train.network import CPU, BuildModel, BuildPreprocess, build_network
from wd_train.outcomes import CorruptedRows, Diverged, Outcome, outcome_of
from wd_train.rows import Augment, Rows
from wd_train.stacked import fit_stacked, stacks
from wd_train.stopping import stoppable
from wdgate.evaluation.tasks import Task

Parts = tuple[BuildModel, BuildPreprocess | None, Split, Split, Task]
Outcomes = list[Outcome | Diverged]

MOST_TOGETHER = 32
"""Members of one stack: more gain little, need more memory, and are lost together when they are killed."""

MOST_NUMBERS = 2**26
"""Numbers (256 MiB as float32) that the parameters of one stack take, with gradients and moving averages."""


@dataclass
class Progress:
    """How far the trainings of a fleet are.

    Args:
        members: how many there are.
        on_progress: told of it in words, at each percent at most.
        on_share: told of the share that is done, 0 to 1, just as often.
        done: members that are trained.
    """

    members: int
    on_progress: Callable[[str], None] | None = None
    on_share: Callable[[float], None] | None = None
    done: int = 0
    told: int = 0

    def tell(self, under_way: float, words: str) -> None:
        """Note that, besides those that are done, so many members are trained, of which one may be a part."""
        share = (self.done + under_way) / self.members
        if int(100 * share + 1e-6) <= self.told:
            return
        self.told = int(100 * share + 1e-6)
        if self.on_progress is not None:
            self.on_progress(words)
        if self.on_share is not None:
            self.on_share(share)

    def finish(self, members: int) -> None:
        """Note that so many more are done."""
        self.done += members
        self.tell(0, f"training {self.done} of {self.members}")


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
    on_share: Callable[[float], None] | None = None,
    under_way: UnderWay | None = None,
) -> Outcomes:
    """Train members as stacks where the network stacks, else one after another; what each leaves, in turn.

    Each ends with the weights that `wd_train.training.train` would have given it, up to rounding. What is
    alike but for seed, learning rate and coefficient of decay is one stack. A member without decay fits any.

    Args:
        build_model: the network, given the train rows.
        build_preprocess: what stands before it, fitted on the train rows.
        train: the rows to fit on.
        validation: the rows to compare on.
        task: what is predicted, and how it is scored.
        members: how each is trained.
        augment: changes a training batch; rows that are augmented do not stack.
        on_progress: told in a few words how far it is.
        on_share: told which share is done, 0 to 1.
        under_way: where those that were stopped go on from; None trains them anew.

    Raises:
        TrainingError: a member's device that torch does not know, or that is not there.
    """
    for name in {member.device for member in members}:
        pick_device(name)
    parts = (build_model, build_preprocess, train, validation, task)
    progress = Progress(len(members), on_progress, on_share)
    outcomes: dict[int, Outcome | Diverged] = {}
    for alike in _alike(members):
        some = [members[at] for at in alike]
        if augment is None and len(some) > 1 and stacks(build_model, build_preprocess, train, task, some[0]):
            found = [
                outcome
                for part in _parted(parts, some)
                for outcome in _together(parts, part, progress, under_way)
            ]
        else:
            found = [_alone(parts, member, augment, progress, under_way) for member in some]
        outcomes |= dict(zip(alike, found, strict=True))
    return [outcomes[at] for at in range(len(members))]


def _alike(members: Sequence[Training]) -> list[list[int]]:
    """Which members can be one stack, by their positions, ordered by seed."""
    found: dict[Training, list[int]] = {}
    without: list[int] = []
    for at, member in enumerate(members):
        if member.weight_decay == 0:
            without.append(at)
        else:
            found.setdefault(_but_for_what_may_differ(member), []).append(at)
    for at in without:
        wanted = _but_for_what_may_differ(members[at])
        near = (key for key in found if replace(key, decay=wanted.decay) == wanted)
        found.setdefault(max(near, key=lambda key: len(found[key]), default=wanted), []).append(at)
    return [sorted(alike, key=lambda at: members[at].seed) for alike in found.values()]


def _but_for_what_may_differ(member: Training) -> Training:
    return replace(member, seed=0, weight_decay=0.0, learning_rate=1.0)


def _parted(parts: Parts, members: list[Training]) -> Iterator[list[Training]]:
    """Members ordered by seed in stacks of a size that memory bears; whole seeds, if that can be."""
    net = build_network(parts[0], None, parts[2], members[0].seed).net
    most = max(1, min(MOST_TOGETHER, MOST_NUMBERS // (4 * sum(p.numel() for p in net.parameters()) or 1)))
    of_a_seed = sum(member.seed == members[0].seed for member in members)
    size = max(most // of_a_seed * of_a_seed, 1) if of_a_seed <= most else most
    return (members[start : start + size] for start in range(0, len(members), size))


def _together(
    parts: Parts, members: list[Training], progress: Progress, under_way: UnderWay | None
) -> Outcomes:
    build_model, build_preprocess, train, validation, task = parts
    started = time.perf_counter()
    preprocess = build_network(build_model, build_preprocess, train, members[0].seed).preprocess
    first = {
        seed: build_network(build_model, lambda _: preprocess, train, seed).net
        for seed in {member.seed for member in members}
    }
    nets = [copy.deepcopy(first[member.seed]) for member in members]
    rows, validation_rows = Rows(train, preprocess, CPU), Rows(validation, preprocess, CPU)

    def tell(epoch: int) -> None:
        words = f"{len(members)} trainings as one: epoch {epoch} of {members[0].epochs}"
        progress.tell(len(members) * epoch / members[0].epochs, words)

    checkpoints = None if under_way is None else under_way.of(members)
    with threads_for(0), stoppable():
        courses = fit_stacked(
            nets, rows, validation_rows, task, members, on_epoch=tell, checkpoints=checkpoints
        )
        seconds = (time.perf_counter() - started) / len(members) + courses[0].before
        left = Left(preprocess, validation, task, CorruptedRows(validation, preprocess), seconds)
        outcomes = [
            left.by(net, first[member.seed], member, course)
            for net, member, course in zip(nets, members, courses, strict=True)
        ]
    progress.finish(len(members))
    return outcomes


@dataclass(frozen=True, eq=False)
class Left:
    """What the members of one stack leave for comparison.

    Args:
        preprocess: what stands before each.
        validation: the rows to compare on.
        task: what is predicted, and how it is scored.
        corrupted: the rows to compare on, corrupted.
        seconds: what each took.
    """

    preprocess: nn.Module
    validation: Split
    task: Task
    corrupted: CorruptedRows
    seconds: float

    def by(self, net: nn.Module, first: nn.Module, member: Training, course: Course) -> Outcome | Diverged:
        """What one member leaves that began as `first`."""
        if course.diverged is not None:
            return Diverged(course.diverged)
        outcome = outcome_of(
            net,
            self.preprocess,
            self.validation,
            self.task,
            losses=course.losses,
            best_epoch=course.best_epoch,
            seconds=self.seconds,
            norm_ratio=norm_ratio(net, first, member),
            corrupted_rows=self.corrupted,
        )
        return Diverged("its outputs are not finite numbers") if outcome is None else outcome


def _alone(
    parts: Parts,
    member: Training,
    augment: Augment | None,
    progress: Progress,
    under_way: UnderWay | None,
) -> Outcome | Diverged:
    number = progress.done + 1

    def tell(epoch: int) -> None:
        words = f"training {number} of {progress.members}: epoch {epoch} of {member.epochs}"
        progress.tell(epoch / member.epochs, words)

    outcome = train_alone(
        *parts,
        member,
        augment=augment,
        on_epoch=lambda epoch: tell(epoch.epoch),
        checkpoints=None if under_way is None else under_way.of([member]),
    )
    progress.finish(1)
    return outcome
