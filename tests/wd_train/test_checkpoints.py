"""Is the newest state found that can be trusted, and is a broken one named?"""

import errno
import hashlib
import io
import json
import os
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from data_checks.errors import TrainingError
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
    (tmp_path / "digits" / "000002.checkpoint.77.part").write_bytes(b"half")
    assert kept.load() == {"step": 1}


def test_large_states_are_written_less_often(tmp_path, monkeypatch):
    clock = iter([0.0, 10.0, 13.0, 300.0, 320.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    kept = Checkpoints(str(tmp_path), "digits", every=5)
    kept.save(lambda: {"step": 1})  # takes 3 seconds: 1 % of the time is one every 300
    assert not kept.due()
    assert kept.due()


def test_old_ones_of_others_are_removed(tmp_path):
    old, new = "0123456789abcdef" * 2, "f" * 32
    for key in (old, new):
        Checkpoints(str(tmp_path), key).part("0").save(lambda: {"step": 1})
    now = time.time()
    os.utime(tmp_path / old / "0" / "000001.checkpoint", (now - 15 * 86400,) * 2)
    remove_old(str(tmp_path), now, days=14)
    assert [path.name for path in tmp_path.iterdir()] == [new]
    remove_old(str(tmp_path / "absent"), now)


def test_nothing_else_is_ever_removed(tmp_path):
    now = time.time()
    others = [tmp_path / "notes.txt", tmp_path / "thesis" / "chapter.tex", tmp_path / ("a" * 32) / "model.pt"]
    for path in others:
        path.parent.mkdir(exist_ok=True)
        path.write_text("years of work")
    Checkpoints(str(tmp_path), "a" * 32).save(lambda: {"step": 1})
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        os.utime(path, (now - 1000 * 86400,) * 2)
    remove_old(str(tmp_path), now)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(others)


@pytest.mark.parametrize("address", ["s4://bucket/kept", "foo://x"])
def test_an_address_that_cannot_be_used_is_one_sentence(address):
    with pytest.raises(TrainingError, match=f"checkpoints cannot be kept at {address}: "):
        Checkpoints(address, "digits")


class Odd:
    """What no checkpoint may hold."""


def test_what_could_not_be_read_again_is_told_when_it_is_first_written(tmp_path):
    told = []
    kept = Checkpoints(str(tmp_path), "digits", tell=told.append)
    kept.save(lambda: {"odd": Odd()})
    kept.save(lambda: {"odd": Odd()})
    assert len(told) == 1
    assert "it holds more than tensors and plain values: " in told[0]
    assert kept.load() is None


@pytest.mark.parametrize("state", [Odd(), 5, b"", b"nothing that torch has written"])
def test_a_state_that_is_none_is_named_though_its_hash_is_right(tmp_path, state):
    told = []
    kept = Checkpoints(str(tmp_path), "digits", tell=told.append)
    kept.save(lambda: {"step": 1})
    stream = io.BytesIO()
    torch.save(state, stream)
    payload = state if isinstance(state, bytes) else stream.getvalue()
    head = {**module._versions(), "key": "digits", "bytes": len(payload)}
    head["sha256"] = hashlib.sha256(payload).hexdigest()
    (tmp_path / "digits" / "000002.checkpoint").write_bytes(json.dumps(head).encode() + b"\n" + payload)
    assert kept.load() == {"step": 1}
    assert len(told) == 1


@pytest.mark.parametrize("line", [b"5", b"null", b"[1, 2]"])
def test_a_first_line_that_is_none_is_named(tmp_path, line):
    told = []
    kept = Checkpoints(str(tmp_path), "digits", tell=told.append)
    kept.save(lambda: {"step": 1})
    (tmp_path / "digits" / "000002.checkpoint").write_bytes(line + b"\nrest")
    (tmp_path / "digits" / "best.checkpoint").write_bytes(b"of somebody else")
    assert kept.load() == {"step": 1}
    kept.save(lambda: {"step": 2})
    assert kept.load() == {"step": 2}


def test_a_part_is_found_by_its_name_and_removed_with_the_whole(tmp_path):
    kept = Checkpoints(str(tmp_path), "digits")
    kept.part("0").save(lambda: {"step": 1})
    assert kept.load() is None
    assert kept.part("1").load() is None
    assert Checkpoints(str(tmp_path), "digits").part("0").load() == {"step": 1}
    kept.clear()
    assert kept.part("0").load() is None
