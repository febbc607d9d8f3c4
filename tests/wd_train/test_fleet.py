"""Is the decay compared with none, at the price that was allowed?"""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from data_checks.splits import Split
from wd_train.fleet import measure_decay, pairs_of, train_fleet
from wd_train.network import predict, scores_of
from wd_train.rows import Rows
from wd_train.training import Training, train
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


def measured(build=small, training=TRAINING, main_seconds=1e6, **more):
    return measure_decay(build, None, TRAIN, VALIDATION, TASK, training, main_seconds=main_seconds, **more)


def test_pairs_share_their_seed_and_differ_in_decay_alone():
    pairs = pairs_of(dataclasses.replace(TRAINING, seed=7), 2)
    assert [(member.seed, member.weight_decay) for member in pairs] == [
        (7, 0.5),
        (7, 0.0),
        (8, 0.5),
        (8, 0.0),
    ]


def test_a_fleet_gives_the_scores_of_trainings_one_by_one():
    members = pairs_of(TRAINING, 2)
    for scores, member in zip(
        train_fleet(small, None, TRAIN, VALIDATION, TASK, members), members, strict=True
    ):
        network = train(small, None, TRAIN, VALIDATION, TASK, member).network
        validation = Rows(VALIDATION, network.preprocess, torch.device("cpu"))
        alone = scores_of(TASK, predict(network.net, validation), validation.targets)
        np.testing.assert_allclose(scores["nll"], alone["nll"], atol=1e-5)


def test_a_network_that_stacks_is_measured_whatever_the_training_took():
    effect = measured(seeds=3)
    assert (effect.status, effect.seeds, effect.rows) == ("measured", 3, 40)
    assert [e.score for e in effect.effects] == ["accuracy", "nll", "brier", "confidence_gap"]


def test_without_decay_there_is_nothing_to_measure():
    effect = measured(training=dataclasses.replace(TRAINING, weight_decay=0.0))
    assert effect.status == "nothing to measure"


@pytest.mark.parametrize(("budget", "share", "expected"), [(4.0, 1.0, 2), (0.25, 0.1, 1), (1.0, 0.1, 3)])
def test_other_networks_get_the_pairs_that_the_budget_pays(budget, share, expected):
    told = []
    effect = measured(with_dropout, seeds=3, budget=budget, rows=share, on_progress=told.append)
    assert (effect.seeds, effect.rows) == (expected, round(40 * share))
    assert told[-1] == f"control training {2 * expected} of {2 * expected}"


def test_what_the_budget_does_not_pay_is_not_measured_and_says_why():
    effect = measured(with_dropout, budget=0.25)
    assert (effect.status, effect.seeds) == ("not measured", 0)
    assert "25% of the training's 1,000,000 s were allowed" in effect.sentence


def test_a_training_of_seconds_is_measured_within_any_budget():
    assert measured(with_dropout, budget=0.0, main_seconds=1.0).seeds == 3


def test_rows_that_are_augmented_are_augmented_in_the_pairs_too():
    called = []

    def augment(batch, generator):
        called.append(len(batch))
        return batch

    assert measured(augment=augment, main_seconds=1.0, seeds=1).status == "measured"
    assert sum(called) == 2 * 3 * 40


@pytest.mark.parametrize("build", [small, with_dropout])
def test_a_pair_that_diverges_does_not_stop_the_run(build):
    wild = dataclasses.replace(TRAINING, optimizer="sgd", learning_rate=1e38, weight_decay=1e-39)
    assert measured(build, wild, main_seconds=1.0).status == "not measured"
