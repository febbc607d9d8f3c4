"""Do two processes train as one does, and does each of them end when the other is gone?

This file is also the program of the two processes: they start once, train all cases, and leave what
they found.
"""

import itertools
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from data_checks.errors import TrainingError
from data_checks.splits import Split
from wd_train.checkpoints import Checkpoints
from wd_train.decay import Decay
from wd_train.gathering import any_of, counted_once, gathered
from wd_train.measuring import Seen
from wd_train.parallel import check_slices, joined, norms_together, pick_own_device
from wd_train.training import Training, train
from wd_train.world import World, read_world
from wdgate.evaluation.tasks import Classification, Regression

TASK = Classification(("a", "b", "c"))
CPU = torch.device("cpu")
ASKED = {"weight_decay": 0.3, "batch_size": 8, "epochs": 4, "learning_rate": 0.02, "device": "cpu"}


class Doubled(nn.Module):
    def forward(self, inputs):
        return inputs.double()


class Branched(nn.Module):
    """A network with a part that takes no part in the loss."""

    def __init__(self):
        super().__init__()
        self.used, self.unused = nn.Linear(4, 3), nn.Linear(4, 3)

    def forward(self, inputs):
        return self.used(inputs)


def rows(count, seed, weighted=True):
    generator = np.random.default_rng(seed)
    inputs = generator.normal(size=(count, 4)).astype(np.float32)
    targets = (inputs[:, 0] > 0).astype(np.int64) + (inputs[:, 1] > 1)
    weights = generator.uniform(0, 2, count)
    # Rows that count for nothing fill the slice of one process, sometimes.
    weights[count // 3 : 2 * count // 3] = 0
    return Split(inputs, targets, weights=weights if weighted else None)


def plain(_):
    return nn.Sequential(
        nn.Linear(4, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3)
    ).double()


def branched(_):
    return Branched().double()


def drawing(_):
    """A network that draws, and that has statistics of a batch."""
    return nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3)
    ).double()


def pulled(parameter, step):
    return parameter - step.rate * step.weight_decay * step.gradient.sign() * parameter.abs()


def training(**options):
    return Training(**{**ASKED, **options})


FORMS = ("l2", "decoupled", "independent", "corrected", "cautious", "constrained", "to_init")
ALIKE = {
    **{form: training(decay=Decay(form)) for form in FORMS},
    **{f"{form} with sgd": training(decay=Decay(form), optimizer="sgd") for form in FORMS},
    **{
        f"{form} by gradients": training(decay=Decay(form, "gradient_norm"), weight_decay=1e-3)
        for form in FORMS
    },
    "own form": training(decay=Decay(pulled)),
    "muon": training(optimizer="muon"),
    "clipped": training(clip_norm=0.1),
    "averaged": training(average=0.9),
    "smoothed": training(label_smoothing=0.1),
    "weighed classes": training(class_weights=(1.0, 0.2, 3.0)),
    "drawn by weights": training(sampler="weighted"),
    "batches of one": training(batch_size=1, epochs=2),
    "one batch": training(batch_size=None, measure_every=3),
    "patience": training(patience=1, learning_rate=0.5, weight_decay=0.1, epochs=9),
    "unused part": training(epochs=3),
}


def case(name, **given):
    build = branched if name == "unused part" else plain
    split = rows(31, 0, weighted=name not in ("one batch", "batches of one"))
    return train(build, lambda _: Doubled(), split, rows(15, 1), TASK, ALIKE[name], **given)


def regression(**given):
    """With fewer validation rows than processes."""
    split = rows(30, 0)
    split = Split(split.inputs, split.inputs[:, 0].astype(np.float64), weights=split.weights)
    return train(
        lambda _: nn.Linear(4, 1).double(),
        lambda _: Doubled(),
        split,
        split.take(np.arange(1)),
        Regression(),
        training(),
        **given,
    )


class Dies(BaseException):
    pass


class StoppedAt(Checkpoints):
    """Leaves a checkpoint after one step."""

    def __init__(self, folder, step):
        super().__init__(str(folder), "key")
        self.step, self.taken = step, 0

    def due(self):
        self.taken += 1
        return self.taken == self.step


def noisy(inputs, generator):
    return inputs + 0.1 * torch.randn(inputs.shape, generator=generator)


