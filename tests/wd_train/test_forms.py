"""Is each form of decay the published one with every optimizer, and torch.optim's own where torch has it?"""

import io
import math

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn

from data_checks.errors import TrainingError
from wd_train.decay import Decay, WeightDecay
from wd_train.forms import BEFORE, SHRINKS, Memory, Strength, shrink_together
from wd_train.schedules import cosine

NAMED = ("l2", "decoupled", "independent", "corrected", "cautious", "constrained", "to_init")
STEPS, TOP = 50, 0.05
WARM = [TOP * cosine(STEPS, warmup=5)(step) for step in range(STEPS)]


def halve_towards_start(parameter, step):
    """A decay of the user's own, which reads everything that it is told."""
    taken = step.rate / step.full_rate * step.weight_decay / (1 + step.index)
    return parameter - taken * (parameter - 0.5 * step.initial) + 1e-3 * taken * step.gradient


# The published steps, in numpy and float64. `move` is lr_t u_t, what the optimizer takes away.


class PlainSGD:
    def __init__(self, momentum=0.0, nesterov=False):
        self.momentum, self.nesterov, self.velocity = momentum, nesterov, 0.0

    def move(self, g, lr):
        self.velocity = self.momentum * self.velocity + g
        return lr * (g + self.momentum * self.velocity if self.nesterov else self.velocity)


class PlainAdam:
    def __init__(self, b1=0.9, b2=0.999, eps=1e-8):
        self.b1, self.b2, self.eps, self.t, self.m, self.v = b1, b2, eps, 0, 0.0, 0.0

    def move(self, g, lr):
        self.t += 1
        self.m = self.b1 * self.m + (1 - self.b1) * g
        self.v = self.b2 * self.v + (1 - self.b2) * g * g
        m, v = self.m / (1 - self.b1**self.t), self.v / (1 - self.b2**self.t)
        return lr * m / (np.sqrt(v) + self.eps)


class MuonFromZero:
    """What torch's Muon takes away: its step from a parameter of zeros, whose decay would be nothing."""

    def __init__(self):
        self.at_zero = None

    def move(self, g, lr):
        if self.at_zero is None:
            self.at_zero = nn.Parameter(torch.zeros(g.shape, dtype=torch.float64))
            self.muon = torch.optim.Muon([self.at_zero], weight_decay=0.0)
        self.at_zero.data.zero_()
        self.at_zero.grad = torch.tensor(g)
        self.muon.param_groups[0]["lr"] = lr
        self.muon.step()
        return -self.at_zero.detach().numpy()


OPTIMIZERS = {
    "sgd": (lambda p: torch.optim.SGD(p, lr=1.0), PlainSGD),
    "momentum": (lambda p: torch.optim.SGD(p, lr=1.0, momentum=0.9), lambda: PlainSGD(0.9)),
    "nesterov": (
        lambda p: torch.optim.SGD(p, lr=1.0, momentum=0.9, nesterov=True),
        lambda: PlainSGD(0.9, nesterov=True),
    ),
    "adam": (lambda p: torch.optim.Adam(p), PlainAdam),
    "adamw": (lambda p: torch.optim.AdamW(p, weight_decay=0.0), PlainAdam),
    "fused": (lambda p: torch.optim.Adam(p, fused=True), PlainAdam),
    "muon": (lambda p: torch.optim.Muon(p, weight_decay=0.0), MuonFromZero),
}


def published(form, p, move, lr, wd, memory, normalized):
    """The next parameter, as the form's paper writes it: one sum of the update and the decay."""
    u = move / lr
    if form == "decoupled" or (form == "corrected" and not normalized):
        return p - lr * (u + wd * p)
    if form == "independent":
        return p - lr / TOP * (TOP * u + wd * p)
    if form == "corrected":
        return p - lr * (u + wd * (lr / TOP) * p)
    if form == "cautious":
        return p - lr * (u + wd * np.where(u * p >= 0, 1.0, 0.0) * p)
    if form == "to_init":
        return p - lr * (u + wd * (p - memory["p0"]))
    if form == "constrained":
        stepped = p - move
        excess = (stepped**2).sum() - memory["kappa"] * (memory["p0"] ** 2).sum()
        memory["mu"] = max(0.0, memory["mu"] + wd / stepped.size * excess)
        return stepped - 2 * memory["mu"] * stepped
    return p - move  # l2 has changed the gradient


