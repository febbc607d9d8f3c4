"""Which released files may be deleted when, and how, so that nothing is lost that the chain needs?

Only the bytes of a model go. Its certificate, the entries of the ledger and the keys of rows stay, so that
it can still be told what was promoted, why, and on which rows; it can no longer be served.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from data_checks.errors import RegistryError
from wdgate.canonical import sha256
from wdgate.certificate import SUBJECT, Certificate
from wdgate.ledger import Entry, call
from wdgate.registry import FOLDER, Registry
from wdgate.releases import CERTIFICATE_FILE
from wdgate.serving import verify
from wdgate.standing import Standing, onnx_of

KEEP = 10
# About 100 characters each, of the 100 000 that MLflow takes for an entry.
MOST_IN_ONE_ENTRY = 500


def prune(registry: Registry, keep: int = KEEP, *, dry_run: bool = False) -> tuple[Entry, ...]:
    """Record which files are no longer needed, then delete them; done again, it finishes what a crash left.

    Args:
        registry: of the model.
        keep: how many of the last promotions keep their files, whatever became of them.
        dry_run: only say which files would go.

    Returns:
        The promotions whose files went, or would go, oldest first.

    Raises:
        RegistryError: `keep` is below 0; the champion does not verify, so that an earlier file may be needed;
            or the registry cannot be written.
    """
    if keep < 0:
        raise RegistryError(f"at least 0 promotions can be kept, got {keep}")
    _refuse_unsound(registry)
    gone: tuple[Entry, ...] = ()
    while chosen := prunable(Standing.of(registry.ledger.opened()), keep):
        if dry_run:
            return chosen
        gone += _record(registry, chosen, keep)
    if not dry_run:
        finish(registry)
    return gone


def prunable(standing: Standing, keep: int) -> tuple[Entry, ...]:
    """The promotions whose files nothing needs, oldest first; those that are pruned already are left out."""
    needed = {onnx_of(entry) for entry in _needed(standing, keep)}
    return tuple(
        entry
        for entry in standing.promoted
        if onnx_of(entry) not in needed and standing.pruned_by(entry) is None
    )


def finish(registry: Registry) -> int:
    """Delete what the ledger calls pruned and is still there; how many files that were."""
    left = [run_id for run_id in Standing.of(registry.ledger.opened()).pruned if _is_there(registry, run_id)]
    for run_id in left:
        registry.delete(f"{registry.address(run_id)}/{FOLDER}/{SUBJECT}")
    return len(left)


def read_certificate(registry: Registry, entry: Entry) -> Certificate:
    """The certificate that a `promoted` entry names: what is left of a file that was pruned.

    Raises:
        RegistryError: it is not there, or is another one.
    """
    body = entry.body
    address = f"{registry.address(body['release_run_id'])}/{FOLDER}/{CERTIFICATE_FILE}"
    content = registry.download(address)
    if sha256(content) != body["certificate_sha256"]:
        raise RegistryError(
            f"{CERTIFICATE_FILE} of {registry.name} in run {body['release_run_id']} was changed: "
            f"it has the hash {sha256(content)[:12]}, but {body['certificate_sha256'][:12]} was released"
        )
    return Certificate.parse(content)


def _needed(standing: Standing, keep: int) -> tuple[Entry, ...]:
    recent = standing.promoted[max(len(standing.promoted) - keep, 0) :]
    served = [entry for entry in (standing.champion, standing.previous, standing.anchor) if entry]
    # What would be compared with, should each of these be taken back.
    taken_back = standing.rolled_back | {onnx_of(entry) for entry in (*recent, *served)}
    below = replace(standing, rolled_back=taken_back).anchor
    return (*recent, *served, *([below] if below else []))


def _refuse_unsound(registry: Registry) -> None:
    wrong = next((item for item in verify(registry) if not item.ok), None)
    if wrong is not None:
        raise RegistryError(
            f"nothing of {registry.name} is pruned while it does not verify: {wrong.sentence}"
        )


def _record(registry: Registry, chosen: tuple[Entry, ...], keep: int) -> tuple[Entry, ...]:
    """Those of the chosen that the new entry names; none where the ledger says otherwise by now."""
    named = chosen[:MOST_IN_ONE_ENTRY]
    count = len(named)
    files: dict[str, Any] = {entry.body["release_run_id"]: onnx_of(entry) for entry in named}
    kept = f"the champion, the one before, the anchors and the last {keep} promotions keep theirs"
    sentence = f"The model file of {count} promotion{'s' if count > 1 else ''} was deleted; {kept}."
    body = {"files": files, "keep": keep, "sentence": sentence}

    def still(entries: tuple[Entry, ...]) -> bool:
        return prunable(Standing.of(entries), keep) == chosen

    return named if registry.ledger.append("pruned", body, still) else ()


def _is_there(registry: Registry, run_id: str) -> bool:
    found = call(registry.client.list_artifacts, run_id, FOLDER)
    return any(file.path == f"{FOLDER}/{SUBJECT}" for file in found)
