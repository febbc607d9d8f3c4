"""What follows a champion that no candidate can be compared with, because it takes or predicts other things?

A new name, whose first entry says whom it succeeds, so that the record does not end there. It begins without
a champion: its first model is asked absolute gates only. Looks at the same rows are counted on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data_checks.errors import RegistryError
from wdgate import releases
from wdgate.ledger import Entry
from wdgate.registry import Registry
from wdgate.standing import Standing, onnx_of


def succeed(
    registry: Registry,
    old: Registry,
    pipeline: str | None = None,
    asks: Mapping[str, Any] | None = None,
    *,
    reason: str = "",
) -> None:
    """Open a new name that succeeds another one, and say so in both ledgers.

    Done again, it changes nothing, and finishes what was killed on the way.

    Args:
        registry: of the new name.
        old: of the one that is succeeded.
        pipeline: whose gates the new name must pass, as `Registry.init` takes it.
        asks: or what a model must show that no pipeline makes, likewise.
        reason: why no candidate can be compared with the old champion, for the record.

    Raises:
        RegistryError: the old name was never opened, has no champion or one that does not verify; or the new
            one was opened already, and not to succeed it.
    """
    if registry.is_initialised:
        registry.init(pipeline, asks)
    else:
        registry.init(pipeline, asks, succeeds=_succeeded(registry, old, reason))
    opened = registry.ledger.opened()[0]
    succeeds = opened.body.get("succeeds") or {}
    if succeeds.get("model") != old.name:
        raise RegistryError(
            f"{registry.name} was opened already, and not to succeed {old.name}: a successor is a new name"
        )
    body = {
        "model": registry.name,
        "opened": opened.hash,
        "promoted": succeeds["promoted"],
        "sentence": f"{registry.name} succeeds it. {succeeds['reason']}".rstrip(),
    }
    old.ledger.append("succeeded", body, still=lambda entries: _by(entries, opened) is None)


def _succeeded(registry: Registry, old: Registry, reason: str) -> dict[str, Any]:
    """What the first entry of a successor says of the champion before it."""
    if old.name == registry.name:
        raise RegistryError(f"{old.name} cannot succeed itself: give the successor a new name")
    if not old.is_initialised:
        raise RegistryError(f"{old.name} was never opened, so there is nothing to succeed")
    champion = Standing.of(old.ledger.opened()).champion
    if champion is None:
        raise RegistryError(f"nothing of {old.name} was ever promoted, so there is nothing to succeed")
    releases.read_promoted(old, champion)
    return {
        "model": old.name,
        "promoted": champion.hash,
        "onnx_sha256": onnx_of(champion),
        "lineage": old.lineage,
        "reason": reason,
    }


def _by(entries: tuple[Entry, ...], opened: Entry) -> Entry | None:
    return next((e for e in entries if e.kind == "succeeded" and e.body["opened"] == opened.hash), None)
