"""How do judged bytes get to where trainers cannot write, and are they still the same ones later?"""

from __future__ import annotations

import tempfile
from collections.abc import Container
from pathlib import Path

import numpy as np

from data_checks.errors import RegistryError
from wdgate.canonical import sha256
from wdgate.certificate import SUBJECT, Certificate
from wdgate.gates.reuse import RowKeys
from wdgate.ledger import Entry, call
from wdgate.mlmodel import mlmodel
from wdgate.registry import FOLDER, Registry

CERTIFICATE_FILE = "certificate.json"
# Where predictions on the judged rows lie, beside the release.
PREDICTIONS = "predictions"


def upload(registry: Registry, onnx: bytes, certificate: Certificate) -> str:
    """Put the judged bytes and their certificate into the experiment of releases, and read them back.

    Returns:
        The id of the run that holds them; the same one when it is done again.

    Raises:
        RegistryError: what was read back is not what was written.
    """
    tags = {
        "wdgate.certificate_sha256": certificate.sha256,
        "wdgate.onnx_sha256": certificate.onnx_sha256,
        "wdgate.judged": certificate.predicate["ledger"]["judged"],
        "wdgate.signed_at": certificate.predicate["signed_at"],
        "wdgate.keyid": certificate.keyid,
    }
    run_id = registry.find_run("wdgate.certificate_sha256", certificate.sha256)
    run_id = run_id or registry.new_run(f"{registry.name} {certificate.onnx_sha256[:12]}", tags)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, SUBJECT).write_bytes(onnx)
        Path(folder, CERTIFICATE_FILE).write_text(certificate.content, encoding="utf-8")
        Path(folder, "MLmodel").write_text(mlmodel(onnx, created=certificate.predicate["ledger"]["at"]))
        call(registry.client.log_artifacts, run_id, folder, FOLDER)
    read(registry, run_id, certificate.onnx_sha256, certificate.sha256)
    return run_id


def read(
    registry: Registry, run_id: str, onnx_sha256: str, certificate_sha256: str
) -> tuple[bytes, Certificate]:
    """The bytes and the certificate of a release, if they are what the hashes say.

    Raises:
        RegistryError: naming the file that is missing or is another one.
    """
    address = f"{registry.address(run_id)}/{FOLDER}"
    onnx = registry.download(f"{address}/{SUBJECT}")
    content = registry.download(f"{address}/{CERTIFICATE_FILE}")
    files = ((CERTIFICATE_FILE, sha256(content), certificate_sha256), (SUBJECT, sha256(onnx), onnx_sha256))
    for name, found, expected in files:
        if found != expected:
            raise RegistryError(
                f"{name} of {registry.name} in run {run_id} was changed: "
                f"it has the hash {found[:12]}, but {expected[:12]} was released"
            )
    certificate = Certificate.parse(content)
    if certificate.onnx_sha256 != onnx_sha256 or certificate.predicate.get("model") != registry.name:
        raise RegistryError(
            f"{CERTIFICATE_FILE} in run {run_id} is not about {onnx_sha256[:12]} of {registry.name}"
        )
    return onnx, certificate


def read_promoted(registry: Registry, entry: Entry) -> tuple[bytes, Certificate]:
    """The bytes and the certificate that a `promoted` entry names."""
    body = entry.body
    return read(registry, body["release_run_id"], body["onnx_sha256"], body["certificate_sha256"])


def write_predictions(registry: Registry, run_id: str, content: bytes) -> str:
    """Store predictions beside a release; their SHA-256."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, f"{sha256(content)}.npz").write_bytes(content)
        call(registry.client.log_artifacts, run_id, folder, PREDICTIONS)
    return sha256(content)


def read_predictions(registry: Registry, run_id: str, expected: str) -> bytes:
    """What `write_predictions` stored.

    Raises:
        RegistryError: they are not there, or were changed.
    """
    content = registry.download(f"{registry.address(run_id)}/{PREDICTIONS}/{expected}.npz")
    if sha256(content) != expected:
        raise RegistryError(
            f"predictions in run {run_id} were changed after they were stored: {expected[:12]}"
        )
    return content


def write_rows(registry: Registry, keys: RowKeys, known: Container[str] = ()) -> str:
    """Store the salted keys of rows beside the ledger: 8 bytes a key, little-endian.

    Args:
        registry: of the model.
        keys: as `salted_keys` gives them.
        known: places that need not be written again.

    Returns:
        Their place, `RUN_ID/SHA256`.
    """
    content, run_id = keys.astype("<u8").tobytes(), registry.ledger.run_id
    place = f"{run_id}/{sha256(content)}"
    if place in known:
        return place
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, f"{sha256(content)}.u64").write_bytes(content)
        call(registry.client.log_artifacts, run_id, folder, "rows")
    return place


def read_rows(registry: Registry, place: str) -> RowKeys:
    """The salted keys that `write_rows` stored at `place`.

    Raises:
        RegistryError: they are not there, or were changed.
    """
    run_id, expected = place.split("/")
    content = registry.download(f"{registry.address(run_id)}/rows/{expected}.u64")
    if sha256(content) != expected:
        raise RegistryError(f"row keys of run {run_id} were changed after they were booked: {expected[:12]}")
    return np.frombuffer(content, dtype="<u8").astype(np.uint64)
