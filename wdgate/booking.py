"""Is there a look left at these test rows, and was this question asked before?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from data_checks.errors import RegistryError
from data_checks.splits import Split
from wdgate import releases, seen
from wdgate.canonical import canonical_json, plain
from wdgate.gates.reuse import SAME_ROWS, RowKeys, affordable, distinct, overlap, salted_keys
from wdgate.ledger import ATTEMPTS, Entry
from wdgate.registry import Registry
from wdgate.standing import Standing, onnx_of
from wdgate.used import Reads, all_chains, on_same_rows, reader, spent_by

TEST = "test"


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


def book(
    registry: Registry, question: Mapping[str, Any], rows: Mapping[str, Split], run_id: str
) -> Booking | None:
    """Pay for a look at the test rows, before anything predicts them.

    Where they are other rows than those of the last booking, that is recorded first, as an entry of its own.

    Args:
        registry: of the model.
        question: what is asked, without champion and anchor, as `Asked.question` gives it.
        rows: the test rows as `test`, those that are left out of judging among them, and each further
            test set that a gate asks about.
        run_id: the candidate's run, for the record.

    Returns:
        The booking, an earlier one where the same question was booked before; None when all looks are spent.
    """
    sets = _Sets({name: salted_keys(split, registry.salt, registry.lineage) for name, split in rows.items()})
    for _ in range(ATTEMPTS):
        entries = registry.ledger.opened()
        seen.recall(registry, entries)
        standing = Standing.of(entries)
        compared = {"champion": _name_of(standing.champion), "anchor": _name_of(standing.anchor)}
        asked = plain({**question, **compared})
        entry = _booked(entries, asked) or _claim(registry, entries, asked, sets, run_id)
        if entry == "spent":
            return None
        if isinstance(entry, Entry) and entry.kind == "booked":
            judged = judged_of(registry.ledger.entries(), entry)
            return Booking(entry, standing.champion, standing.anchor, judged)
    raise RegistryError(
        f"the ledger {registry.ledger.model} was written by others {ATTEMPTS} times in a row; try again"
    )


def judged_of(entries: Sequence[Entry], booked: Entry) -> Entry | None:
    """The `judged` entry that answers a booking, or None."""
    return next((e for e in entries if e.kind == "judged" and e.body["booked"] == booked.hash), None)


@dataclass(frozen=True, eq=False)
class _Sets:
    """The keys of the test rows, and of each further test set that is asked about, by name."""

    keys: Mapping[str, RowKeys]

    def stored(self, registry: Registry, entries: Sequence[Entry]) -> dict[str, str]:
        """Where they are stored; what an entry names already is not stored again."""
        known = {entry.body["test_rows"] for entry in entries if entry.kind in ("booked", "renewed")}
        return {name: releases.write_rows(registry, keys, known) for name, keys in self.keys.items()}


def _name_of(entry: Entry | None) -> str | None:
    return None if entry is None else onnx_of(entry)


def _booked(entries: Sequence[Entry], asked: Mapping[str, Any]) -> Entry | None:
    text = canonical_json(asked)
    booked = (entry for entry in entries if entry.kind == "booked")
    return next((entry for entry in booked if canonical_json(entry.body["question"]) == text), None)


def _claim(
    registry: Registry, entries: Sequence[Entry], asked: Mapping[str, Any], sets: _Sets, run_id: str
) -> Entry | Literal["spent"] | None:
    """The `booked` entry, or the `renewed` one before it; None when somebody else wrote meanwhile."""
    places = sets.stored(registry, entries)
    read = reader(registry, {place: sets.keys[name] for name, place in places.items()})
    booked = [entry for entries in all_chains(registry) for entry in entries if entry.kind == "booked"]
    # Each set of rows wears out by itself; the one that was used most decides.
    taken = [on_same_rows(keys, booked, read) for keys in sets.keys.values()]
    if not all(affordable(spent_by(looks), asked["alpha"], asked["looks"]) for looks in taken):
        return "spent"
    renewal = _renewal(entries, places[TEST], read)
    if renewal is not None:
        return registry.ledger.claim(entries[-1].hash, "renewed", {**renewal, "run_id": run_id})
    body = {
        "question": asked,
        "test_rows": places.pop(TEST),
        "also_rows": places,
        "rows": distinct(sets.keys[TEST]),
        "look": 1 + max(map(len, taken)),
        "run_id": run_id,
    }
    return registry.ledger.claim(entries[-1].hash, "booked", body)


def _renewal(entries: Sequence[Entry], place: str, read: Reads) -> dict[str, Any] | None:
    """What there is to say if the test rows are not those of the last booking; else None."""
    last = next((entry for entry in reversed(entries) if entry.kind in ("booked", "renewed")), None)
    if last is None or last.body["test_rows"] == place:
        return None
    now, before = read(place), read(last.body["test_rows"])
    share = overlap(now, before)
    if not share <= SAME_ROWS:
        return None
    sentence = (
        f"The test rows are new: {distinct(now):,} in place of {distinct(before):,}, {share:.1%} of which "
        "are in both; champion and anchor are judged on the new ones."
    )
    return {
        "test_rows": place,
        "rows": distinct(now),
        "before": {"test_rows": last.body["test_rows"], "rows": distinct(before)},
        "overlap": share,
        "sentence": sentence,
    }
