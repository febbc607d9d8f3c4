"""How much faster do many small networks train as one stack than one after another?

    python benchmarks/fleet.py [--rounds 7] [--quick] [--no-peers]

Ratios of times taken in one run, on one thread: in each round the contestants take turns, so that a slow
moment of the machine hits all alike, and the median round counts. All is measured in processor time, of
Optuna's workers the slowest one's, which is what a clock shows where nothing else runs. One by one is a lean
loop: slices of tensors by index_select, fused AdamW, torch's cross_entropy. Optuna is a peer, installed at
pinned versions into an environment of its own; it may use every core, where the fleet has one thread.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from fleet.lean import loaded, microseconds_a_step, mlp, slices
from fleet.peer import install, seconds_of_optuna

from data_checks.splits import Split
from pipelines.digits import Pixels, load_splits
from wd_train.fleet import train_members
from wd_train.network import CPU, AsFloat
from wd_train.rows import Rows
from wd_train.stacked import fit_stacked
from wd_train.training import Training
from wdgate.evaluation.tasks import Classification

CLASSES = Classification(tuple("0123456789"))
SEEDS = 4


@dataclass(frozen=True)
class Case:
    """Networks of one size that are trained as one.

    Args:
        name: in the table.
        widths: of inputs, hidden layer and classes.
        members: how many.
        epochs: in one round of the fleet; the first and the last are not counted.
        wanted: the ratio that is to be reached.
    """

    name: str
    widths: tuple[int, int, int]
    members: int
    epochs: int
    wanted: float


CASES = (
    Case("digits 64-64-10", (64, 64, 10), 32, 12, 9.0),
    Case("digits 64-256-10", (64, 256, 10), 32, 8, 5.0),
    Case("Fashion-MNIST 784-256-10", (784, 256, 10), 8, 5, 1.6),
)
BATCH_SIZES = (16, 32, 64, 128)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="one round, to see that it runs")
    parser.add_argument("--no-peers", action="store_true", help="without Optuna")
    home = Path(os.environ.get("WDGATE_HOME", ".wdgate"))
    parser.add_argument("--peers", type=Path, default=home / "peers", help="where the peers are installed")
    words = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # so that a line is seen when it is there
    torch.set_num_threads(1)
    rounds = 1 if words.quick else words.rounds
    print(f"python benchmarks/fleet.py {' '.join(sys.argv[1:])}".rstrip())
    print(
        f"{platform.machine()}, {processor()}, {os.cpu_count()} cores, 1 thread, torch {torch.__version__}, "
        f"load {os.getloadavg()[0]:.1f} at the start"
    )
    print(f"medians of {rounds} rounds; microseconds a member-step\n")
    compare_steps(rounds)
    print()
    compare_sweeps(max(1, rounds // 3), None if words.no_peers else words.peers.resolve())


def processor() -> str:
    """The name of the processor, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")


def compare_steps(rounds: int) -> None:
    """One line a case and batch size: one by one, as a fleet, and one by one by a DataLoader."""
    columns = f"{'one by one':>12}{'fleet':>8}{'ratio':>7}{'DataLoader':>12}{'ratio':>7}"
    print(f"{'':26}{'members':>8}{'batch':>7}{columns}")
    for case in CASES:
        rows = rows_of(case)
        for batch_size in BATCH_SIZES:
            round_of(case, rows, batch_size)  # to warm up
            times = [round_of(case, rows, batch_size) for _ in range(rounds)]
            alone, by_loader, fleet = (statistics.median(column) for column in zip(*times, strict=True))
            ratio, to_loader = (statistics.median(t[at] / t[2] for t in times) for at in (0, 1))
            columns = f"{alone:12.0f}{fleet:8.1f}{ratio:7.1f}{by_loader:12.0f}{to_loader:7.1f}"
            verdict = "" if ratio >= case.wanted else f"   below {case.wanted:g}"
            print(f"{case.name:26}{case.members:8}{batch_size:7}{columns}{verdict}")


