"""Do the other processes of torchrun train when they are called, and leave when they are not?"""

import json
import os
import signal
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path

import psutil
import pytest
from torch import distributed as dist

from data_checks.errors import PipelineError
from flows import commands, followers
from flows.followers import call_to_train, follow, leading, led
from wd_train import meeting, training
from wd_train.world import World

FIRST, SECOND = World(0, 2), World(1, 2, 1)
DIGITS = "pipelines.digits"


@pytest.fixture
def answers(monkeypatch):
    """A store in this process, where torchrun's would be."""
    store = dist.HashStore()
    monkeypatch.setattr(meeting, "meeting_point", lambda world: store)
    return store


@pytest.fixture
def trained(monkeypatch):
    """What the followers have trained with."""
    worlds = []
    monkeypatch.setattr(training, "train", lambda *args, world, **kwargs: worlds.append(world))
    return worlds


@pytest.fixture(autouse=True)
def own_signals():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_follower_that_is_called_trains(answers, trained, capsys):
    with leading(FIRST):
        call_to_train(FIRST)
    assert follow(SECOND, DIGITS, {}) == 0
    assert trained == [SECOND]
    assert capsys.readouterr() == ("", "")


def test_a_follower_leaves_where_there_is_nothing_to_train(answers, trained):
    with pytest.raises(KeyError), leading(FIRST):
        raise KeyError
    assert follow(SECOND, DIGITS, {}) == 0
    assert trained == []


def test_what_rank_0_tells_as_well_is_left_to_it(answers, trained, capsys):
    with leading(FIRST):
        pass
    assert follow(SECOND, DIGITS, {"epocs": "3"}) == 0
    assert capsys.readouterr() == ("", "")


def test_what_a_follower_alone_meets_is_told(answers, trained):
    call_to_train(FIRST)
    with pytest.raises(PipelineError, match="epocs"):
        follow(SECOND, DIGITS, {"epocs": "3"})


def test_a_mistake_in_training_waits_for_rank_0_unless_it_is_of_one_process(answers, monkeypatch):
    slept = []
    monkeypatch.setattr(followers.time, "sleep", slept.append)
    call_to_train(FIRST)
    for note, expected in ((None, [followers.GRACE]), ("in process 1 of 2", [])):
        failure = ValueError("no")
        if note is not None:
            failure.add_note(note)

        def fails(*args, failure=failure, **kwargs):
            raise failure

        monkeypatch.setattr(training, "train", fails)
        slept.clear()
        with pytest.raises(ValueError, match="no"):
            follow(SECOND, DIGITS, {})
        assert slept == expected


def test_one_process_needs_no_store(monkeypatch):
    monkeypatch.setattr(meeting, "meeting_point", lambda world: pytest.fail("nobody is there to meet"))
    with leading(World()):
        call_to_train(World())


@pytest.mark.parametrize(("rank", "code"), [("0", 7), ("1", 0)])
def test_other_commands_are_carried_out_once(monkeypatch, rank, code):
    world = {"WORLD_SIZE": "2", "RANK": rank, "LOCAL_RANK": rank, "MASTER_ADDR": "here", "MASTER_PORT": "1"}
    for name, value in world.items():
        monkeypatch.setenv(name, value)
    assert led(lambda arguments, settings: 7)(Namespace(), None) == code


def test_every_command_but_run_is_carried_out_once():
    assert all((command is commands.run) == (name == "run") for name, command in commands.COMMANDS.items())
    assert all(
        hasattr(command, "__wrapped__") for name, command in commands.COMMANDS.items() if name != "run"
    )


def torchrun(home, *words):
    """Into files: a server that a killed run leaves would hold a pipe open."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "flows", "run"]
    with open(home / "answer", "w") as answer, open(home / "said", "w") as said:
        return subprocess.Popen(
            [*command, DIGITS, "--no-promote", "--json", *words],
            env={**os.environ, "WDGATE_HOME": str(home), "WDGATE_CHECKPOINT_SECONDS": "1"},
            cwd=Path(__file__).parents[2],
            stdout=answer,
            stderr=said,
        )


def wait_for_checkpoints(home, process):
    while not list(home.glob("checkpoints/*/*.checkpoint")):
        assert process.poll() is None, (home / "said").read_text()
        time.sleep(0.2)


@pytest.mark.soak
@pytest.mark.parametrize(("rank", "number"), [(1, signal.SIGKILL), (0, signal.SIGKILL), (1, signal.SIGTERM)])
def test_a_run_of_two_processes_is_killed_and_goes_on(tmp_path, rank, number):
    running = torchrun(tmp_path, "epochs=300")
    wait_for_checkpoints(tmp_path, running)
    workers = psutil.Process(running.pid).children()
    next(w for w in workers if w.environ()["RANK"] == str(rank)).send_signal(number)
    assert running.wait(timeout=120) == 1, (tmp_path / "said").read_text()
    assert not [worker for worker in workers if worker.is_running()]
    answers = []
    # The second time it's finished, and nobody trains.
    for _ in range(2):
        assert torchrun(tmp_path, "epochs=300").wait(timeout=400) == 0, (tmp_path / "said").read_text()
        # One process answers, with one document.
        answers.append(json.loads((tmp_path / "answer").read_text()))
    assert answers[0] == answers[1]
    assert answers[0]["outcome"] == "trained"
