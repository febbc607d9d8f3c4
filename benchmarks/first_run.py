"""How long does a newcomer wait, as a ratio to what importing the libraries alone takes?

    python benchmarks/first_run.py [--runs 3]

Each command is a process of its own, the same commands in turn, so that a slow moment of the machine hits all
alike. The first run starts with an empty `WDGATE_HOME`, the second finds the first one's.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

IMPORTS = "import torch, torch.onnx, mlflow, prefect, great_expectations, onnxruntime"
COMMANDS = {
    "importing the libraries": ["-c", IMPORTS],
    "wdgate --help": ["-m", "flows", "--help"],
    "a misspelt argument": ["-m", "flows", "run", "pipelines.digits", "epoch=3"],
    "first run, promoted": ["-m", "flows", "run", "pipelines.digits"],
    "second run, unchanged": ["-m", "flows", "run", "pipelines.digits"],
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=3)
    rounds = [one_round() for _ in range(parser.parse_args().runs)]
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"medians of {len(rounds)} rounds; ratios to importing the libraries in the same round\n")
    print(f"{'command':26}{'seconds':>9}{'ratio':>8}")
    for name in COMMANDS:
        seconds = statistics.median(times[name] for times in rounds)
        ratio = statistics.median(times[name] / times["importing the libraries"] for times in rounds)
        print(f"{name:26}{seconds:9.2f}{ratio:8.2f}")


def one_round() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "WDGATE_HOME": home}
        return {name: timed([sys.executable, *words], environment) for name, words in COMMANDS.items()}


def timed(command: list[str], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=environment, capture_output=True, check=False)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