def follow_published(form, plain, start, noise, wd, *, normalized=True, kappa=0.3):
    p, memory = start.copy(), {"p0": start, "mu": 0.0, "kappa": kappa}
    for n, lr in zip(noise, WARM, strict=True):
        g = n + 0.3 * p + (wd * p if form == "l2" else 0.0)
        p = published(form, p, plain.move(g, lr), lr, wd, memory, normalized)
    return p


def follow_ours(form, make, start, noise, wd, *, normalized=True, kappa=0.3):
    p = nn.Parameter(torch.tensor(start))
    names = ["p"] if normalized else []
    decay = WeightDecay({"p": p}, wd, Decay(form, kappa=kappa), full_rate=TOP, steps=STEPS, normalized=names)
    optimizer = make([p])
    for n, lr in zip(noise, WARM, strict=True):
        p.grad = torch.tensor(n) + 0.3 * p.detach()
        take_step(optimizer, decay, lr)
    return p.detach().numpy()


def take_step(optimizer, decay, lr):
    optimizer.param_groups[0]["lr"] = lr
    decay.before_step(lr)
    optimizer.step()
    decay.after_step(lr)


def start_and_noise(seed=0, shape=(6, 4)):
    generator = np.random.default_rng(seed)
    return generator.normal(size=shape), generator.normal(size=(STEPS, *shape))


@pytest.mark.parametrize("normalized", [True, False])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("form", NAMED)
def test_every_form_is_the_published_step_with_every_optimizer(form, optimizer, normalized):
    (make, plain), (start, noise) = OPTIMIZERS[optimizer], start_and_noise()
    ours = follow_ours(form, make, start, noise, 0.7, normalized=normalized)
    theirs = follow_published(form, plain(), start, noise, 0.7, normalized=normalized)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-13)
    assert np.abs(ours - follow_published("none", plain(), start, noise, 0.0)).max() > 1e-3


def test_no_two_forms_take_the_same_path():
    start, noise = start_and_noise()
    ends = {form: follow_ours(form, OPTIMIZERS["momentum"][0], start, noise, 0.7) for form in NAMED}
    for first in NAMED:
        for second in NAMED[NAMED.index(first) + 1 :]:
            assert np.abs(ends[first] - ends[second]).max() > 1e-3, (first, second)


@given(st.sampled_from(NAMED), st.floats(0, 1), st.floats(0, 2), st.integers(0, 2**16))
@settings(max_examples=60, deadline=None)
@example("constrained", 1.0, 0.0, 0)
@example("to_init", 0.0, 1.0, 0)
def test_any_coefficient_and_any_kappa_follow_the_published_step(form, share, kappa, seed):
    start, noise = start_and_noise(seed, shape=(3, 2, 2))
    # A step that overshoots, or a multiplier that grows too fast, makes a large difference of a rounding.
    wd = share * {"independent": 0.9, "constrained": 0.5}.get(form, 5.0)
    ours = follow_ours(form, OPTIMIZERS["momentum"][0], start, noise, wd, kappa=kappa)
    theirs = follow_published(form, PlainSGD(0.9), start, noise, wd, kappa=kappa)
    scale = max(1.0, np.abs(theirs).max())
    np.testing.assert_allclose(ours / scale, theirs / scale, rtol=0, atol=1e-11)


# torch.optim's own decay, bit for bit.

