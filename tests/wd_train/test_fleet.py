"""Does a fleet leave what its trainings leave one by one?"""

import dataclasses
import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from torch import nn

from data_checks.errors import TrainingError
from data_checks.splits import Split
from wd_train import courses, fleet
from wd_train.alone import train_alone
from wd_train.decay import Decay
from wd_train.fleet import train_members
from wd_train.kept import UnderWay
from wd_train.network import AsFloat
from wd_train.outcomes import Diverged
from wd_train.training import Training
from wdgate.evaluation.tasks import Classification

TASK = Classification(("low", "high"))
TRAINING = Training(weight_decay=0.5, learning_rate=1e-2, epochs=3, batch_size=8, device="cpu")


def rows(n, seed):
    inputs = np.random.default_rng(seed).normal(size=(n, 4))
    return Split(inputs, (inputs[:, 0] > 0).astype(int))


TRAIN, VALIDATION = rows(40, 0), rows(20, 1)


def small(split):
    return nn.Linear(4, 2)


def with_dropout(split):
    return nn.Sequential(nn.Dropout(0.1), nn.Linear(4, 2))


def trained(members, build=small, **more):
    return train_members(build, None, TRAIN, VALIDATION, TASK, members, **more)


def changed(**fields):
    return dataclasses.replace(TRAINING, **fields)


def assert_same(ours, theirs):
    for name in theirs.predictions:
        np.testing.assert_allclose(ours.predictions[name], theirs.predictions[name], atol=1e-5)
    np.testing.assert_allclose(ours.corrupted, theirs.corrupted, atol=0.05)  # of 20 rows, one may tip over
    assert [epoch for epoch, *_ in ours.losses] == [epoch for epoch, *_ in theirs.losses]
    np.testing.assert_allclose([x for _, x, _ in ours.losses], [x for _, x, _ in theirs.losses], atol=1e-5)
    assert ours.best_epoch == theirs.best_epoch
    assert ours.norm_ratio == pytest.approx(theirs.norm_ratio, abs=1e-5)


@pytest.mark.parametrize("count", [1, 2])
def test_a_device_that_is_not_there_is_refused_of_stacks_too(count):
    with pytest.raises(TrainingError, match="device 'cuda:99' cannot be used"):
        trained([changed(seed=seed, device="cuda:99") for seed in range(count)])


MIXED = [
    changed(seed=1),
    changed(seed=0, weight_decay=0.0),
    changed(seed=1, decay=Decay("l2"), weight_decay=0.1),
    changed(seed=0, learning_rate=0.03),
    changed(seed=0, epochs=2),
    changed(seed=1, decay=Decay("l2"), weight_decay=0.0),
    changed(seed=0, decay=Decay(exclude=("weight",)), weight_decay=0.0),
    changed(seed=2, batch_size=None),
    changed(seed=2, decay=Decay(lambda parameter, step: parameter), weight_decay=0.0),
]


def test_members_of_any_mixture_leave_what_they_leave_alone_in_their_order():
    for ours, member in zip(trained(MIXED), MIXED, strict=True):
        theirs = train_alone(small, None, TRAIN, VALIDATION, TASK, member)
        if member.decay.exclude:
            assert np.isnan(ours.norm_ratio)  # nothing of it is decayed
            ours = dataclasses.replace(ours, norm_ratio=1.0)
            theirs = dataclasses.replace(theirs, norm_ratio=1.0)
        assert_same(ours, theirs)


def test_members_without_decay_join_the_largest_stack_that_they_fit(monkeypatch):
    sizes = counted(monkeypatch)
    forms = [changed(seed=s, decay=Decay(form)) for form in ("l2", "decoupled", "cautious") for s in (0, 1)]
    trained([*forms, changed(seed=0, weight_decay=0.0), changed(seed=1, weight_decay=0.0)])
    assert sorted(sizes) == [2, 2, 4]


def test_many_members_are_parted_between_their_seeds(monkeypatch):
    sizes = counted(monkeypatch)
    monkeypatch.setattr(fleet, "MOST_TOGETHER", 7)
    trained([changed(seed=s, weight_decay=wd) for s in (0, 1, 2) for wd in (0.0, 0.1, 0.2)])
    assert sizes == [6, 3]


def test_no_stack_takes_more_memory_than_it_may(monkeypatch):
    sizes = counted(monkeypatch)
    monkeypatch.setattr(fleet, "MOST_NUMBERS", 4 * 10 * 2)
    trained([changed(weight_decay=wd) for wd in (0.0, 0.1, 0.2, 0.3, 0.4)])
    assert sizes == [2, 2, 1]


def counted(monkeypatch):
    sizes, fit = [], fleet.fit_stacked

    def fit_and_count(nets, *rest, **more):
        sizes.append(len(nets))
        return fit(nets, *rest, **more)

    monkeypatch.setattr(fleet, "fit_stacked", fit_and_count)
    return sizes


