"""Does a training give the same bits again, and say what was wrong with it?"""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from data_checks.errors import ModelError, TrainingError
from data_checks.splits import Split
from wd_train.decay import Decay
from wd_train.provenance import param_groups
from wd_train.schedules import cosine
from wd_train.training import Training, train
from wdgate.evaluation.tasks import Classification, Regression

TASK = Classification(("low", "high"))
TRAINING = Training(weight_decay=0.1, learning_rate=1e-2, epochs=4, batch_size=16, device="cpu")


def rows(n, seed, **more):
    inputs = np.random.default_rng(seed).normal(size=(n, 6))
    return Split(inputs, (inputs[:, 0] > 0).astype(int), **more)


TRAIN, VALIDATION = rows(60, 0), rows(20, 1)


def model(split):
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2))


def bits(trained):
    return b"".join(values.numpy().tobytes() for values in trained.network.state_dict().values())


def run(build=model, train_rows=TRAIN, task=TASK, training=TRAINING, **more):
    return train(build, None, train_rows, VALIDATION, task, training, **more)


def noisy(batch, generator):
    return batch + 0.1 * torch.randn(batch.shape, generator=generator)


@pytest.mark.parametrize("more", [{}, {"augment": noisy}])
def test_the_same_arguments_give_the_same_bits_whatever_was_drawn_before(more):
    first = run(**more)
    torch.manual_seed(99)
    before = torch.get_rng_state()
    second = run(**more)
    assert bits(first) == bits(second)
    assert first.history == second.history
    assert torch.equal(before, torch.get_rng_state())


def test_another_seed_gives_other_bits():
    assert bits(run()) != bits(run(training=dataclasses.replace(TRAINING, seed=1)))


def test_the_loop_takes_the_steps_of_torch_adamw():
    def plain(split):
        return nn.Linear(6, 2)

    training = dataclasses.replace(TRAINING, batch_size=None, weight_decay=2.0, epochs=10)
    ours = run(plain, training=training).network.net
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = nn.Linear(6, 2)
    optimizer = torch.optim.AdamW(param_groups(theirs, 2.0), lr=1e-2)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, cosine(10))
    for _ in range(10):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(
            theirs(torch.tensor(TRAIN.inputs).float()), torch.tensor(TRAIN.targets)
        )
        loss.backward()
        optimizer.step()
        schedule.step()
    torch.testing.assert_close(ours.weight, theirs.weight, rtol=0, atol=1e-6)
    torch.testing.assert_close(ours.bias, theirs.bias, rtol=0, atol=1e-6)


def test_every_measured_epoch_is_told_of_and_kept():
    told = []
    trained = run(training=dataclasses.replace(TRAINING, epochs=5, measure_every=2), on_epoch=told.append)
    assert tuple(told) == trained.history
    assert [(epoch.epoch, epoch.step) for epoch in told] == [(2, 8), (4, 16), (5, 20)]
    assert trained.best_epoch == 5


def test_the_reported_scores_are_those_of_the_network_that_is_given_back():
    trained = run()
    with torch.no_grad():
        predicted = trained.network(torch.tensor(TRAIN.inputs)).argmax(1).numpy()
    assert trained.train_score == pytest.approx((predicted == TRAIN.targets).mean())
    assert trained.validation_score == trained.history[-1].validation_score


def test_a_readers_rows_train_to_the_same_bits_as_rows_in_memory():
    class Reader:
        def __len__(self):
            return len(TRAIN)

        def __getitem__(self, indices):
            return TRAIN.inputs[indices]

        def key(self, index):
            return TRAIN.inputs[index].tobytes()

    assert bits(run(train_rows=Split(Reader(), TRAIN.targets))) == bits(run())


def test_rows_of_weight_0_are_not_learned_from():
    doubled = TRAIN.take(np.r_[0:60, 0:60])
    wrong = dataclasses.replace(
        doubled,
        targets=np.r_[TRAIN.targets, 1 - TRAIN.targets],
        weights=np.r_[np.ones(60), np.zeros(60)],
    )
    training = dataclasses.replace(TRAINING, batch_size=None, epochs=60, learning_rate=3e-2)
    assert run(train_rows=wrong, training=training).validation_score >= 0.9


def test_filters_are_given_back_as_they_are_usually_laid_out():
    pictures = Split(np.random.default_rng(0).normal(size=(8, 2, 5, 5)), np.arange(8) % 2)

    def filters(split):
        return nn.Sequential(nn.Conv2d(2, 3, 3), nn.Flatten(), nn.Linear(27, 2))

    trained = train(filters, None, pictures, pictures, TASK, TRAINING)
    assert trained.network.net[0].weight.is_contiguous()


def test_a_regression_learns_its_targets():
    inputs = np.random.default_rng(0).normal(size=(60, 6))
    line = Split(inputs, inputs @ np.arange(6.0))
    training = Training(weight_decay=0, learning_rate=0.1, epochs=300, batch_size=None)
    trained = train(lambda split: nn.Linear(6, 1), None, line, line, Regression(), training)
    assert trained.train_score < 0.1


def test_a_training_that_diverges_says_at_which_step():
    wild = Training(weight_decay=0, learning_rate=1e30, optimizer="sgd", epochs=3, batch_size=None)
    with pytest.raises(TrainingError, match="the training diverged"):
        run(training=wild)


def test_a_network_with_the_wrong_number_of_outputs_is_refused_before_training():
    told = []
    with pytest.raises(ModelError, match="gives 3 outputs a row, but the task needs 2"):
        run(lambda split: nn.Linear(6, 3), on_epoch=told.append)
    assert not told


