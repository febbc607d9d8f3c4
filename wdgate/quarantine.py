"""How is everything of a model kept from being served, until somebody says that it may be again?"""

from __future__ import annotations

from data_checks.errors import RegistryError
from wdgate import seen
from wdgate.ledger import Entry
from wdgate.registry import Registry
from wdgate.standing import Standing


def quarantine(registry: Registry, reason: str) -> Entry:
    """Serve no version of a model from now on; done again, the first reason stands.

    Promotions go on, and nothing of them is served either.

    Args:
        registry: of the model.
        reason: why, for the record and for whoever asks for the champion meanwhile.

    Raises:
        RegistryError: no reason, or the ledger cannot be written.
    """
    if not reason.strip():
        raise RegistryError(f"{registry.name} is quarantined for a reason, and none was given: --reason TEXT")
    known = Standing.of(_entries(registry)).quarantined
    return known or _append(registry, "quarantined", reason, free=True)


def free(registry: Registry, reason: str) -> Entry:
    """Let the champion be served again.

    Raises:
        RegistryError: the model is not in quarantine, no reason, or the ledger cannot be written.
    """
    if not reason.strip():
        raise RegistryError(f"{registry.name} is freed for a reason, and none was given: --reason TEXT")
    if Standing.of(_entries(registry)).quarantined is None:
        raise RegistryError(f"{registry.name} is not in quarantine, so there is nothing to free it from")
    return _append(registry, "freed", reason, free=False)


def refusal(name: str, standing: Standing) -> str | None:
    """Why nothing of a model may be served now; None where it may."""
    entry = standing.quarantined
    if entry is None:
        return None
    return (
        f"{name} is in quarantine since {entry.at} by {entry.by}: {entry.body['reason']}; "
        f"`wdgate quarantine {name} --free --reason TEXT` ends it"
    )


def _entries(registry: Registry) -> tuple[Entry, ...]:
    entries = registry.ledger.opened()
    seen.recall(registry, entries)
    return entries


def _append(registry: Registry, kind: str, reason: str, *, free: bool) -> Entry:
    def still(entries: tuple[Entry, ...]) -> bool:
        return (Standing.of(entries).quarantined is None) is free

    written = registry.ledger.append(kind, {"reason": reason.strip()}, still)
    if written is not None:
        return written
    # Somebody else said the same in the same moment.
    return next(entry for entry in reversed(registry.ledger.entries()) if entry.kind == kind)
