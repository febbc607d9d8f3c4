"""Does a replayed function give what the function gives, again and again?"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wd_train.replay import LARGE_PRODUCT, Replay, multiply

# Unary and binary operations, with and without a variant that is told where to write.
OPERATIONS = [
    lambda a, b: a + b,
    lambda a, b: a * a,
    lambda a, b: (a + 1).relu(),
    lambda a, b: a.mT @ b,
    lambda a, b: a.softmax(1) * b,
    lambda a, b: torch.nn.functional.layer_norm(a, (4,)) + b,
    lambda a, b: torch.nn.functional.gelu(a - b),
    lambda a, b: a.sum(0, keepdim=True).expand(4, 4).clone() + torch.zeros_like(b).add_(a),
    lambda a, b: torch.cat([a[:2], b[2:]]) + torch.arange(4),
    lambda a, b: a.max(dim=1, keepdim=True).values * b,
    lambda a, b: a.clone().mul_(b) + a,
]


def composed(picks):
    def function(a, b):
        for pick in picks:
            a, b = OPERATIONS[pick](a, b), a
        return a, b, None

    return function


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(OPERATIONS) - 1), min_size=1, max_size=8), st.integers(0, 99))
def test_any_chain_of_operations_gives_the_same_numbers_for_other_values(picks, seed):
    generator = torch.Generator().manual_seed(seed)
    a, b = (torch.rand(4, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    replay = Replay(composed(picks), a, b)
    for _ in range(2):
        a.copy_(torch.rand(4, 4, generator=generator))
        b.copy_(torch.rand(4, 4, generator=generator))
        before = a.clone(), b.clone()
        replay.run()
        for ours, theirs in zip(replay.results[:2], composed(picks)(a, b)[:2], strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
        assert torch.equal(a, before[0])
        assert torch.equal(b, before[1])
    assert replay.results[2] is None


def test_gradients_within_the_function_are_replayed():
    def function(x):
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            (gradient,) = torch.autograd.grad((leaf**3).sum(), leaf)
        return (gradient,)

    x = torch.ones(3)
    replay = Replay(function, x)
    x.copy_(torch.tensor([1.0, 2.0, 3.0]))
    replay.run()
    assert replay.results[0].tolist() == [3.0, 12.0, 27.0]


def test_what_the_function_changes_in_place_starts_anew_in_every_run():
    def function(x):
        sums = torch.zeros(3)
        return (sums.add_(x),)

    replay = Replay(function, torch.ones(3))
    replay.run()
    assert replay.results[0].tolist() == [1.0, 1.0, 1.0]


def test_places_are_taken_again_once_nobody_reads_them():
    def function(x):
        for _ in range(20):
            x = (x @ x).tanh()
        return (x,)

    x = torch.eye(8)
    replay = Replay(function, x)
    places = {call.keywords["out"].data_ptr() for call in replay._calls}
    assert len(places) <= 2


def test_large_products_are_those_of_double_precision():
    size = round(LARGE_PRODUCT ** (1 / 3)) + 1
    left, right = torch.randn(2, size, size), torch.randn(2, size, size)
    replay = Replay(lambda a, b: (torch.bmm(a, b.mT),), left, right)
    assert replay._calls[0].func is multiply
    expected = torch.bmm(left.double(), right.mT.double())
    torch.testing.assert_close(replay.results[0].double(), expected, rtol=0, atol=1e-3)


def test_what_hangs_on_a_value_is_refused():
    with pytest.raises(RuntimeError):
        Replay(lambda x: (x if x.sum() > 0 else -x,), torch.ones(3))
