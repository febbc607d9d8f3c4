"""Is the newest state found that can be trusted, and is a broken one named?"""

import errno
import os
import time
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wd_train import checkpoints as module
from wd_train.checkpoints import KEPT, Checkpoints, remove_old


def test_the_newest_state_is_found_by_its_key(tmp_path):
    kept = Checkpoints(str(tmp_path), "digits")
    for step in (1, 2, 3):
        kept.save(lambda step=step: {"step": step, "weights": torch.full((2,), float(step))})
    found = Checkpoints(str(tmp_path), "digits").load()
    assert found["step"] == 3
    assert found["weights"].tolist() == [3.0, 3.0]
    assert Checkpoints(str(tmp_path), "other").load() is None
    assert len(list(tmp_path.rglob("*.checkpoint"))) == KEPT


def test_a_finished_training_leaves_one_file(tmp_path):
    kept = Checkpoints(str(tmp_path), "digits")
    for step in range(1, KEPT + 2):
        kept.save(lambda step=step: {"step": step})
    kept.finish(lambda: {"step": 9})
    assert len(list(tmp_path.rglob("*.checkpoint"))) == 1
    assert kept.load() == {"step": 9}


def test_an_address_of_fsspec_will_do():
    kept = Checkpoints("memory://bucket/checkpoints", "digits")
    kept.save(lambda: {"step": 1})
    kept.finish(lambda: {"step": 2})
    assert Checkpoints("memory://bucket/checkpoints", "digits").load() == {"step": 2}
    kept.clear()
    assert kept.load() is None


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_is_cut_or_changed_is_named_and_the_one_before_it_is_used(tmp_path_factory, data):
    folder, told = tmp_path_factory.mktemp("kept"), []
    kept = Checkpoints(str(folder), "digits", tell=told.append)
    kept.save(lambda: {"step": 1})
    kept.save(lambda: {"step": 2})
    newest = max(folder.rglob("*.checkpoint"))
    written = newest.read_bytes()
    at = data.draw(st.integers(0, len(written) - 1))
    newest.write_bytes(written[:at] if data.draw(st.booleans()) else _flipped(written, at))
    assert kept.load() == {"step": 1}
    assert len(told) == 1
    assert newest.name in told[0]


def _flipped(written: bytes, at: int) -> bytes:
    return written[:at] + bytes([written[at] ^ 1]) + written[at + 1 :]


@pytest.mark.parametrize("name", ["format", "wdgate", "torch"])
def test_one_of_another_version_is_not_used(tmp_path, monkeypatch, name):
    told = []
    kept = Checkpoints(str(tmp_path), "digits", tell=told.append)
    kept.save(lambda: {"step": 1})
    newer = {**module._versions(), name: "9.9"}
    monkeypatch.setattr(module, "_versions", lambda: newer)
    assert kept.load() is None
    assert f"expected {name} 9.9" in told[0]


def test_one_of_another_training_is_not_used(tmp_path):
    told = []
    Checkpoints(str(tmp_path), "digits").save(lambda: {"step": 1})
    (tmp_path / "digits").rename(tmp_path / "other")
    assert Checkpoints(str(tmp_path), "other", tell=told.append).load() is None
    assert "it was written with key digits, expected key other" in told[0]


def test_a_full_disk_is_told_once_and_leaves_the_older_state(tmp_path, monkeypatch):
    told = []
    kept = Checkpoints(str(tmp_path), "digits", tell=told.append)
    kept.save(lambda: {"step": 1})

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(kept._files, "pipe_file", full)
        kept.save(lambda: {"step": 2})
        kept.finish(lambda: {"step": 3})
    assert len(told) == 1
    assert "No space left on device; the training goes on" in told[0]
    assert kept.load() == {"step": 1}


def test_a_part_that_a_kill_left_is_not_taken_for_a_state(tmp_path):
    kept = Checkpoints(str(tmp_path), "digits")
    kept.save(lambda: {"step": 1})
    (tmp_path / "digits" / "000002.checkpoint.part").write_bytes(b"half")
    assert kept.load() == {"step": 1}


def test_large_states_are_written_less_often(tmp_path, monkeypatch):
    clock = iter([0.0, 10.0, 13.0, 300.0, 320.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    kept = Checkpoints(str(tmp_path), "digits", every=5)
    kept.save(lambda: {"step": 1})  # takes 3 seconds: 1 % of the time is one every 300
    assert not kept.due()
    assert kept.due()


def test_old_ones_of_others_are_removed(tmp_path):
    for key in ("old", "new"):
        Checkpoints(str(tmp_path), key).save(lambda: {"step": 1})
    now = time.time()
    for path in Path(tmp_path, "old").iterdir():
        os.utime(path, (now - 15 * 86400,) * 2)
    remove_old(str(tmp_path), now, days=14)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    remove_old(str(tmp_path / "absent"), now)


def test_a_part_is_found_by_its_name_and_removed_with_the_whole(tmp_path):
    kept = Checkpoints(str(tmp_path), "digits")
    kept.part("0").save(lambda: {"step": 1})
    assert kept.load() is None
    assert kept.part("1").load() is None
    assert Checkpoints(str(tmp_path), "digits").part("0").load() == {"step": 1}
    kept.clear()
    assert kept.part("0").load() is None