TORCHS = {
    "l2 of SGD": ("l2", lambda p, wd: torch.optim.SGD(p, lr=TOP, momentum=0.9, weight_decay=wd)),
    "l2 of nesterov": (
        "l2",
        lambda p, wd: torch.optim.SGD(p, lr=TOP, momentum=0.9, nesterov=True, weight_decay=wd),
    ),
    "l2 of Adam": ("l2", lambda p, wd: torch.optim.Adam(p, lr=TOP, weight_decay=wd)),
    "decoupled of AdamW": ("decoupled", lambda p, wd: torch.optim.AdamW(p, lr=TOP, weight_decay=wd)),
    "decoupled of fused AdamW": (
        "decoupled",
        lambda p, wd: torch.optim.AdamW(p, lr=TOP, weight_decay=wd, fused=True),
    ),
    "decoupled of amsgrad": (
        "decoupled",
        lambda p, wd: torch.optim.AdamW(p, lr=TOP, weight_decay=wd, amsgrad=True),
    ),
    "decoupled of Muon": ("decoupled", lambda p, wd: torch.optim.Muon(p, lr=TOP, weight_decay=wd)),
}


class Half(nn.Module):
    """Two layers without bias, of which `unused` takes part in every other step only."""

    def __init__(self, dtype):
        super().__init__()
        torch.manual_seed(1)
        self.used = nn.Linear(5, 4, bias=False, dtype=dtype)
        self.unused = nn.Linear(5, 4, bias=False, dtype=dtype)
        self.never = nn.Linear(5, 4, bias=False, dtype=dtype)

    def loss(self, inputs, step):
        outputs = self.used(inputs) + (self.unused(inputs) if step % 2 else 0)
        return (outputs - 1).square().mean()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("weight_decay", [0.0, 0.013, 1.7])
@pytest.mark.parametrize("name", TORCHS)
def test_l2_and_decoupled_are_torchs_own_to_the_last_bit(name, weight_decay, dtype):
    form, make = TORCHS[name]
    ours, theirs = Half(dtype), Half(dtype)
    own_of_torch = make(list(theirs.parameters()), weight_decay)
    optimizer = make(list(ours.parameters()), 0.0)
    warm_up = torch.optim.lr_scheduler.LambdaLR(own_of_torch, cosine(STEPS, warmup=5))
    named = dict(ours.named_parameters())
    decay = WeightDecay(named, weight_decay, Decay(form), full_rate=TOP, steps=STEPS)
    generator = torch.Generator().manual_seed(2)
    for step in range(STEPS):
        inputs = torch.randn(8, 5, generator=generator, dtype=dtype)
        for model, one in ((ours, optimizer), (theirs, own_of_torch)):
            one.zero_grad()
            model.loss(inputs, step).backward()
        take_step(optimizer, decay, own_of_torch.param_groups[0]["lr"])
        own_of_torch.step()
        warm_up.step()
    # The kernel that is fused rounds the decay by itself.
    compare = close if "fused" in name else torch.equal
    assert all(compare(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))
    assert torch.equal(ours.never.weight, Half(dtype).never.weight)


def close(a, b):
    return torch.allclose(a, b, rtol=0, atol=20 * torch.finfo(a.dtype).eps)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("form", ["l2", "decoupled"])
def test_half_precision_is_rounded_as_torch_rounds_it(form, dtype):
    torchs = {
        "l2": lambda p, wd: torch.optim.SGD(p, lr=TOP, weight_decay=wd),
        "decoupled": lambda p, wd: torch.optim.AdamW(p, lr=TOP, weight_decay=wd, eps=1e-3),
    }[form]
    ours, theirs = (nn.Parameter(torch.linspace(-2, 2, 40).reshape(8, 5).to(dtype)) for _ in range(2))
    optimizer, own_of_torch = torchs([ours], 0.0), torchs([theirs], 0.5)
    decay = WeightDecay({"p": ours}, 0.5, Decay(form), full_rate=TOP, steps=STEPS)
    for step in range(20):
        gradient = torch.sin(torch.arange(40.0) * (step + 1)).reshape(8, 5).to(dtype)
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        take_step(optimizer, decay, TOP)
        own_of_torch.step()
    assert torch.equal(ours, theirs)