def rows_of(case: Case) -> Rows:
    """The train rows of digits, or as many random pictures as large as those of Fashion-MNIST."""
    if case.widths[0] == 64:
        return Rows(load_splits().train, Pixels(), CPU)
    random = np.random.default_rng(0)  # the time does not depend on what is on the pictures
    pictures = random.random((2000, case.widths[0]), dtype=np.float32)
    return Rows(Split(pictures, random.integers(0, 10, 2000)), AsFloat(), CPU)


def round_of(case: Case, rows: Rows, batch_size: int) -> tuple[float, float, float]:
    """Microseconds a member-step: one by one, one by one by a DataLoader, as a fleet."""
    tensors = (rows.prepared, rows.targets)
    alone = microseconds_a_step(tensors, case.widths, batch_size, 2, slices)
    by_loader = microseconds_a_step(tensors, case.widths, batch_size, 1, loaded)
    return alone, by_loader, microseconds_of_fleet(case, rows, batch_size)


def microseconds_of_fleet(case: Case, rows: Rows, batch_size: int) -> float:
    members = members_of(case.members, batch_size, case.epochs)
    ended: list[float] = []
    fit_stacked(
        [mlp(case.widths) for _ in members],
        rows,
        rows,
        CLASSES,
        members,
        on_epoch=lambda epoch: ended.append(time.thread_time()),
    )
    # The first epoch holds the tracing, the last one the measurement, which the loops do not have.
    steps = (case.epochs - 2) * members[0].batches(len(rows))
    return 1e6 * (ended[-2] - ended[0]) / steps / case.members


def members_of(members: int, batch_size: int, epochs: int) -> list[Training]:
    """As many coefficients for each of the seeds, without a measurement before the end."""
    return [
        Training(
            weight_decay=0.1 * at,
            seed=seed,
            learning_rate=3e-3,
            epochs=epochs,
            batch_size=batch_size,
            measure_every=epochs,
        )
        for seed in range(SEEDS)
        for at in range(members // SEEDS)
    ]


def compare_sweeps(rounds: int, peers: Path | None) -> None:
    """Whole sweeps of digits, with all that a fleet leaves, beside Optuna."""
    trials, epochs, case = 32, 60, CASES[0]
    cores = os.cpu_count() or 1
    print(f"a sweep of {trials} trainings of {epochs} epochs, {case.name}: seconds")
    print("fleet: one thread, with predictions on plain and on corrupted rows")
    print(f"Optuna: {cores} joblib workers of one thread, with the accuracy alone\n")
    print(f"{'batch':>7}{'fleet':>8}{'Optuna':>8}{'ratio':>7}")
    python = None if peers is None else install(peers)
    seconds_of_fleet(members_of(2 * SEEDS, 64, 2), case.widths)  # what torch loads for the first trace
    for batch_size in BATCH_SIZES[:3]:
        members = members_of(trials, batch_size, epochs)
        fleet, optuna = [], []
        for _ in range(rounds):
            fleet.append(seconds_of_fleet(members, case.widths))
            optuna.append(seconds_of_optuna(python, trials, epochs, batch_size) if python else float("nan"))
        ratio = statistics.median(theirs / ours for ours, theirs in zip(fleet, optuna, strict=True))
        times = f"{statistics.median(fleet):8.2f}{statistics.median(optuna):8.2f}{ratio:7.1f}"
        print(f"{batch_size:7}{times}{'   below 4' if ratio < 4 else ''}")


def seconds_of_fleet(members: list[Training], widths: tuple[int, ...]) -> float:
    splits = load_splits()
    parts = (splits.train, splits.validation, CLASSES)
    started = time.process_time()
    train_members(lambda train: mlp(widths), lambda train: Pixels(), *parts, members)
    return time.process_time() - started


if __name__ == "__main__":
    main()
