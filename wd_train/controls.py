"""Which trainings without decay stand beside the configured one, and what may they cost?

Pairs of trainings, with the decay and without, share seed, initial weights and order of the rows, so that
nothing but the decay can make them differ. They only measure, and are thrown away; what they predicted is
kept, so that a later run of the same content with another decay need not train its control again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from data_checks.splits import Split
from wd_train.alone import norm_ratio, train_alone
from wd_train.answers import not_measured, nothing_to_measure, summarize, too_dear
from wd_train.configuration import Training
from wd_train.decay import Decay
from wd_train.effects import DecayEffect
from wd_train.fleet import train_members
from wd_train.kept import Kept, UnderWay, ago
from wd_train.network import BuildModel, BuildPreprocess, Network, build_network
from wd_train.outcomes import Diverged, Outcome, outcome_of
from wd_train.rows import Augment
from wd_train.shares import some_of
from wd_train.stacked import stacks
from wdgate.evaluation.tasks import Task

FREE_SECONDS = 10.0
"""What pairs may always take: of a training of seconds, a share is not worth saving."""

GRACE = 1.1
"""A training under way is given up where all of them have taken so many times what was allowed."""

Tell = Callable[[str], None]
Parts = tuple[BuildModel, BuildPreprocess | None, Split, Split, Task]
Pair = tuple[Training, Training]


@dataclass(frozen=True, eq=False)
class Main:
    """The configured training, which is the member with decay of its own seed.

    Args:
        seconds: what it took.
        network: as it was trained; None where it is not at hand.
        best_epoch: the epoch whose weights were kept.
    """

    seconds: float
    network: Network | None = None
    best_epoch: int = 0


def measure_decay(
    build_model: BuildModel,
    build_preprocess: BuildPreprocess | None,
    train: Split,
    validation: Split,
    task: Task,
    training: Training,
    *,
    main: Main,
    seeds: int = 3,
    budget: float = 0.25,
    rows: float = 1.0,
    kept: Kept | None = None,
    augment: Augment | None = None,
    on_progress: Tell | None = None,
) -> DecayEffect:
    """Compare the configured decay with none on the validation rows, in pairs of trainings.

    A network that stacks trains as a fleet, whatever that takes. Of others, what is kept of earlier runs is
    taken, and the rest is trained one after another while the share of the training's time lasts: the first
    pair takes one training, because the configured one is its other half, and a further pair takes two.

    Args:
        build_model: the network, given the train rows.
        build_preprocess: what stands before it, fitted on the train rows.
        train: the rows to fit on.
        validation: the rows to compare on.
        task: what is predicted, and how it is scored.
        training: as configured; its pairs differ from it in seed and decay alone.
        main: what the configured training gave.
        seeds: how many pairs are wanted; their seeds count up from the training's own.
        budget: the share of the training's time that pairs may take where they do not train as a fleet.
        rows: the share of the train rows that the pairs are trained on.
        kept: outcomes of earlier trainings on the same share of the rows; None: nothing is kept.
        augment: changes a training batch; rows that are augmented do not train as a fleet.
        on_progress: told in a few words what has been done.
    """
    started = time.perf_counter()
    if training.weight_decay == 0:
        return nothing_to_measure()
    if seeds == 0:
        return not_measured("no pairs of trainings were asked for")
    some = some_of(train, rows)
    parts = (build_model, build_preprocess, some, validation, task)
    found = Found(pairs_of(training, seeds), kept)
    together = augment is None and stacks(build_model, build_preprocess, some, task, training)
    if together:
        _train_together(parts, found, on_progress)
    else:
        found.take_kept()
        if rows == 1:
            _add_main(parts, training, main, found)
        purse = Purse(max(budget * main.seconds, FREE_SECONDS), rows * main.seconds)
        _train_what_is_paid(parts, found, purse, augment, on_progress)
    if not found.complete():
        return too_dear(budget, found.fewest_lacking(), rows, main.seconds)
    return _compared(parts, training, found, "fleet" if together else "trained beside", started)


def pairs_of(training: Training, pairs: int) -> list[Pair]:
    """Trainings with the decay and without, in pairs; the seeds count up from the training's own."""
    off = replace(training, weight_decay=0.0, decay=Decay())
    return [
        (replace(training, seed=seed), replace(off, seed=seed))
        for seed in range(training.seed, training.seed + pairs)
    ]


