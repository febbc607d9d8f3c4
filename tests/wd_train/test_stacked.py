"""Is a member of a stack trained as it would be alone?"""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from data_checks.splits import Split
from wd_train.checkpoints import Checkpoints
from wd_train.decay import Decay
from wd_train.network import build_network
from wd_train.rows import Rows
from wd_train.stacked import fit_stacked, stacks
from wd_train.training import Training, train
from wdgate.evaluation.tasks import Classification

CPU = torch.device("cpu")
TASK = Classification(("low", "high"))


class Doubles(nn.Module):
    """Inputs in float64, where rounding hides nothing."""

    def forward(self, inputs):
        return inputs.double()


def rows(n, seed):
    random = np.random.default_rng(seed)
    inputs = random.integers(0, 9, size=(n, 5))
    targets = (inputs[:, 0] + random.normal(size=n) > 4).astype(int)
    # Weights are kept in single precision, in which eighths have a sum without rounding.
    return Split(inputs, targets, weights=(random.integers(1, 9, size=n) / 8).astype(np.float32))


TRAIN, VALIDATION = rows(37, 0), rows(11, 1)
TRAINING = Training(weight_decay=0.5, learning_rate=1e-2, epochs=6, batch_size=8, device="cpu")


def chain(split):
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 2)).double()


def unbounded(split):
    return nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 2)).double()


def with_norm(split):
    return nn.Sequential(nn.Linear(5, 7), nn.LayerNorm(7), nn.Tanh(), nn.Linear(7, 2)).double()


def stack_of(members, build=chain):
    nets = [build_network(build, None, TRAIN, member.seed).net for member in members]
    parts = Rows(TRAIN, Doubles(), CPU), Rows(VALIDATION, Doubles(), CPU)
    return nets, fit_stacked(nets, *parts, TASK, members)


def halve(parameter, step):
    return parameter * (1 - 0.5 * step.rate * step.weight_decay)