def drawn(folder=None, step=None, world=None, dies=False, build=drawing, augment=noisy):
    steps = itertools.count(1)

    def augmented(inputs, generator):
        if dies and next(steps) == step + 3:
            raise Dies
        return augment(inputs, generator)

    kept = None if folder is None else StoppedAt(folder, step)
    return train(
        build, lambda _: Doubled(), rows(30, 0), rows(15, 1), TASK, training(), augment=augmented,
        checkpoints=kept, world=world,
    )  # fmt: skip


def as_it_is(inputs, generator):
    return inputs


def found(trained):
    history = [
        (e.train_loss, e.train_score, e.validation_loss, e.validation_score, e.weight_norm)
        for e in trained.history
    ]
    return {
        "net": trained.network.net.state_dict(),
        "history": history,
        "best_epoch": trained.best_epoch,
        "scores": (trained.train_score, trained.validation_score),
        "readings": [reading.as_dict() for reading in trained.readings],
    }


def stopped_and_resumed(folder, step, world, **given):
    try:
        drawn(folder, step, world, dies=True, **given)
    except Dies:
        return found(drawn(folder, step, world, **given))
    raise AssertionError("it was to die")


def in_a_process(folder):
    """Everything that the two processes do."""
    world = read_world()
    left = {name: found(case(name, world=world)) for name in ALIKE}
    told = []
    case("l2", world=world, on_epoch=told.append, on_reading=told.append)
    left["told"] = len(told)
    left["regression"] = found(regression(world=world))
    left["drawn"] = found(drawn(world=world))
    for step in (2, 4, 5):
        left[f"resumed {step}"] = stopped_and_resumed(folder / str(step), step, world)
    left["stopped"] = stopped_and_resumed(folder / "fewer", 6, world, build=plain, augment=as_it_is)
    with joined(world, CPU):
        left["any"] = any_of(world, world.rank == 1, False)
        left["gathered"] = gathered(world, torch.arange(3.0).view(3, 1)[: 3 * world.rank] + 10)
    seeds = [world.seed(0), torch.initial_seed()]
    torch.save({**left, "seeds": seeds}, folder / f"{world.rank}.pt")


def lose_the_other(folder):
    """Rank 1 leaves without a word at its fifth step."""
    world, steps = read_world(), itertools.count(1)

    def leaving(inputs, generator):
        if world.rank == 1 and next(steps) == 5:
            os._exit(3)
        return inputs

    try:
        drawn(world=world, augment=leaving)
    except TrainingError as error:
        Path(folder, "said").write_text(str(error))


