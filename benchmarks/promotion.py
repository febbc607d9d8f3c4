"""Is a promotion lost, or a look paid twice, when promoters race, and how long does verifying take?

    python benchmarks/promotion.py [--stores SQLite] [--processes 8] [--times 20] [--quick]

Each process promotes files of its own, against a champion that the others keep changing. Beside it: how often
the worse of two models wins where the alias is simply overwritten, and what reading a ledger takes.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

from promotion import race, reading
from promotion.stores import STORES

from wdgate.signing import SIGNING_KEY, new_key
from wdgate.trust import TRUSTED_KEYS, trust


def main() -> None:
    """Race, and read; exit code 1 where anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stores", nargs="+", choices=STORES, default=list(STORES))
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--quick", action="store_true", help="two processes, two promotions, a short ledger")
    asked = parser.parse_args()
    processes, times = (2, 2) if asked.quick else (asked.processes, asked.times)
    logging.disable(logging.INFO)
    print("python benchmarks/promotion.py", *sys.argv[1:])
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, ", end="")
    print(f"mlflow {version('mlflow')}\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        _keys(Path(folder))
        held = [_race(name, processes, times) for name in asked.stores]
        reading.compare(asked.quick)
    sys.exit(0 if all(held) else 1)


def _keys(folder: Path) -> None:
    """A key that all promoters sign with, as a server's promoters do."""
    trust(folder / "trusted.json", new_key(folder / "signing.pem"))
    os.environ |= {SIGNING_KEY: str(folder / "signing.pem"), TRUSTED_KEYS: str(folder / "trusted.json")}


def _race(name: str, processes: int, times: int) -> bool:
    with tempfile.TemporaryDirectory() as folder, STORES[name](Path(folder)) as store:
        held = race.race(name, store, processes, times)
        if name == "SQLite":
            race.overwritten(store)
        return held


if __name__ == "__main__":
    main()
