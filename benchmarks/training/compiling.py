"""Does torch.compile pay on this processor, over as many steps as a small training has?"""

from __future__ import annotations

import os
import statistics
import time

import torch
from torch import nn

from training.cases import CASES, Case
from training.loops import training_of
from wd_train.network import CPU, AsFloat, channels_last
from wd_train.rows import Rows

STEPS = 1000
MEASURED_FOR = 0.5


def compare(rounds: int) -> None:
    """A line a network: what compiling takes, what it gives a step, and after how many steps it has paid."""
    print(f"torch.compile of the network, over {STEPS:,} steps with the time that compiling takes")
    print("processor time, the compiler's included; the cache of an earlier run is not used; the first line")
    print("holds what torch imports for compiling, once a process\n")
    print(
        f"{'':26}{'batch':>6}{'eager us':>10}{'compiled':>10}{'to compile':>12}{'over all':>10}  paid after"
    )
    for case in CASES:
        compare_case(case, rounds)


def compare_case(case: Case, rounds: int) -> None:
    eager, compiled = Stepper(case, compiles=False), Stepper(case, compiles=True)
    steps = 1 + int(MEASURED_FOR / eager.step(5))
    pairs = [(eager.step(steps), compiled.step(steps)) for _ in range(rounds)]
    plain, fast = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = STEPS * plain / (STEPS * fast + compiled.first)
    paid = f"{compiled.first / (plain - fast):,.0f} steps" if fast < plain else "never"
    print(
        f"{case.name:26}{case.batch_size:6}{1e6 * plain:10.0f}{1e6 * fast:10.0f}"
        f"{compiled.first:10.1f} s{ratio:10.2f}  {paid}"
    )


class Stepper:
    """Takes steps on one batch; `first` is what the first one took beyond a usual one."""

    def __init__(self, case: Case, *, compiles: bool) -> None:
        torch._dynamo.reset()
        torch._inductor.config.force_disable_caches = True
        torch._inductor.config.compile_threads = 1
        rows = Rows(case.rows().train, AsFloat(), CPU)
        at = torch.arange(case.batch_size)
        self._inputs, self._targets = rows.inputs(at), rows.targets[at]
        net = case.build()
        channels_last(net)
        decay = training_of(case).weight_decay
        self._optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=decay, fused=True)
        self._net = torch.compile(net) if compiles else net
        first = self.step(3)
        self.first = 3 * (first - self.step(3))

    def step(self, count: int) -> float:
        """Seconds of a step, of this process and of the compilers that it waited for."""
        started = seconds_spent()
        for _ in range(count):
            loss = nn.functional.cross_entropy(self._net(self._inputs), self._targets)
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()
        return (seconds_spent() - started) / count


def seconds_spent() -> float:
    children = os.times()
    return time.process_time() + children.children_user + children.children_system
