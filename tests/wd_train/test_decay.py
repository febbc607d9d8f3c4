"""Does the decay act as it was configured, and does it refuse what makes no sense?"""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from data_checks.errors import TrainingError
from wd_train.decay import Decay, WeightDecay


def acted(decay, steps=1, weight_decay=0.5, rate=0.1, start=None, **more):
    """A weight without gradient after some steps that only the decay takes."""
    weight = nn.Parameter(torch.ones(2, 2, dtype=torch.float64) if start is None else start)
    weight.grad = torch.zeros_like(weight)
    acting = WeightDecay({"w": weight}, weight_decay, decay, full_rate=0.1, steps=steps, **more)
    for _ in range(steps):
        acting.before_step(rate)
        acting.after_step(rate)
    return weight.detach()


@settings(deadline=None)
@given(st.floats(0, 0.9), st.floats(0, 1), st.integers(1, 6))
def test_a_weight_without_gradient_loses_what_the_shares_say(weight_decay, rate, steps):
    for form in ("decoupled", "independent", "corrected", "cautious"):
        decay = Decay(form)
        shares = decay.shares(weight_decay, [rate * 0.1] * steps, full_rate=0.1, normalized=True)
        expected = torch.tensor([1 - share for share in shares], dtype=torch.float64).prod()
        left = acted(decay, steps, weight_decay, rate * 0.1, normalized=["w"])
        torch.testing.assert_close(left, torch.full_like(left, float(expected)), rtol=0, atol=1e-14)


def test_early_decay_rests_in_the_second_half_and_late_in_the_first():
    for schedule, factors in (("early", [1, 1, 0, 0]), ("late", [0, 0, 1, 1])):
        assert Decay(schedule=schedule).coefficients(4) == factors
    assert acted(Decay(schedule="late"), steps=4)[0, 0] == pytest.approx(0.95**2)


def test_a_tensor_that_took_no_part_in_the_loss_is_left_alone():
    used, unused = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2, 2))
    used.sum().backward()
    for form in ("decoupled", "cautious", "constrained", "to_init", "l2"):
        acting = WeightDecay({"a": used, "b": unused}, 0.5, Decay(form), full_rate=0.1, steps=1)
        acting.before_step(0.1)
        acting.after_step(0.1)
    assert (unused == 1).all()


def test_a_function_of_the_users_own_is_handed_the_step_and_decides():
    seen = []

    def towards_one(parameter, step):
        seen.append((step.index, step.rate, step.weight_decay, step.gradient.shape))
        return parameter - step.rate * step.weight_decay * (parameter - 1)

    left = acted(Decay(towards_one), steps=2, start=torch.full((2, 2), 3.0))
    assert left[0, 0] == pytest.approx(1 + 2 * 0.95**2)
    assert seen[1] == (1, 0.1, 0.5, torch.Size([2, 2]))


@pytest.mark.parametrize(("given_back", "named"), [(torch.zeros(3), r"\(3,\)"), (None, "NoneType")])
def test_a_function_that_gives_back_something_else_is_refused(given_back, named):
    with pytest.raises(TrainingError, match=rf"lambda> gave back {named} for a parameter of shape \(2, 2\)"):
        acted(Decay(lambda parameter, step: given_back))


def test_gradients_too_small_for_the_schedule_are_refused_and_not_followed():
    weight = nn.Parameter(torch.ones(2, 2))
    weight.grad = torch.full_like(weight, 1e-6)
    acting = WeightDecay({"w": weight}, 0.5, Decay(schedule="gradient_norm"), full_rate=0.1, steps=1)
    with pytest.raises(
        TrainingError, match=r"would take 5e\+04 of each weight at step 1, expected less than 1"
    ):
        acting.before_step(0.1)
    assert (weight == 1).all()


def test_a_tensor_that_starts_at_0_cannot_be_constrained_to_its_norm():
    with pytest.raises(TrainingError, match="w starts at 0, where 'constrained' would hold it"):
        acted(Decay("constrained"), start=torch.zeros(2, 2))


@pytest.mark.parametrize("weight_decay", [-0.1, float("nan"), float("inf")])
def test_a_coefficient_that_is_no_number_of_at_least_0_is_refused(weight_decay):
    for one in (weight_decay, torch.tensor([0.5, weight_decay])):
        with pytest.raises(TrainingError, match="weight_decay must be at least 0 and finite, got"):
            WeightDecay({}, one, Decay(), full_rate=0.1, steps=1)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"form": "l3"}, "decay must be one of l2, decoupled, .*, or a function, got 'l3'"),
        ({"schedule": "cyclic"}, "decay schedule must be one of constant, .*, got 'cyclic'"),
        ({"kappa": -1.0}, "kappa must be at least 0 and finite, got -1.0"),
        ({"kappa": float("nan")}, "kappa must be at least 0 and finite, got nan"),
        ({"exclude": "head.*"}, r"exclude must be a tuple of patterns, got 'head.\*'"),
    ],
)
def test_a_value_out_of_its_range_is_named_with_what_was_expected(wrong, said):
    with pytest.raises(TrainingError, match=said):
        Decay(**wrong)


def test_a_decay_is_recorded_as_plain_values():
    def mine(parameter, step):
        return parameter

    assert json.loads(json.dumps(Decay(mine, exclude=("a*",)).as_dict()))["form"] == "mine"


def test_without_a_coefficient_gradients_of_0_divide_nothing():
    assert (acted(Decay(schedule="gradient_norm"), weight_decay=0.0) == 1).all()


def test_a_member_whose_gradients_are_too_small_ends_alone():
    weight = nn.Parameter(torch.ones(2, 3, dtype=torch.float64))
    weight.grad = torch.tensor([[1.0], [1e-6]], dtype=torch.float64).expand(2, 3).clone()
    decay = Decay(schedule="gradient_norm")
    acting = WeightDecay({"w": weight}, torch.tensor([0.5, 0.5]), decay, full_rate=0.1, steps=1)
    acting.before_step(0.1)
    assert weight[0].tolist() == pytest.approx([0.95] * 3)
    assert weight[1].isnan().all()


def test_steps_beyond_those_announced_go_on_as_the_last_one():
    weight = nn.Parameter(torch.ones(1, 1))
    weight.grad = torch.zeros_like(weight)
    acting = WeightDecay({"w": weight}, 0.5, Decay(schedule="early"), full_rate=0.1, steps=2)
    for _ in range(5):
        acting.before_step(0.1)
        acting.after_step(0.1)
    assert weight.item() == pytest.approx(0.95)


def test_without_a_coefficient_a_function_of_the_users_own_is_not_asked():
    def vanish(parameter, step):
        return parameter * 0

    assert (acted(Decay(vanish), weight_decay=0.0) == 1).all()
    stacked = nn.Parameter(torch.ones(2, 3, dtype=torch.float64))
    stacked.grad = torch.zeros_like(stacked)
    acting = WeightDecay({"w": stacked}, torch.tensor([0.0, 0.5]), Decay(vanish), full_rate=0.1, steps=1)
    acting.before_step(0.1)
    assert stacked.sum(dim=1).tolist() == [3, 0]
