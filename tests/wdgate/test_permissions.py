"""What can a trainer do with its own login on MLflow's own server, and what can it not?

Every refusal here is MLflow's, with the permissions that `deploy/prepare.py` makes.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from data_checks.errors import RegistryError
from wdgate.evaluation.tasks import Classification
from wdgate.gates.gates import at_least
from wdgate.promotion import promote
from wdgate.registry import ALIAS, Registry
from wdgate.serving import load_champion, verify
from wdgate.signing import SIGNING_KEY, new_key
from wdgate.trust import TRUSTED_KEYS, trust

HERE = Path(__file__).parent


def module_of(path):
    """A file that is part of no package, as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


server = module_of(HERE / "server.py")
prepare = module_of(HERE.parents[1] / "deploy" / "prepare.py")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A server with the accounts trainer and promoter."""
    from mlflow.server import get_app_client

    patch, folder = pytest.MonkeyPatch(), tmp_path_factory.mktemp("server")
    trust(folder / "trusted.json", new_key(folder / "signing.pem"))
    with server.mlflow_server(folder, logins=True) as address, patch.context() as env:
        env.setenv(TRUSTED_KEYS, str(folder / "trusted.json"))
        env.setenv(SIGNING_KEY, str(folder / "signing.pem"))
        as_login(env, "admin", server.ADMIN)
        for name, variable in prepare.ACCOUNTS.items():
            env.setenv(variable, password_of(name))
        prepare.make_accounts(get_app_client("basic-auth", tracking_uri=address))
        yield address


def password_of(name):
    return f"the-password-of-{name}"


def as_login(patch, name, password=None):
    patch.setenv("MLFLOW_TRACKING_USERNAME", name)
    patch.setenv("MLFLOW_TRACKING_PASSWORD", password or password_of(name))
    patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.fixture
def login(monkeypatch):
    """Becomes another account."""
    return lambda name: as_login(monkeypatch, name)


def promotes(onnx, splits, registry):
    """What becomes of a file, promoted by whoever is logged in."""
    report = module_of(HERE / "conftest.py").report_on(splits)
    common = {"name": registry.name, "run_id": "run", "alpha": 0.05, "looks": 5, "evidence": {}}
    task = Classification(("left", "right"))
    return promote(onnx, splits, task, [at_least("accuracy", 0.9)], report, registry=registry, **common)


@pytest.fixture(scope="module")
def released(address, tmp_path_factory):
    """A model that the promoter opened and promoted."""
    conftest = module_of(HERE / "conftest.py")
    patch = pytest.MonkeyPatch()
    with patch.context() as env:
        as_login(env, "promoter")
        registry = Registry("served", address)
        registry.init()
        splits = conftest._rows(1, 400)
        promoted = promotes(conftest.linear_classifier(), splits, registry)
        assert promoted.outcome == "promoted"
    return registry.ledger.entries()[-1].body["release_run_id"]


@pytest.fixture
def trainer(address, login):
    """The trainer's own client."""
    from mlflow import MlflowClient

    login("trainer")
    return MlflowClient(address)


@pytest.fixture
def own_run(trainer):
    """A run of the trainer's, in an experiment of its own."""
    experiment = trainer.get_experiment_by_name("training")
    own = experiment.experiment_id if experiment else trainer.create_experiment("training")
    return trainer.create_run(own).info.run_id


def test_a_trainer_trains_and_logs(trainer, own_run, released):
    trainer.log_metric(own_run, "accuracy", 0.9)
    trainer.log_text(own_run, "weights", "model/model.onnx")
    assert trainer.get_run(own_run).data.metrics == {"accuracy": 0.9}
    assert [file.path for file in trainer.list_artifacts(own_run, "model")] == ["model/model.onnx"]


def a_version(client, run, released):
    client.create_model_version("served", f"runs:/{run}/model", run)


def an_entry(client, run, released):
    client.create_model_version("served_ledger", f"runs:/{run}/model", run, tags={"wdgate.entry": "{}"})


def another_alias(client, run, released):
    client.set_registered_model_alias("served", ALIAS, "1")


