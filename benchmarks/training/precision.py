"""What do the layout of the filters and bfloat16 give a convolutional network?"""

from __future__ import annotations

import statistics
from functools import partial

import torch

from training import lean
from training.cases import CASES, Case
from training.loops import OnEpoch, Run, contestants, timed, training_of
from wd_train.network import CPU, AsFloat, channels_last
from wd_train.precision import has_bfloat16
from wd_train.rows import Rows


def compare(rounds: int) -> None:
    """A line a way of computing, on random pictures as large as Fashion-MNIST's."""
    case = CASES[-1]
    print(f"{case.name}, batch {case.batch_size}, random pictures: milliseconds a step, and speed")
    print("beside the first line; bfloat16 by autocast\n")
    ways = ways_of(case)
    times = [[timed(case, run).step for run in ways.values()] for _ in range(rounds + 1)][1:]
    for name, column in zip(ways, zip(*times, strict=True), strict=True):
        ratio = statistics.median(first / own for (first, *_), own in zip(times, column, strict=True))
        print(f"{name:40}{1e3 * statistics.median(column):8.1f}{ratio:8.2f}")
    if not has_bfloat16(CPU):
        print("bfloat16: this processor only emulates it")


def ways_of(case: Case) -> dict[str, Run]:
    ways = {
        "lean, float32, contiguous": partial(lean_one, case, laid_out=False),
        "lean, float32, channels_last": partial(lean_one, case, laid_out=True),
        "wdgate, float32": contestants(case, "float32")[0],
    }
    if has_bfloat16(CPU):
        ways["lean, bfloat16, channels_last"] = partial(lean_one, case, laid_out=True, bfloat16=True)
        ways["wdgate, precision='bfloat16'"] = contestants(case, "bfloat16")[0]
    return ways


def lean_one(case: Case, on_epoch: OnEpoch, *, laid_out: bool, bfloat16: bool = False) -> None:
    splits, net = case.rows(), case.build()
    rows, validation = (Rows(split, AsFloat(), CPU) for split in (splits.train, splits.validation))
    if laid_out:
        channels_last(net)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        lean.train(net, rows, validation, training_of(case), on_epoch)
