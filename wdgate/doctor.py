"""What did a crash, or somebody's hand, leave of a model in the registry, and what of it can be mended?

What follows from the ledger is made again: a version, its alias. What somebody did on purpose is reported and
left as it is, for a person to decide.
"""

from __future__ import annotations

from collections.abc import Iterator

from data_checks.errors import RegistryError
from wdgate import releases, retention
from wdgate.booking import judged_of
from wdgate.ledger import Entry
from wdgate.registry import PROMOTED_TAG, Registry
from wdgate.serving import Verified, verify
from wdgate.standing import Standing, pruned_sentence


def examine(registry: Registry) -> tuple[Verified, ...]:
    """Finish what was begun, then look at everything; an item is not `ok` where a person must decide.

    Returns:
        What was mended, what is still open, and what `verify` finds. Where the ledger cannot be read, that
        is the only item.
    """
    try:
        entries = registry.ledger.opened()
    except RegistryError as error:
        return (Verified("ledger", False, str(error)),)
    finished = _finished(registry)
    missing = _missing(registry, Standing.of(entries))
    return (finished, *_undeleted(registry), *_open_bookings(entries), *missing, *verify_all(registry))


def verify_all(registry: Registry) -> Iterator[Verified]:
    """What `verify` finds, and whether each version that is no champion still verifies."""
    standing = Standing.of(registry.ledger.opened())
    if standing.champion is None and not registry.versions():
        yield Verified("champion", True, "nothing was promoted yet")
        return
    yield from verify(registry)
    numbers = {version.tags.get(PROMOTED_TAG): number for number, version in registry.versions().items()}
    for entry in standing.promoted:
        number = numbers.get(entry.hash)
        if gone := standing.pruned_by(entry):
            yield _verify_pruned(registry, entry, gone)
        elif number is not None and entry != standing.champion:
            yield _verify_release(registry, entry, f"version {number}")


def _verify_release(registry: Registry, entry: Entry, name: str) -> Verified:
    try:
        _, certificate = releases.read_promoted(registry, entry)
        return Verified(name, True, f"its file is the one that was {certificate.signed_by(registry.trusted)}")
    except RegistryError as error:
        return Verified(name, False, str(error))


def _finished(registry: Registry) -> Verified:
    champion = Standing.of(registry.ledger.opened()).champion
    missing = champion is not None and registry.version_of(champion) is None
    try:
        mended = registry.project()
    except RegistryError as error:
        return Verified("unfinished", False, str(error))
    if not mended:
        return Verified("unfinished", True, "nothing was left unfinished")
    why = (
        "the champion had no version, after a crash or because it was deleted"
        if missing
        else "the alias lagged"
    )
    return Verified("unfinished", True, f"{why}: version {registry.alias} is shown as the champion now")


def _undeleted(registry: Registry) -> Iterator[Verified]:
    """The files that were to be pruned when somebody was interrupted."""
    try:
        count = retention.finish(registry)
    except RegistryError as error:
        yield Verified("pruned", False, str(error))
        return
    if count:
        yield Verified("pruned", True, f"{count} pruned model files were still there, and are deleted now")


def _verify_pruned(registry: Registry, entry: Entry, gone: Entry) -> Verified:
    try:
        retention.read_certificate(registry, entry).signed_by(registry.trusted)
    except RegistryError as error:
        return Verified("pruned", False, str(error))
    return Verified("pruned", True, pruned_sentence(entry, gone, registry.name))


def _open_bookings(entries: tuple[Entry, ...]) -> Iterator[Verified]:
    """Looks that were paid for and never taken: the same command takes them, and they are not refunded."""
    paid = [entry for entry in entries if entry.kind == "booked" and judged_of(entries, entry) is None]
    for entry in paid:
        sentence = (
            f"look {entry.body['look']} of {entry.at} by {entry.by} was booked and not taken; "
            f"`wdgate promote {entry.body['run_id']}` takes it"
        )
        yield Verified("booking", True, sentence)


def _missing(registry: Registry, standing: Standing) -> Iterator[Verified]:
    """Promotions whose version is gone; that of the champion was made again before."""
    for entry in standing.promoted:
        if registry.version_of(entry) is None:
            sentence = f"the version that showed the promotion of {entry.at} by {entry.by} was deleted"
            yield Verified("deleted version", False, sentence)