# What single forms promise.


@pytest.mark.parametrize("form", [*NAMED, halve_towards_start])
@pytest.mark.parametrize("schedule", ["constant", "gradient_norm"])
def test_a_parameter_without_gradient_is_left_alone(form, schedule):
    used, unused = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2, 2))
    decay = WeightDecay(
        {"used": used, "unused": unused}, 0.5, Decay(form, schedule, kappa=0.5), full_rate=0.1, steps=3
    )
    optimizer = torch.optim.SGD([used, unused], lr=0.1)
    for _ in range(3):
        used.grad = torch.full((2, 2), 2.0)
        take_step(optimizer, decay, 0.1)
    assert torch.equal(unused, torch.ones(2, 2))
    assert unused.grad is None
    assert not torch.equal(used, torch.full((2, 2), 1 - 3 * 0.1 * 2.0))


def one_step(form, weight, gradient, *, wd=0.5, lr=0.1, full_rate=0.2, kappa=1.0):
    weight = nn.Parameter(torch.tensor(weight, dtype=torch.float64))
    decay = WeightDecay({"w": weight}, wd, Decay(form, kappa=kappa), full_rate=full_rate, steps=1)
    weight.grad = torch.tensor(gradient, dtype=torch.float64)
    take_step(torch.optim.SGD([weight], lr=lr), decay, lr)
    return weight.detach()


def test_cautious_decays_where_update_and_weight_agree_and_where_one_of_them_is_zero():
    stepped = one_step("cautious", [[1.0, 1.0, 1.0, -1.0, 0.0]], [[1.0, -1.0, 0.0, -1.0, 1.0]])
    # The decay is that of the weight before its step: .05 of 1, not of .9.
    torch.testing.assert_close(stepped, torch.tensor([[0.85, 1.1, 0.95, -0.85, -0.1]]).double())


def test_cautious_sees_the_disagreement_of_numbers_whose_product_is_too_small_to_write():
    stepped = one_step("cautious", [[1e-200]], [[-1e-200]])
    assert float(stepped) == pytest.approx(1.1e-200, rel=1e-12, abs=0)


def test_independent_decay_does_not_grow_with_the_learning_rate():
    ends = [
        one_step("independent", [[1.0]], [[0.0]], lr=lr, full_rate=2 * lr).item() for lr in (1e-4, 1e-2, 1.0)
    ]
    assert ends == pytest.approx([0.75] * 3)


def test_constrained_leaves_a_weight_alone_until_its_norm_exceeds_the_limit():
    inside = one_step("constrained", [[3.0, 4.0]], [[1.0, 1.0]], kappa=1.0)
    torch.testing.assert_close(inside, torch.tensor([[2.9, 3.9]]).double())
    outside = one_step("constrained", [[3.0, 4.0]], [[0.0, 0.0]], wd=0.01, kappa=0.8)
    mu = 0.01 / 2 * (25 - 0.8 * 25)
    torch.testing.assert_close(outside, (1 - 2 * mu) * torch.tensor([[3.0, 4.0]]).double())


def test_to_init_leaves_the_start_alone_and_pulls_back_from_both_sides():
    weight = nn.Parameter(torch.tensor([[1.0, 1.0, 1.0]], dtype=torch.float64))
    decay = WeightDecay({"w": weight}, 0.5, Decay("to_init"), full_rate=0.1, steps=1)
    weight.data = torch.tensor([[0.0, 1.0, 3.0]], dtype=torch.float64)
    weight.grad = torch.zeros_like(weight)
    decay.before_step(0.1)
    torch.testing.assert_close(weight.detach(), torch.tensor([[0.05, 1.0, 2.9]]).double())


# Stacks of members.

