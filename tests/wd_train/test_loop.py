"""Does a training that was stopped at any step end as if it had not been stopped?"""

import pytest
import torch
from torch import nn

from data_checks.errors import TrainingError
from data_checks.splits import Split
from wd_train import stopping
from wd_train.checkpoints import Checkpoints
from wd_train.decay import Decay
from wd_train.rows import drawn_for
from wd_train.training import Training, train
from wdgate.evaluation.tasks import Classification

TASK = Classification(("a", "b"))


class StoppedAt(Checkpoints):
    """Leaves a checkpoint after one step, and nothing afterwards, as a kill some steps later would."""

    def __init__(self, folder, step, dies):
        super().__init__(str(folder), "key")
        self.step, self.dies, self.taken = step, dies, 0

    def due(self):
        self.taken += 1
        if self.taken == self.step + self.dies:
            raise Killed
        return self.taken == self.step


class Killed(BaseException):
    pass


def rows(count, seed):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, 4, generator=generator)
    weights = torch.rand(count, generator=generator).numpy()
    return Split(inputs.numpy(), (inputs[:, 0] > 0).long().numpy(), weights=weights)


def model(_):
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2))


def noisy(inputs, generator):
    return inputs + 0.1 * torch.randn(inputs.shape, generator=generator)


def trained(training, checkpoints=None, augment=noisy):
    told = []
    result = train(
        model,
        None,
        rows(30, 0),
        rows(20, 1),
        TASK,
        training,
        augment=augment,
        checkpoints=checkpoints,
        on_epoch=lambda epoch: told.append(("epoch", epoch.step, epoch)),
        on_reading=lambda reading: told.append(("reading", reading.step, reading)),
    )
    return result, told


def state(result):
    return {name: values.tolist() for name, values in result.network.state_dict().items()}


ASKED = {"weight_decay": 0.1, "batch_size": 8, "epochs": 5, "learning_rate": 0.01}
TRAININGS = [
    Training(**ASKED),
    Training(**ASKED, patience=2, warmup=3),
    Training(**ASKED, optimizer="sgd", decay=Decay("l2")),
    Training(**ASKED, decay=Decay("constrained")),
    Training(**ASKED, decay=Decay("to_init", schedule="gradient_norm")),
    Training(**{**ASKED, "batch_size": None, "epochs": 9}, measure_every=2),
    Training(**ASKED, optimizer="muon"),
    Training(**ASKED, schedule="restarts", cycles=3, warmup=2),
    Training(**ASKED, label_smoothing=0.1, class_weights="balanced"),
    Training(**ASKED, sampler="balanced", class_weights=(1.0, 2.0)),
    Training(**ASKED, sampler="weighted"),
    Training(**ASKED, clip_norm=0.1),
    Training(**ASKED, average=0.9),
    Training(**ASKED, average=0.9, patience=1),
]


@pytest.mark.parametrize("training", TRAININGS)
@pytest.mark.parametrize(("step", "dies"), [(1, 1), (3, 2), (4, 3), (5, 1)])
def test_a_killed_training_ends_with_the_same_numbers(tmp_path, training, step, dies):
    whole, expected = trained(training)
    killed = StoppedAt(tmp_path, step, dies)
    with pytest.raises(Killed):
        trained(training, killed)
    resumed, told = trained(training, Checkpoints(str(tmp_path), "key"))
    assert state(resumed) == state(whole)
    assert resumed.history == whole.history
    assert resumed.readings == whole.readings
    assert resumed.best_epoch == whole.best_epoch
    assert told == expected


def test_a_finished_training_is_not_repeated(tmp_path):
    whole, _ = trained(TRAININGS[1], Checkpoints(str(tmp_path), "key"))
    again, told = trained(TRAININGS[1], StoppedAt(tmp_path, 1, 0))
    assert state(again) == state(whole)
    assert [what for what, _, _ in told].count("epoch") == len(whole.history)


def test_a_training_stops_when_it_is_asked_to_and_goes_on(tmp_path):
    whole, _ = trained(TRAININGS[0])

    def asks(inputs, generator):
        asked.append(stopping.ask_to_stop())
        return noisy(inputs, generator)

    asked = []
    with pytest.raises(KeyboardInterrupt):
        trained(TRAININGS[0], Checkpoints(str(tmp_path), "key"), augment=asks)
    assert asked == [True]
    assert not stopping.asked()
    resumed, _ = trained(TRAININGS[0], Checkpoints(str(tmp_path), "key"))
    assert state(resumed) == state(whole)


def test_what_augments_a_step_hangs_on_nothing_but_the_step():
    assert torch.equal(torch.randn(3, generator=drawn_for(1, 7)), torch.randn(3, generator=drawn_for(1, 7)))
    assert not torch.equal(
        torch.randn(3, generator=drawn_for(1, 7)), torch.randn(3, generator=drawn_for(1, 8))
    )


def test_a_loss_that_diverges_names_the_last_good_checkpoint_and_leaves_no_other(tmp_path):
    seen = []

    def breaks(inputs, generator):
        seen.append(1)
        return inputs * (float("inf") if len(seen) == 7 else 1)

    class EveryThird(Checkpoints):
        def due(self):
            return len(seen) % 3 == 0

    with pytest.raises(
        TrainingError, match=r"loss was nan at step 7, .*; the last good checkpoint is of step 6"
    ):
        trained(TRAININGS[0], EveryThird(str(tmp_path), "key"), augment=breaks)
    assert Checkpoints(str(tmp_path), "key").load()["step"] == 6


def test_weights_that_are_no_numbers_are_not_kept(tmp_path):
    class Broken(Checkpoints):
        def due(self):
            return True

    def breaks(split):
        net = model(split)
        net[0].weight.register_hook(lambda gradient: gradient * float("nan"))
        return net

    with pytest.raises(TrainingError, match="after step 1 its weights are no finite numbers"):
        train(
            breaks,
            None,
            rows(30, 0),
            rows(20, 1),
            TASK,
            TRAININGS[0],
            checkpoints=Broken(str(tmp_path), "key"),
        )
    assert Checkpoints(str(tmp_path), "key").load() is None


def test_a_checkpoint_of_another_network_is_told_and_not_used(tmp_path):
    trained(TRAININGS[0], Checkpoints(str(tmp_path), "key"))
    told = []
    parts = (lambda _: nn.Linear(4, 2), None, rows(30, 0), rows(20, 1), TASK, TRAININGS[0])
    again = train(*parts, checkpoints=Checkpoints(str(tmp_path), "key"), tell=told.append)
    assert told == ["the checkpoint is of a network with other weights: the training begins anew"]
    assert state(again) == state(train(*parts))


class Counting(nn.Module):
    """Noise that grows with each batch, by a buffer that is not part of the network's own state."""

    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(()), persistent=False)

    def forward(self, inputs):
        if self.training:
            self.seen += 1
        return inputs + self.seen.sin()


def test_buffers_that_the_network_does_not_keep_go_on_as_well(tmp_path):
    parts = (
        lambda _: nn.Sequential(Counting(), nn.Linear(4, 2)),
        None,
        rows(30, 0),
        rows(20, 1),
        TASK,
        TRAININGS[0],
    )
    whole = train(*parts)
    with pytest.raises(Killed):
        train(*parts, checkpoints=StoppedAt(tmp_path, 3, 2))
    assert state(train(*parts, checkpoints=Checkpoints(str(tmp_path), "key"))) == state(whole)
