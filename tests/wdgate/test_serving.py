"""Which model may be served, whether that can be verified, and how a champion is taken back."""

from pathlib import Path
from urllib.parse import urlparse

import numpy as np
import pytest

from data_checks.errors import RegistryError
from wdgate import serving
from wdgate.evaluation.tasks import Classification
from wdgate.gates.gates import at_least
from wdgate.ledger import ENTRY_TAG
from wdgate.promotion import promote
from wdgate.serving import history, load_champion, rollback, verify


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(serving, "PAUSES", ())


@pytest.fixture
def versions(registry, rows, reported, onnx_file):
    """Promotes three files, and gives their bytes."""
    splits, files = rows(), [onnx_file(1 + n / 100) for n in range(3)]
    for onnx in files:
        _promote(registry, splits, reported(splits), onnx)
    return files


def _promote(registry, splits, report, onnx):
    task, gates = Classification(("left", "right")), (at_least("accuracy", 0.9),)
    return promote(
        onnx,
        splits,
        task,
        gates,
        report,
        name=registry.name,
        run_id="run",
        alpha=0.05,
        looks=9,
        evidence={},
        registry=registry,
    )


def release_of(registry, version):
    run_id = registry.versions()[version].run_id
    return Path(urlparse(registry.address(run_id)).path, "model")


def not_ok(registry, version=None):
    return [item.name for item in verify(registry, version) if item.ok is not True]


def test_the_champion_is_opened_from_its_verified_bytes(registry, store, versions):
    champion = load_champion(registry.name, store["tracking_uri"])
    assert (champion.name, champion.version) == (registry.name, 3)
    assert champion.certificate["predicate"]["model"] == registry.name
    predictions = champion.predict(np.array([[-1, 0], [1, 0]], np.float32))
    assert predictions["predicted"].tolist() == [0, 1]


def test_an_untouched_registry_verifies(registry, versions):
    assert not_ok(registry) == not_ok(registry, 1) == []


def test_a_version_that_was_never_promoted_does_not_verify(registry, versions):
    registry.client.create_model_version(registry.name, source=str(release_of(registry, 3)))
    assert not_ok(registry) == ["other versions"]
    assert not_ok(registry, 4) == ["version", "other versions"]
    registry.point(4)
    with pytest.raises(RegistryError, match="points to version 4, but the ledger's champion is version 3"):
        load_champion(registry.name, registry=registry)


def test_a_copy_of_a_version_s_tags_does_not_make_a_version(registry, versions):
    real = registry.client.get_model_version(registry.name, "3")
    registry.client.create_model_version(
        registry.name, source=real.source, run_id=real.run_id, tags=real.tags
    )
    registry.point(4)
    with pytest.raises(RegistryError, match="points to version 4"):
        load_champion(registry.name, registry=registry)


@pytest.mark.parametrize("version", [1, 2])
def test_an_alias_moved_by_hand_is_not_served_and_put_back_by_a_rollback(registry, versions, version):
    registry.point(version)
    with pytest.raises(
        RegistryError, match=f"points to version {version}, but the ledger's champion is version 3"
    ):
        load_champion(registry.name, registry=registry)
    assert not_ok(registry) == ["alias"]
    before = registry.ledger.entries()
    assert rollback(registry, to=3) == 3
    assert load_champion(registry.name, registry=registry).version == 3
    assert registry.ledger.entries() == before


def test_a_deleted_champion_is_noticed(registry, versions):
    registry.client.delete_model_version(registry.name, "3")
    with pytest.raises(RegistryError, match="points nowhere, but the ledger's champion is not registered"):
        load_champion(registry.name, registry=registry)
    assert not_ok(registry) == ["version", "alias"]


@pytest.mark.parametrize(
    "tag", ["wdgate.onnx_sha256", "wdgate.certificate_sha256", "wdgate.judged", "decision", "gates"]
)
def test_an_edited_tag_is_named(registry, versions, tag):
    registry.client.set_model_version_tag(registry.name, "3", tag, "other")
    with pytest.raises(RegistryError, match=f"the tag {tag} of version 3"):
        load_champion(registry.name, registry=registry)
    assert not_ok(registry) == ["version"]


