"""Which tools are asked, where do they live, and what did they answer?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]

# The newest releases of October 2026 that work together.
NEARNESS = (
    "cleanlab[datalab]==2.9.0",
    "cleanvision==0.3.7",
    "faiss-cpu==1.15.1",
    "datasketch==2.0.0",
    "datasets==5.2.0",
    "numpy==2.4.6",
    "pandas==3.1.1",
    "scikit-learn==1.9.1",
)
# Of an environment of its own: deepchecks 0.19.1, its last release, uses np.Inf, which numpy 2 took out,
# DataFrame.applymap, which pandas 3 took out, and arguments of scorers that scikit-learn 1.6 took out. Later
# releases of pyarrow want numpy 2; setuptools 81 has no pkg_resources, which it imports.
DEEPCHECKS = (
    "deepchecks==0.19.1",
    "numpy==1.26.4",
    "pandas==2.2.3",
    "pyarrow==20.0.0",
    "scikit-learn==1.5.2",
    "setuptools<81",
)
ENVIRONMENTS = {"nearness": NEARNESS, "deepchecks": DEEPCHECKS}


@dataclass(frozen=True)
class Tool:
    """Somebody who is asked.

    Args:
        name: in the tables.
        module: in this package, run as a process.
        areas: what it can be asked of.
        environment: where it lives; empty for this Python's own.
        words: arguments of the process.
        clean_splits: of how many clean splits of a table it is asked at most.
    """

    name: str
    module: str
    areas: tuple[str, ...]
    environment: str = ""
    words: tuple[str, ...] = ()
    clean_splits: int = 1_000_000


OURS = Tool("ours", "run_ours", ("tables", "pictures", "text", "scale"))
TOOLS = (
    OURS,
    Tool("cleanlab", "run_cleanlab", ("tables", "pictures", "text"), "nearness"),
    Tool("faiss", "run_faiss", ("tables",), "nearness"),
    Tool("faiss .95", "run_faiss", ("pictures",), "nearness", (".95",)),
    Tool("faiss .99", "run_faiss", ("pictures",), "nearness", (".99",)),
    Tool("cleanvision", "run_cleanvision", ("pictures",), "nearness"),
    Tool("MinHash .8", "run_datasketch", ("text",), "nearness", ("minhash",)),
    Tool("13-gram", "run_datasketch", ("text",), "nearness", ("grams",)),
    # Its drift checks take seconds a split.
    Tool("deepchecks", "run_deepchecks", ("tables", "pictures", "text"), "deepchecks", clean_splits=20),
    Tool("KS .05", "run_ks", ("tables",)),
)


@dataclass(frozen=True)
class Answer:
    """What a tool says of one case; `error` where it does not."""

    rows: frozenset[int] = frozenset()
    alarms: Mapping[str, list[str]] = field(default_factory=dict)
    seconds: float = float("nan")
    before_mb: float = float("nan")
    peak_mb: float = float("nan")
    error: str = ""


def install(environment: str, peers: Path) -> Path:
    """The Python of an environment, which is made first where it is not there as it is wanted."""
    folder, pins = peers / environment, ENVIRONMENTS[environment]
    python, stamp = folder / "bin" / "python", folder / "pins.txt"
    if not stamp.exists() or stamp.read_text().splitlines() != list(pins):
        print(f"installing {', '.join(pins)} into {folder}", file=sys.stderr)
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *pins], check=True)
        except subprocess.CalledProcessError as error:
            raise SystemExit(f"no peers ({error}); --no-peers measures ours alone") from error
        stamp.write_text("\n".join(pins))
    return python


def ask(tool: Tool, folders: Sequence[Path], peers: Path, threads: int, limit: float) -> list[Answer]:
    """An answer a case. A process that dies or is late is given up for that case, and begun anew after it."""
    answers: list[Answer] = []
    while len(answers) < len(folders):
        answers += _run(tool, folders[len(answers) :], peers, threads, limit)
    return answers


def _run(tool: Tool, folders: Sequence[Path], peers: Path, threads: int, limit: float) -> list[Answer]:
    """The answers until the process ends, of which the last may be an error."""
    python = install(tool.environment, peers) if tool.environment else Path(sys.executable)
    command = [python, "-W", "ignore", "-m", f"leakage.{tool.module}", *tool.words]
    with tempfile.TemporaryDirectory() as place:
        asked, told, errors = (Path(place) / name for name in ("asked", "told", "errors"))
        asked.write_text("".join(f"{folder}\n" for folder in folders))
        with asked.open() as source, told.open("w") as sink, errors.open("w") as bin_:
            process = subprocess.Popen(
                command, stdin=source, stdout=sink, stderr=bin_, env=_environment(threads)
            )
            late = not _ends(process, told, limit)
        # A line that was cut off is no answer.
        lines = [line for line in told.read_text().splitlines(keepends=True) if line.endswith("\n")]
        answers = [_answer(json.loads(line)) for line in lines]
        if len(answers) < len(folders):
            said = (errors.read_text().strip().splitlines() or [f"it ended with {process.returncode}"])[-1]
            answers.append(Answer(error=f"not within {limit:.0f} s" if late else said))
    return answers


def _ends(process: subprocess.Popen[bytes], told: Path, limit: float) -> bool:
    """Whether the process ends by itself, no answer being later than `limit` seconds after the one before."""
    size, heard = 0, time.monotonic()
    while process.poll() is None:
        if told.stat().st_size > size:
            size, heard = told.stat().st_size, time.monotonic()
        if time.monotonic() - heard > limit:
            process.kill()
            process.wait()
            return False
        time.sleep(0.02)
    return True


def _answer(told: dict[str, object]) -> Answer:
    return Answer(**{**told, "rows": frozenset(told["rows"])})  # type: ignore[arg-type]


def _environment(threads: int) -> dict[str, str]:
    limits = {f"{name}_NUM_THREADS": str(threads) for name in ("OMP", "OPENBLAS", "MKL")}
    quiet = {"LOKY_MAX_CPU_COUNT": str(threads), "TQDM_DISABLE": "1", "HF_HUB_OFFLINE": "1"}
    places = os.pathsep.join([str(ROOT / "benchmarks"), str(ROOT)])
    return {**os.environ, **limits, **quiet, "PYTHONPATH": places, "THREADS": str(threads)}
