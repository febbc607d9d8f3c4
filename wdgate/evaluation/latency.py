"""How long does an ONNX file take to answer, on this machine?"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from data_checks.splits import Inputs, read_inputs
from wdgate.evaluation.onnx_file import OnnxModel

BUDGET = 0.5
"""Seconds after which no further answer is waited for; the first takes what it takes."""

WARM_UP = 5
"""Answers that are not counted, because memory is still being laid out for them."""


@dataclass(frozen=True)
class Latency:
    """How long single answers took, on the clock, in milliseconds.

    Args:
        p50, p99: half of the answers, and 99 of 100, took no longer.
        threads: that computed an answer.
        count: how many answers were measured.
        batch: rows in each.
    """

    p50: float
    p99: float
    threads: int
    count: int
    batch: int

    @property
    def sentence(self) -> str:
        """The numbers with what they were measured on."""
        rows = "One row takes" if self.batch == 1 else f"{self.batch:,} rows take"
        threads = "one thread" if self.threads == 1 else f"{self.threads} threads"
        answers = "one answer" if self.count == 1 else f"{self.count} answers"
        return f"{rows} {_digits(self.p50)} ms (p99 {_digits(self.p99)} ms, {threads}, {answers})."

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def latency(
    onnx: bytes,
    inputs: Inputs,
    batch_size: int = 1,
    threads: int = 1,
    count: int = 200,
    budget: float = BUDGET,
) -> Latency:
    """Ask a file for the predictions of its first rows again and again, and time each answer.

    A measurement of a machine at a moment: nothing is decided by it. Rows are read before the clock runs;
    what `OnnxModel.predict` does with them is counted.

    Args:
        onnx: the bytes of the file.
        inputs: rows as they were read, at least one; of fewer than `batch_size`, some are taken again.
        batch_size: rows in an answer.
        threads: that compute an answer.
        count: answers that are wanted.
        budget: seconds after which no further answer is asked for.

    Raises:
        ModelError: bytes that cannot be opened, or that do not take these inputs.
    """
    model = OnnxModel(onnx, threads)
    rows = read_inputs(inputs, np.arange(batch_size) % _length(inputs))
    until = time.perf_counter() + budget
    first = [_seconds(model, rows)]
    while len(first) < WARM_UP and time.perf_counter() < until:
        first.append(_seconds(model, rows))
    taken: list[float] = []
    while len(taken) < count and time.perf_counter() < until:
        taken.append(_seconds(model, rows))
    # Of a file so slow that nothing is left after warming up, the last answer is what is known.
    p50, p99 = 1000 * np.percentile(taken or first[-1:], [50, 99])
    return Latency(float(p50), float(p99), threads, len(taken) or 1, batch_size)


def _seconds(model: OnnxModel, rows: Any) -> float:
    started = time.perf_counter()
    model.predict(rows)
    return time.perf_counter() - started


def _length(inputs: Any) -> int:
    return len(next(iter(inputs.values()))) if isinstance(inputs, Mapping) else len(inputs)


def _digits(milliseconds: float) -> str:
    """Two digits that count, without an exponent."""
    size = np.floor(np.log10(max(milliseconds, 1e-3)))
    return f"{milliseconds:.{max(0, 1 - int(size))}f}"
