"""Do the schedules fall as torch's own do?"""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wd_train.schedules import SCHEDULES, constant, cosine, linear, restarts


def by_torch(make, steps):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make(optimizer)
    rates = []
    for _ in range(steps):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize("steps", [1, 2, 7, 50])
def test_cosine_is_torch_cosine_annealing(steps):
    expected = by_torch(lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=steps), steps)
    assert [cosine(steps)(step) for step in range(steps)] == pytest.approx(expected)


@pytest.mark.parametrize("steps", [1, 2, 7, 50])
def test_linear_is_torch_linear_decay(steps):
    expected = by_torch(lambda o: torch.optim.lr_scheduler.LinearLR(o, 1.0, 0.0, total_iters=steps), steps)
    assert [linear(steps)(step) for step in range(steps)] == pytest.approx(expected)


def test_constant_with_warmup_is_torch_linear_warmup():
    expected = by_torch(lambda o: torch.optim.lr_scheduler.LinearLR(o, 0.25, 1.0, total_iters=3), 8)
    assert [constant(8, warmup=4)(step) for step in range(8)] == pytest.approx(expected)


@pytest.mark.parametrize(("cycles", "each"), [(1, 7), (2, 3), (5, 1), (3, 49), (7, 11)])
def test_restarts_are_torch_cosine_annealing_with_warm_restarts(cycles, each):
    steps = cycles * each
    expected = by_torch(
        lambda o: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=each, T_mult=1), steps
    )
    for warmup in (0, 4):
        factor = restarts(steps + warmup, warmup, cycles)
        assert [factor(step) for step in range(warmup, steps + warmup)] == pytest.approx(expected)


@given(st.integers(1, 200), st.data())
def test_every_cycle_of_restarts_begins_near_the_top_and_falls(steps, data):
    warmup = data.draw(st.integers(0, steps - 1))
    cycles = data.draw(st.integers(1, steps - warmup))
    factors = [restarts(steps, warmup, cycles)(step) for step in range(steps)]
    assert all(0 < factor <= 1 for factor in factors)
    assert factors[warmup] == 1
    assert sum(b > a for a, b in pairwise(factors[warmup:])) <= cycles - 1


@given(st.sampled_from(["constant", "cosine", "linear"]), st.integers(1, 200), st.data())
def test_every_factor_is_above_0_and_at_most_1_and_the_top_is_reached(name, steps, data):
    warmup = data.draw(st.integers(0, steps - 1))
    factors = [SCHEDULES[name](steps, warmup)(step) for step in range(steps)]
    assert all(0 < factor <= 1 for factor in factors)
    assert max(factors) == 1
    assert factors[warmup:] == sorted(factors[warmup:], reverse=True)
