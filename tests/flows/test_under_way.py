"""Does a second process that trains the same wait, and are settings that make no sense named?"""

import subprocess
import sys
import threading
import time

import pytest

from data_checks.errors import CannotProceed
from flows import under_way
from flows.settings import read_settings
from flows.under_way import alone, checkpoints_of

HOLDS = """
import sys
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def settings(tmp_path):
    return read_settings({"WDGATE_HOME": str(tmp_path)})


@pytest.fixture
def other(settings):
    """Another process that trains the same."""
    (settings.home / "locks").mkdir()
    words = [sys.executable, "-c", HOLDS, str(settings.home / "locks" / "same.lock")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_waits_and_says_so(settings, other, monkeypatch):
    said = []
    monkeypatch.setattr(under_way, "say", said.append)
    monkeypatch.setattr(under_way, "ASKED_EVERY", 0.01)

    def ends_once_asked():
        while not said:
            time.sleep(0.01)
        other.stdin.write("\n")
        other.stdin.close()

    threading.Thread(target=ends_once_asked).start()
    with alone(settings, "same"):
        assert said == ["another process trains the same; waiting for it to end"]
        assert other.wait(10) == 0


def test_a_killed_process_leaves_no_lock(settings, other, monkeypatch):
    said = []
    monkeypatch.setattr(under_way, "say", said.append)
    other.kill()
    other.wait()
    with alone(settings, "same"):
        pass
    assert not said


def test_what_else_is_trained_waits_for_nobody(settings, other, monkeypatch):
    monkeypatch.setattr(under_way, "say", lambda words: pytest.fail(words))
    with alone(settings, "different"), alone(settings, "third"):
        pass


def test_checkpoints_are_where_the_settings_say(tmp_path):
    asked = {"WDGATE_HOME": str(tmp_path), "WDGATE_CHECKPOINT_SECONDS": "0"}
    kept = checkpoints_of(read_settings(asked), "key")
    assert kept.due()
    kept.save(lambda: {"step": 1})
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["key"]
    elsewhere = read_settings({**asked, "WDGATE_CHECKPOINTS": "memory://elsewhere"})
    assert checkpoints_of(elsewhere, "key").load() is None


@pytest.mark.parametrize("given", ["soon", "-1", "inf", "nan"])
def test_seconds_that_are_none_are_refused(given):
    with pytest.raises(CannotProceed, match=f"WDGATE_CHECKPOINT_SECONDS must be .* got '{given}'"):
        read_settings({"WDGATE_CHECKPOINT_SECONDS": given})
