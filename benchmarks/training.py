"""What does a training cost beside the least that it could?

    python benchmarks/training.py [--rounds 7] [--quick] [--only loops precision checkpoints compile]

Ratios of times taken in one run, on one thread: contestants take turns, so that a slow moment of the machine
hits all alike, and the median counts.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path

import torch
from training import checkpointing, compiling, loops, precision

SECTIONS = {
    "loops": loops.compare,
    "precision": precision.compare,
    "checkpoints": checkpointing.compare,
    "compile": compiling.compare,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="one round, to see that it runs")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    words = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # so that a line is seen when it is there
    torch.set_num_threads(1)
    rounds = 1 if words.quick else words.rounds
    print(f"python benchmarks/training.py {' '.join(sys.argv[1:])}".rstrip())
    print(
        f"{platform.machine()}, {processor()}, {os.cpu_count()} cores, 1 thread, torch {torch.__version__}, "
        f"load {os.getloadavg()[0]:.1f} at the start; medians of {rounds} rounds"
    )
    for name in words.only:
        print()
        SECTIONS[name](rounds)


def processor() -> str:
    """The name of the processor, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")


if __name__ == "__main__":
    main()
