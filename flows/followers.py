"""What do the processes of torchrun do besides training? Rank 0 runs the flow, the others follow it.

They start no server, open no run and print nothing. They load the same pipeline and rows, sleep until rank 0
says whether there is something to train, and train in step with it.
"""

from __future__ import annotations

import os
import signal
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from functools import wraps
from threading import Timer
from types import FrameType
from typing import TYPE_CHECKING, Any

from flows.interrupting import PATIENCE
from flows.settings import Settings
from pipelines.pipeline import Plan, load_pipeline
from wd_train.world import World, read_world

if TYPE_CHECKING:
    from data_checks.splits import Splits

    Command = Callable[[Namespace, Settings], int]

ANSWER = "to train"
GRACE = 10.0
"""Seconds that a follower gives rank 0, which meets most mistakes as well, to tell them first."""


@contextmanager
def leading(world: World) -> Iterator[None]:
    """Within this context the followers can be called; at its end those that were not are let go."""
    if world.alone:
        yield
        return
    from wd_train.meeting import meeting_point

    answers = meeting_point(world)
    try:
        yield
    finally:
        # Where the store is gone so is torchrun, and nobody waits.
        with suppress(RuntimeError):
            if not answers.check([ANSWER]):
                answers.set(ANSWER, "no")


def call_to_train(world: World) -> None:
    """Let the followers train: rank 0 comes next."""
    if not world.alone:
        from wd_train.meeting import meeting_point

        meeting_point(world).set(ANSWER, "yes")


def follow(world: World, pipeline: str, words: Mapping[str, Any]) -> int:
    """Train in step with rank 0, if it trains; the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end_quietly)
    with redirect_stdout(None):
        load = _kept(lambda: _load(pipeline, words))
        if _called(world):
            _told_late(lambda: _train(world, *load()))
    return 0


def led(command: Command) -> Command:
    """A command that rank 0 alone carries out."""

    @wraps(command)
    def by_rank_0(arguments: Namespace, settings: Settings) -> int:
        return command(arguments, settings) if read_world().first else 0

    return by_rank_0


def _load(pipeline: str, words: Mapping[str, Any]) -> tuple[Plan, Splits]:
    plan = load_pipeline(pipeline, words)
    return plan, plan.pipeline.splits()


def _kept(load: Callable[[], tuple[Plan, Splits]]) -> Callable[[], tuple[Plan, Splits]]:
    """What is loaded, or later the error: if rank 0 has met the same, there will be no training."""
    try:
        loaded = load()
    except Exception as error:  # noqa: BLE001 - raised again where it matters
        # A name of its own: Python forgets that of an `except`.
        failed = error
        failed.add_note("in a follower alone")

        def again() -> tuple[Plan, Splits]:
            raise failed

        return again
    return lambda: loaded


def _called(world: World) -> bool:
    from wd_train.meeting import meeting_point, wait_for

    answers = meeting_point(world)
    wait_for(answers, [ANSWER])
    return bool(answers.get(ANSWER) == b"yes")


def _train(world: World, plan: Plan, splits: Splits) -> None:
    from wd_train.training import train
    from wd_train.watching import watching_for

    pipeline = plan.pipeline
    if pipeline.model is not None:
        train(
            pipeline.model,
            pipeline.preprocess,
            splits.train,
            splits.validation,
            pipeline.task,
            pipeline.training,
            augment=pipeline.augment,
            world=world,
        )
    elif pipeline.train is not None:
        # A loop of the user's own knows torchrun itself, or does the same in every process.
        with watching_for():
            pipeline.train(splits.train, splits.validation, pipeline.training)


def _told_late(train: Callable[[], None]) -> None:
    """What rank 0 meets as well is left to it: torchrun ends this process as soon as it has told."""
    try:
        train()
    except Exception as error:
        if not getattr(error, "__notes__", ()):
            time.sleep(GRACE)
        raise


def _end_quietly(number: int, frame: FrameType | None) -> None:
    from wd_train.stopping import ask_to_stop

    leaving = Timer(PATIENCE, os._exit, (128 + number,))
    leaving.daemon = True
    leaving.start()
    # Rank 0 was interrupted as well, or is now; all leave after the same step.
    if not ask_to_stop():
        os._exit(128 + number)