def no_alias(client, run, released):
    client.delete_registered_model_alias("served", ALIAS)


def another_tag(client, run, released):
    client.set_model_version_tag("served", "1", "decision", "refused")


def another_entry(client, run, released):
    client.set_model_version_tag("served_ledger", "1", "wdgate.entry", "{}")


def no_tag(client, run, released):
    client.delete_model_version_tag("served", "1", "decision")


def another_description(client, run, released):
    client.update_model_version("served", "1", "the best model of all")


def no_version(client, run, released):
    client.delete_model_version("served", "1")


def no_entry(client, run, released):
    client.delete_model_version("served_ledger", "2")


def no_model(client, run, released):
    client.delete_registered_model("served")


def no_ledger(client, run, released):
    client.delete_registered_model("served_ledger")


def another_name(client, run, released):
    client.rename_registered_model("served", "taken")


def other_bytes(client, run, released):
    client.log_text(released, "other bytes", "model/model.onnx")


def other_bytes_by_the_run_beside(client, run, released):
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    theirs = client.get_run(released).info.artifact_uri
    ours = client.get_run(run).info.artifact_uri
    # Up from the trainer's own folder, and down again into the release's.
    tail = "/".join(theirs.split("/")[-3:])
    repository = get_artifact_repository(f"{ours}/../../../{tail}/model", tracking_uri=client.tracking_uri)
    path = Path("model.onnx").absolute()
    path.write_text("other bytes")
    repository.log_artifact(str(path))


def a_tag_of_the_release(client, run, released):
    client.set_tag(released, "wdgate.onnx_sha256", "00")


def no_release(client, run, released):
    client.delete_run(released)


def no_experiment(client, run, released):
    client.delete_experiment(client.get_experiment_by_name("served_released").experiment_id)


def a_run_among_the_releases(client, run, released):
    client.create_run(client.get_experiment_by_name("served_released").experiment_id)


def a_right(client, run, released):
    from mlflow.server import get_app_client

    get_app_client("basic-auth", tracking_uri=client.tracking_uri).grant_user_permission(
        "trainer", "registered_model", "served", "MANAGE"
    )


ATTEMPTS = (
    *(a_version, an_entry, another_alias, no_alias, another_tag, another_entry, no_tag, another_description),
    *(no_version, no_entry, no_model, no_ledger, another_name, other_bytes, other_bytes_by_the_run_beside),
    *(a_tag_of_the_release, no_release, no_experiment, a_run_among_the_releases, a_right),
)


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.__name__)
def test_a_trainer_is_refused(attempt, trainer, own_run, released, tmp_path, monkeypatch):
    from mlflow.exceptions import MlflowException

    monkeypatch.chdir(tmp_path)
    with pytest.raises((MlflowException, OSError), match=r"(?i)permission|403|404|400|invalid"):
        attempt(trainer, own_run, released)


def test_after_all_attempts_the_champion_is_served_as_it_was(address, released, login):
    login("promoter")
    assert all(item.ok for item in verify(Registry("served", address)))
    assert load_champion("served", address).predict(np.array([[1.0, 0.0]], np.float32))["predicted"] == [1]


def test_a_trainer_cannot_promote(address, login, released):
    login("trainer")
    conftest = module_of(HERE / "conftest.py")
    splits = conftest._rows(2, 400)
    registry = Registry("served", address)
    before = len(registry.ledger.entries())
    with pytest.raises(RegistryError, match="Permission denied"):
        promotes(conftest.linear_classifier(2.0), splits, registry)
    assert len(registry.ledger.entries()) == before


def test_what_a_trainer_registers_under_another_name_is_no_champion(address, trainer, own_run):
    trainer.log_text(own_run, "weights", "model/model.onnx")
    trainer.create_registered_model(f"mine{own_run[:8]}")
    version = trainer.create_model_version(f"mine{own_run[:8]}", f"runs:/{own_run}/model", own_run)
    trainer.set_registered_model_alias(version.name, ALIAS, version.version)
    with pytest.raises(RegistryError, match="has no ledger"):
        load_champion(version.name, address)
