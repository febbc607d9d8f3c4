"""Does a signal let the step under way end, and does it reach whoever else answers it?"""

import os
import signal

import pytest

from flows import interrupting
from flows.interrupting import end_soon_when_interrupted, exit_code, stopping_between_steps
from wd_train.stopping import asked, stop, stoppable


@pytest.fixture(autouse=True)
def handlers(monkeypatch):
    """The handlers of before come back, and no test is ended by a timer."""
    monkeypatch.setattr(interrupting._Command, "running", False)
    monkeypatch.setattr(interrupting._Command, "ended_by", None)
    monkeypatch.setattr(interrupting, "PATIENCE", 1000.0)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_ends_at_once_where_nothing_trains(number, capsys):
    end_soon_when_interrupted()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)
    assert exit_code() == 128 + number
    assert capsys.readouterr().err == f"{interrupting.MESSAGE}\n"


def take_step(taken):
    """A step in whose midst a signal comes."""
    os.kill(os.getpid(), signal.SIGTERM)
    taken.append("the step")
    assert asked()
    stop()


def test_a_training_ends_its_step_first():
    end_soon_when_interrupted()
    taken = []
    with pytest.raises(KeyboardInterrupt), stoppable():
        take_step(taken)
    assert taken == ["the step"]


def test_a_worker_answers_after_the_step():
    answered = []

    def of_prefect(number, frame):
        answered.append(number)
        raise SystemExit

    signal.signal(signal.SIGTERM, of_prefect)
    with pytest.raises(SystemExit), stopping_between_steps(), stoppable():
        take_step(answered)
    assert answered == ["the step", signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) is of_prefect


def test_what_is_asked_after_the_last_step_is_not_forgotten():
    end_soon_when_interrupted()
    with pytest.raises(KeyboardInterrupt), stoppable():
        os.kill(os.getpid(), signal.SIGTERM)
    assert not asked()
