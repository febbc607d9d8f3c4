"""Is what another process is handed the same there, and never a copy of the data?"""

import numpy as np
import pytest

from wd_train import handing
from wd_train.handing import CannotHandError, packed, unpacked


class Holder:
    def __init__(self, held):
        self.held = held


def test_an_object_is_the_same_afterwards():
    held = unpacked(packed(Holder(np.arange(5)))).held
    assert held.tolist() == [0, 1, 2, 3, 4]


def test_a_memmap_is_opened_again_and_not_copied(tmp_path, monkeypatch):
    file = tmp_path / "rows"
    np.arange(10_000.0).tofile(file)
    monkeypatch.setattr(handing, "LIMIT", 1000)
    opened = np.memmap(file, float, "r", offset=800, shape=(300, 30))
    again = unpacked(packed(Holder(opened))).held
    assert isinstance(again, np.memmap)
    assert again.mode == "r"
    assert np.array_equal(again, opened)


@pytest.mark.parametrize("part", [lambda m: m[5:], lambda m: m[::2], lambda m: m.T])
def test_a_part_of_a_memmap_stays_where_it_is(tmp_path, part):
    file = tmp_path / "rows"
    np.arange(12.0).tofile(file)
    with pytest.raises(CannotHandError):
        packed(part(np.memmap(file, float, "r", shape=(6, 2))))


def test_a_memmap_that_may_be_written_stays_where_it_is(tmp_path):
    file = tmp_path / "rows"
    np.arange(12.0).tofile(file)
    with pytest.raises(CannotHandError):
        packed(np.memmap(file, float, "c"))


@pytest.mark.parametrize("thing", [lambda: None, np.zeros(2000), open])
def test_what_cannot_be_handed_over_is_told(monkeypatch, thing):
    monkeypatch.setattr(handing, "LIMIT", 1000)
    if thing is open:
        with open(__file__) as file, pytest.raises(CannotHandError):
            packed(file)
        return
    with pytest.raises(CannotHandError):
        packed(thing)


def test_what_stands_in_the_script_that_was_started_stays_there(monkeypatch):
    monkeypatch.setattr(Holder, "__module__", "__main__")
    with pytest.raises(CannotHandError):
        packed(Holder(1))