class Found:
    """The outcomes that there are so far of the members of some pairs.

    Args:
        pairs: of trainings that differ in seed and coefficient alone.
        kept: where earlier outcomes are, and those of now are put; None for neither.
    """

    def __init__(self, pairs: Sequence[Pair], kept: Kept | None) -> None:
        self.pairs = pairs
        self._kept = kept
        self._outcomes: dict[tuple[int, float], Outcome | Diverged] = {}
        self._ages: dict[tuple[int, float], float] = {}

    def take_kept(self) -> None:
        """Take what earlier runs left of these members."""
        for member in (member for pair in self.pairs for member in pair):
            earlier = None if self._kept is None else self._kept.find(member)
            if earlier is not None:
                self._outcomes[_place(member)], self._ages[_place(member)] = earlier

    def add(self, member: Training, outcome: Outcome | Diverged, *, keep: bool = True) -> None:
        """Note what a training of now left, and keep it for later runs."""
        self._outcomes[_place(member)] = outcome
        self._ages.pop(_place(member), None)
        if self._kept is not None and keep:
            self._kept.keep(member, outcome)

    def under_way(self, members: Sequence[Training]) -> UnderWay | None:
        """Where these go on from if they were stopped."""
        return None if self._kept is None else self._kept.under_way(members)

    def outcome(self, member: Training) -> Outcome | Diverged:
        """What a training left."""
        return self._outcomes[_place(member)]

    def lacking(self, pair: Pair) -> list[Training]:
        """The members of a pair that are still to be trained."""
        return [member for member in pair if _place(member) not in self._outcomes]

    def fewest_lacking(self) -> int:
        """How many trainings it takes to complete some pair."""
        return min(len(self.lacking(pair)) for pair in self.pairs)

    def complete(self) -> list[Pair]:
        """The pairs that can be compared."""
        return [pair for pair in self.pairs if not self.lacking(pair)]

    def told(self, source: str) -> str:
        """Where the controls came from: `source`, or from earlier, with the age of the oldest."""
        places = [_place(without) for _, without in self.complete()]
        ages = [self._ages[place] for place in places if place in self._ages]
        if not ages:
            return source
        earlier = f"kept from {ago(max(ages))}"
        return earlier if len(ages) == len(places) else f"{source}, in part {earlier}"


class Purse:
    """The seconds that trainings may take together.

    Args:
        allowed: all of them.
        each: what one training is expected to take; the slowest one so far, once that is more.
    """

    def __init__(self, allowed: float, each: float) -> None:
        self._allowed, self._each = allowed, each
        self._started = self._begun = time.perf_counter()

    def pays(self, trainings: int) -> bool:
        """Whether so many more trainings are expected to fit."""
        # Rounding must not cost a training where the share pays exactly.
        return self._spent() + trainings * self._each <= self._allowed * (1 + 1e-3)

    def begin(self) -> None:
        """A training begins."""
        self._begun = time.perf_counter()

    def end(self) -> None:
        """A training has ended."""
        self._each = max(self._each, time.perf_counter() - self._begun)

    def check(self) -> None:
        """Give up a training that takes far longer than expected, by a `Spent`."""
        if self._spent() > GRACE * self._allowed:
            raise Spent

    def _spent(self) -> float:
        return time.perf_counter() - self._started


class Spent(Exception):  # noqa: N818  # no error: it ends a training that nobody waits for any longer
    """The time that was allowed has been spent."""


def _train_together(parts: Parts, found: Found, on_progress: Tell | None) -> None:
    members = [member for pair in found.pairs for member in pair]
    under_way = found.under_way(members)
    outcomes = train_members(*parts, members, on_progress=on_progress, under_way=under_way)
    for member, outcome in zip(members, outcomes, strict=True):
        found.add(member, outcome)
    if under_way is not None:
        under_way.clear()


def _train_what_is_paid(
    parts: Parts, found: Found, purse: Purse, augment: Augment | None, on_progress: Tell | None
) -> None:
    done = 0
    try:
        for member in _paid(found, purse):
            outcome = train_alone(*parts, member, augment=augment, on_epoch=lambda _: purse.check())
            found.add(member, outcome)
            done += 1
            if on_progress is not None:
                on_progress(f"control training {done}")
    except Spent:
        return


def _paid(found: Found, purse: Purse) -> Iterator[Training]:
    """The members to train, pair by pair; a pair that is not paid is passed over."""
    for pair in found.pairs:
        lacking = found.lacking(pair)
        for member in lacking if purse.pays(len(lacking)) else []:
            purse.begin()
            yield member
            purse.end()


def _add_main(parts: Parts, training: Training, main: Main, found: Found) -> None:
    """The configured training as one half of its pair, which costs no training."""
    build_model, build_preprocess, train, validation, task = parts
    if main.network is None:
        return
    net, preprocess = main.network.net, main.network.preprocess
    outcome = outcome_of(
        net,
        preprocess,
        validation,
        task,
        best_epoch=main.best_epoch,
        seconds=main.seconds,
        norm_ratio=norm_ratio(
            net, build_network(build_model, build_preprocess, train, training.seed).net, training
        ),
    )
    diverged = Diverged("its outputs are not finite numbers")
    # Not kept: nobody timed its epochs, and a sweep compares how soon a loss is reached.
    found.add(training, diverged if outcome is None else outcome, keep=False)


def _compared(parts: Parts, training: Training, found: Found, source: str, started: float) -> DecayEffect:
    pairs = found.complete()
    with_decay, without = ([found.outcome(pair[side]) for pair in pairs] for side in (0, 1))
    return summarize(
        parts[4],
        training.weight_decay,
        with_decay,
        without,
        parts[3],
        rows=len(parts[2]),
        seconds=time.perf_counter() - started,
        controls=found.told(source),
    )


def _place(member: Training) -> tuple[int, float]:
    return member.seed, member.weight_decay
