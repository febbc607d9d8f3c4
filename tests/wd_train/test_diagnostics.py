"""Does the watch see what the decay does, and does it name what a person should know?"""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from wd_train.diagnostics import Watch, shrink_diagnosis
from wd_train.equilibrium import equilibrium_angle, equilibrium_norm, equilibrium_rms

LR, WD = 0.05, 0.1


class Shrinking:
    """Decoupled decay at 0.05 x 0.1 a step, written down once more."""

    def __init__(self, *parameters, share=LR * WD):
        self.parameters, self.share = parameters, share

    @torch.no_grad()
    def before_step(self, rate):
        for parameter in self.parameters:
            if parameter.grad is not None:
                parameter.mul_(1 - self.share)

    def after_step(self, rate):
        pass


def readings_on_noise(rms, steps=1500):
    """AdamW on gradients of pure noise, from a tensor of the given rms."""
    generator = torch.Generator().manual_seed(0)
    weight = nn.Parameter(torch.randn(64, 100, generator=generator) * rms)
    optimizer = torch.optim.AdamW([weight], lr=LR, weight_decay=WD, betas=(0.9, 0.99), fused=True)
    watch = Watch({"w": weight}, steps=steps, total_shrink=0.5)
    for step in range(1, steps + 1):
        weight.grad = torch.randn(64, 100, generator=generator)
        if not watch.due(step):
            optimizer.step()
            continue
        watch.before_step()
        optimizer.step()
        watch.after_step(step, LR, shrink=LR * WD)
    return [reading.tensors[0] for reading in watch.readings]


def readings_on_a_sphere(norm, steps=1500, momentum=0.9, weight_decay=0.05):
    """SGD with coupled decay on a loss without scale: random gradients across the weights."""
    generator = torch.Generator().manual_seed(0)
    weight = nn.Parameter(torch.randn(400, 1, generator=generator))
    with torch.no_grad():
        weight.mul_(norm / weight.norm())
    optimizer = torch.optim.SGD([weight], lr=LR, momentum=momentum, weight_decay=weight_decay)
    watch = Watch({"w": weight}, steps=steps, scale_free=False, total_shrink=0.5)
    for step in range(1, steps + 1):
        raw = torch.randn(400, 1, generator=generator) / 20
        with torch.no_grad():
            size = weight.norm()
            weight.grad = (raw - weight * (raw * weight).sum() / size**2) / size
        if not watch.due(step):
            optimizer.step()
            continue
        watch.before_step()
        optimizer.step()
        watch.after_step(step, LR, shrink=LR * weight_decay / (1 - momentum))
    return [reading.tensors[0] for reading in watch.readings]


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_adamw_on_noise_comes_to_an_equilibrium_of_known_rms_and_angle(factor):
    readings = readings_on_noise(factor * equilibrium_rms(LR, WD))
    rest = readings[-5:]
    assert np.mean([r.rms for r in rest]) == pytest.approx(equilibrium_rms(LR, WD), rel=0.03)
    assert np.mean([r.angular_update for r in rest]) == pytest.approx(
        equilibrium_angle(LR * WD, 0.9), rel=0.03
    )
    assert np.mean([r.distance_from_equilibrium for r in rest]) == pytest.approx(0, abs=0.05)


def test_sgd_without_scale_comes_to_an_equilibrium_of_known_norm_and_angle():
    expected = equilibrium_norm(LR, LR * 0.05 / 0.1, gradient_norm=1.0, momentum=0.9)
    rest = readings_on_a_sphere(2 * expected)[-5:]
    assert np.mean([r.rms * 20 for r in rest]) == pytest.approx(expected, rel=0.05)
    assert np.mean([r.angular_update for r in rest]) == pytest.approx(
        math.sqrt(2 * LR * 0.05 / 1.9), rel=0.05
    )
    assert np.mean([r.distance_from_equilibrium for r in rest]) == pytest.approx(0, abs=0.1)


def test_a_norm_above_its_equilibrium_is_told_from_one_below():
    above, below = (readings_on_noise(f * equilibrium_rms(LR, WD), steps=100)[-1] for f in (4, 0.25))
    assert above.distance_from_equilibrium < -0.5
    assert below.distance_from_equilibrium > 0.5
    assert above.angular_update < equilibrium_angle(LR * WD, 0.9) < below.angular_update