ALONE = [
    {"optimizer": "muon"},
    {"sampler": "balanced"},
    {"sampler": "weighted"},
    {"label_smoothing": 0.2},
    {"class_weights": "balanced"},
    {"class_weights": (1.0, 3.0)},
    {"clip_norm": 0.05},
    {"average": 0.9},
]


@pytest.mark.parametrize("options", [*ALONE, {"schedule": "restarts", "cycles": 3}], ids=str)
def test_options_of_a_fleet_are_those_of_its_trainings(options):
    def narrow(split):
        return nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))

    members = [changed(seed=seed, learning_rate=0.05, **options) for seed in (0, 1)]
    weighted = dataclasses.replace(TRAIN, weights=np.linspace(0.1, 2, len(TRAIN)))
    assert fleet.stacks(narrow, None, weighted, TASK, members[0]) == (options not in ALONE)
    parts = (narrow, None, weighted, VALIDATION, TASK)
    plain = train_alone(*parts, changed(seed=0, learning_rate=0.05))
    found = train_members(*parts, members)
    for ours, member in zip(found, members, strict=True):
        assert_same(ours, train_alone(*parts, member))
    assert [loss for _, loss, _ in found[0].losses] != [loss for _, loss, _ in plain.losses]


@pytest.mark.parametrize("build", [small, with_dropout])
@pytest.mark.parametrize("patience", [None, 1])
def test_a_member_that_diverges_is_named_and_the_others_go_on(build, patience):
    calm = changed(optimizer="sgd", weight_decay=0.0, patience=patience)
    wild = dataclasses.replace(calm, learning_rate=1e38)
    first, second, third = trained([calm, wild, dataclasses.replace(calm, seed=1)], build)
    assert isinstance(second, Diverged)
    assert second.reason == train_alone(build, None, TRAIN, VALIDATION, TASK, wild).reason
    for ours, member in ((first, calm), (third, dataclasses.replace(calm, seed=1))):
        assert_same(ours, train_alone(build, None, TRAIN, VALIDATION, TASK, member))


def test_a_mistake_in_a_decay_function_ends_all_and_is_no_divergence():
    def wrong(parameter, step):
        return parameter if step.weight_decay < 1 else parameter[0]

    with pytest.raises(TrainingError, match="expected that shape"):
        trained([changed(decay=Decay(wrong)), changed(decay=Decay(wrong), weight_decay=2.0)])


def test_a_preprocessing_is_not_fitted_for_each_member():
    fitted = []

    def preprocess(split):
        fitted.append(len(split))
        return AsFloat()

    train_members(small, preprocess, *PARTS, [changed(seed=seed) for seed in range(9)])
    assert len(fitted) == 2


PARTS = (TRAIN, VALIDATION, TASK)


class Noisy(nn.Module):
    """A preprocessing that is fitted with the help of chance."""

    def __init__(self):
        super().__init__()
        self.turn = nn.Linear(4, 4)

    def forward(self, inputs):
        return self.turn(inputs.float())


def test_a_preprocessing_that_draws_numbers_is_that_of_each_member():
    members = [changed(seed=seed) for seed in (0, 1)]
    outcomes = train_members(small, lambda split: Noisy(), *PARTS, members)
    for ours, member in zip(outcomes, members, strict=True):
        assert_same(ours, train_alone(small, lambda split: Noisy(), *PARTS, member))


def test_rows_that_are_augmented_are_augmented_in_every_training():
    called = []

    def augment(batch, generator):
        called.append(len(batch))
        return batch

    trained([changed(), changed(seed=1)], augment=augment)
    assert sum(called) == 2 * 3 * 40


@pytest.mark.parametrize("build", [small, with_dropout])
@pytest.mark.parametrize("patience", [None, 1])
def test_shares_rise_to_all_of_it(build, patience):
    shares, words = [], []
    members = [changed(seed=seed, patience=patience) for seed in range(4)]
    trained(members, build, on_share=shares.append, on_progress=words.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(words) == len(shares)
    assert "epoch" in words[0]


def test_seconds_are_those_of_a_share_of_the_fleet():
    outcomes = trained([changed(seed=seed) for seed in range(4)])
    assert len({outcome.seconds for outcome in outcomes}) == 1
    assert 0 < outcomes[0].losses[-1][2] <= outcomes[0].seconds


def test_no_members_leave_nothing():
    assert trained([]) == []


def test_seconds_of_a_stack_that_was_stopped_are_those_of_all_its_processes(tmp_path, monkeypatch):
    members = [changed(seed=seed) for seed in range(2)]
    under_way = UnderWay(tmp_path, {member: f"{member.seed}.npz" for member in members})
    with monkeypatch.context() as patch:
        slow = SimpleNamespace(perf_counter=itertools.count(0, 1000).__next__)
        patch.setattr(courses, "time", slow)
        trained(members, under_way=under_way)
    for outcome in trained(members, under_way=under_way):
        assert outcome.losses[-1][2] <= outcome.seconds
        assert outcome.seconds > 500
