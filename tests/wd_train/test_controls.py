"""Is the decay compared with none, at the price that was allowed, and is nothing trained twice?"""

import dataclasses
import os
import time
from types import SimpleNamespace

import numpy as np
import pytest
from torch import nn

from data_checks.splits import Split
from wd_train import controls
from wd_train.controls import Main, Purse, Spent, measure_decay, pairs_of
from wd_train.decay import Decay
from wd_train.kept import Kept
from wd_train.outcomes import Diverged, Outcome
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


def kept_in(folder, content="digits"):
    return Kept(folder, lambda member: f"{content}-{hash(member)}.npz")


def measured(build=small, training=TRAINING, seconds=1e6, network=None, **more):
    main = Main(seconds, network)
    return measure_decay(build, None, TRAIN, VALIDATION, TASK, training, main=main, **more)


@pytest.fixture
def now(monkeypatch):
    """A clock that stands still, unless a test moves it."""
    now = [0.0]
    monkeypatch.setattr(controls, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    return now


@pytest.fixture
def trained(monkeypatch, now):
    """The (seed, weight_decay) of every training that was run alone; each takes 1e6 s for 40 rows."""
    members, really = [], controls.train_alone

    def noted(*parts, **more):
        members.append((parts[5].seed, parts[5].weight_decay))
        now[0] += 1e6 * len(parts[2]) / 40
        return really(*parts, **{**more, "on_epoch": None})

    monkeypatch.setattr(controls, "train_alone", noted)
    return members


@pytest.fixture
def main():
    return train(with_dropout, None, TRAIN, VALIDATION, TASK, TRAINING).network


def test_pairs_share_their_seed_and_differ_in_the_coefficient_alone():
    pairs = pairs_of(dataclasses.replace(TRAINING, seed=7), 2)
    assert [[(m.seed, m.weight_decay) for m in pair] for pair in pairs] == [
        [(7, 0.5), (7, 0.0)],
        [(8, 0.5), (8, 0.0)],
    ]


def test_a_network_that_stacks_is_measured_whatever_the_training_took(trained):
    effect = measured(seeds=3)
    assert (effect.status, effect.seeds, effect.rows, effect.controls) == ("measured", 3, 40, "fleet")
    names = [e.score for e in effect.effects]
    assert names == ["accuracy", "nll", "brier", "confidence_gap", "corrupted_accuracy", "ece"]
    assert trained == []


def test_without_decay_there_is_nothing_to_measure():
    effect = measured(training=dataclasses.replace(TRAINING, weight_decay=0.0))
    assert effect.status == "nothing to measure"


def test_where_no_pairs_are_wanted_none_is_trained(trained):
    assert "no pairs of trainings were asked for" in measured(with_dropout, seeds=0).sentence
    assert trained == []


def test_the_configured_training_is_the_half_of_the_first_pair(trained, main):
    effect = measured(with_dropout, network=main, budget=1.0)
    assert (effect.status, effect.seeds, effect.controls) == ("measured", 1, "trained beside")
    assert trained == [(0, 0.0)]
    assert "another seed may differ" in effect.sentence


def test_the_pair_of_the_configured_training_is_what_two_trainings_would_have_given(main):
    with_main = measured(with_dropout, network=main, budget=1.0)
    alone = measured(with_dropout, budget=2.0, seeds=1)
    for ours, theirs in zip(with_main.effects, alone.effects, strict=True):
        assert ours.difference == pytest.approx(theirs.difference, abs=1e-6)


@pytest.mark.parametrize(
    ("budget", "share", "expected"),
    [(1.0, 1.0, 1), (2.9, 1.0, 1), (3.0, 1.0, 2), (0.25, 0.1, 1), (1.0, 0.1, 3)],
)
def test_other_networks_get_the_pairs_that_the_budget_pays(trained, main, budget, share, expected):
    told = []
    effect = measured(with_dropout, network=main, seeds=3, budget=budget, rows=share, on_progress=told.append)
    assert (effect.seeds, effect.rows) == (expected, round(40 * share))
    # A network that was fitted on all rows is no half of a pair that is fitted on some.
    assert len(trained) == (2 * expected - 1 if share == 1 else 2 * expected)
    assert told[-1] == f"control training {len(trained)}"


def test_what_the_budget_does_not_pay_is_not_measured_and_says_what_it_takes(main, trained):
    effect = measured(with_dropout, network=main, seconds=1000.0, budget=0.25)
    assert (effect.status, effect.seeds, trained) == ("not measured", 0, [])
    assert "about 1,000 s, and 25% of the training's 1,000 s were allowed" in effect.sentence
    assert "about 2,000 s" in measured(with_dropout, seconds=1000.0, budget=0.25).sentence


def test_a_training_of_seconds_is_measured_within_any_budget():
    assert measured(with_dropout, budget=0.0, seconds=1.0).seeds == 3


def test_trainings_that_are_slower_than_expected_are_fewer(trained):
    # 6 x 0.4e6 s would pay six trainings of 0.4e6 s, but each takes 1e6 s.
    effect = measured(with_dropout, seconds=0.4e6, budget=6.0)
    assert (effect.seeds, len(trained)) == (1, 2)


def test_a_training_under_way_is_given_up_when_the_share_is_spent(monkeypatch):
    monkeypatch.setattr(controls, "FREE_SECONDS", 0.0)
    epochs = []

    def slow(batch, generator):
        epochs.append(0)
        time.sleep(0.005)
        return batch

    training = dataclasses.replace(TRAINING, epochs=400)
    effect = measured(with_dropout, training, seconds=0.01, budget=4.0, augment=slow)
    assert effect.status == "not measured"
    assert len(epochs) < 100


def test_a_purse_pays_what_fits_and_learns_what_a_training_takes(now):
    purse = Purse(allowed=100.0, each=25.0)
    assert purse.pays(4)
    assert not purse.pays(5)
    purse.begin()
    now[0] = 40.0
    purse.end()
    assert purse.pays(1)
    assert not purse.pays(2)
    now[0] = 109.0
    purse.check()
    now[0] = 111.0
    with pytest.raises(Spent):
        purse.check()


def test_what_earlier_runs_trained_is_not_trained_again(tmp_path, trained, main):
    kept = kept_in(tmp_path / "controls")
    first = measured(with_dropout, network=main, budget=1.0, kept=kept)
    for path in kept.folder.iterdir():
        os.utime(path, (time.time() - 3.5 * 86400,) * 2)
    again = dataclasses.replace(TRAINING, weight_decay=0.2)
    network = train(with_dropout, None, TRAIN, VALIDATION, TASK, again).network
    second = measured(with_dropout, again, network=network, budget=0.0, kept=kept)
    assert (second.status, second.seeds, second.controls) == ("measured", 1, "kept from 3 days ago")
    assert "The control was trained 3 days ago." in second.sentence
    assert trained == [(0, 0.0)]
    assert second.effects[0].without_decay == first.effects[0].without_decay


def test_a_kept_control_of_other_content_is_not_taken(tmp_path, main):
    measured(with_dropout, network=main, budget=1.0, kept=kept_in(tmp_path))
    for kept, training in [
        (kept_in(tmp_path, "other rows"), TRAINING),
        (kept_in(tmp_path), dataclasses.replace(TRAINING, learning_rate=2e-2)),
        (kept_in(tmp_path), dataclasses.replace(TRAINING, seed=1)),
    ]:
        effect = measured(with_dropout, training, network=main, budget=0.0, kept=kept, seeds=1)
        assert effect.status == "not measured"


def test_a_kept_control_that_is_damaged_is_trained_again(tmp_path, trained, main):
    kept = kept_in(tmp_path)
    measured(with_dropout, network=main, budget=1.0, kept=kept)
    path = kept.path(dataclasses.replace(TRAINING, weight_decay=0.0))
    path.write_bytes(path.read_bytes()[:200])
    effect = measured(with_dropout, network=main, budget=1.0, kept=kept)
    assert (effect.status, effect.controls) == ("measured", "trained beside")
    assert trained == [(0, 0.0)] * 2


def test_a_fleet_leaves_its_outcomes_for_a_sweep(tmp_path):
    kept = kept_in(tmp_path)
    measured(kept=kept, seeds=2)
    for member in (member for pair in pairs_of(TRAINING, 2) for member in pair):
        outcome, age = kept.find(member)
        assert isinstance(outcome, Outcome)
        assert age < 60


def test_rows_that_are_augmented_are_augmented_in_the_pairs_too():
    called = []

    def augment(batch, generator):
        called.append(len(batch))
        return batch

    assert measured(augment=augment, seconds=1.0, seeds=1).status == "measured"
    assert sum(called) == 2 * 3 * 40


@pytest.mark.parametrize(
    ("build", "patience"), [(small, None), (small, 2), (with_dropout, None), (with_dropout, 2)]
)
def test_a_pair_that_diverges_does_not_stop_the_run_and_is_named(build, patience):
    wild = dataclasses.replace(
        TRAINING, optimizer="sgd", learning_rate=1e38, weight_decay=1e-39, patience=patience
    )
    effect = measured(build, wild, seconds=1.0)
    assert (effect.status, effect.missing) == ("not measured", 3)
    assert "3 trainings with decay diverged" in effect.sentence


def test_a_control_that_diverged_is_kept_and_not_trained_again(tmp_path, trained, main):
    kept = kept_in(tmp_path)
    kept.keep(dataclasses.replace(TRAINING, weight_decay=0.0), Diverged("its loss was nan at step 3"))
    effect = measured(with_dropout, network=main, budget=0.0, kept=kept)
    assert "1 training without decay diverged (its loss was nan at step 3)" in effect.sentence
    assert trained == []


def test_the_configured_training_whose_epochs_nobody_timed_is_not_kept(tmp_path, trained, main):
    kept = kept_in(tmp_path)
    measured(with_dropout, network=main, budget=1.0, kept=kept)
    with_decay, without = pairs_of(TRAINING, 1)[0]
    assert kept.find(with_decay) is None
    assert kept.find(without)[0].losses


def test_a_control_has_nothing_of_a_decay_function_of_the_users_own():
    def shrink(parameter, step):
        return parameter * 0.9

    training = Training(0.1, Decay(shrink), epochs=1)
    for own, control in pairs_of(training, 2):
        assert own.decay.form is shrink
        assert (control.weight_decay, control.decay, control.seed) == (0.0, Decay(), own.seed)