def watched_steps(watch, parameters, gradients, decay=None, first=1, last=300, skip=()):
    """Steps of plain SGD at a rate of 0.05, with the gradients that `gradients(step)` gives."""
    decay = decay or Shrinking(*parameters)
    for step in range(first, last + 1):
        for parameter, gradient in zip(parameters, gradients(step), strict=True):
            parameter.grad = gradient
        due = watch.due(step) and step not in skip
        if due:
            watch.before_step()
        acting = watch.measured(decay) if due else decay
        acting.before_step(LR)
        with torch.no_grad():
            for parameter in parameters:
                if parameter.grad is not None:
                    parameter.sub_(LR * parameter.grad)
        acting.after_step(LR)
        if due:
            watch.after_step(step, LR)


def noise(*shapes, seed=0):
    def gradients(step):
        generator = torch.Generator().manual_seed(seed * 100_000 + step)
        return [torch.randn(shape, generator=generator) for shape in shapes]

    return gradients


def test_what_is_measured_is_what_numpy_says():
    weight = nn.Parameter(torch.linspace(-1, 2, 12).reshape(3, 4))
    before = weight.detach().numpy().astype(np.float64).ravel()
    watch = Watch({"w": weight}, steps=1, scale_free=False)
    gradient = torch.arange(12.0).reshape(3, 4).cos() * 1e-3
    watched_steps(watch, [weight], lambda step: [gradient], last=1)
    after = before * (1 - LR * WD) - LR * gradient.numpy().astype(np.float64).ravel()
    cosine = before @ after / np.linalg.norm(before) / np.linalg.norm(after)
    (reading,) = watch.readings[0].tensors
    assert reading.rms == pytest.approx(np.sqrt(np.mean(after**2)), rel=1e-5)
    assert reading.norm_ratio == pytest.approx(np.linalg.norm(after) / np.linalg.norm(before), rel=1e-5)
    assert reading.angular_update == pytest.approx(math.acos(cosine), rel=1e-2)
    assert reading.effective_learning_rate == pytest.approx(LR / np.sum(after**2), rel=1e-5)
    assert reading.distance_from_equilibrium is None  # of one step


def test_an_angle_of_a_hundred_thousandth_is_still_measured():
    weight = nn.Parameter(torch.tensor([[1.0, 0.0]]))
    watch = Watch({"w": weight}, steps=1)
    watched_steps(watch, [weight], lambda step: [torch.tensor([[0.0, -1e-5 / LR]])], last=1)
    assert watch.readings[0].tensors[0].angular_update == pytest.approx(1e-5, rel=0.01)


def test_where_only_the_decay_acts_the_distance_is_minus_one():
    weight = nn.Parameter(torch.randn(3, 4))
    watch = Watch({"w": weight}, steps=300, total_shrink=0.8)
    watched_steps(watch, [weight], lambda step: [torch.zeros(3, 4)])
    distances = [r.tensors[0].distance_from_equilibrium for r in watch.readings]
    assert distances[0] is None
    assert distances[1:] == pytest.approx([-1, -1], abs=1e-3)
    assert watch.readings[-1].tensors[0].norm_ratio == pytest.approx((1 - LR * WD) ** 300, rel=1e-4)


def test_without_decay_there_is_no_equilibrium_and_nothing_to_say():
    weight = nn.Parameter(torch.ones(3, 4))
    watch = Watch({"w": weight}, steps=300, total_shrink=0.0)
    watched_steps(watch, [weight], lambda step: [torch.full((3, 4), 1 / 20)], Shrinking())
    assert {r.tensors[0].distance_from_equilibrium for r in watch.readings} == {None}
    assert watch.readings[-1].tensors[0].norm_ratio < 0.45
    assert watch.diagnoses == []


def test_a_growth_of_twice_the_shrink_is_half_way():
    weight = nn.Parameter(torch.ones(3, 4))
    watch = Watch({"w": weight}, steps=20, total_shrink=0.5)
    # A step of the gradient adds what the decay takes twice: the weight grows by 0.05 x 0.1 a step.
    watched_steps(watch, [weight], lambda step: [-2 * WD * weight.detach()], last=20)
    assert watch.readings[-1].tensors[0].distance_from_equilibrium == pytest.approx(0.5, abs=0.01)


