"""Do norm and angle of a decayed tensor settle where theory says that they do?

Noise is the only gradient, so that nothing but growth by the updates and shrinking by the decay is at work.
"""

import math

import pytest
import torch
from torch import nn

from wd_train.attaching import Attached
from wd_train.decay import Decay, WeightDecay
from wd_train.equilibrium import equilibrium_angle, equilibrium_norm, equilibrium_rms


class OnTheSphere(nn.Module):
    """Weights (R, D) whose loss on noise sees the direction of each row alone: its scale changes nothing."""

    def __init__(self, rows, numbers, rms):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = nn.Parameter(torch.randn(rows, numbers, generator=generator) * rms)
        self._generator = generator

    def loss(self, gradient_norm):
        """Its gradient is `gradient_norm` in root mean square at a row of norm 1, and orthogonal to it."""
        noise = torch.randn(self.weight.shape, generator=self._generator)
        size = gradient_norm / math.sqrt(self.weight.shape[1] - 1)
        return size * (noise * nn.functional.normalize(self.weight, dim=1)).sum()


def root_mean_square(values):
    return float(values.detach().square().mean().sqrt())


def angles(before, after):
    """The angle between two tensors row by row (R,), exact where it is small."""
    a, b = (nn.functional.normalize(rows.double(), dim=1) for rows in (before, after))
    return 2 * torch.asin((a - b).norm(dim=1) / 2)


def norm_and_angle_of_sgd(form, *, lr, wd, momentum, gradient_norm, start, steps):
    """Root mean square norm of a row and angle of a step, over the last half of the steps."""
    torch.manual_seed(0)
    model = OnTheSphere(rows=16, numbers=128, rms=start / math.sqrt(128))
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)
    Attached(optimizer, model, wd, Decay(form))
    norms, turned = [], []
    for step in range(steps):
        before = model.weight.detach().clone()
        optimizer.zero_grad()
        model.loss(gradient_norm).backward()
        optimizer.step()
        if step >= steps // 2:
            norms.append(model.weight.detach().norm(dim=1))
            turned.append(angles(before, model.weight.detach()))
    return root_mean_square(torch.stack(norms)), root_mean_square(torch.stack(turned))


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("start", [0.7, 1.4])
def test_sgd_with_l2_settles_at_the_published_norm_and_angle(momentum, start):
    lr, wd, g = 0.1, 2e-2 * (1 - momentum), 0.5
    norm = (lr * g**2 / (2 * wd * (1 - momentum))) ** 0.25
    angle = math.sqrt(2 * lr * wd / (1 + momentum))
    measured = norm_and_angle_of_sgd(
        "l2", lr=lr, wd=wd, momentum=momentum, gradient_norm=g, start=start * norm, steps=1600
    )
    assert measured == pytest.approx((norm, angle), rel=0.02)
    share = lr * wd / (1 - momentum)
    told = equilibrium_norm(lr, share, g, momentum), equilibrium_angle(share, momentum)
    assert told == pytest.approx((norm, angle), rel=1e-12)


def test_sgd_with_decoupled_decay_settles_elsewhere_for_the_decay_is_not_in_its_momentum():
    lr, wd, mu, g = 0.1, 2e-2, 0.9, 0.05
    norm = (lr * g**2 / (2 * wd * (1 - mu) ** 2)) ** 0.25
    angle = math.sqrt(2 * lr * wd * (1 - mu) / (1 + mu))
    measured = norm_and_angle_of_sgd(
        "decoupled", lr=lr, wd=wd, momentum=mu, gradient_norm=g, start=1.3 * norm, steps=1600
    )
    assert measured == pytest.approx((norm, angle), rel=0.02)
    told = equilibrium_norm(lr, lr * wd, g, mu), equilibrium_angle(lr * wd, mu)
    assert told == pytest.approx((norm, angle), rel=1e-12)
    coupled = (lr * g**2 / (2 * wd * (1 - mu))) ** 0.25
    assert measured[0] > 1.5 * coupled


