"""How fast is wdgate's loop beside a lean one of the same arithmetic, and beside a matrix product?"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from training import lean
from training.cases import CASES, CLASSES, Case
from wd_train.checkpoints import Checkpoints
from wd_train.costs import Cost
from wd_train.matmul import Shape, large, operations_of
from wd_train.network import CPU, AsFloat, channels_last
from wd_train.precision import Precision
from wd_train.rows import Rows
from wd_train.training import Training, train

WANTED = 0.95

OnEpoch = Callable[[object], None]
Run = Callable[[OnEpoch], object]


@dataclass(frozen=True)
class Times:
    """Of one training, in seconds of the processor: of a step, and of what is around all of them."""

    step: float
    around: float


def compare(rounds: int) -> None:
    """A line a case: a step of both loops, their ratio, and shares of matrix products."""
    print("wdgate's train, with every diagnostic, callbacks and checkpoints, beside a lean loop")
    print("us: of a step, with the epoch's measurement; ms: around all steps, once a training")
    print(
        "share: what wdgate reaches of a large matrix product, and of one in the shape of the widest layer\n"
    )
    print(
        f"{'':26}{'':6}{'lean':>8}{'wdgate':>8}{'of lean':>9}{'lean':>7}{'wdgate':>8}{'share':>9}{'same':>7}"
    )
    print(f"{'':26}{'batch':>6}{'us':>8}{'us':>8}{'speed':>9}{'ms':>7}{'ms':>8}{'large':>9}{'shape':>7}")
    for case in CASES:
        compare_case(case, rounds)


def compare_case(case: Case, rounds: int) -> None:
    ours, theirs = contestants(case)
    times = [(timed(case, theirs), timed(case, ours)) for _ in range(rounds + 1)][1:]  # the first warms up
    speed = statistics.median(lean_one.step / our_one.step for lean_one, our_one in times)
    lean_step, step = (statistics.median(each.step for each in column) for column in zip(*times, strict=True))
    around = [statistics.median(each.around for each in column) for column in zip(*times, strict=True)]
    cost = shares(case, step)
    print(
        f"{case.name:26}{case.batch_size:6}{1e6 * lean_step:8.0f}{1e6 * step:8.0f}{speed:9.1%}"
        f"{1e3 * around[0]:7.0f}{1e3 * around[1]:8.0f}{cost.share_of_limit:9.1%}{cost.share_of_shape:7.1%}"
        f"{'' if speed >= WANTED else f'   below {WANTED:.0%}'}"
    )


def training_of(case: Case, precision: Precision = "float32") -> Training:
    batch, every = case.batch_size, case.measure_every
    return Training(0.1, batch_size=batch, epochs=case.epochs, measure_every=every, precision=precision)


def contestants(case: Case, precision: Precision = "float32") -> tuple[Run, Run]:
    """Both loops, each told whom to tell of a measured epoch."""
    splits, training = case.rows(), training_of(case, precision)
    rows, validation = (Rows(split, AsFloat(), CPU) for split in (splits.train, splits.validation))

    def ours(on_epoch: OnEpoch) -> object:
        readings: list[object] = []
        parts = (lambda _: case.build(), None, splits.train, splits.validation, CLASSES, training)
        with tempfile.TemporaryDirectory() as folder:
            kept = Checkpoints(folder, "key")
            return train(*parts, on_epoch=on_epoch, on_reading=readings.append, checkpoints=kept)

    def theirs(on_epoch: OnEpoch) -> object:
        net = case.build()
        channels_last(net)
        return lean.train(net, rows, validation, training, on_epoch)

    return ours, theirs


def timed(case: Case, run: Run) -> Times:
    """By the processor's time between the first and the last measured epoch."""
    training, told = training_of(case), []
    started = time.process_time()
    run(lambda epoch: told.append(time.process_time()))
    ended = time.process_time()
    batches = training.batches(len(case.rows().train))
    step = (told[-1] - told[0]) / batches / training.measure_every / (len(told) - 1)
    return Times(step, ended - started - step * batches * training.epochs)


def product(shape: Shape) -> float:
    """Operations a second of the processor's time, which other processes take nothing of."""
    rows, k, columns = shape
    left, right, times = torch.rand(rows, k), torch.rand(k, columns), 1 + int(1e8 / (rows * k * columns))
    found = []
    for _ in range(7):
        started = time.process_time()
        for _ in range(times):
            torch.mm(left, right)
        found.append(time.process_time() - started)
    return 2 * rows * k * columns * times / min(found)


def shares(case: Case, step: float) -> Cost:
    """What a step reaches of two products."""
    train_rows = case.rows().train
    operations, shape = operations_of(case.build(), torch.from_numpy(train_rows.inputs[:2]).float(), 2)
    shaped = (shape[0] * case.batch_size, *shape[1:])
    limits = product(large(CPU)), product(shaped)
    rows = len(train_rows) / training_of(case).batches(len(train_rows))
    return Cost(step, operations=operations * rows, limit=limits[0], limit_of_shape=limits[1])
