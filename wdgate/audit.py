"""What does an auditor need, offline, and how is it checked without wdgate?

One ZIP file: the ledger as it was read, what the registry shows, each certificate, the champion's file, the
trusted keys, and a page with the commands of openssl, sha256sum and jq. The same registry, the same bytes.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from data_checks.errors import RegistryError
from wdgate import releases, retention, seen
from wdgate.certificate import Certificate
from wdgate.ledger import Entry
from wdgate.registry import Registry
from wdgate.standing import Standing, onnx_of, pruned_sentence

# The least that ZIP can say: when it was written is no part of what was found.
BEFORE_ALL = (1980, 1, 1, 0, 0, 0)


def audit(registry: Registry, out: Path) -> None:
    """Write all that an auditor needs of a model into a ZIP file.

    A release that does not verify is not left out: the file `problems.txt` names it, and why. One whose
    model file was pruned is named in `pruned.txt`, and its certificate is there.

    Args:
        registry: of the model.
        out: the file, written beside and renamed.

    Raises:
        RegistryError: the ledger was never opened or cannot be read, or the file cannot be written.
    """
    parts = dict(_parts(registry))
    made = out.with_name(f"{out.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in parts.items():
                archive.writestr(zipfile.ZipInfo(name, BEFORE_ALL), content, zipfile.ZIP_DEFLATED)
        made.replace(out)
    except OSError as error:
        made.unlink(missing_ok=True)
        raise RegistryError(f"the audit {out} cannot be written: {error.strerror}") from error


def _parts(registry: Registry) -> Iterator[tuple[str, str | bytes]]:
    entries = registry.ledger.opened()
    seen.recall(registry, entries)
    yield "README.md", files("wdgate").joinpath("audit.md").read_text(encoding="utf-8")
    # One canonical content a line, as it was hashed: the name of each is in the line after, as its parent.
    yield "ledger.jsonl", "".join(f"{entry.content}\n" for entry in entries)
    yield "heads.txt", "".join(f"{entry.hash}  {entry.number} {entry.kind}\n" for entry in entries)
    yield "registry.json", json.dumps(_shown(registry), indent=2, sort_keys=True) + "\n"
    yield "trusted.json", registry.trusted.content
    yield from _released(registry, Standing.of(entries))


def _shown(registry: Registry) -> dict[str, Any]:
    versions = {
        str(number): {"tags": dict(version.tags), "run_id": version.run_id}
        for number, version in registry.versions().items()
    }
    return {"model": registry.name, "alias": registry.alias, "versions": versions}


def _released(registry: Registry, standing: Standing) -> Iterator[tuple[str, str | bytes]]:
    problems, pruned = [], []
    for place, entry in enumerate(standing.promoted, start=1):
        folder = f"promotions/{place:04d}"
        try:
            onnx, content = _read(registry, standing, entry)
        except RegistryError as error:
            problems.append(f"{folder}: {error}\n")
            continue
        problems += _unsigned(registry, folder, content)
        yield f"{folder}/certificate.json", content
        yield f"{folder}/model.onnx.sha256", f"{onnx_of(entry)}  model.onnx\n"
        if gone := standing.pruned_by(entry):
            pruned.append(f"{folder}: {pruned_sentence(entry, gone, registry.name)}\n")
        if entry == standing.champion:
            yield "model.onnx", onnx
            yield "champion.txt", f"{folder}\n"
    if problems:
        yield "problems.txt", "".join(problems)
    if pruned:
        yield "pruned.txt", "".join(pruned)


def _unsigned(registry: Registry, folder: str, content: str) -> list[str]:
    """Why the signature does not count, as a line a problem; none where it does."""
    try:
        Certificate.parse(content).signed_by(registry.trusted)
    except RegistryError as error:
        return [f"{folder}: {error}\n"]
    return []


def _read(registry: Registry, standing: Standing, entry: Entry) -> tuple[bytes, str]:
    if standing.pruned_by(entry):
        return b"", retention.read_certificate(registry, entry).content
    onnx, certificate = releases.read_promoted(registry, entry)
    return onnx, certificate.content
