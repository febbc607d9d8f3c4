"""Which leaks do our checks find, at how many false alarms and what cost, beside the tools in use today?

    python benchmarks/leakage.py [--only tables] [--quick] [--full] [--no-peers]

Cases are made here, from seeds, by code that shares nothing with the leaks that the checks plant themselves.
The peers are installed once, at pinned versions, into environments of their own; every tool is a process.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path

from leakage.areas import Settings, run_pictures, run_scale, run_tables, run_text

AREAS = {"tables": run_tables, "pictures": run_pictures, "text": run_text, "scale": run_scale}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=AREAS, action="append", help="one area; may be given several times")
    parser.add_argument("--quick", action="store_true", help="few cases, to see that it runs")
    parser.add_argument("--full", action="store_true", help="ten million rows too")
    parser.add_argument("--no-peers", action="store_true", help="ours alone")
    home = Path(os.environ.get("WDGATE_HOME", ".wdgate"))
    parser.add_argument("--peers", type=Path, default=home / "peers", help="where the peers are installed")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of each tool")
    parser.add_argument("--limit", type=float, default=900, help="seconds after which a tool is given up")
    words = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # so that a table is seen when it is there
    print(f"python benchmarks/leakage.py {' '.join(sys.argv[1:])}")
    threads = f"{words.threads} thread{'s' if words.threads > 1 else ''} a tool"
    print(f"{platform.machine()}, {os.cpu_count()} cores, {threads}, Python {platform.python_version()}")
    peers = None if words.no_peers else words.peers.resolve()
    settings = Settings(words.quick, words.full, peers, words.threads, words.limit)
    for area in words.only or AREAS:
        AREAS[area](settings)


if __name__ == "__main__":
    main()