forms_and_schedules = st.tuples(
    st.sampled_from([*NAMED, halve_towards_start]),
    st.sampled_from(["constant", "linear", "cosine", "early", "late", "gradient_norm"]),
)
members_of_a_stack = st.lists(st.tuples(st.floats(0, 2), st.floats(1e-3, 0.1)), min_size=1, max_size=4)


def walk(parameters, decay, rates, noise):
    """Plain SGD by hand, with one rate, or one a member."""
    for gradients in noise:
        for p, g in zip(parameters, gradients, strict=True):
            p.grad = g + 0.3 * p.detach()
        decay.before_step(rates)
        for p in parameters:
            lr = rates.view(-1, *[1] * (p.ndim - 1)) if isinstance(rates, torch.Tensor) else rates
            p.data.sub_(lr * p.grad)
        decay.after_step(rates)


@given(forms_and_schedules, members_of_a_stack, st.integers(0, 2**16))
@settings(max_examples=80, deadline=None)
def test_a_stack_of_mixed_coefficients_and_rates_is_its_members_one_by_one(form_and_schedule, members, seed):
    form, schedule = form_and_schedule
    generator = torch.Generator().manual_seed(seed)
    shapes = [(len(members), 3, 2), (len(members), 2, 2, 2)]
    starts = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]
    noise = [
        [1 + torch.rand(shape, generator=generator, dtype=torch.float64) for shape in shapes]
        for _ in range(6)
    ]
    how = Decay(form, schedule, kappa=0.9)
    coefficients, rates = torch.tensor(members, dtype=torch.float64).unbind(1)
    stack = [nn.Parameter(start.clone()) for start in starts]
    named = {"a": stack[0], "b": stack[1]}
    decay = WeightDecay(named, coefficients, how, full_rate=2 * rates, steps=6, normalized=["a"])
    walk(stack, decay, rates, noise)
    for m, (coefficient, rate) in enumerate(members):
        alone = [nn.Parameter(start[m].clone()) for start in starts]
        named = {"a": alone[0], "b": alone[1]}
        single = WeightDecay(named, coefficient, how, full_rate=2 * rate, steps=6, normalized=["a"])
        walk(alone, single, rate, [[g[m] for g in gradients] for gradients in noise])
        for a, b in zip(stack, alone, strict=True):
            torch.testing.assert_close(a[m], b, rtol=1e-14, atol=1e-14)


# The coefficient over the steps.

SHAPES = {
    "constant": lambda share: 1.0,
    "linear": lambda share: 1.0 - share,
    "cosine": lambda share: (1 + math.cos(math.pi * share)) / 2,
    "early": lambda share: 1.0 if share < 0.5 else 0.0,
    "late": lambda share: 0.0 if share < 0.5 else 1.0,
}


@pytest.mark.parametrize("form", ["decoupled", "l2"])
@pytest.mark.parametrize("schedule", SHAPES)
def test_the_coefficient_follows_its_schedule_whatever_the_learning_rate_does(schedule, form):
    p = nn.Parameter(torch.ones(2, 2, dtype=torch.float64))
    decay = WeightDecay({"p": p}, 0.9, Decay(form, schedule), full_rate=TOP, steps=STEPS)
    optimizer = torch.optim.SGD([p], lr=TOP)
    expected = 1.0
    for step, lr in enumerate(WARM):
        p.grad = torch.zeros_like(p)
        take_step(optimizer, decay, lr)
        expected *= 1 - lr * 0.9 * SHAPES[schedule](step / STEPS)
        assert p[0, 0].item() == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("form", ["decoupled", "cautious", "corrected", "independent", "to_init"])
