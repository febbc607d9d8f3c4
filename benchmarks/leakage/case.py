"""What is handed to every tool, and how does it answer?

A case is a folder: tables and texts as Parquet, pictures and wide arrays as .npy, what is known in case.json.
A tool is a process of its own that reads folders from its standard input and prints a JSON line each.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

TARGET, GROUP = "target", "group"


@dataclass(frozen=True, eq=False)
class Case:
    """Rows to learn from, rows to judge on, and which of these leak.

    Args:
        area: `tables`, `pictures`, `text` or `scale`.
        name: of the data.
        train: rows to learn from: a frame with `target` and perhaps `group`, or pictures (N, H, W).
        test: rows to judge on, in the same form.
        targets: of pictures alone, by split.
        planted: positions of test rows by the kind of leak; a kind without rows leaks by its columns.
        true: positions of further test rows that leak, although nobody planted them.
        leak: the share of planted rows by kind whose original is the train row most like them.
    """

    area: str
    name: str
    train: Any
    test: Any
    targets: Mapping[str, Any] = field(default_factory=dict)
    planted: Mapping[str, list[int]] = field(default_factory=dict)
    true: tuple[int, ...] = ()
    leak: Mapping[str, float] = field(default_factory=dict)

    @property
    def honest(self) -> frozenset[int]:
        """Positions of the test rows that do not leak."""
        leaking = {row for rows in self.planted.values() for row in rows} | set(self.true)
        return frozenset(range(len(self.test))) - leaking


def write_case(case: Case, folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, rows in (("train", case.train), ("test", case.test)):
        if isinstance(rows, pd.DataFrame):
            rows.to_parquet(folder / f"{name}.parquet", index=False)
        else:
            np.save(folder / f"{name}.npy", rows)
    for name, values in case.targets.items():
        np.save(folder / f"{name}_targets.npy", values)
    known = {"area": case.area, "name": case.name, "planted": dict(case.planted), "true": list(case.true)}
    (folder / "case.json").write_text(json.dumps({**known, "leak": dict(case.leak)}))
    return folder


def read_case(folder: Path) -> Case:
    known = json.loads((folder / "case.json").read_text())
    rows = {name: _read_rows(folder, name) for name in ("train", "test")}
    files = {name: folder / f"{name}_targets.npy" for name in rows}
    targets = {name: np.load(file) for name, file in files.items() if file.exists()}
    return Case(**{**known, "true": tuple(known["true"])}, **rows, targets=targets)


def _read_rows(folder: Path, name: str) -> Any:
    table = folder / f"{name}.parquet"
    return pd.read_parquet(table) if table.exists() else np.load(folder / f"{name}.npy", mmap_mode="r")


def inputs_of(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns that a model is fed."""
    return frame[[name for name in frame if name not in (TARGET, GROUP)]]


def answer_cases(answer: Callable[[Case], dict[str, Any]]) -> None:
    """Answer every folder on standard input with a JSON line.

    `answer` gives `rows` (positions of test rows that it flags) and `alarms` (names of what it complains of
    besides, with the columns that it blames). Seconds are its own, without imports and without reading.
    """
    # Tools print what they please; whatever is not an answer goes to the standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        case = read_case(Path(line.strip()))
        before, started = peak_mb(), time.perf_counter()
        found = answer(case)
        seconds = time.perf_counter() - started
        rows = sorted(int(row) for row in found.get("rows", ()))
        told = {"rows": rows, "alarms": found.get("alarms", {}), "seconds": seconds}
        print(json.dumps({**told, "before_mb": before, "peak_mb": peak_mb()}), file=answers, flush=True)


def peak_mb() -> float:
    """The most memory that this process has held, in MB of a million bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not ru_maxrss, which on Linux begins with what the parent process held.
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(fields["VmHWM"].split()[0]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
