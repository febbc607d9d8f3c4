import numpy as np
import pytest
import torch
from torch import nn

from data_checks.splits import Split
from wd_train.attacks import FEWEST, MOST, attacks_on, fgsm, pgd
from wd_train.network import Network
from wdgate.evaluation.tasks import Classification, Regression

TASK = Classification(("no", "yes"))
GENERATOR = np.random.default_rng(0)


def logistic(weights, bias=0.0):
    """A network whose logit of `yes` is a weighted sum of the inputs, and that of `no` is 0."""
    net = nn.Linear(len(weights), 2)
    with torch.no_grad():
        net.weight[:] = torch.stack([torch.zeros(len(weights)), torch.as_tensor(weights)])
        net.bias[:] = torch.tensor([0.0, bias])
    return net


def columns(rows=400, width=3, seed=0):
    inputs = np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32) * [1, 2, 5][:width]
    return Split(inputs.astype(np.float32), (inputs[:, 0] > 0).astype(np.int64))


def loss_of(net, targets):
    return lambda inputs: TASK.loss(net(inputs), targets)


def test_on_a_logistic_regression_both_are_the_closed_form():
    """The worst change of a linear logit is epsilon times the sign of its weight, down or up."""
    weights = torch.tensor([1.0, -2.0, 0.5])
    net, inputs = logistic(weights), torch.randn(50, 3, generator=torch.Generator().manual_seed(1))
    targets, epsilon = torch.arange(50) % 2, torch.tensor([0.1, 0.2, 0.3])
    direction = torch.where(targets[:, None] == 1, -weights.sign(), weights.sign())
    expected = inputs + epsilon * direction
    assert torch.allclose(fgsm(loss_of(net, targets), inputs, epsilon), expected)
    moved = pgd(loss_of(net, targets), inputs, epsilon, torch.Generator().manual_seed(0))
    assert torch.allclose(moved, expected, atol=1e-6)
    # Of a model without curves the margin shrinks by epsilon times the sum of the weights' sizes.
    margin = (net(moved) - net(inputs))[:, 1] * torch.where(targets == 1, 1.0, -1.0)
    assert torch.allclose(margin, -(epsilon * weights.abs()).sum().expand(50), atol=1e-5)


def test_pgd_stays_within_epsilon_and_the_range_and_is_no_weaker_than_one_step():
    generator = torch.Generator().manual_seed(3)
    net = nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Linear(32, 2))
    inputs, targets = torch.rand(200, 6, generator=generator), torch.arange(200) % 2
    loss, epsilon = loss_of(net, targets), torch.tensor(0.1)
    moved = pgd(loss, inputs, epsilon, generator, lambda values: values.clamp(0, 1))
    assert (moved - inputs).abs().max() <= 0.1 + 1e-6
    assert moved.min() >= 0
    assert moved.max() <= 1
    once = fgsm(loss, inputs, epsilon).clamp(0, 1)
    assert loss(inputs).mean() < loss(once).mean() <= loss(moved).mean() + 1e-4


def test_the_share_of_rows_that_an_attack_turns_is_that_of_small_margins():
    split = columns()
    network = Network(nn.Identity(), logistic([4.0, 0.5, 0.0]))
    found = attacks_on(network, split, TASK, passes=10**6)
    assert found.rows == 400
    logit = split.inputs @ np.array([4.0, 0.5, 0.0])
    margin = np.where(split.targets == 1, logit, -logit)
    lost = 0.1 * (split.inputs.std(axis=0) * [4.0, 0.5, 0.0]).sum()
    assert found.clean == pytest.approx((margin > 0).mean())
    assert found.numbers["fgsm_accuracy"] == pytest.approx((margin > lost).mean(), abs=0.005)
    assert found.numbers["pgd_accuracy"] == pytest.approx((margin > lost).mean(), abs=0.005)
    assert "The trainer measured it" in found.sentence


def pictures(kind=np.uint8):
    values = GENERATOR.integers(0, 17, (90, 6, 6)).astype(kind)
    return Split(values, (values.mean(axis=(1, 2)) > 8).astype(np.int64))


class Scaled(nn.Module):
    def forward(self, inputs):
        return inputs.float().flatten(1) / 16 - 0.5


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_pictures_are_attacked_by_shares_of_their_own_range(kind):
    split = pictures(kind)
    network = Network(Scaled(), logistic([1.0] * 36))
    found = attacks_on(network, split, TASK, passes=10**6)
    assert set(found.numbers) == {
        "fgsm_accuracy_at_2_of_255",
        "pgd_accuracy_at_2_of_255",
        "fgsm_accuracy",
        "pgd_accuracy",
    }
    margin = np.abs((split.inputs.astype(float) / 16 - 0.5).sum(axis=(1, 2)))
    # Numbers at an end of the range can move inwards alone, so that this many are turned at most.
    assert found.numbers["fgsm_accuracy"] >= (margin > 36 * 8 / 255 + 1e-5).mean()
    assert found.numbers["fgsm_accuracy"] < found.numbers["fgsm_accuracy_at_2_of_255"] <= found.clean == 1


