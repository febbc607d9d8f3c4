"""What did a crash, or somebody's hand, leave of a model, and what of it can be mended?"""

import pytest

from data_checks.errors import RegistryError
from wdgate.doctor import examine
from wdgate.evaluation.tasks import Classification
from wdgate.gates.gates import at_least
from wdgate.registry import ALIAS


def wrong(registry):
    return [item.name for item in examine(registry) if not item.ok]


def said(registry):
    return " ".join(item.sentence for item in examine(registry))


def test_what_is_well_stays_as_it_is(two):
    entries = two.ledger.entries()
    assert wrong(two) == []
    assert two.ledger.entries() == entries


def test_nothing_is_wrong_before_the_first_promotion(registry):
    assert wrong(registry) == []


def test_an_alias_that_lagged_behind_is_moved(two):
    two.point(1)
    assert "the alias lagged: version 2 is shown" in said(two)
    assert two.alias == 2


def test_a_champion_without_a_version_is_shown_again(two):
    two.client.delete_model_version(two.name, "2")
    assert "the champion had no version" in said(two)
    assert wrong(two) == []


def test_an_alias_moved_by_hand_is_reported_and_left(two):
    run_id = two.ledger.entries()[-1].body["release_run_id"]
    strange = two.client.create_model_version(two.name, f"{two.address(run_id)}/model", run_id)
    two.client.set_registered_model_alias(two.name, ALIAS, strange.version)
    assert "unfinished" in wrong(two)
    assert two.alias == int(strange.version)


def test_a_deleted_version_is_reported(two):
    two.client.delete_model_version(two.name, "1")
    assert wrong(two) == ["deleted version"]


def test_a_gap_in_the_chain_is_all_that_is_said(two):
    two.client.delete_model_version(two.ledger.model, "3")
    assert [(item.name, item.ok) for item in examine(two)] == [("ledger", False)]


def test_a_look_that_was_paid_and_not_taken_is_told(registry, rows, reported, onnx_file, monkeypatch):
    from wdgate import promotion

    def killed(*_, **__):
        raise RegistryError("killed")

    splits = rows()
    task, gates = Classification(("left", "right")), [at_least("accuracy", 0.9)]
    common = {"name": registry.name, "run_id": "run", "alpha": 0.05, "looks": 5, "evidence": {}}
    monkeypatch.setattr("wdgate.judging.judge", killed)
    with pytest.raises(RegistryError):
        promotion.promote(onnx_file(), splits, task, gates, reported(splits), registry=registry, **common)
    assert "look 1 of" in said(registry)
    assert "wdgate promote run" in said(registry)
