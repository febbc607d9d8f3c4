"""Which end of a ledger was seen from this machine before, and is it still there?

A chain shows that nothing in its middle is missing; of a tail that was cut off nothing in it tells. So the
last entry that was seen is kept outside of the registry, under `WDGATE_HOME`, a file a ledger.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from data_checks.errors import RegistryError
from wdgate.canonical import canonical_json, sha256
from wdgate.ledger import Entry
from wdgate.registry import Registry
from wdgate.store import home


def recall(registry: Registry, entries: Sequence[Entry]) -> None:
    """Compare a ledger with the last entry that was seen of it here, and note its end of now.

    Nothing is noted where there is no folder `WDGATE_HOME`: who only serves leaves no trace.

    Raises:
        RegistryError: the entry that was its last is not in it any more.
    """
    path = _path(registry)
    seen = _read(path)
    if seen is not None and seen["hash"] not in {entry.hash for entry in entries}:
        # Somebody may have seen what was written since these entries were read.
        entries = registry.ledger.entries()
    if seen is not None and seen["hash"] not in {entry.hash for entry in entries}:
        raise RegistryError(
            f"the ledger {registry.ledger.model} has {len(entries)} entries, and the last one that was seen "
            f"here, {seen['kind']} of {seen['at']} ({seen['hash'][:12]}), is not among them: "
            "its end was cut off"
        )
    if entries and path.parent.parent.is_dir() and (seen is None or seen["hash"] != entries[-1].hash):
        _write(path, entries[-1])


def _path(registry: Registry) -> Path:
    # By the salt that all names of a registry share: an address can be spelt in many ways.
    place = sha256(canonical_json([registry.salt, registry.ledger.model]))
    return home(os.environ) / "heads" / f"{place[:32]}.json"


def _read(path: Path) -> dict[str, str] | None:
    try:
        seen = json.loads(path.read_text(encoding="utf-8"))
        return {name: str(seen[name]) for name in ("hash", "kind", "at")}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RegistryError(f"{path}, which names the last entry that was seen, cannot be read") from error


def _write(path: Path, head: Entry) -> None:
    made = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        path.parent.mkdir(exist_ok=True)
        made.write_text(
            canonical_json({"hash": head.hash, "kind": head.kind, "at": head.at}), encoding="utf-8"
        )
        made.replace(path)
    except OSError as error:
        raise RegistryError(f"the last entry cannot be noted in {path}: {error.strerror}") from error
