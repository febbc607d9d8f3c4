"""What becomes of promotions that race? By wdgate's ledger, and by an alias that is only overwritten."""

from __future__ import annotations

import importlib.util
import multiprocessing
import time
from pathlib import Path

from wdgate.evaluation.tasks import Classification
from wdgate.gates.gates import at_least, no_worse
from wdgate.promotion import promote
from wdgate.registry import Registry

TASK = Classification(("left", "right"))
GATES = (at_least("accuracy", 0.9), no_worse("accuracy", 0.05))
LOOKS = 5_000


def rows_and_files():
    """The small rows and files of the tests."""
    path = Path(__file__).parents[2] / "tests" / "wdgate" / "conftest.py"
    spec = importlib.util.spec_from_file_location("conftest_of_wdgate", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def promotes(arguments):
    """One promoter: promotes files of its own, one after another; their versions."""
    name, store, who, times = arguments
    made = rows_and_files()
    registry, splits = Registry(name, **store, by=f"promoter {who}"), made._rows(1, 400)
    report = made.report_on(splits)
    common = {"name": name, "alpha": 0.05, "looks": LOOKS, "evidence": {}, "registry": registry}
    files = [made.linear_classifier(1 + (times * who + n) / 1000) for n in range(times)]
    return [
        promote(onnx, splits, TASK, GATES, report, run_id=f"{who}-{n}", **common).version
        for n, onnx in enumerate(files)
    ]


def race(label, store, processes, times):
    """Race them, and print whether anything was lost."""
    name = "raced"
    Registry(name, **store).init()
    began = time.perf_counter()
    jobs = [(name, store, who, times) for who in range(processes)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        versions = [version for own in pool.map(promotes, jobs) for version in own]
    seconds = time.perf_counter() - began
    registry = Registry(name, **store)
    entries = registry.ledger.entries()
    of_kind = {kind: [e for e in entries if e.kind == kind] for kind in ("booked", "judged", "promoted")}
    wanted = list(range(1, processes * times + 1))
    looks = [entry.body["look"] for entry in of_kind["booked"]]
    lost = len(registry.ledger.items()) - len(entries)
    said = {
        "no promotion lost": sorted(versions) == sorted(registry.versions()) == wanted,
        "one child a parent": len({entry.parent for entry in entries}) == len(entries),
        "no look paid twice": looks == list(range(1, len(looks) + 1)),
        "alias at the head": registry.alias == registry.version_of(of_kind["promoted"][-1]),
    }
    broken = [name for name, holds in said.items() if not holds]
    print(f"{label:17} {processes} x {times:<3} promotions {len(of_kind['promoted']):>4}", end="   ")
    print(f"looks {len(looks):>5}   lost claims {lost:>5}   {seconds:6.0f} s", end="   ")
    print(f"BROKEN: {', '.join(broken)}" if broken else "all hold", flush=True)
    return not broken


def naive(arguments):
    """What registry templates do: read the champion's score, and move the alias if ours is higher."""
    store, score, version, barrier = arguments
    client = Registry("naive", **store).client
    champion = client.get_model_version_by_alias("naive", "champion")
    barrier.wait()
    if score > float(champion.tags["score"]):
        client.set_registered_model_alias("naive", "champion", str(version))


def overwritten(store, times=20):
    """How often the worse of two candidates, both better than the champion, ends as the champion."""
    client = Registry("naive", **store).client
    client.create_registered_model("naive")
    experiment = client.create_experiment("naive", artifact_location=store["artifact_location"])
    run = client.create_run(experiment)
    for score in (0.80, 0.85, 0.90):
        source = f"{run.info.artifact_uri}/model"
        client.create_model_version("naive", source, run.info.run_id, tags={"score": str(score)})
    worse = 0
    with multiprocessing.Manager() as manager, multiprocessing.get_context("spawn").Pool(2) as pool:
        for _ in range(times):
            client.set_registered_model_alias("naive", "champion", "1")
            barrier = manager.Barrier(2)
            pool.map(naive, [(store, 0.85, 2, barrier), (store, 0.90, 3, barrier)], chunksize=1)
            worse += client.get_model_version_by_alias("naive", "champion").version in (2, "2")
    print(f"an alias that is overwritten: the worse of two ends as champion {worse} of {times} times")
