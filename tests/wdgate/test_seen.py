"""Which end of a ledger was seen from this machine before, and is it still there?"""

import pytest

from data_checks.errors import RegistryError
from wdgate import seen
from wdgate.serving import verify


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """The folder in which ends are kept."""
    monkeypatch.setenv("WDGATE_HOME", str(tmp_path))
    return tmp_path / "heads"


def test_an_end_that_was_cut_off_is_noticed(registry, kept):
    registry.ledger.append("booked", {})
    seen.recall(registry, registry.ledger.entries())
    registry.client.delete_model_version(registry.ledger.model, "2")
    with pytest.raises(RegistryError, match="has 1 entries, and the last one that was seen here, booked of"):
        seen.recall(registry, registry.ledger.entries())
    assert [item.name for item in verify(registry) if not item.ok] == ["ledger"]


def test_a_ledger_that_grew_is_noted_anew(registry, kept):
    seen.recall(registry, registry.ledger.entries())
    registry.ledger.append("booked", {})
    seen.recall(registry, registry.ledger.entries())
    assert registry.ledger.entries()[-1].hash in next(kept.iterdir()).read_text()


def test_a_ledger_that_was_opened_anew_is_noticed(registry, kept):
    seen.recall(registry, registry.ledger.entries())
    registry.client.delete_registered_model(registry.ledger.model)
    registry.init()
    del registry.__dict__["ledger"]
    with pytest.raises(RegistryError, match="cut off"):
        seen.recall(registry, registry.ledger.entries())


def test_who_only_serves_leaves_no_trace(registry, tmp_path, monkeypatch):
    monkeypatch.setenv("WDGATE_HOME", str(tmp_path / "none"))
    seen.recall(registry, registry.ledger.entries())
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("content", ["", "[]", '{"hash": "00"}'])
def test_a_note_that_cannot_be_read_is_one_sentence(registry, kept, content):
    seen.recall(registry, registry.ledger.entries())
    next(kept.iterdir()).write_text(content)
    with pytest.raises(RegistryError, match="cannot be read"):
        seen.recall(registry, registry.ledger.entries())
