"""How fast does an exported file answer beside its network, and how long does a judgement take?

    python benchmarks/serving.py [--quick] [--only answers judgement]

Answers: the networks of the shipped pipelines, from rows as they were read to named predictions, one thread
each, eager torch in inference mode. Both take turns over the same rows, so that a slow moment of the machine
hits both. A judgement: the digits pipeline's candidate, in a process of its own for each round, in an
embedded store in a folder of its own, without Prefect: rows, look, predictions, corruptions, gates, decoys,
certificate, release, every metric and slice. What the data checks found is there by then, as it is after a
training; how long they take is a line of its own.
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
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from data_checks.splits import Split
from pipelines import digits, fashion_mnist
from wd_train.export import export
from wd_train.network import Network
from wdgate.evaluation.onnx_file import OnnxModel

BATCHES = (1, 32)
SECTIONS = ("answers", "judgement")


def main() -> None:
    """Run the sections that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few answers and one judgement")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)  # a judgement of the file in this folder
    words = parser.parse_args()
    if words.one is not None:
        judge_once(words.one)
        return
    sys.stdout.reconfigure(line_buffering=True)  # so that a line is seen when it is there
    torch.set_num_threads(1)
    print(f"python benchmarks/serving.py {' '.join(sys.argv[1:])}".rstrip())
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}, "
        f"load {os.getloadavg()[0]:.1f} at the start"
    )
    if "answers" in words.only:
        answers(200 if words.quick else 3000)
    if "judgement" in words.only:
        judgements(1 if words.quick else 5)


def answers(count: int) -> None:
    """Print how long each exported file and its network take to answer."""
    print(f"\nmilliseconds of {count} answers each, in turn; ratio: torch's median by ONNX's")
    print("wanted: at least 4 for the convolutional network at batch 1\n")
    print(f"{'':34}{'ONNX p50':>10}{'p99':>8}{'torch p50':>12}{'p99':>8}{'ratio':>7}")
    for pipeline, shape, brightest in ((fashion_mnist, (28, 28), 255), (digits, (8, 8), 16)):
        rows = np.random.default_rng(0).integers(0, brightest + 1, (256, *shape), np.uint8)
        split = Split(rows, np.arange(256) % 10)
        made = pipeline.pipeline()
        torch.manual_seed(0)
        network = Network(made.preprocess(split), made.model(split)).eval()
        model = OnnxModel(export(network, made.task, split).onnx)
        for batch in BATCHES:
            ours, theirs = in_turn(model.predict, eager(network, made.task), rows[:batch], count)
            print(line(f"{made.name}, batch {batch}", ours, theirs))


def eager(network: Network, task) -> Callable:
    """The same predictions by the network itself."""

    def predict(rows: np.ndarray) -> dict[str, np.ndarray]:
        with torch.inference_mode():
            outputs = network(torch.from_numpy(rows))
            return {name: values.numpy() for name, values in task.predictions(outputs).items()}

    return predict


def in_turn(ours: Callable, theirs: Callable, rows: np.ndarray, count: int) -> list[np.ndarray]:
    """Milliseconds (count,) of the answers of each."""
    taken = [[milliseconds(predict, rows) for predict in (ours, theirs)] for _ in range(count + 50)]
    return list(np.array(taken[50:]).T)  # the first lay out their memory


def milliseconds(predict: Callable, rows: np.ndarray) -> float:
    started = time.perf_counter()
    predict(rows)
    return 1000 * (time.perf_counter() - started)


def line(name: str, ours: np.ndarray, theirs: np.ndarray) -> str:
    (fast, rare), (slow, rarely) = (np.percentile(taken, [50, 99]) for taken in (ours, theirs))
    return f"{name:34}{fast:10.4f}{rare:8.4f}{slow:12.4f}{rarely:8.4f}{slow / fast:7.1f}"


def judgements(rounds: int) -> None:
    """Train digits once, and judge what came of it in new processes and stores."""
    from wd_train.training import train

    made = digits.pipeline()
    splits = made.splits()
    trained = train(made.model, made.preprocess, splits.train, splits.validation, made.task, made.training)
    onnx = export(trained.network, made.task, splits.train).onnx
    told = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "model.onnx").write_bytes(onnx)
            command = [sys.executable, __file__, "--one", folder]
            environment = {**os.environ, "WDGATE_HOME": folder}
            said = subprocess.run(
                command, env=environment, stdout=subprocess.PIPE, text=True, check=True
            ).stdout
        told.append([float(word) for word in said.split()])
    print(f"\nseconds of judging digits, after imports; medians of {rounds} rounds")
    print("wanted: a judgement under 3\n")
    for name, seconds in zip(PARTS, zip(*told, strict=True), strict=True):
        print(f"{name:50}{statistics.median(seconds):7.2f}   of {min(seconds):.2f} to {max(seconds):.2f}")


PARTS = (
    "checking the data, once for the same rows",
    "opening an embedded store, once",
    "first judgement, from the rows to the champion",
    "next judgement, with a champion to compare with",
)


def judge_once(folder: Path) -> None:
    """Print the seconds of each part."""
    import great_expectations  # noqa: F401
    import scipy.stats  # noqa: F401
    import sklearn.datasets  # noqa: F401

    import wdgate.evaluation.bounded
    import wdgate.promotion  # noqa: F401
    from data_checks.checks import check_splits
    from wdgate.registry import Registry
    from wdgate.store import embedded_store

    onnx = (folder / "model.onnx").read_bytes()
    began = time.perf_counter()
    report = check_splits(digits.load_splits())
    started = time.perf_counter()
    artifacts = (folder / "artifacts").as_uri()
    registry = Registry("digits", embedded_store(os.environ), artifact_location=artifacts)
    registry.init()
    opened = time.perf_counter()
    judged(onnx, report, registry, "first")
    first = time.perf_counter()
    judged(changed(onnx), report, registry, "next")
    print(started - began, opened - started, first - opened, time.perf_counter() - first)


def judged(onnx: bytes, report, registry, run_id: str) -> None:
    """What `wdgate promote` does, up to recording the verdict with the run."""
    from wdgate.evaluation.bounded import reported
    from wdgate.promotion import promote

    made = digits.pipeline()
    found = promote(
        onnx, made.splits(), made.task, made.gates, report, name="digits", run_id=run_id, alpha=made.alpha,
        looks=made.looks, evidence={}, registry=registry,
    )  # fmt: skip
    assert found.outcome == "promoted", found.sentence
    reported(found.evaluation, made.task, made.alpha / made.looks)
    dict(found.evaluation.metrics)


def changed(onnx: bytes) -> bytes:
    """Another file that predicts the same."""
    import onnx as format_of

    model = format_of.load_from_string(onnx)
    model.producer_name = "another"
    return model.SerializeToString()


if __name__ == "__main__":
    main()