def state_of(network):
    return {name: values.clone() for name, values in network.state_dict().items()}


def test_nothing_of_the_network_or_of_the_generators_changes_and_it_can_be_repeated():
    net = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 2))
    network = Network(nn.Identity(), net.train())
    net[1].eval()
    before, modes = state_of(network), [module.training for module in network.modules()]
    drawn, numbers = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    found = attacks_on(network, columns(), TASK, passes=1000, seed=4)
    assert torch.equal(torch.get_rng_state(), drawn)
    assert np.array_equal(np.random.get_state()[1], numbers)  # noqa: NPY002
    assert [module.training for module in network.modules()] == modes
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())
    assert all(torch.equal(values, before[name]) for name, values in network.state_dict().items())
    assert found.rows == FEWEST
    assert attacks_on(network, columns(), TASK, passes=1000, seed=4) == found


def test_columns_of_a_mapping_are_attacked_and_codes_beside_them_stay():
    class Beside(nn.Module):
        def forward(self, inputs):
            self.codes = inputs["code"]
            return inputs["size"].float()[:, None]

    beside, size = Beside(), GENERATOR.normal(size=300).astype(np.float32)
    split = Split({"size": size, "code": np.arange(300) % 3}, (size > 0).astype(np.int64))
    found = attacks_on(Network(beside, logistic([3.0])), split, TASK, passes=10**6)
    assert found.numbers["fgsm_accuracy"] == pytest.approx((np.abs(size) > 0.1 * size.std()).mean(), abs=0.01)
    assert beside.codes.dtype == torch.int64


def test_a_regression_is_attacked_in_its_own_error():
    split = columns()
    values = Split(split.inputs, split.inputs[:, 0].astype(np.float64))
    net = nn.Linear(3, 1)
    with torch.no_grad():
        net.weight[:] = torch.tensor([[1.0, 0.5, 0.0]])
        net.bias[:] = 0.3
    found = attacks_on(Network(nn.Identity(), net), values, Regression(), passes=10**6)
    lost = 0.1 * (split.inputs.std(axis=0) * [1.0, 0.5, 0.0]).sum()
    assert found.numbers["fgsm_absolute_error"] == pytest.approx(found.clean + lost, rel=1e-4)


class Rounded(nn.Module):
    def forward(self, inputs):
        return inputs.float().round()


class Looked(nn.Module):
    def forward(self, inputs):
        return nn.functional.one_hot(inputs.long()[:, 0].clamp(0, 2), 3).float()


class Picky(nn.Module):
    def forward(self, inputs):
        if inputs.dtype != torch.int64:
            raise TypeError("whole numbers, please")
        return inputs.float()


class Odd(nn.Module):
    def forward(self, inputs):
        return inputs.float() * (1.0 if inputs.dtype == torch.int64 else 2.0)


WHOLE = Split(np.arange(900).reshape(300, 3), np.arange(300) % 2)


@pytest.mark.parametrize(
    ("split", "preprocess", "reason"),
    [
        (Split(np.arange(300)[:, None] % 7, np.arange(300) % 2), Looked(), "no numbers that can be changed"),
        (columns(), Looked(), "not differentiable in its inputs"),
        (columns(), Rounded(), "does not change with the inputs by any gradient"),
        (WHOLE, Picky(), "whole numbers, please"),
        (WHOLE, Odd(), "takes whole numbers alone"),
    ],
)
def test_what_cannot_be_attacked_was_not_measured_and_says_why(split, preprocess, reason):
    width = 1 if split.inputs.shape[1] == 1 and not isinstance(preprocess, Looked) else 3
    found = attacks_on(Network(preprocess, logistic([1.0] * width)), split, TASK, passes=1000)
    assert reason in found.reason
    assert found.as_dict() == {"rows": 0, "sentence": found.sentence}
    assert found.sentence.startswith("What attacks do was not measured: ")


def test_a_longer_training_buys_more_rows_up_to_a_limit():
    network = Network(nn.Identity(), logistic([1.0, 0.0, 0.0]))
    rows = [attacks_on(network, columns(2000), TASK, passes).rows for passes in (0, 50_000, 10**7)]
    assert rows == [FEWEST, int(0.05 * 3 * 50_000 / 36), MOST]