@pytest.mark.parametrize("name", ["model.onnx", "certificate.json"])
def test_a_changed_file_is_named_and_not_served(registry, versions, name):
    path = release_of(registry, 3) / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(RegistryError, match=f"{name} .* was changed"):
        load_champion(registry.name, registry=registry)
    assert not_ok(registry) == ["certificate and bytes"]


def test_an_edited_mlmodel_file_runs_nothing_and_changes_nothing(registry, versions):
    (release_of(registry, 3) / "MLmodel").write_text("flavors: {python_function: {loader_module: evil}}")
    assert load_champion(registry.name, registry=registry).version == 3


def test_an_edited_entry_is_named_and_nothing_is_served(registry, versions):
    registry.client.set_model_version_tag(registry.ledger.model, "4", ENTRY_TAG, "{}")
    with pytest.raises(RegistryError, match=f"entry 4 of the ledger {registry.ledger.model}"):
        load_champion(registry.name, registry=registry)
    assert not_ok(registry) == ["ledger"]


def test_a_deleted_ledger_serves_nothing(registry, versions):
    registry.client.delete_registered_model(registry.ledger.model)
    with pytest.raises(RegistryError, match="has no ledger"):
        load_champion(registry.name, registry=registry)
    assert not_ok(registry) == ["ledger"]


def test_where_nothing_was_promoted_nothing_is_served(registry):
    with pytest.raises(RegistryError, match=r"nothing of .* was promoted by its ledger"):
        load_champion(registry.name, registry=registry)
    assert not_ok(registry) == ["version"]


def test_a_rollback_goes_to_the_version_before_and_is_an_entry(registry, versions, rows, reported):
    assert rollback(registry, reason="complaints") == 2
    assert load_champion(registry.name, registry=registry).version == 2
    last = history(registry)[-1]
    assert (last["kind"], last["version"], last["sentence"]) == ("rolled_back", 2, "complaints")
    splits = rows()
    refused = _promote(registry, splits, reported(splits), versions[2])
    assert (refused.outcome, refused.reason, refused.version) == ("refused", "rolled-back", 2)
    assert rollback(registry, to=3) == 3
    assert _promote(registry, splits, reported(splits), versions[2]).outcome == "unchanged"


def test_a_rollback_passes_over_what_no_longer_verifies(registry, versions):
    (release_of(registry, 2) / "model.onnx").write_bytes(b"")
    assert rollback(registry) == 1
    with pytest.raises(RegistryError, match="no earlier version"):
        rollback(registry)


@pytest.mark.parametrize("version", [0, 4])
def test_a_rollback_to_what_is_not_there_changes_nothing(registry, versions, version):
    with pytest.raises(RegistryError, match=f"version {version} of .* was not promoted"):
        rollback(registry, to=version)
    assert registry.alias == 3


def test_nothing_can_be_rolled_back_where_nothing_was_promoted(registry):
    with pytest.raises(RegistryError, match="was ever promoted"):
        rollback(registry)


def test_a_promotion_that_is_just_being_finished_is_waited_for(registry, versions, monkeypatch):
    monkeypatch.setattr(serving, "PAUSES", (0.0,))
    monkeypatch.setattr("time.sleep", lambda _: registry.point(3))
    registry.point(2)
    assert load_champion(registry.name, registry=registry).version == 3


def test_the_history_says_who_when_what_and_why(registry, versions):
    found = history(registry)
    assert [row["kind"] for row in found] == ["opened", *["booked", "judged", "promoted"] * 3]
    assert [row["version"] for row in found if row["kind"] == "promoted"] == [1, 2, 3]
    assert [(row["look"], row["looks"]) for row in found if row["kind"] == "booked"] == [
        (1, 9),
        (2, 9),
        (3, 9),
    ]
    assert {row["by"] for row in found} == {"tester"}
    assert all(row["sentence"] for row in found if row["kind"] in ("judged", "promoted"))


def test_a_promotion_without_a_judgement_that_passed_is_not_served(registry, versions):
    ledger = registry.ledger
    refused = {"booked": "", "question": {"onnx_sha256": ""}, "decision": {"passed": False}}
    judged = ledger.append("judged", refused)
    champion = next(entry for entry in reversed(ledger.entries()) if entry.kind == "promoted")
    ledger.append("promoted", {**champion.body, "judged": judged.hash})
    registry.project()
    with pytest.raises(RegistryError, match="no judgement that passed"):
        load_champion(registry.name, registry=registry)
    assert not all(item.ok for item in verify(registry))