def test_the_record_of_the_decay_adds_up_the_schedule():
    trained = run()
    rates = TRAINING.rates(len(TRAIN))
    assert trained.decay.kappa == pytest.approx(0.1 * sum(rates))
    assert trained.decay.timescale == pytest.approx(1 / (0.1 * 1e-2))
    assert [tensor.name for tensor in trained.decay.tensors if tensor.decayed] == ["0.weight", "3.weight"]


def test_what_the_decay_does_is_watched_and_told_as_it_happens():
    told = []
    trained = run(on_reading=told.append)
    assert tuple(told) == trained.readings
    assert [(reading.step, len(reading.tensors)) for reading in told] == [(0, 0), (1, 2), (16, 2)]
    assert [found.name for found in trained.diagnoses] == ["inert"]
    rms = trained.network.net[0].weight.square().mean().sqrt().item()
    assert told[-1].tensors[0].rms == pytest.approx(rms, rel=1e-5)


def test_watching_changes_no_bit(monkeypatch):
    watched = run()
    monkeypatch.setattr("wd_train.diagnostics.Watch.due", lambda watch, step: False)
    assert bits(run()) == bits(watched)


@pytest.mark.parametrize(
    ("optimizer", "decay", "known"),
    [
        ("adamw", Decay(), True),
        ("adamw", Decay("cautious"), True),
        ("adamw", Decay("constrained", kappa=0.5), True),
        ("adamw", Decay(schedule="gradient_norm"), True),
        ("sgd", Decay("l2"), True),
        ("adamw", Decay("l2"), False),
    ],
)
def test_the_distance_from_equilibrium_is_known_where_the_shrink_is(optimizer, decay, known):
    training = dataclasses.replace(TRAINING, optimizer=optimizer, decay=decay, schedule="constant")
    (first, _) = run(training=training).readings[-1].tensors
    assert (first.distance_from_equilibrium is not None) == known


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"weight_decay": -0.1}, "weight_decay must be at least 0, got -0.1"),
        ({"weight_decay": float("nan")}, "weight_decay must be at least 0, got nan"),
        ({"weight_decay": float("inf")}, "weight_decay must be at least 0, got inf"),
        ({"weight_decay": 1000.0}, "must be below 1 or a step overshoots, got 0.001 x 1000.0"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0, got 0.0"),
        ({"optimizer": "adamw2"}, "optimizer must be one of adamw, adam, sgd, muon, got 'adamw2'"),
        ({"decay": "cautious"}, "decay must be a Decay, such as Decay('cautious'), got 'cautious'"),
        (
            {"decay": Decay("independent"), "weight_decay": 1.0},
            "weight_decay must be below 1 with 'independent' or a step overshoots, got 1.0",
        ),
        ({"schedule": "step"}, "schedule must be one of constant, cosine, linear, restarts, got 'step'"),
        ({"epochs": 0}, "epochs must be a whole number of at least 1, got 0"),
        ({"epochs": 1.5}, "epochs must be a whole number of at least 1, got 1.5"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1, got 0"),
        ({"patience": 0}, "patience must be a whole number of at least 1, got 0"),
        ({"betas": (0.9, 1.0)}, "momentum and betas must be below 1"),
        ({"cycles": 0}, "cycles must be a whole number of at least 1, got 0"),
        ({"sampler": "random"}, "sampler must be one of shuffle, balanced, weighted, got 'random'"),
        ({"label_smoothing": 1.0}, "label_smoothing must be at least 0 and below 1, got 1.0"),
        ({"label_smoothing": float("nan")}, "label_smoothing must be at least 0 and below 1, got nan"),
        ({"class_weights": "even"}, "class_weights must be 'balanced', or a tuple of numbers above 0"),
        ({"class_weights": (1.0, 0.0)}, "one a class, got (1.0, 0.0)"),
        ({"class_weights": [1.0, 2.0]}, "one a class, got [1.0, 2.0]"),
        ({"class_weights": "balanced", "sampler": "balanced"}, "which corrects twice: choose one"),
        ({"clip_norm": 0.0}, "clip_norm must be above 0, got 0.0"),
        ({"clip_norm": float("inf")}, "clip_norm must be above 0, got inf"),
        ({"average": 1.0}, "average must be above 0 and below 1, got 1.0"),
        ({"average": 0}, "average must be above 0 and below 1, got 0"),
    ],
)
def test_a_value_out_of_its_range_is_named_with_what_was_expected(wrong, said):
    with pytest.raises(TrainingError) as raised:
        Training(**{"weight_decay": 0.1, **wrong})
    assert said in str(raised.value)


def test_a_warmup_longer_than_the_training_is_refused():
    with pytest.raises(TrainingError, match="warmup must be below the 16 steps"):
        run(training=dataclasses.replace(TRAINING, warmup=16))


def test_more_restarts_than_steps_are_refused():
    with pytest.raises(TrainingError, match="cycles must be at most the 13 steps after the warm-up, got 14"):
        run(training=dataclasses.replace(TRAINING, schedule="restarts", warmup=3, cycles=14))


def test_what_restarts_take_of_a_weight_is_known_before_the_training():
    training = dataclasses.replace(TRAINING, schedule="restarts", cycles=3, warmup=2)
    rates = training.rates(len(TRAIN))
    assert max(rates) == training.learning_rate
    assert rates[2] == pytest.approx(training.learning_rate)
    left = np.prod([1 - rate * training.weight_decay for rate in rates])
    assert run(training=training).decay.total_shrink == pytest.approx(1 - left)


def test_it_is_said_how_many_epochs_patience_left_out():
    impatient = dataclasses.replace(TRAINING, learning_rate=1.0, weight_decay=0.0, epochs=30, patience=1)
    result = run(training=impatient)
    assert result.cost.epochs_saved == 30 - result.history[-1].epoch > 0
    assert run(training=TRAINING).cost.epochs_saved == 0
