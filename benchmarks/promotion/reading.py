"""How long does it take to read a ledger, to verify a champion, and to serve it?"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from promotion import race
from promotion.stores import sqlite
from wdgate.promotion import promote
from wdgate.registry import Registry
from wdgate.serving import history, load_champion, verify

A_YEAR = 365


def compare(quick: bool) -> None:
    """Print the seconds of each, for a ledger of one promotion and of a year of daily runs."""
    with tempfile.TemporaryDirectory() as folder, sqlite(Path(folder)) as store:
        registry = Registry("read", **store)
        registry.init()
        _promote(registry)
        _line(registry, "one promotion")
        for _ in range(3 if quick else A_YEAR):
            _a_day(registry)
        _line(registry, "a year of daily runs")


def _promote(registry: Registry) -> None:
    made = race.rows_and_files()
    splits = made._rows(1, 400)
    common = {"name": registry.name, "alpha": 0.05, "looks": race.LOOKS, "evidence": {}, "registry": registry}
    report = made.report_on(splits)
    promote(made.linear_classifier(), splits, race.TASK, race.GATES, report, run_id="run", **common)


def _a_day(registry: Registry) -> None:
    """What a refused run leaves: a booking and a judgement, as large as real ones are."""
    last = registry.ledger.entries()
    booked = next(e for e in last if e.kind == "booked")
    judged = next(e for e in last if e.kind == "judged")
    body = {**booked.body, "look": booked.body["look"] + len(last)}
    entry = registry.ledger.claim(last[-1].hash, "booked", body)
    decision = {**judged.body["decision"], "passed": False}
    registry.ledger.claim(entry.hash, "judged", {**judged.body, "booked": entry.hash, "decision": decision})


def _line(registry: Registry, label: str) -> None:
    entries = registry.ledger.entries()
    told = [("read", registry.ledger.entries), ("history", lambda: history(registry))]
    told += [("verify", lambda: verify(registry)), ("serve", lambda: load_champion("", registry=registry))]
    print(f"{label:21} {len(entries):>5} entries", end="")
    for name, what in told:
        print(f"   {name} {_seconds(what):.2f} s", end="")
    print(flush=True)


def _seconds(what, times: int = 5) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        what()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)
