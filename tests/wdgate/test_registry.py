"""Where candidates come from, and how released models get into the registry."""

from pathlib import Path
from urllib.parse import urlparse

import pytest

from data_checks.errors import RegistryError
from tests.wdgate.conftest import certificate_of
from wdgate import releases
from wdgate.canonical import sha256
from wdgate.registry import Registry


def certificate(registry, onnx):
    return certificate_of(sha256(onnx), registry.signing_key, model=registry.name)


def promoted(registry, onnx):
    """A promotion without a judgement: what the ledger, the release and the version look like after one."""
    paper = certificate(registry, onnx)
    body = {
        "onnx_sha256": paper.onnx_sha256,
        "certificate_sha256": paper.sha256,
        "judged": "j",
        "release_run_id": releases.upload(registry, onnx, paper),
        "sentence": "It may.",
        "gates": "WD201 passed",
    }
    return registry.ledger.append("promoted", body)


def released_file(registry, entry, name):
    from pathlib import Path

    return Path(urlparse(registry.address(entry.body["release_run_id"])).path, "model", name)


def test_initialising_twice_changes_nothing(registry, store):
    again = Registry(registry.name, **store)
    again.init()
    assert len(again.ledger.items()) == 1
    assert len(again.client.search_runs([again.experiment_id])) == 1
    assert again.is_initialised


def test_a_name_that_differs_in_capital_letters_only_is_refused_and_nothing_is_made(registry, store):
    twin = Registry(registry.name.upper(), **store)
    with pytest.raises(RegistryError, match=f"the registered model '{registry.name}' in capital letters"):
        twin.init()
    assert twin.versions() == {}
    assert not twin.client.search_registered_models(f"name = '{twin.name}'")


def test_so_is_a_name_whose_ledger_would_be_such_a_twin(registry, store):
    registry.client.delete_registered_model(registry.name)
    twin = Registry(registry.name.upper(), **store)
    with pytest.raises(RegistryError, match=f"the registered model '{registry.name}_ledger'"):
        twin.init()
    assert not twin.client.search_registered_models(f"name = '{twin.name}'")


def test_a_twin_that_somebody_makes_later_does_not_stop_what_was_opened(registry):
    registry.client.create_registered_model(registry.name.upper())
    registry.init()
    assert len(registry.ledger.items()) == 1


def test_a_name_that_matches_as_a_pattern_only_is_another_one(registry, store):
    Registry(f"{registry.name}-b", **store).init()
    Registry(f"{registry.name}_b", **store).init()


def test_all_names_of_a_registry_share_one_salt(registry, store):
    other = Registry(f"{registry.name}-other", **store)
    other.init()
    assert other.salt == registry.salt
    assert len(bytes.fromhex(registry.salt)) == 16


def test_a_name_that_was_never_initialised_says_how_to(store):
    missing = Registry("nobody", **store)
    assert not missing.is_initialised
    with pytest.raises(RegistryError, match="`wdgate init nobody` opens one"):
        missing.project()


def test_a_model_with_versions_and_no_ledger_is_not_taken_over(store):
    served = Registry("served", **store)
    served.client.create_registered_model("served")
    served.client.create_model_version("served", source="x:/y")
    with pytest.raises(RegistryError, match="served has 1 versions, but an empty ledger"):
        served.init()


def test_a_ledger_that_was_deleted_is_not_opened_again(registry, onnx_file):
    promoted(registry, onnx_file())
    registry.project()
    registry.client.delete_registered_model(registry.ledger.model)
    with pytest.raises(RegistryError, match="but an empty ledger"):
        registry.project()
    with pytest.raises(RegistryError, match="but an empty ledger"):
        registry.init()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a/b",
        "a:b",
        "a..b",
        "..",
        ".",
        "a b",
        "a'b",
        "é",
        "x_ledger",
        "x_Ledger",
        "wdgate",
        "WDGate",
        "a" * 101,
    ],
)
def test_a_name_that_would_be_misread_is_refused(name):
    with pytest.raises(RegistryError, match="name"):
        Registry(name)


def test_a_registry_that_is_away_is_one_sentence(tmp_path):
    (tmp_path / "file").write_bytes(b"no folder")
    with pytest.raises(RegistryError, match="the registry did not answer") as caught:
        Registry("m", f"sqlite:///{tmp_path}/file/mlflow.db").init()
    assert "\n" not in str(caught.value)


def test_a_local_store_without_a_place_for_files_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RegistryError, match="an artifact_location, none was given"):
        Registry("m", f"sqlite:///{tmp_path}/mlflow.db").init()
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]


def test_mlflow_s_global_settings_are_left_alone(registry, store):
    import mlflow

    before = (mlflow.get_tracking_uri(), mlflow.get_registry_uri())
    Registry("another", **store).init()
    assert (mlflow.get_tracking_uri(), mlflow.get_registry_uri()) == before
    assert store["tracking_uri"] not in before