@given(st.integers(1, 10**6))
def test_the_steps_that_are_watched_are_the_first_the_last_and_few_between(steps):
    watch = Watch({"w": torch.ones(2, 2)}, steps=steps)
    spacing = max(200, -(-steps // 200))
    due = [step for step in {1, steps, *range(spacing, steps + 1, spacing)} if watch.due(step)]
    assert sorted(due) == sorted({1, steps, *range(spacing, steps + 1, spacing)})
    assert len(due) <= 202
    assert not watch.due(spacing + 1) or spacing + 1 == steps


def test_a_network_without_decayed_tensors_is_not_watched():
    watch = Watch({}, steps=10, total_shrink=0.01)
    assert not any(watch.due(step) for step in range(1, 11))
    assert watch.readings == []


@settings(max_examples=30)
@given(
    st.lists(st.sampled_from([(), (3,), (2, 3), (4, 1), (2, 3, 1, 2)]), min_size=1, max_size=4),
    st.sampled_from([0.0, 1.0, 1e-6, 1e4]),
)
def test_tensors_of_any_shape_and_scale_give_numbers_that_json_takes(shapes, scale):
    parameters = [nn.Parameter(torch.ones(shape) * scale) for shape in shapes]
    watch = Watch({str(i): p for i, p in enumerate(parameters)}, steps=2)
    watched_steps(watch, parameters, lambda step: [torch.full(shape, 0.1) for shape in shapes], last=2)
    assert [len(reading.tensors) for reading in watch.readings] == [len(shapes)] * 2
    json.dumps([reading.as_dict() for reading in watch.readings], allow_nan=False)


def test_watching_changes_no_number():
    ends = []
    for skip in ((), range(301)):
        torch.manual_seed(0)
        weight = nn.Parameter(torch.randn(5, 6))
        watched_steps(Watch({"w": weight}, steps=300), [weight], noise((5, 6)), skip=skip)
        ends.append(weight.detach())
    assert torch.equal(*ends)


def test_a_resumed_watch_gives_the_same_readings():
    def fresh():
        torch.manual_seed(1)
        parameters = [nn.Parameter(torch.randn(4, 5)), nn.Parameter(torch.randn(4, 5))]
        return parameters, Watch({"a": parameters[0], "b": parameters[1]}, steps=300, total_shrink=0.05)

    def gradients(step):
        return [*noise((4, 5))(step), torch.zeros(4, 5)]

    parameters, straight = fresh()
    watched_steps(straight, parameters, gradients)
    parameters, killed = fresh()
    watched_steps(killed, parameters, gradients, last=200)
    state, weights = killed.state_dict(), [p.detach().clone() for p in parameters]
    parameters, resumed = fresh()
    with torch.no_grad():
        for parameter, weight in zip(parameters, weights, strict=True):
            parameter.copy_(weight)
    resumed.load_state_dict(state)
    watched_steps(resumed, parameters, gradients, first=201)
    assert resumed.readings == straight.readings
    assert resumed.diagnoses == straight.diagnoses
    assert [d.name for d in straight.diagnoses] == ["weak", "decays without gradient"]


@pytest.mark.parametrize(
    ("total_shrink", "name"),
    [
        (0.0, None),
        (0.0075, "inert"),
        (0.0199, "inert"),
        (0.02, "weak"),
        (0.0999, "weak"),
        (0.1, None),
        (1, None),
    ],
)
def test_a_decay_too_small_to_notice_is_named(total_shrink, name):
    found = shrink_diagnosis(total_shrink)
    assert (found and found.name) == name


def test_a_planned_shrink_is_named_before_the_first_step():
    told = []
    Watch({"w": torch.ones(2, 2)}, steps=10, total_shrink=0.0075, on_reading=told.append)
    assert [(r.step, r.tensors, [d.name for d in r.diagnoses]) for r in told] == [(0, (), ["inert"])]
    assert "takes 0.75 % of a weight" in told[0].diagnoses[0].sentence


def test_a_shrink_that_nobody_planned_is_measured():
    weight = nn.Parameter(torch.randn(20, 20))
    watch = Watch({"w": weight}, steps=300)
    watched_steps(watch, [weight], noise((20, 20)), Shrinking(weight, share=1e-4))
    assert [d.name for d in watch.diagnoses] == ["weak"]
    assert "takes 3 % of a weight" in watch.diagnoses[0].sentence
    assert watch.readings[-1].diagnoses == tuple(watch.diagnoses)


def test_a_first_layer_that_the_decay_rules_is_named_once_when_it_happens():
    first, second = nn.Parameter(torch.randn(5, 6) * 100), nn.Parameter(torch.randn(5, 6))
    watch = Watch({"first": first, "second": second}, steps=500, total_shrink=0.9)
    watched_steps(watch, [first, second], noise((5, 6), (5, 6)), last=500)
    assert [(d.name, d.tensors) for d in watch.diagnoses] == [("dominates", ("first",))]
    assert [r.step for r in watch.readings if r.diagnoses] == [200]
    assert "down to 0.37" in watch.diagnoses[0].sentence


def test_a_first_layer_that_the_gradients_shrink_is_not_laid_to_the_decay():
    first = nn.Parameter(torch.randn(5, 6))
    watch = Watch({"first": first}, steps=300, total_shrink=0.5)
    watched_steps(
        watch, [first], lambda step: [first.detach().clone() / 5], Shrinking(first, share=1e-4), last=300
    )
    assert watch.readings[-1].tensors[0].norm_ratio < 0.1
    assert watch.diagnoses == []


@pytest.mark.parametrize("steps", [99, 130])
def test_rows_that_are_never_used_and_only_shrink_are_named(steps):
    rows = nn.Parameter(torch.randn(6, 8))

    def gradients(step):
        gradient = torch.zeros(6, 8)
        gradient[: 5 if step == 57 else 4] = noise((1, 8))(step)[0] / 10  # row 4 is used once, unwatched
        return [gradient]

    watch = Watch({"words": rows}, steps=steps, total_shrink=0.8, tables=["words"])
    watched_steps(watch, [rows], gradients, last=steps)
    (found,) = watch.diagnoses
    assert (found.name, found.tensors) == ("decays without gradient", ("words",))
    seen = (
        f"1 of 6 rows of words had no gradient at any of the 2 steps watched up to step {steps} of {steps},"
    )
    assert found.sentence.startswith(f"{seen} and have only shrunk.")


def test_a_row_that_is_used_late_is_not_said_to_decay_without_gradient():
    rows = nn.Parameter(torch.randn(6, 8))

    def gradients(step):
        gradient = noise((6, 8))(step)[0] / 10
        gradient[5] *= step == 290  # when it has shrunk for long, and between two watched steps
        return [gradient]

    watch = Watch({"words": rows}, steps=600, total_shrink=0.95, tables=["words"])
    watched_steps(watch, [rows], gradients, last=600)
    assert [reading.step for reading in watch.readings] == [1, 200, 400, 600]
    assert "decays without gradient" not in [diagnosis.name for diagnosis in watch.diagnoses]


def test_what_is_said_of_unused_rows_counts_the_steps_that_were_watched():
    rows = nn.Parameter(torch.randn(6, 8))
    watch = Watch({"words": rows}, steps=1000, total_shrink=0.01, tables=["words"])
    watched_steps(watch, [rows], lambda step: [torch.zeros(6, 8)], last=1000)
    (found,) = [diagnosis for diagnosis in watch.diagnoses if diagnosis.name == "decays without gradient"]
    assert "any of the 4 steps watched up to step 600 of 1,000" in found.sentence


def test_a_few_dead_units_of_a_layer_are_nothing_to_be_told_of_but_a_dead_layer_is():
    layer, expert = nn.Parameter(torch.randn(6, 8)), nn.Parameter(torch.randn(6, 8))

    def gradients(step):
        alive = noise((6, 8))(step)[0] / 10
        alive[5] = 0
        return [alive, torch.zeros(6, 8)]

    watch = Watch({"layer": layer, "expert": expert}, steps=130, total_shrink=0.8)
    watched_steps(watch, [layer, expert], gradients, last=130)
    assert [(d.name, d.tensors) for d in watch.diagnoses] == [("decays without gradient", ("expert",))]


def test_a_tensor_that_took_no_part_is_not_decayed_and_not_named():
    used, unused = nn.Parameter(torch.randn(4, 4)), nn.Parameter(torch.randn(4, 4))
    watch = Watch({"used": used, "unused": unused}, steps=300, total_shrink=0.8)
    watched_steps(watch, [used, unused], lambda step: [noise((4, 4))(step)[0] * 3, None])
    assert watch.diagnoses == []
    assert watch.readings[-1].tensors[1].norm_ratio == 1


def test_sparse_gradients_are_understood():
    words = nn.Embedding(5, 3, sparse=True)
    watch = Watch({"words": words.weight}, steps=1, total_shrink=0.8, tables=["words"])
    words(torch.tensor([0, 1])).sum().backward()
    watch.before_step()
    with torch.no_grad():
        words.weight.mul_(0.9)
        words.weight[:2] += torch.tensor([1.0, 2.0, 3.0])
    watch.after_step(1, LR, shrink=0.1)
    assert "3 of 5 rows of words" in watch.diagnoses[0].sentence