@pytest.mark.parametrize("schedule", SHAPES)
@pytest.mark.parametrize("normalized", [True, False])
def test_the_shares_that_are_told_beforehand_are_those_that_are_taken(form, schedule, normalized):
    told = Decay(form, schedule).shares(0.6, WARM, full_rate=TOP, normalized=normalized)
    assert told is not None
    p = nn.Parameter(torch.ones(1, 1, dtype=torch.float64))
    names = ["p"] if normalized else []
    decay = WeightDecay({"p": p}, 0.6, Decay(form, schedule), full_rate=TOP, steps=STEPS, normalized=names)
    for lr, share in zip(WARM, told, strict=True):
        p.data.fill_(2.0)  # to_init: at a distance of 1 from where it began
        p.grad = torch.zeros_like(p)
        take_step(torch.optim.SGD([p], lr=lr), decay, lr)
        assert 2.0 - p.item() == pytest.approx(share * (1 if form == "to_init" else 2), rel=1e-12, abs=1e-15)


def test_gradient_norm_is_the_step_of_adams():
    """Xie et al. 2023: the coefficient over the root of the mean of Adam's corrected second moments."""
    (start, noise), wd, b2 = start_and_noise(), 0.4, 0.999
    p, adam, v = start.copy(), PlainAdam(b2=b2), 0.0
    for t, (n, lr) in enumerate(zip(noise, WARM, strict=True), start=1):
        g = n + 0.3 * p
        v = b2 * v + (1 - b2) * g**2
        p = p * (1 - lr * wd / math.sqrt((v / (1 - b2**t)).mean())) - adam.move(g, lr)
    # As two tensors: their mean is that of all numbers, not of the tensors.
    parts = [nn.Parameter(torch.tensor(part)) for part in (start[:1], start[1:])]
    how = Decay("decoupled", "gradient_norm")
    decay = WeightDecay(dict(zip("ab", parts, strict=True)), wd, how, full_rate=TOP, steps=STEPS)
    optimizer = torch.optim.Adam(parts)
    for n, lr in zip(noise, WARM, strict=True):
        for part, of_it in zip(parts, (n[:1], n[1:]), strict=True):
            part.grad = torch.tensor(of_it) + 0.3 * part.detach()
        take_step(optimizer, decay, lr)
    np.testing.assert_allclose(torch.cat(parts).detach().numpy(), p, rtol=0, atol=1e-12)


@pytest.mark.parametrize("gradient", [0.0, 1e-9])
def test_gradient_norm_refuses_to_overshoot_where_gradients_vanish(gradient):
    p = nn.Parameter(torch.ones(2, 2))
    decay = WeightDecay({"p": p}, 0.1, Decay(schedule="gradient_norm"), full_rate=0.1, steps=3)
    p.grad = torch.full((2, 2), gradient)
    with pytest.raises(TrainingError, match=r"expected less than 1.*gradient"):
        decay.before_step(0.1)


# A function of the user's own.


def test_an_own_function_that_is_the_decoupled_decay_takes_the_same_path():
    def own(parameter, step):
        return parameter * (1 - step.rate * step.weight_decay)

    start, noise = start_and_noise()
    make = OPTIMIZERS["adam"][0]
    np.testing.assert_array_equal(
        follow_ours(own, make, start, noise, 0.7), follow_ours("decoupled", make, start, noise, 0.7)
    )


def test_an_own_function_is_told_of_the_step_and_cannot_change_it_behind_our_back():
    seen = []

    def own(parameter, step):
        seen.append((step.index, step.rate, step.full_rate, step.weight_decay, step.initial.sum().item()))
        parameter.zero_()  # a copy
        return step.initial - step.gradient

    p = nn.Parameter(torch.ones(2, 2, dtype=torch.float64))
    decay = WeightDecay({"p": p}, 0.6, Decay(own, "linear"), full_rate=0.2, steps=2)
    for rate in (0.2, 0.1):
        p.grad = torch.full_like(p, 0.25)
        decay.before_step(rate)
        decay.after_step(rate)
    assert seen == [(0, 0.2, 0.2, 0.6, 4.0), (1, 0.1, 0.2, 0.3, 4.0)]
    assert p.eq(0.75).all()


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (lambda parameter, step: parameter[:1], r"\(1, 2\)"),
        (lambda parameter, step: parameter.sum(), r"\(\)"),
        (lambda parameter, step: None, "NoneType"),
        (lambda parameter, step: 0.5, "float"),
    ],
)
def test_an_own_function_that_gives_back_something_else_is_named_with_what_it_gave(own, said):
    p = nn.Parameter(torch.ones(2, 2))
    decay = WeightDecay({"p": p}, 0.6, Decay(own), full_rate=0.2, steps=2)
    p.grad = torch.ones(2, 2)
    with pytest.raises(TrainingError, match=said + r".*\(2, 2\)"):
        decay.before_step(0.1)
    assert p.eq(1).all()