def test_the_bytes_of_a_candidate_are_those_that_were_logged(registry, store, onnx_file):
    import mlflow
    import onnx

    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(store["tracking_uri"])
    try:
        mlflow.set_experiment(experiment_id=registry.experiment_id)
        with mlflow.start_run() as run:
            model = onnx.load_from_string(onnx_file())
            mlflow.onnx.log_model(model, name="model", save_as_external_data=False)
        with mlflow.start_run() as empty:
            pass
    finally:
        mlflow.set_tracking_uri(before)
    assert registry.candidate_onnx(run.info.run_id) == onnx_file()
    with pytest.raises(RegistryError, match="logged no model named 'model'"):
        registry.candidate_onnx(empty.info.run_id)


def test_a_run_that_is_not_there_is_one_sentence(registry):
    with pytest.raises(RegistryError, match="the registry did not answer: Run with id=nowhere not found"):
        registry.candidate_onnx("nowhere")


def test_a_release_is_read_back_as_it_was_written(registry, onnx_file):
    paper = certificate(registry, onnx_file())
    run_id = releases.upload(registry, onnx_file(), paper)
    assert releases.read(registry, run_id, paper.onnx_sha256, paper.sha256) == (onnx_file(), paper)
    assert releases.upload(registry, onnx_file(), paper) == run_id


def test_mlflow_reads_the_signature_of_a_release(registry, onnx_file):
    from mlflow.models import Model

    entry = promoted(registry, onnx_file())
    model = Model.load(released_file(registry, entry, "MLmodel"))
    assert model.signature.inputs.input_names() == ["inputs"]
    assert [column.shape for column in model.signature.inputs] == [(-1, 2)]
    assert model.signature.outputs.input_names() == ["probs", "predicted"]
    assert set(model.flavors) == {"wdgate"}


@pytest.mark.parametrize("name", ["model.onnx", "certificate.json"])
def test_any_flipped_bit_of_a_release_is_noticed_and_named(registry, onnx_file, name):
    entry = promoted(registry, onnx_file())
    path = released_file(registry, entry, name)
    intact = path.read_bytes()
    for bit in range(0, 8 * len(intact), 8 * len(intact) // 10):
        changed = bytearray(intact)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        with pytest.raises(RegistryError, match=f"{name} of {registry.name} in run .* was changed"):
            releases.read_promoted(registry, entry)


def test_a_release_whose_file_is_gone_is_refused(registry, onnx_file):
    entry = promoted(registry, onnx_file())
    released_file(registry, entry, "model.onnx").unlink()
    with pytest.raises(RegistryError, match="did not answer"):
        releases.read_promoted(registry, entry)


def test_a_certificate_of_another_model_is_refused(registry, store, onnx_file):
    other = Registry(f"{registry.name}-twin", **store)
    paper = certificate(other, onnx_file())
    with pytest.raises(RegistryError, match=f"is not about {paper.onnx_sha256[:12]} of {registry.name}"):
        releases.upload(registry, onnx_file(), paper)


def test_the_version_and_the_alias_follow_the_ledger(registry, onnx_file):
    assert registry.project() is False
    entry = promoted(registry, onnx_file())
    assert registry.project() is True
    assert registry.project() is False
    assert registry.alias == registry.version_of(entry) == 1
    version = registry.client.get_model_version(registry.name, "1")
    assert version.tags == registry.version_tags(entry)
    assert (version.description, version.run_id) == ("It may.", entry.body["release_run_id"])


def test_two_that_finish_the_same_promotion_leave_one_version(registry, onnx_file):
    entry = promoted(registry, onnx_file())
    registry._create_version(entry)
    first, registry.version_of = registry.version_of, lambda _: None  # as one sees it who looked too early
    late = registry._create_version(entry)
    registry.version_of = first
    registry.client.delete_model_version(registry.name, str(late))
    assert registry.register(entry) == 1
    assert list(registry.versions()) == [1]


def test_an_alias_moved_by_hand_is_named_and_not_repaired(registry, onnx_file):
    for first in (1.0, 2.0, 3.0):
        promoted(registry, onnx_file(first))
        registry.project()
    registry.point(1)
    with pytest.raises(
        RegistryError, match="points to version 1, but by the ledger the champion is version 3"
    ):
        registry.project()
    assert registry.alias == 1


def test_row_keys_are_read_back_as_they_were_stored(registry):
    import numpy as np

    keys = np.array([1, 2**63, 5], np.uint64)
    place = releases.write_rows(registry, keys)
    assert np.array_equal(releases.read_rows(registry, place), keys)
    run_id, sha256 = place.split("/")
    Path(urlparse(registry.address(run_id)).path, "rows", f"{sha256}.u64").write_bytes(keys[1:].tobytes())
    with pytest.raises(RegistryError, match="were changed after they were booked"):
        releases.read_rows(registry, place)
