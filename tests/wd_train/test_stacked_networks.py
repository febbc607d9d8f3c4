"""Does a stack give the outputs and gradients of its networks?"""

import copy

import pytest
import torch
from torch import nn

from wd_train.stacked_networks import Stack
from wdgate.evaluation.tasks import Classification, Regression

SEEDS, EACH, ROWS = 2, 3, 5
TASK = Classification(("a", "b", "c"))


class Columns(nn.Module):
    """A dictionary of columns, of which one is embedded."""

    def __init__(self):
        super().__init__()
        self.table, self.out = nn.Embedding(4, 3), nn.Linear(5, 3)

    def forward(self, inputs):
        return self.out(torch.cat([inputs["numbers"], self.table(inputs["kind"])], dim=1))


class Attending(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0, batch_first=True)
        self.out = nn.Linear(4, 3)

    def forward(self, inputs):
        return self.out(self.layer(inputs).mean(dim=1))


class Partly(nn.Module):
    """One layer that is not trained, one that has no part in the outputs, a buffer, and one layer twice."""

    def __init__(self):
        super().__init__()
        self.frozen, self.unused = nn.Linear(4, 4), nn.Linear(4, 4)
        self.twice, self.out = nn.Linear(4, 4), nn.Linear(4, 3)
        self.frozen.requires_grad_(False)
        self.register_buffer("scale", torch.rand(4))

    def forward(self, inputs):
        return self.out(self.twice(self.twice(self.frozen(inputs) * self.scale).relu()))


def shared_chain():
    layer = nn.Linear(4, 4)
    return nn.Sequential(layer, nn.GELU(), layer, nn.Linear(4, 3))


def hooked():
    layer = nn.Linear(4, 3)
    layer.register_forward_hook(lambda module, inputs, outputs: 2 * outputs)
    return nn.Sequential(layer)


NETWORKS = {
    "one layer": (lambda: nn.Linear(4, 3), (4,)),
    "chain": (lambda: nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)), (4,)),
    "chain in chains": (
        lambda: nn.Sequential(
            nn.Flatten(), nn.Sequential(nn.Linear(4, 6, bias=False), nn.SiLU(inplace=True)), nn.Linear(6, 3)
        ),
        (2, 2),
    ),
    "an activation first": (lambda: nn.Sequential(nn.Tanh(), nn.Linear(4, 3)), (4,)),
    "one layer twice": (shared_chain, (4,)),
    "hook": (hooked, (4,)),
    "norm": (lambda: nn.Sequential(nn.Linear(4, 6), nn.LayerNorm(6), nn.ReLU(), nn.Linear(6, 3)), (4,)),
    "attention": (Attending, (3, 4)),
    "partly trained": (Partly, (4,)),
    "no flattening": (lambda: nn.Sequential(nn.Linear(4, 6), nn.Flatten(), nn.Linear(12, 3)), (2, 4)),
}


def stacked(build, task=TASK):
    nets = [build().double() for _ in range(SEEDS * EACH)]
    return Stack(copy.deepcopy(nets), SEEDS, task), nets


def expected(net, inputs, targets, weights, task=TASK):
    losses = task.loss(net(inputs), targets)
    loss = losses.mean() if weights is None else (losses * weights).sum() / weights.sum()
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    return loss, torch.autograd.grad(loss, trained, allow_unused=True)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("build", "shape"), NETWORKS.values(), ids=NETWORKS)
def test_losses_and_gradients_are_those_of_each_network_on_the_batch_of_its_seed(build, shape, weighted):
    stack, nets = stacked(build)
    for rows in (ROWS, ROWS - 1, ROWS):
        inputs = torch.randn(SEEDS, rows, *shape, dtype=torch.float64)
        targets = torch.randint(0, 3, (SEEDS, rows))
        weights = torch.rand(SEEDS, rows).double() if weighted else None
        losses, gradients = stack.batch(inputs, targets, weights)
        for member, net in enumerate(nets):
            seed = member // EACH
            loss, theirs = expected(
                net, inputs[seed], targets[seed], None if weights is None else weights[seed]
            )
            torch.testing.assert_close(losses[member], loss.detach(), rtol=0, atol=1e-12)
            for ours, their in zip(gradients, theirs, strict=True):
                assert (ours is None) == (their is None)
                if ours is not None:
                    torch.testing.assert_close(ours[member], their, rtol=0, atol=1e-12)
                    assert ours.is_contiguous()  # as fused optimizers need them


@pytest.mark.parametrize(("build", "shape"), NETWORKS.values(), ids=NETWORKS)
def test_losses_of_the_same_rows_are_those_of_each_network_in_evaluation_mode(build, shape):
    stack, nets = stacked(build)
    for rows in (ROWS, 1, ROWS):
        inputs, targets = torch.randn(rows, *shape, dtype=torch.float64), torch.randint(0, 3, (rows,))
        for ours, net in zip(stack.losses(inputs, targets).clone(), nets, strict=True):
            theirs = TASK.loss(net.eval()(inputs), targets).detach()
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def test_columns_of_a_dictionary_are_stacked():
    stack, nets = stacked(Columns)
    inputs = {
        "numbers": torch.randn(SEEDS, ROWS, 2, dtype=torch.float64),
        "kind": torch.randint(0, 4, (SEEDS, ROWS)),
    }
    targets = torch.randint(0, 3, (SEEDS, ROWS))
    _, gradients = stack.batch(inputs, targets, None)
    for member, net in enumerate(nets):
        seed = member // EACH
        _, theirs = expected(net, {name: t[seed] for name, t in inputs.items()}, targets[seed], None)
        for ours, their in zip(gradients, theirs, strict=True):
            torch.testing.assert_close(ours[member], their, rtol=0, atol=1e-12)


def test_numbers_are_predicted_too():
    stack, nets = stacked(lambda: nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1)), Regression())
    inputs, targets = torch.randn(SEEDS, ROWS, 4).double(), torch.randn(SEEDS, ROWS).double()
    losses, _ = stack.batch(inputs, targets, None)
    theirs = [
        expected(n, inputs[m // EACH], targets[m // EACH], None, Regression())[0] for m, n in enumerate(nets)
    ]
    torch.testing.assert_close(losses, torch.stack(theirs).detach(), rtol=0, atol=1e-12)


def test_one_member_that_is_not_finite_changes_nothing_of_the_others():
    stack, _ = stacked(NETWORKS["chain"][0])
    inputs, targets = torch.randn(SEEDS, ROWS, 4).double(), torch.randint(0, 3, (SEEDS, ROWS))
    losses, gradients = stack.batch(inputs, targets, None)
    before = [losses.clone(), *(gradient.clone() for gradient in gradients)]
    next(iter(stack.parameters.values()))[1] = torch.nan
    losses, gradients = stack.batch(inputs, targets, None)
    assert losses[1].isnan()
    others = [member for member in range(SEEDS * EACH) if member != 1]
    for ours, was in zip([losses, *gradients], before, strict=True):
        assert torch.equal(ours[others], was[others])