def start(what, folder, size=2):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {
        "WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "OMP_NUM_THREADS": "1",
    }
    return [
        subprocess.Popen(
            [sys.executable, __file__, what, str(folder)],
            env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(size)
    ]


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    ends = [
        (*process.communicate(timeout=300), process.returncode) for process in start("in_a_process", folder)
    ]
    assert [code for *_, code in ends] == [0, 0], ends
    # Nothing is said that a user can do nothing about.
    assert not any(said for _, said, _ in ends), ends
    return folder, [torch.load(folder / f"{rank}.pt") for rank in (0, 1)]


def compare(ours, theirs, tolerance):
    for name, values in theirs["net"].items():
        torch.testing.assert_close(ours["net"][name], values, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(ours["history"], theirs["history"], rtol=tolerance * 10, atol=tolerance * 10)
    np.testing.assert_allclose(ours["scores"], theirs["scores"], rtol=1e-12)
    assert ours["best_epoch"] == theirs["best_epoch"]
    assert len(ours["readings"]) == len(theirs["readings"])


@pytest.mark.parametrize("name", ALIKE)
def test_two_processes_take_the_steps_of_one(left, name):
    compare(left[1][0][name], found(case(name)), 1e-12)


@pytest.mark.parametrize("name", [*ALIKE, "drawn", "regression"])
def test_all_processes_end_with_the_same_network(left, name):
    compare(left[1][0][name], left[1][1][name], 0)


def test_a_process_may_have_no_row_to_measure(left):
    compare(left[1][0]["regression"], found(regression()), 1e-12)


def test_rank_0_alone_tells(left):
    assert left[1][0]["told"] >= ALIKE["l2"].epochs
    assert left[1][1]["told"] == 0


@pytest.mark.parametrize("step", [2, 4, 5])
def test_stopped_processes_go_on_to_the_same_bytes(left, step):
    for processes in left[1]:
        assert_same(processes[f"resumed {step}"], processes["drawn"])


def assert_same(ours, theirs):
    assert {n: v.tolist() for n, v in ours["net"].items()} == {
        n: v.tolist() for n, v in theirs["net"].items()
    }
    assert ours["history"] == theirs["history"]
    assert ours["readings"] == theirs["readings"]


def test_one_process_goes_on_where_two_were_stopped(left):
    whole = found(drawn(build=plain, augment=as_it_is))
    compare(left[1][0]["stopped"], whole, 1e-12)
    # The last of the checkpoints is of the end: a step before it is what two processes left in the middle.
    first = sorted(Path(left[0], "fewer", "key").iterdir())[0]
    assert first.suffix == ".checkpoint"


def test_what_is_known_together(left):
    for processes in left[1]:
        assert processes["any"] == (True, False)
        assert processes["gathered"].tolist() == [[10.0], [11.0], [12.0]]


def test_no_two_processes_draw_alike(left):
    assert left[1][0]["seeds"][0] != left[1][1]["seeds"][0]


def test_a_process_ends_when_the_other_is_gone(tmp_path):
    processes = start("lose_the_other", tmp_path)
    ends = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 3], ends
    assert "lost another one" in (tmp_path / "said").read_text()


def test_what_fewer_processes_go_on_with_is_counted_once():
    states = []
    for rank in range(3):
        seen = Seen()
        seen.add(torch.tensor(1.0 + rank), torch.full((1, 2), float(rank)), torch.tensor([rank]))
        states.append(seen.state_dict())
    for size in (1, 2, 4):
        parts = [counted_once(World(rank, size), states) for rank in range(size)]
        assert sum(float(part["losses"][0]) for part in parts) == 6
        rows = [int(i) for part in parts for indices in part["indices"] for i in indices]
        assert sorted(rows) == [0, 1, 2]


def test_one_card_for_two_processes_is_refused():
    with pytest.raises(TrainingError, match="'cuda:0' is one card, but 2 processes train"):
        pick_own_device(World(0, 2), "cuda:0")
    assert pick_own_device(World(1, 2, 1), "cpu") == CPU


def test_a_slice_too_small_for_a_batch_norm_is_refused():
    net, asked = nn.Sequential(nn.BatchNorm1d(4)), Training(weight_decay=0, batch_size=8)
    check_slices(World(0, 4), net, asked, 64, CPU)
    with pytest.raises(TrainingError, match="batches of 8 rows over 5 processes leave 1 to one"):
        check_slices(World(0, 5), net, asked, 64, CPU)
    check_slices(World(0, 5), nn.Sequential(nn.BatchNorm2d(4)), asked, 64, CPU)


def test_batch_norms_are_taken_together_and_put_back():
    net = nn.Sequential(nn.Linear(2, 4), nn.Sequential(nn.BatchNorm1d(4)))
    own, names = net[1][0], list(net.state_dict())
    with norms_together(World(0, 2), net, torch.device("cuda")):
        assert isinstance(net[1][0], nn.SyncBatchNorm)
        assert net[1][0].weight is own.weight
        net[1][0].running_mean.fill_(3)
    assert net[1][0] is own
    assert own.running_mean.tolist() == [3.0] * 4
    assert list(net.state_dict()) == names


@pytest.mark.parametrize(
    ("environment", "what"),
    [
        ({"WORLD_SIZE": "2"}, "RANK is not set: start the processes by torchrun"),
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE is 'two', expected a whole number of at least 1"),
        ({"WORLD_SIZE": "0"}, "WORLD_SIZE is '0'"),
        (
            dict.fromkeys(("WORLD_SIZE", "RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"), "2"),
            "RANK is 2, ",
        ),
    ],
)
def test_a_world_that_is_none_is_refused(environment, what):
    with pytest.raises(TrainingError, match=what):
        read_world(environment)


def test_without_torchrun_there_is_one_process():
    assert read_world({}) == read_world({"WORLD_SIZE": "1"}) == World()
    assert read_world({}).seed(7) == 7


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]))
