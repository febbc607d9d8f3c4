"""Which judgements, of any model in the registry, were on the same rows, and what did they show?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from data_checks.errors import RegistryError
from wdgate import releases
from wdgate.gates.reuse import RowKeys, looks_left, looks_taken
from wdgate.ledger import Entry, all_items, chain
from wdgate.registry import Registry

Reads = Callable[[str], RowKeys]


def reader(registry: Registry, known: Mapping[str, RowKeys] | None = None) -> Reads:
    """Gives the row keys of a place, each read once; those that are `known` by their place are not read."""
    own = dict(known or {})

    @cache
    def read(place: str) -> RowKeys:
        return own[place] if place in own else releases.read_rows(registry, place)

    return read


def all_chains(registry: Registry) -> Iterator[tuple[Entry, ...]]:
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


def on_same_rows(keys: RowKeys, booked: Sequence[Entry], read: Reads) -> list[Entry]:
    """Those of some `booked` entries that were on these rows, whichever of their sets of rows it was."""
    return [booked[position] for position in looks_taken(keys, map(places_of, booked), read)]


def places_of(booked: Entry) -> list[str]:
    """Where the keys of all rows are that a `booked` entry paid a look at."""
    return [booked.body["test_rows"], *booked.body["also_rows"].values()]


def spent_by(booked: Sequence[Entry]) -> list[tuple[float, int]]:
    """Alpha and planned looks of each booking."""
    return [(entry.body["question"]["alpha"], entry.body["question"]["looks"]) for entry in booked]


def left(registry: Registry) -> dict[str, Any] | None:
    """How many looks are left at the test rows that this model was judged on last; None before the first.

    Returns:
        `rows`, how many there are; `looks`, how many were planned for them; `left`, of which so many.
    """
    own = [entry for entry in registry.ledger.opened() if entry.kind == "booked"]
    if not own:
        return None
    read, question = reader(registry), own[-1].body["question"]
    keys = read(own[-1].body["test_rows"])
    same = on_same_rows(
        keys, [e for chain in all_chains(registry) for e in chain if e.kind == "booked"], read
    )
    return {
        "rows": own[-1].body["rows"],
        "looks": question["looks"],
        "left": looks_left(spent_by(same), question["alpha"], question["looks"]),
    }


def earlier_scores(registry: Registry, booked: Entry, score: str) -> list[float]:
    """What other files for the same task reached in a score on the same test rows; each counts once.

    Args:
        registry: of the model that is to be judged.
        booked: its booking.
        score: the name of the score, which each `judged` entry holds with its answer.
    """
    chains, read = list(all_chains(registry)), reader(registry)
    every = [entry for entries in chains for entry in entries if entry.kind == "booked"]
    same = {entry.hash for entry in on_same_rows(read(booked.body["test_rows"]), every, read)}
    question = booked.body["question"]
    found: dict[str, float] = {}
    for entry in (entry for entries in chains for entry in entries if entry.kind == "judged"):
        asked, said = entry.body["question"], entry.body["decision"].get("expected")
        counts = entry.body["booked"] in same and asked["task"] == question["task"]
        if counts and asked["onnx_sha256"] != question["onnx_sha256"] and said and said["score"] == score:
            found[asked["onnx_sha256"]] = float(said["observed"])
    return list(found.values())
