"""Optuna: a study of several workers, one process a core, each of one thread."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import joblib

from fleet.optuna_worker import make_study, work


def main() -> None:
    trials, epochs, batch_size = map(int, sys.argv[1:])
    workers = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder, joblib.Parallel(n_jobs=workers) as pool:
        slowest(pool, workers, Path(folder) / "warm", workers, 1, batch_size)  # processes, imports
        seconds = slowest(pool, workers, Path(folder) / "study", trials, epochs, batch_size)
    print(json.dumps({"seconds": seconds}))


def slowest(
    pool: joblib.Parallel, workers: int, journal: Path, trials: int, epochs: int, batch_size: int
) -> float:
    """Processor time of the worker that takes longest: what a clock shows where nothing else runs."""
    make_study(journal)
    each = trials // workers
    return max(pool(joblib.delayed(work)(journal, each, epochs, batch_size) for _ in range(workers)))


if __name__ == "__main__":
    main()