# Bad input, and going on after a kill.

wrong = st.one_of(st.just(math.nan), st.just(math.inf), st.floats(max_value=-1e-9))


@given(wrong)
def test_a_coefficient_that_is_no_finite_number_of_at_least_0_is_refused(coefficient):
    p = nn.Parameter(torch.ones(2, 2))
    for given_as in (coefficient, torch.tensor([0.1, coefficient], dtype=torch.float64)):
        with pytest.raises(TrainingError, match="weight_decay must be at least 0"):
            WeightDecay({"p": p}, given_as, Decay(), full_rate=0.1, steps=1)


@given(wrong)
def test_a_kappa_that_is_no_finite_number_of_at_least_0_is_refused(kappa):
    with pytest.raises(TrainingError, match="kappa"):
        Decay("constrained", kappa=kappa)


@pytest.mark.parametrize("schedule", ["constant", "linear", "late", "gradient_norm"])
@pytest.mark.parametrize("form", [*NAMED, halve_towards_start])
def test_a_decay_that_is_loaded_goes_on_bit_for_bit(form, schedule):
    start, noise = start_and_noise()
    noise = [[torch.tensor(n)] for n in noise[:10]]
    how = Decay(form, schedule, kappa=0.3)

    def decay_of(p):
        return WeightDecay({"p": p}, 0.3, how, full_rate=TOP, steps=10, normalized=["p"])

    whole = nn.Parameter(torch.tensor(start))
    walk([whole], decay_of(whole), TOP, noise)

    killed = nn.Parameter(torch.tensor(start))
    first = decay_of(killed)
    walk([killed], first, TOP, noise[:4])
    file, state = io.BytesIO(), first.state_dict()
    resumed = nn.Parameter(killed.detach().clone())
    walk([killed], first, TOP, noise[4:])  # what is kept is of the moment at which it was asked for
    torch.save(state, file)
    second = decay_of(resumed)
    second.load_state_dict(torch.load(io.BytesIO(file.getvalue()), weights_only=True))
    walk([resumed], second, TOP, noise[4:])
    assert torch.equal(resumed, whole)
    assert torch.equal(killed, whole)


@pytest.mark.parametrize("form", SHRINKS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_parameters_shrink_together_as_they_do_one_by_one(form, dtype):
    parameters = [torch.randn(shape, dtype=dtype) for shape in ((3, 4), (5,), (2, 1, 3))]
    memories = [Memory(normalized=normalized) for normalized in (True, False, True)]
    strength = Strength(rate=0.03, full_rate=0.1, weight_decay=0.7)
    together = [parameter.clone() for parameter in parameters]
    assert shrink_together(form, list(zip(together, memories, strict=True)), strength)
    for parameter, memory, other in zip(parameters, memories, together, strict=True):
        BEFORE[form](parameter, strength, memory)
        assert torch.equal(parameter, other)


def test_members_and_half_precision_do_not_shrink_together():
    members = Strength(rate=torch.tensor([0.1, 0.2]), full_rate=0.2, weight_decay=0.5)
    one = Strength(rate=0.1, full_rate=0.2, weight_decay=0.5)
    assert not shrink_together("decoupled", [(torch.ones(2, 3), Memory())], members)
    assert not shrink_together("decoupled", [(torch.ones(2, 3).half(), Memory())], one)