@pytest.mark.parametrize("b1", [0.0, 0.9])
def test_adamw_on_noise_settles_at_the_published_size_and_angle(b1):
    lr, wd = 2e-3, 0.4
    size, angle = math.sqrt(lr / (2 * wd)), math.sqrt(2 * lr * wd * (1 - b1) / (1 + b1))
    generator = torch.Generator().manual_seed(0)
    weight = nn.Parameter(1.3 * size * torch.randn(1, 20_000, generator=generator))
    decay = WeightDecay({"w": weight}, wd, Decay(), full_rate=lr, steps=1)
    optimizer = torch.optim.Adam([weight], lr=lr, betas=(b1, 0.999), fused=True)
    sizes, turned = [], []
    for step in range(4000):
        weight.grad = torch.randn(weight.shape, generator=generator)
        before = weight.detach().clone() if step % 100 == 99 else None
        decay.before_step(lr)
        optimizer.step()
        decay.after_step(lr)
        if before is not None and step >= 3000:
            sizes.append(weight.detach().clone())
            turned.append(angles(before, weight.detach()))
    measured = root_mean_square(torch.stack(sizes)), root_mean_square(torch.stack(turned))
    assert measured == pytest.approx((size, angle), rel=0.03)
    assert equilibrium_rms(lr, wd) == pytest.approx(size, rel=1e-12)
    assert equilibrium_angle(lr * wd, b1) == pytest.approx(angle, rel=1e-12)


def path(form, times, *, weight_decay=0.5, steps=200):
    """The weights of a small network (steps, numbers) that Adam with eps=0 trains on `times` its loss."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, eps=0.0)
    Attached(optimizer, model, weight_decay, Decay(form))
    inputs = torch.randn(32, 4, dtype=torch.float64)
    weights = []
    for _ in range(steps):
        optimizer.zero_grad()
        (times * (model(inputs) - inputs[:, :1].sin()).square().mean()).backward()
        optimizer.step()
        weights.append(nn.utils.parameters_to_vector(model.parameters()).detach())
    return torch.stack(weights)


@pytest.mark.parametrize("form", ["decoupled", "independent", "corrected", "cautious", "to_init"])
def test_a_loss_that_is_100_times_as_large_takes_adam_the_same_path_where_decay_is_not_in_the_gradient(form):
    coefficient = 0.005 if form == "independent" else 0.5
    once, scaled = path(form, 1.0, weight_decay=coefficient), path(form, 100.0, weight_decay=coefficient)
    assert (once - scaled).abs().max() < 1e-12
    assert (once - path(form, 1.0, weight_decay=0.0)).abs().max() > 1e-3  # and it did decay


def test_a_loss_that_is_100_times_as_large_takes_adam_with_l2_elsewhere():
    assert (path("l2", 1.0) - path("l2", 100.0)).abs().max() > 0.1


def sizes_and_gradients(form, *, lr, wd, steps):
    """Size of a normalized layer and norm of its gradient (steps,), as the learning rate falls to 0."""
    torch.manual_seed(0)
    model = OnTheSphere(rows=1, numbers=4096, rms=math.sqrt(lr / (2 * wd)))
    decay = WeightDecay(
        {"weight": model.weight}, wd, Decay(form), full_rate=lr, steps=steps, normalized=["weight"]
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, betas=(0.9, 0.99), fused=True)
    seen = []
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = rate = lr * (1 - step / steps)
        optimizer.zero_grad()
        model.loss(gradient_norm=100.0).backward()
        gradient = model.weight.grad.norm()
        decay.before_step(rate)
        optimizer.step()
        decay.after_step(rate)
        seen.append((root_mean_square(model.weight), float(gradient)))
    return torch.tensor(seen, dtype=torch.float64).unbind(1)


def test_corrected_decay_keeps_size_and_gradient_flat_to_the_end_where_decoupled_decay_does_not():
    lr, wd, steps = 5e-3, 0.4, 3000
    settled = math.sqrt(lr / (2 * wd))
    sizes, gradients = sizes_and_gradients("corrected", lr=lr, wd=wd, steps=steps)
    assert sizes[100:].tolist() == pytest.approx([settled] * (steps - 100), rel=0.02)
    early, end = gradients[100:400].mean(), gradients[-100:].mean()
    assert end / early == pytest.approx(1.0, rel=0.02)

    sizes, gradients = sizes_and_gradients("decoupled", lr=lr, wd=wd, steps=steps)
    square = settled**2
    for step in range(steps):
        rate = lr * (1 - step / steps)
        square = (1 - rate * wd) ** 2 * square + rate**2
    assert float(sizes[-1]) == pytest.approx(math.sqrt(square), rel=0.02)
    early, end = gradients[100:400].mean(), gradients[-100:].mean()
    assert end / early > 1.5
