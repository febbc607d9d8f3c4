"""Where do candidates come from, and how do released models get into the registry, and out of it again?

Nothing here decides anything: the ledger says which model is the champion, and this file makes the
registered model's versions and its alias say the same. Everything can be done twice.
"""

from __future__ import annotations

import getpass
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_checks.errors import RegistryError
from wdgate import keys
from wdgate.ledger import ATTEMPTS, SUFFIX, Entry, Ledger, call, pages
from wdgate.standing import Standing
from wdgate.store import existing_store

if TYPE_CHECKING:  # MLflow takes seconds to import
    from mlflow import MlflowClient

    from wdgate.signing import SigningKey
    from wdgate.trust import TrustedKeys

ALIAS = "champion"
# The ledger that every name of a registry shares: it holds the salt, and opens before all others.
SHARED = "wdgate"
# What a candidate's logged model is called, and the file in it that is judged.
FOLDER = "model"
MODEL_FILE = "model.onnx"
PROMOTED_TAG = "wdgate.promoted"


class Registry:
    """One model's place in an MLflow registry.

    Args:
        name: the registered model.
        tracking_uri: MLflow's tracking store; None for `MLFLOW_TRACKING_URI`, or the store in `WDGATE_HOME`.
        registry_uri: MLflow's model registry; None for the tracking store's own.
        artifact_location: the folder or address that new experiments keep their files in; None for the
            server's default. A local store needs one.
        by: what the promoter calls itself in the ledger; the login, or the user of this machine.
        signing_key: a PEM file, or the PEM itself; None for `WDGATE_SIGNING_KEY`. In the embedded store one
            is made under `WDGATE_HOME` where there is none.
        trusted_keys: the file of keys that are believed; None for `WDGATE_TRUSTED_KEYS`.

    Raises:
        RegistryError: a name that MLflow, a file system or another ledger would misread.
    """

    def __init__(
        self,
        name: str,
        tracking_uri: str | None = None,
        registry_uri: str | None = None,
        *,
        artifact_location: str | None = None,
        by: str | None = None,
        signing_key: str | Path | None = None,
        trusted_keys: str | Path | None = None,
    ) -> None:
        self.name = _checked(name)
        self.experiment = f"{name}_released"
        self.by = by or _who()
        self._uris = (tracking_uri, registry_uri)
        self._artifact_location = artifact_location
        self._keys = (signing_key, trusted_keys)

    @cached_property
    def client(self) -> MlflowClient:
        """The MLflow client; made when first used, and never by MLflow's global settings."""
        from mlflow import MlflowClient

        tracking_uri, registry_uri = self._uris
        return call(MlflowClient, tracking_uri or existing_store(), registry_uri)

    @cached_property
    def signing_key(self) -> SigningKey:
        """The key that promotions are signed with.

        Raises:
            RegistryError: there is none, or it cannot be used.
        """
        return keys.signing_key(self._keys[0], embedded=keys.is_embedded(self._uris[0]))

    @cached_property
    def trusted(self) -> TrustedKeys:
        """The keys whose signatures are believed.

        Raises:
            RegistryError: there are none, or they cannot be read.
        """
        return keys.trusted_keys(self._keys[1], embedded=keys.is_embedded(self._uris[0]))

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger of this model."""
        return self._ledger(self.name)

    def _ledger(self, name: str) -> Ledger:
        return Ledger(name, self.client, self.by, lambda: self.signing_key, self._believed)

    def _believed(self) -> TrustedKeys | None:
        # Who trains reads ledgers too, and need not have been told whom to believe.
        asks = keys.is_configured(self._keys[1], embedded=keys.is_embedded(self._uris[0]))
        return self.trusted if asks else None

    @property
    def is_initialised(self) -> bool:
        """Whether the ledger was opened."""
        return bool(self.ledger.entries())

    def init(
        self,
        pipeline: str | None = None,
        asks: Mapping[str, Any] | None = None,
        *,
        succeeds: Mapping[str, Any] | None = None,
    ) -> None:
        """Create what promotions need: the model, its ledger, and the experiment that releases lie in.

        Done again, it changes nothing but for a new key, which then vouches for what older ones wrote.

        Args:
            pipeline: whose gates the model must pass, as `load_pipeline` takes it; None binds it to none.
            asks: what a model that no pipeline has made must show, as `wdgate.judge_named.Terms.as_dict`
                gives it.
            succeeds: the champion of another name that it follows, as `wdgate.succession` says it.

        Raises:
            RegistryError: the model has versions already, but no ledger that accounts for them; or it was
                opened for another pipeline, or other gates; or another name differs in capital letters only.
        """
        keys.refuse_untrusted(self.signing_key, self.trusted)
        entries = self.ledger.vouch()
        if not entries:
            self._refuse_twins()
        for model in (self.name, self.ledger.model):
            self._ensure_model(model)
        if entries:
            self._refuse_other(pipeline, asks)
            return
        self.refuse_unaccounted()
        run_id = self.new_run(f"{self.name}{SUFFIX}", {})
        call(self.client.log_text, run_id, _ABOUT.format(name=self.name), "ledger/about.txt")
        salt = self._shared_salt(run_id)
        body = {"model": self.name, "run_id": run_id, "salt": salt, "pipeline": pipeline, "asks": asks}
        if succeeds is not None:
            sentence = f"It succeeds {succeeds['model']}. {succeeds['reason']}".rstrip()
            body |= {"succeeds": succeeds, "sentence": sentence}
        if not self.ledger.claim_from(run_id, "", "opened", body):
            call(self.client.delete_run, run_id)
            self._refuse_other(pipeline, asks)

    def refuse_unaccounted(self) -> None:
        """Raise unless the ledger was opened or the model has no versions."""
        if not self.ledger.entries() and (versions := self.versions()):
            raise RegistryError(
                f"{self.name} has {len(versions)} versions, but an empty ledger; "
                "a model that was served before, or a ledger that was deleted, is not served as promoted"
            )

    def new_run(self, name: str, tags: Mapping[str, str]) -> str:
        """A finished run in the experiment that trainers only read; its id."""
        run = call(self.client.create_run, self.experiment_id, run_name=name, tags=dict(tags))
        # Not set_terminated, which prints an address to stdout.
        call(self.client.update_run, run.info.run_id, status="FINISHED")
        return str(run.info.run_id)

    def find_run(self, tag: str, value: str) -> str | None:
        """The id of the run in that experiment with this tag, or None."""
        found = call(self.client.search_runs, [self.experiment_id], f"tags.`{tag}` = '{value}'")
        return str(found[0].info.run_id) if found else None

    def release_tags(self, judged: str) -> dict[str, str]:
        """The tags of the run that was begun to release what the entry of this hash let pass; or none."""
        run_id = self.find_run("wdgate.judged", judged)
        return {} if run_id is None else dict(call(self.client.get_run, run_id).data.tags)

    def download(self, address: str) -> bytes:
        """The content of one file.

        Raises:
            RegistryError: it is not there, or the store is away.
        """
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        folder_address, _, file = address.rpartition("/")
        repository = get_artifact_repository(folder_address, tracking_uri=self.client.tracking_uri)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "file")
            # The public way draws a progress bar a file on the caller's terminal.
            call(repository._download_file, file, str(path))
            return path.read_bytes()

    def delete(self, address: str) -> None:
        """Delete one file; one that is not there is deleted already.

        Raises:
            RegistryError: it may not be deleted, or the store is away.
        """
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        folder_address, _, file = address.rpartition("/")
        repository = get_artifact_repository(folder_address, tracking_uri=self.client.tracking_uri)
        call(repository.delete_artifacts, file)

    def address(self, run_id: str) -> str:
        """Where the files of a run lie."""
        return str(call(self.client.get_run, run_id).info.artifact_uri)

    @cached_property
    def salt(self) -> str:
        """The salt (hex) of all row keys in this registry."""
        return str(self.ledger.opened()[0].body["salt"])

    @cached_property
    def lineage(self) -> str:
        """The first model of those that succeeded one another up to this one: whose ids its rows have."""
        succeeds = self.ledger.opened()[0].body.get("succeeds")
        return str(succeeds["lineage"]) if succeeds else self.name

    @property
    def pipeline(self) -> str | None:
        """The pipeline that the model was opened for, or None where it was bound to none."""
        bound = self.ledger.opened()[0].body.get("pipeline")
        return None if bound is None else str(bound)

    @property
    def asks(self) -> Mapping[str, Any] | None:
        """The gates that the model was opened for, or None where it was bound to none."""
        bound: Mapping[str, Any] | None = self.ledger.opened()[0].body.get("asks")
        return bound

    def candidate_onnx(self, run_id: str) -> bytes:
        """The ONNX file that a run logged as its model.

        Raises:
            RegistryError: no such run, or it logged none.
        """
        run = call(self.client.get_run, run_id)
        logged = run.outputs.model_outputs if run.outputs else []
        models = [call(self.client.get_logged_model, output.model_id) for output in logged]
        # A run that was killed while it logged its model, and went on, has one that was never finished.
        ready = [model for model in models if model.name == FOLDER and model.status == "READY"]
        if not ready:
            raise RegistryError(
                f"run {run_id} logged no model named {FOLDER!r}, so there is nothing to judge"
            )
        model = max(ready, key=lambda model: model.creation_timestamp)
        return self.download(f"{model.artifact_location}/{MODEL_FILE}")

    def versions(self) -> dict[int, Any]:
        """All versions of the model by number, as MLflow describes them."""
        query = {
            "filter_string": f"name = '{self.name}'",
            "order_by": ["version_number ASC"],
            "max_results": 500,
        }
        found = pages(self.client.search_model_versions, **query)
        return {int(version.version): version for version in found if version.name == self.name}

    def version_of(self, entry: Entry) -> int | None:
        """The version that shows a `promoted` entry, or None."""
        return next((n for n, v in self.versions().items() if v.tags.get(PROMOTED_TAG) == entry.hash), None)

    @property
    def alias(self) -> int | None:
        """The version that MLflow's alias points to, or None."""
        model = self._model(self.name)
        version = model.aliases.get(ALIAS) if model else None
        return None if version is None else int(version)

    def register(self, entry: Entry) -> int:
        """The version that shows a `promoted` entry, made if it is not there yet."""
        version = self.version_of(entry) or self._create_version(entry)
        # Two processes that finish the same promotion both make one: the first stays.
        first = self.version_of(entry)
        if first is not None and first != version:
            call(self.client.delete_model_version, self.name, str(version))
        return first or version

    def point(self, version: int) -> None:
        """Move the alias."""
        call(self.client.set_registered_model_alias, self.name, ALIAS, str(version))

    def project(self) -> bool:
        """Make the versions and the alias say what the ledger says, and finish what a crash left.

        Returns:
            Whether anything had to be done.

        Raises:
            RegistryError: the alias is where no promotion or rollback put it, or versions have no ledger.
        """
        self.refuse_unaccounted()
        done = False
        # Once more for as long as somebody else moves the head while the alias is being moved.
        for _ in range(ATTEMPTS):
            standing = Standing.of(self.ledger.opened())
            champion = standing.champion
            if self.shows(champion):
                return done
            self._refuse_moved_alias(standing)
            if champion is not None:
                self.point(self.register(champion))
                done = True
        raise RegistryError(f"the alias {ALIAS} of {self.name} does not stay where it is put")

    def shows(self, champion: Entry | None) -> bool:
        """Whether the alias points to the version of the champion, or to none where there is no champion."""
        if champion is None:
            return self.alias is None
        alias = self.alias
        return alias is not None and alias == self.version_of(champion)

    def _refuse_moved_alias(self, standing: Standing) -> None:
        alias = self.alias
        if alias is None or alias in {
            self.version_of(e) for e in (standing.champion, standing.previous) if e
        }:
            return
        champion = standing.champion and self.version_of(standing.champion)
        advice = (
            f"{champion}; `wdgate rollback {self.name} --to {champion}` puts it back" if champion else "none"
        )
        raise RegistryError(
            f"the alias {ALIAS} of {self.name} points to version {alias}, "
            f"but by the ledger the champion is version {advice}"
        )

    def version_tags(self, entry: Entry) -> dict[str, str]:
        """The tags of the version that shows a `promoted` entry."""
        return {
            PROMOTED_TAG: entry.hash,
            "wdgate.onnx_sha256": entry.body["onnx_sha256"],
            "wdgate.certificate_sha256": entry.body["certificate_sha256"],
            "wdgate.judged": entry.body["judged"],
            "decision": "promoted",
            "reason": "passed",
            "gates": entry.body["gates"],
        }

    def _create_version(self, entry: Entry) -> int:
        body = entry.body
        version = call(
            self.client.create_model_version,
            self.name,
            source=f"{self.address(body['release_run_id'])}/{FOLDER}",
            run_id=body["release_run_id"],
            tags=self.version_tags(entry),
            description=body["sentence"],
            await_creation_for=0,
        )
        return int(version.version)

    @cached_property
    def experiment_id(self) -> str:
        """The experiment that releases lie in, made if it is not there yet."""
        location = self._artifact_location and f"{self._artifact_location.rstrip('/')}/{self.experiment}"
        found = call(self.client.get_experiment_by_name, self.experiment)
        if found is None:
            self._refuse_default_location()
            with suppress(RegistryError):  # somebody else may have made it meanwhile
                return str(call(self.client.create_experiment, self.experiment, artifact_location=location))
            found = call(self.client.get_experiment_by_name, self.experiment)
        if found is None or found.lifecycle_stage != "active":
            raise RegistryError(f"the experiment {self.experiment} cannot be made, or was deleted")
        return str(found.experiment_id)

    def _refuse_default_location(self) -> None:
        # Only a server knows where files belong; without one MLflow writes to ./mlruns, wherever that is.
        uri = self.client.tracking_uri
        if self._artifact_location is None and not uri.startswith(("http://", "https://", "databricks")):
            raise RegistryError(
                f"the tracking store {uri.split('@')[-1]} needs an artifact_location, none was given"
            )

    def _model(self, name: str) -> Any | None:
        found = pages(self.client.search_registered_models, filter_string=f"name = '{name}'", max_results=100)
        return next((model for model in found if model.name == name), None)

    def _refuse_other(self, pipeline: str | None, asks: Mapping[str, Any] | None) -> None:
        if pipeline not in (None, self.pipeline):
            raise RegistryError(
                f"{self.name} was opened for {self.pipeline or 'any pipeline'}, not for {pipeline}"
            )
        if asks is not None and asks != self.asks:
            raise RegistryError(
                f"{self.name} was opened for {_gates(self.asks)}, not for {_gates(asks)}: what a model must "
                "show is said once"
            )

    def _refuse_twins(self) -> None:
        for name in (self.name, self.ledger.model):
            query = {"filter_string": f"name ILIKE '{name}'", "max_results": 100}
            found = {model.name for model in pages(self.client.search_registered_models, **query)}
            # The `_` of a pattern stands for any character.
            if twins := {other for other in found - {name} if other.lower() == name.lower()}:
                raise RegistryError(
                    f"{name!r} differs from the registered model {min(twins)!r} in capital letters only, "
                    "and some databases and file systems take the two for one: choose another name"
                )

    def _ensure_model(self, name: str) -> None:
        if self._model(name) is not None:
            return
        with suppress(RegistryError):  # somebody else may have made it meanwhile
            call(self.client.create_registered_model, name)
        if self._model(name) is None:
            call(self.client.create_registered_model, name)

    def _shared_salt(self, run_id: str) -> str:
        shared = self._ledger(SHARED)
        self._ensure_model(shared.model)
        if not shared.entries():
            body = {"model": SHARED, "run_id": run_id, "salt": secrets.token_hex(16)}
            shared.claim_from(run_id, "", "opened", body)
        return str(shared.opened()[0].body["salt"])


def _gates(asks: Mapping[str, Any] | None) -> str:
    if asks is None:
        return "any gates"
    return f"{', '.join(asks['gates'])} at alpha {asks['alpha']:g} over {asks['looks']} looks"


def _checked(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.))*", name) or len(name) > 100:
        raise RegistryError(f"a model's name is up to 100 letters, digits, '-', '_' and '.', got {name!r}")
    if name.lower() == SHARED or name.lower().endswith(SUFFIX):
        raise RegistryError(f"{name!r} is a ledger's name, and cannot be a model's")
    return name


def _who() -> str:
    if login := os.environ.get("MLFLOW_TRACKING_USERNAME"):
        return login
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may have a user without a name
        return "unknown"


_ABOUT = """\
The entries of the ledger of {name} are the versions of the registered model {name}_ledger.
They point to this run because MLflow asks every version for one. Beside this file, in rows/,
lie the salted keys of the test rows that were booked, 8 bytes a row. Change nothing here.
"""
