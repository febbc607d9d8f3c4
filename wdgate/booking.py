"""Is there a look left at these test rows, and was this question asked before?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from data_checks.errors import RegistryError
from data_checks.splits import Split
from wdgate import releases
from wdgate.canonical import canonical_json, plain
from wdgate.gates.reuse import RowKeys, affordable, looks_taken, salted_keys
from wdgate.ledger import ATTEMPTS, Entry, all_items, chain
from wdgate.registry import Registry
from wdgate.standing import Standing, onnx_of


@dataclass(frozen=True, eq=False)
class Booking:
    """A look at the test rows that is paid for.

    Args:
        entry: the `booked` entry.
        champion, anchor: the `promoted` entries that the candidate is compared with; None where there
            is none yet.
        judged: the `judged` entry, where the question was answered before.
    """

    entry: Entry
    champion: Entry | None
    anchor: Entry | None
    judged: Entry | None

    @property
    def look(self) -> int:
        """Which of the planned looks at these rows this is, from 1."""
        return int(self.entry.body["look"])


def book(registry: Registry, question: Mapping[str, Any], test: Split, run_id: str) -> Booking | None:
    """Pay for a look at the test rows, before anything predicts them.

    Args:
        registry: of the model.
        question: what is asked, without champion and anchor: `onnx_sha256`, `test`, `rows`, `gates`,
            `alpha`, `looks`.
        test: the test rows, those that are left out of judging among them.
        run_id: the candidate's run, for the record.

    Returns:
        The booking, an earlier one where the same question was booked before; None when all looks are spent.
    """
    keys = salted_keys(test, registry.salt)
    for _ in range(ATTEMPTS):
        entries = registry.ledger.opened()
        standing = Standing.of(entries)
        compared = {"champion": _name_of(standing.champion), "anchor": _name_of(standing.anchor)}
        asked = plain({**question, **compared})
        entry = _booked(entries, asked) or _claim_look(registry, entries, asked, keys, run_id)
        if entry == "spent":
            return None
        if isinstance(entry, Entry):
            return Booking(
                entry, standing.champion, standing.anchor, judged_of(registry.ledger.entries(), entry)
            )
    raise RegistryError(
        f"the ledger {registry.ledger.model} was written by others {ATTEMPTS} times in a row; try again"
    )


def _name_of(entry: Entry | None) -> str | None:
    return None if entry is None else onnx_of(entry)


def _booked(entries: Sequence[Entry], asked: Mapping[str, Any]) -> Entry | None:
    text = canonical_json(asked)
    booked = (entry for entry in entries if entry.kind == "booked")
    return next((entry for entry in booked if canonical_json(entry.body["question"]) == text), None)


def judged_of(entries: Sequence[Entry], booked: Entry) -> Entry | None:
    """The `judged` entry that answers a booking, or None."""
    return next((e for e in entries if e.kind == "judged" and e.body["booked"] == booked.hash), None)


def _claim_look(
    registry: Registry, entries: Sequence[Entry], asked: Mapping[str, Any], keys: RowKeys, run_id: str
) -> Entry | Literal["spent"] | None:
    """The `booked` entry; None when somebody else wrote to the ledger meanwhile."""
    place = _stored(registry, entries, asked["test"], keys)
    booked = [entry for entries in _all_chains(registry) for entry in entries if entry.kind == "booked"]
    places = [entry.body["test_rows"] for entry in booked]
    taken = looks_taken(keys, places, lambda p: keys if p == place else releases.read_rows(registry, p))
    questions = [booked[position].body["question"] for position in taken]
    if not affordable([(q["alpha"], q["looks"]) for q in questions], asked["alpha"], asked["looks"]):
        return "spent"
    body = {"question": asked, "test_rows": place, "look": len(taken) + 1, "run_id": run_id}
    return registry.ledger.claim(entries[-1].hash, "booked", body)


def _stored(registry: Registry, entries: Sequence[Entry], fingerprint: str, keys: RowKeys) -> str:
    """Where the row keys of these test rows are; they are stored once."""
    places = (entry.body["test_rows"] for entry in entries if entry.kind == "booked")
    known = next((place for place in places if place.split("/")[1] == fingerprint), None)
    return known or releases.write_rows(registry, fingerprint, keys)


def _all_chains(registry: Registry) -> Iterator[tuple[Entry, ...]]:
    """The entries of every ledger in the registry, this model's among them.

    Raises:
        RegistryError: one is broken, or its row keys have another salt, so that looks cannot be counted.
    """
    for model, items in all_items(registry.client).items():
        # Other people's models may end in these letters too; they hold no entries.
        if any(item.content for item in items):
            entries = chain(items, model)
            if entries[0].body.get("salt") != registry.salt:
                raise RegistryError(f"the ledger {model} came from elsewhere: its rows have another salt")
            yield entries