@pytest.mark.parametrize("build", [chain, with_norm])
@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"batch_size": None, "schedule": "constant"},
        {"optimizer": "sgd", "schedule": "linear", "warmup": 3},
        {"patience": 2, "learning_rate": 0.1, "epochs": 15},
        {"measure_every": 4},
        {"decay": Decay("l2")},
        {"decay": Decay("independent", schedule="cosine")},
        {"decay": Decay("corrected")},
        {"decay": Decay("cautious", schedule="late")},
        {"decay": Decay("constrained", kappa=0.9)},
        {"decay": Decay("to_init"), "optimizer": "sgd"},
        {"decay": Decay(halve)},
        {"decay": Decay(schedule="gradient_norm"), "weight_decay": 0.01},
    ],
    ids=lambda changed: " ".join(map(str, changed.values())).split("(")[-1] or "adamw",
)
def test_members_of_a_stack_equal_trainings_one_by_one(changed, build):
    base = dataclasses.replace(TRAINING, **changed)
    coefficients = (0.0, 0.3 * base.weight_decay, base.weight_decay)
    members = [
        dataclasses.replace(base, seed=seed, weight_decay=weight_decay, learning_rate=rate)
        for seed in (0, 1)
        for weight_decay in coefficients
        for rate in (base.learning_rate, base.learning_rate / 3)
    ]
    nets, courses = stack_of(members, build)
    for net, course, member in zip(nets, courses, members, strict=True):
        alone = train(build, lambda split: Doubles(), TRAIN, VALIDATION, TASK, member)
        for ours, theirs in zip(net.parameters(), alone.network.net.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
        assert course.diverged is None
        assert course.best_epoch == alone.best_epoch
        assert [epoch for epoch, _, _ in course.losses] == [epoch.epoch for epoch in alone.history]
        expected = [epoch.validation_loss for epoch in alone.history]
        np.testing.assert_allclose([loss for _, loss, _ in course.losses], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("seeds", [(0, 0, 1), (0, 1, 2), (1, 0, 1, 0), (5,)])
def test_seeds_may_have_any_number_of_members_in_any_order(seeds):
    members = [dataclasses.replace(TRAINING, seed=s, weight_decay=at / 4) for at, s in enumerate(seeds)]
    nets, _ = stack_of(members)
    for net, member in zip(nets, members, strict=True):
        alone = train(chain, lambda split: Doubles(), TRAIN, VALIDATION, TASK, member).network.net
        for ours, theirs in zip(net.parameters(), alone.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("patience", [None, 3])
def test_a_member_that_diverges_says_when_and_changes_nothing_of_the_others(patience):
    base = dataclasses.replace(TRAINING, optimizer="sgd", weight_decay=0.0, patience=patience)
    tame = [dataclasses.replace(base, seed=s, learning_rate=r) for s in (0, 1) for r in (0.01, 0.02)]
    wild = [tame[0], dataclasses.replace(tame[1], learning_rate=1e300), *tame[2:]]
    nets, courses = stack_of(wild, unbounded)
    expected, _ = stack_of(tame, unbounded)
    for at in (0, 2, 3):
        assert courses[at].diverged is None
        for ours, theirs in zip(nets[at].parameters(), expected[at].parameters(), strict=True):
            assert torch.equal(ours, theirs)
    with pytest.raises(Exception, match="diverged") as alone:
        train(unbounded, lambda split: Doubles(), TRAIN, VALIDATION, TASK, wild[1])
    assert courses[1].diverged == str(alone.value)
    assert "at step 2" in courses[1].diverged


def test_a_stack_ends_when_all_of_its_members_have_diverged():
    members = [dataclasses.replace(TRAINING, optimizer="sgd", learning_rate=1e300, weight_decay=0.0)] * 2
    told = []
    nets = [build_network(unbounded, None, TRAIN, member.seed).net for member in members]
    parts = Rows(TRAIN, Doubles(), CPU), Rows(VALIDATION, Doubles(), CPU)
    courses = fit_stacked(nets, *parts, TASK, members, on_epoch=told.append)
    assert told == [1]
    assert [course.losses for course in courses] == [(), ()]


class Branching(nn.Linear):
    def forward(self, inputs):
        return super().forward(inputs) * (2 if self.weight.sum() > 0 else 1)


class Forgetful(nn.Linear):
    """Draws numbers without being a module that is known for it."""

    def forward(self, inputs):
        return super().forward(nn.functional.dropout(inputs, 0.5, self.training))


class Counting(nn.Linear):
    """Gives something else at each call, by a number that is neither parameter nor buffer."""

    calls = 0

    def forward(self, inputs):
        self.calls += 1
        return super().forward(inputs) * self.calls


@pytest.mark.parametrize(
    ("net", "expected"),
    [
        (nn.Linear(5, 2), True),
        (nn.Sequential(nn.Linear(5, 4), nn.LayerNorm(4), nn.Dropout(0.0), nn.Linear(4, 2)), True),
        (nn.Sequential(nn.Dropout(0.5), nn.Linear(5, 2)), False),
        (nn.Sequential(nn.BatchNorm1d(5), nn.Linear(5, 2)), False),
        (Forgetful(5, 2), False),
        (Branching(5, 2), False),
        (Counting(5, 2), False),
        (nn.Linear(5, 2).requires_grad_(False), False),
        (nn.Sequential(nn.Unflatten(1, (1, 5)), nn.Conv1d(1, 2, 3), nn.Flatten(), nn.Linear(6, 2)), False),
        (nn.Sequential(nn.Linear(5, 3000), nn.Linear(3000, 900), nn.Linear(900, 2)), True),
        (nn.Sequential(nn.Linear(5, 9000), nn.Linear(9000, 900), nn.Linear(900, 2)), False),
        (nn.Sequential(nn.Linear(5, 3000), nn.Softmax(1), nn.Linear(3000, 900), nn.Linear(900, 2)), False),
    ],
    ids=[
        "linear",
        "norm",
        "dropout",
        "batch norm",
        "functional dropout",
        "branch",
        "count",
        "frozen",
        "filters",
        "middle",
        "large",
        "middle, no chain",
    ],
)
def test_only_what_is_small_and_pure_is_stacked(net, expected):
    assert stacks(lambda split: net, None, TRAIN, TASK, TRAINING) is expected


class OfOneKind(Classification):
    """A loss that looks at the values of the targets, which a stack cannot."""

    def loss(self, outputs, targets):
        return super().loss(outputs, targets) if targets.sum() > 0 else outputs.sum(dim=1)


def test_a_loss_that_hangs_on_values_is_not_stacked():
    assert not stacks(lambda split: nn.Linear(5, 2), None, TRAIN, OfOneKind(TASK.classes), TRAINING)


class Counting(nn.Linear):
    """Warms up over its first calls, which a step that is traced once does not see."""

    def __init__(self):
        super().__init__(5, 2)
        self.calls = 0

    def forward(self, inputs):
        self.calls += 1
        return super().forward(inputs) * min(1.0, self.calls / 1000)


class Drifting(nn.Linear):
    """Keeps a plain tensor that is no buffer."""

    def __init__(self):
        super().__init__(5, 2)
        self.seen = torch.zeros(1)

    def forward(self, inputs):
        self.seen += 1e-6
        return super().forward(inputs) + self.seen


def halved(gradient):
    return gradient / 2


def hooked():
    net = nn.Linear(5, 2)
    net.weight.register_hook(halved)
    return net


@pytest.mark.parametrize("build", [Counting, Drifting, hooked])
def test_what_a_trace_does_not_see_is_not_stacked(build):
    assert not stacks(lambda split: build(), None, TRAIN, TASK, TRAINING)


class Killed(BaseException):
    pass


class StoppedAfter(Checkpoints):
    """Leaves a checkpoint after one epoch; a later one is cut off by a kill."""

    def __init__(self, folder, epoch, dies):
        super().__init__(str(folder), "stack")
        self.epoch, self.dies, self.asked = epoch, dies, 0

    def due(self):
        self.asked += 1
        if self.asked == self.epoch + self.dies:
            raise Killed
        return self.asked == self.epoch


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"patience": 2, "learning_rate": 0.1},
        {"optimizer": "sgd", "decay": Decay("l2")},
        {"decay": Decay("constrained")},
        {"batch_size": None, "measure_every": 2},
    ],
)
@pytest.mark.parametrize("rates", [(1e-2, 1e-2), (1e-2, 3e-2)])
def test_a_killed_stack_ends_with_the_same_numbers(tmp_path, changed, rates):
    shared = dataclasses.replace(TRAINING, epochs=7, **changed)
    members = [
        dataclasses.replace(shared, seed=seed, learning_rate=rate, weight_decay=wd)
        for seed in (0, 1)
        for rate, wd in zip(rates, (0.0, 0.5), strict=True)
    ]

    def trained(checkpoints=None):
        nets = [build_network(chain, None, TRAIN, member.seed).net for member in members]
        parts = Rows(TRAIN, Doubles(), CPU), Rows(VALIDATION, Doubles(), CPU)
        courses = fit_stacked(nets, *parts, TASK, members, checkpoints=checkpoints)
        weights = [{name: p.tolist() for name, p in net.named_parameters()} for net in nets]
        # Without the seconds.
        return weights, [([loss[:2] for loss in course.losses], course.best_epoch) for course in courses]

    expected = trained()
    with pytest.raises(Killed):
        trained(StoppedAfter(tmp_path, 2, 1))
    assert trained(Checkpoints(str(tmp_path), "stack")) == expected
    # A stack that has ended is not trained again.
    assert trained(StoppedAfter(tmp_path, 1, 0)) == expected
