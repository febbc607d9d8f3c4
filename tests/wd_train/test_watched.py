"""Does a loop of somebody else's that was stopped anywhere end as if it had not been stopped?"""

import copy
import math
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim import lr_scheduler as schedulers
from torch.utils.data import DataLoader, Dataset, TensorDataset

from data_checks.errors import TrainingError
from wd_train import stopping, watch
from wd_train.attaching import Attached
from wd_train.checkpoints import Checkpoints
from wd_train.decay import Decay
from wd_train.devices import threads_for
from wd_train.watching import watching_for

EPOCHS, BATCHES = 4, 5
INPUTS = torch.randn(18, 4, generator=torch.Generator().manual_seed(7))
TARGETS = (INPUTS[:, 0] > 0).long()


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Batch norms of a few rows wait for the second thread longer than they compute."""
    with threads_for(0):
        yield


class Killed(BaseException):
    pass


class DueAt(Checkpoints):
    """Leaves a checkpoint at one moment between two steps, and dies some moments later."""

    def __init__(self, folder, moment, dies=None):
        super().__init__(str(folder), "key")
        self.moment, self.dies, self.asked = moment, dies, 0

    def due(self):
        self.asked += 1
        if self.dies is not None and self.asked == self.moment + self.dies:
            raise Killed
        return self.asked == self.moment


class Noisy(Dataset):
    """Rows that are changed by what numpy and torch draw."""

    def __len__(self):
        return len(INPUTS)

    def __getitem__(self, row):
        noise = np.random.normal(size=4).astype(np.float32)  # noqa: NPY002
        return INPUTS[row] + 0.1 * torch.from_numpy(noise) + 0.1 * torch.randn(4), TARGETS[row]


def shuffled():
    return DataLoader(Noisy(), batch_size=4, shuffle=True)


def own_generator():
    generator = torch.Generator().manual_seed(3)
    return DataLoader(Noisy(), batch_size=4, shuffle=True, generator=generator)


def with_replacement():
    sampler = torch.utils.data.WeightedRandomSampler(
        torch.ones(18), 18, generator=torch.Generator().manual_seed(3)
    )
    return DataLoader(Noisy(), batch_size=4, sampler=sampler)


def in_workers():
    return DataLoader(Noisy(), batch_size=4, shuffle=True, num_workers=1)


class Drawn:
    """A list of batches that is drawn anew at each epoch, as small loops do."""

    def __len__(self):
        return BATCHES

    def __iter__(self):
        return iter([(INPUTS[rows], TARGETS[rows]) for rows in torch.randperm(18).split(4)])


def loop(checkpoints=None, loader=shuffled, decay=None, epochs=EPOCHS):
    """What a person would write; everything that came of it, as plain values."""
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05, weight_decay=0.1)
    if decay is not None:
        Attached(optimizer, model, 0.1, decay, steps=EPOCHS * BATCHES)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.05, EPOCHS * BATCHES)
    averaged = torch.optim.swa_utils.AveragedModel(model)
    loader = loader()
    watched = watch(model, optimizer, checkpoints=checkpoints, scheduler=scheduler, averaged=averaged)
    watched.kept.setdefault("losses", [])
    watched.kept.setdefault("best", math.inf)
    for _ in watched.epochs(epochs):
        noise = torch.randn(())  # drawn before the batches
        model.train()
        watched.kept["total"] = 0.0
        for inputs, targets in watched.batches(loader):
            loss = nn.functional.cross_entropy(model(inputs + 0.01 * noise), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            averaged.update_parameters(model)
            watched.kept["total"] += loss.item()
        watched.kept["losses"].append(watched.kept["total"])
        if watched.kept["total"] < watched.kept["best"]:
            watched.kept["best"] = watched.kept["total"]
            watched.kept["weights"] = copy.deepcopy(model.state_dict())
    drawn_after = float(torch.rand(())), float(np.random.random())  # noqa: NPY002
    return plain([model.state_dict(), averaged.state_dict(), watched.kept, drawn_after, watched.readings])


def plain(value):
    return torch.utils._pytree.tree_map_only(torch.Tensor, torch.Tensor.tolist, value)


def killed_and_resumed(folder, moment, dies, **given):
    with pytest.raises(Killed):
        loop(DueAt(folder, moment, dies), **given)
    return loop(Checkpoints(str(folder), "key"), **given)


WHOLE = {}


def whole(loader, decay):
    key = (loader, None if decay is None else decay.form)
    if key not in WHOLE:
        WHOLE[key] = loop(loader=loader, decay=decay)
    return WHOLE[key]


LOADERS = [shuffled, own_generator, with_replacement, Drawn]
DECAYS = [None, Decay("constrained"), Decay("cautious")]


@settings(max_examples=25, deadline=None)
@given(
    moment=st.integers(1, EPOCHS * (BATCHES + 1) - 2),
    dies=st.integers(1, 9),
    loader=st.sampled_from(LOADERS),
    decay=st.sampled_from(DECAYS),
)
def test_a_killed_loop_ends_with_the_same_bytes(tmp_path_factory, moment, dies, loader, decay):
    dies = min(dies, EPOCHS * (BATCHES + 1) - 1 - moment)
    folder = tmp_path_factory.mktemp("kept")
    assert killed_and_resumed(folder, moment, dies, loader=loader, decay=decay) == whole(loader, decay)


@pytest.mark.parametrize("moment", [BATCHES, BATCHES + 1, BATCHES + 2])
@pytest.mark.parametrize("loader", LOADERS)
def test_so_does_one_that_was_stopped_around_the_end_of_an_epoch(tmp_path, moment, loader):
    assert killed_and_resumed(tmp_path, moment, 1, loader=loader) == whole(loader, None)


def test_so_does_one_whose_rows_come_from_another_process(tmp_path, request):
    if "WDGATE_TEST_ALONE" not in os.environ:
        # A forked worker inherits what other tests left in this process, and stumbles over it as it ends.
        words = [sys.executable, "-m", "pytest", "-q", f"{__file__}::{request.node.name}"]
        done = subprocess.run(
            words, env={**os.environ, "WDGATE_TEST_ALONE": "1"}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout
        return
    given = {"loader": in_workers, "epochs": 2}
    assert killed_and_resumed(tmp_path, 3, 2, **given) == loop(**given)


def test_a_finished_loop_is_not_repeated_and_draws_go_on_behind_it(tmp_path):
    first = loop(Checkpoints(str(tmp_path), "key"))
    never = DueAt(tmp_path, 1, 0)
    assert loop(never) == first
    assert never.asked == 0


def accumulating(checkpoints=None):
    """A loop that steps by the gradients of two batches, also of those of two epochs."""
    torch.manual_seed(0)
    model = nn.Linear(4, 2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05)
    watched = watch(model, optimizer, steps=EPOCHS * BATCHES // 2, checkpoints=checkpoints)
    watched.kept.setdefault("batches", 0)
    for _ in watched.epochs(EPOCHS):
        for inputs, targets in watched.batches(shuffled()):
            (nn.functional.cross_entropy(model(inputs), targets) / 2).backward()
            watched.kept["batches"] += 1
            if watched.kept["batches"] % 2 == 0:
                optimizer.step()
                optimizer.zero_grad()
    return plain([model.state_dict(), watched.readings])


@pytest.mark.parametrize("moment", [1, 2, 3, BATCHES, BATCHES + 1, BATCHES + 2])
def test_gradients_that_wait_for_the_next_batch_go_on(tmp_path, moment):
    np.random.seed(0)  # noqa: NPY002
    expected = accumulating()
    np.random.seed(0)  # noqa: NPY002
    with pytest.raises(Killed):
        accumulating(DueAt(tmp_path, moment, 1))
    assert accumulating(Checkpoints(str(tmp_path), "key")) == expected


def changing(checkpoints=None, before=lambda *_: None):
    """A loop whose epochs change what they train before they go over their batches."""
    torch.manual_seed(0)
    model = nn.Linear(4, 2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05, weight_decay=0.1)
    scheduler = schedulers.StepLR(optimizer, 1, 0.5)
    given = {"steps": 2 * EPOCHS * BATCHES, "checkpoints": checkpoints}
    told = []
    watched = watch(model, optimizer, **given, scheduler=scheduler, on_reading=told.append)
    for epoch in watched.epochs(EPOCHS):
        before(epoch, model, optimizer, scheduler)
        for inputs, targets in watched.batches(Drawn()):
            nn.functional.cross_entropy(model(inputs), targets).backward()
            optimizer.step()
            optimizer.zero_grad()
    return plain([model.state_dict(), optimizer.state_dict(), scheduler.state_dict(), told, watched.step])


@torch.no_grad()
def shrink(epoch, model, *_):
    model.weight.mul_(0.5)


def step_alone(epoch, model, optimizer, scheduler):
    """A step before the batches."""
    model(INPUTS).square().mean().backward()
    optimizer.step()
    optimizer.zero_grad()


BEFORE = [lambda epoch, model, optimizer, scheduler: epoch and scheduler.step(), shrink, step_alone]


@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler")  # torch's, of a new scheduler
@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("moment", [1, BATCHES, BATCHES + 1, BATCHES + 2, BATCHES + 3])
def test_what_an_epoch_changes_before_its_batches_is_not_done_twice(tmp_path, before, moment):
    with pytest.raises(Killed):
        changing(DueAt(tmp_path, moment, 1), before)
    assert changing(Checkpoints(str(tmp_path), "key"), before) == changing(before=before)


def test_a_step_that_is_done_again_before_the_batches_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("wd_train.diagnostics.SPACING", 4)
    with pytest.raises(Killed):
        changing(DueAt(tmp_path, 2, 1), step_alone)
    got = changing(Checkpoints(str(tmp_path), "key"), step_alone)
    assert [reading.step for reading in got[-2]][:4] == [1, 4, 8, 12]
    assert got == changing(before=step_alone)


def epochs_alone(checkpoints, dies_in=None):
    torch.manual_seed(0)
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
    watched, seen = watch(model, optimizer, steps=15, checkpoints=checkpoints), []
    for epoch in watched.epochs(5):
        seen.append(epoch)
        for rows in torch.randperm(18).split(6):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(INPUTS[rows]), TARGETS[rows]).backward()
            optimizer.step()
            if epoch == dies_in:
                raise Killed
    return plain(model.state_dict()), seen


def test_a_loop_over_epochs_alone_goes_on_with_the_next_epoch(tmp_path):
    expected, _ = epochs_alone(None)
    with pytest.raises(Killed):
        epochs_alone(DueAt(tmp_path, 3), dies_in=3)
    got, seen = epochs_alone(Checkpoints(str(tmp_path), "key"))
    assert got == expected
    assert seen == [3, 4]


def test_it_stops_after_the_step_when_it_is_asked_to(tmp_path):
    class Asking(Drawn):
        asked = False

        def __iter__(self):
            for number, batch in enumerate(super().__iter__()):
                Asking.asked = Asking.asked or (number == 2 and stopping.ask_to_stop())
                yield batch

    with pytest.raises(KeyboardInterrupt):
        loop(Checkpoints(str(tmp_path), "key"), loader=Asking)
    assert Asking.asked
    assert not stopping.asked()
    assert not stopping.ask_to_stop()
    assert loop(DueAt(tmp_path, 99), loader=Drawn) == whole(Drawn, None)


def asked_outside(checkpoints, epoch_of_asking=None, batches=True, where="after"):
    """A loop that is asked to stop before its batches, or in the validation after them; what it went over."""
    torch.manual_seed(0)
    seen = []

    def moment(epoch, name):
        seen.append((epoch, name))
        if (epoch, name) == (epoch_of_asking, where):
            assert stopping.ask_to_stop()

    watched = small(steps=9, checkpoints=checkpoints)
    for epoch in watched.epochs(3):
        moment(epoch, "before")
        seen.extend((epoch, batch) for batch in (watched.batches(range(3)) if batches else range(3)))
        moment(epoch, "after")
    return seen


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("epoch", range(3))
@pytest.mark.parametrize("batches", [True, False])
def test_a_stop_outside_of_the_batches_leaves_a_checkpoint_too(tmp_path, where, epoch, batches):
    with pytest.raises(KeyboardInterrupt):
        asked_outside(DueAt(tmp_path, 99), epoch, batches, where)
    assert not stopping.asked()
    assert not stopping.ask_to_stop()
    if batches and where == "before":
        # The first batch was still taken.
        left = [(epoch, "before"), (epoch, 1), (epoch, 2), (epoch, "after")]
        left += [each for each in asked_outside(None) if each[0] > epoch]
    else:
        left = [each for each in asked_outside(None) if each[0] > epoch]
    assert asked_outside(DueAt(tmp_path, 99), batches=batches) == left


def test_a_loop_that_is_left_listens_no_more():
    for _ in small(steps=1).epochs(2):
        break
    assert not stopping.ask_to_stop()


def resumed(folder, net, **given):
    told = []
    optimizer = given.pop("optimizer", torch.optim.AdamW)(net.parameters(), lr=0.1)
    decay = given.pop("decay", None)
    if decay is not None:
        Attached(optimizer, net, 0.1, decay)
    kept = Checkpoints(str(folder), "key", every=0.0)
    with watching_for(lambda name: kept, tell=told.append):
        watched = watch(net, optimizer, steps=5, **given)
    left = list(watched.epochs(1))
    return left, told


@pytest.mark.parametrize(
    ("net", "given", "says"),
    [
        (nn.Linear(4, 3), {}, r"whose weight is (2, 4), expected (3, 4)"),
        (nn.Sequential(nn.Linear(4, 2)), {}, r"whose 0.weight is None, expected (2, 4)"),
        (
            nn.Linear(4, 2),
            {"more": nn.Linear(1, 1)},
            "it holds decay, optimizer, model, expected decay, optim",
        ),
        (nn.Linear(4, 2), {"decay": Decay("constrained")}, "of another form than 'constrained'"),
    ],
)
def test_the_checkpoint_of_another_model_is_named_and_the_loop_begins_anew(tmp_path, net, given, says):
    assert resumed(tmp_path, nn.Linear(4, 2), decay=Decay()) == ([0], [])
    before = plain(net.state_dict())
    left, told = resumed(tmp_path, net, **{"decay": Decay(), **given})
    assert left == [0]
    assert len(told) == 1
    assert "the loop begins anew" in told[0]
    assert says in told[0]
    assert plain(net.state_dict()) == before


def test_every_watch_of_a_run_finds_its_own_checkpoints_by_its_order(tmp_path):
    def k_fold():
        left = []
        with watching_for(lambda name: Checkpoints(str(tmp_path), f"run/{name}")):
            for size in (2, 3):
                net = nn.Linear(4, size)
                watched = watch(net, torch.optim.SGD(net.parameters(), lr=0.1), steps=1)
                left.append(list(watched.epochs(2)))
        return left

    assert k_fold() == [[0, 1], [0, 1]]
    assert k_fold() == [[], []]
    assert sorted(path.parent.name for path in tmp_path.rglob("*.checkpoint")) == ["0", "1"]
    Checkpoints(str(tmp_path), "run").clear()
    assert k_fold() == [[0, 1], [0, 1]]


def small(**given):
    net = nn.Linear(4, 2)
    return watch(net, torch.optim.SGD(net.parameters(), lr=0.1), **given)


def test_the_run_is_told_which_watch_has_read():
    told = []
    with watching_for(on_reading=lambda name, reading: told.append((name, reading.step))):
        for _ in range(2):
            stepped(0.1, steps=1)
    assert told == [("0", 1), ("1", 1)]


def test_a_folder_will_do_outside_of_a_run(tmp_path):
    assert list(small(checkpoints=tmp_path).epochs(2)) == [0, 1]
    assert list(small(checkpoints=str(tmp_path)).epochs(2)) == []


def test_a_finished_loop_that_is_found_in_a_folder_is_told_of(tmp_path):
    def told(checkpoints, dies=False):
        sentences = []
        with watching_for(tell=sentences.append):
            for _ in small(checkpoints=checkpoints).epochs(2):
                if dies:
                    break
        return sentences

    assert told(tmp_path / "a", dies=True) == []
    assert told(tmp_path / "a") == []
    (sentence,) = told(tmp_path / "a")
    assert f"a finished loop was found in {tmp_path / 'a'}: " in sentence
    assert "another folder begins anew" in sentence
    assert told(tmp_path / "b") == []
    assert told(Checkpoints(str(tmp_path / "a"), "loop")) == []  # as in a run, which knows what it keeps


@pytest.mark.parametrize("kind", [np.float32, np.int64, np.bool_])
def test_numbers_of_numpy_are_kept_as_numbers(tmp_path, kind):
    watched = small(checkpoints=tmp_path)
    watched.kept["best"] = {"value": kind(1)}
    list(watched.epochs(1))
    assert small(checkpoints=tmp_path).kept == {"best": {"value": kind(1)}}


def test_what_cannot_be_kept_is_refused_in_one_sentence(tmp_path):
    watched = small(checkpoints=tmp_path)
    watched.kept["rows"] = np.ones(3)
    with pytest.raises(TrainingError, match=r"kept\['rows'\] must hold numbers.* got ndarray"):
        list(watched.epochs(1))
    with pytest.raises(TrainingError, match=r"history must have state_dict .* got list"):
        small(history=[])

    class Odd(nn.Linear):
        def get_extra_state(self):
            return np.ones(3)

        def set_extra_state(self, state):
            pass

    with pytest.raises(TrainingError, match="the state of odd must hold nothing but tensors"):
        small(checkpoints=tmp_path, odd=Odd(1, 1))


def test_generators_that_are_handed_over_go_on(tmp_path):
    def drawn(dies):
        numbers, own = np.random.default_rng(0), torch.Generator().manual_seed(0)
        watched, out = small(checkpoints=DueAt(tmp_path, 2), numbers=numbers, own=own), []
        for _ in watched.epochs(4):
            out.append((numbers.random(), float(torch.rand((), generator=own))))
            if len(out) == dies:
                raise Killed
        return out

    with pytest.raises(Killed):
        drawn(3)
    rest = drawn(None)
    numbers, own = np.random.default_rng(0), torch.Generator().manual_seed(0)
    whole = [(numbers.random(), float(torch.rand((), generator=own))) for _ in range(4)]
    assert rest == whole[2:]


def test_batches_belong_to_an_epoch_and_are_asked_for_once():
    watched = small(steps=1)
    with pytest.raises(TrainingError, match="once in each epoch that epochs"):
        list(watched.batches([1]))
    for _ in watched.epochs(1):
        list(watched.batches([1]))
        with pytest.raises(TrainingError, match="once in each epoch that epochs"):
            list(watched.batches([1]))


def test_a_loader_that_has_become_shorter_is_named(tmp_path):
    def run(batches, moment):
        for _ in (watched := small(checkpoints=DueAt(tmp_path, moment, 1), steps=9)).epochs(2):
            list(watched.batches(range(batches)))

    with pytest.raises(Killed):
        run(5, 4)
    with pytest.raises(TrainingError, match="the loader gave 2 batches in epoch 0, of which 4 were taken"):
        run(2, 99)


def test_a_dataset_of_tensors_will_do():
    watched = small()
    loader = DataLoader(TensorDataset(INPUTS, TARGETS), batch_size=4)
    for _ in watched.epochs(1):
        assert len(list(watched.batches(loader))) == len(loader)


def stepped(weight_decay, **given):
    net = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, weight_decay=weight_decay)
    watched = watch(net, optimizer, **given)
    for _ in watched.epochs(1):
        optimizer.step()
    return watched


def test_how_many_steps_there_will_be_must_be_known_where_there_is_a_decay():
    with pytest.raises(TrainingError, match="how many steps the whole training takes is not known"):
        stepped(0.1)
    watched = stepped(0.0)
    assert (watched.step, watched.readings) == (1, [])


@pytest.mark.parametrize(
    "made",
    [
        lambda o: schedulers.LambdaLR(o, lambda step: 0.9**step),
        lambda o: schedulers.MultiStepLR(o, [2, 3]),
        lambda o: schedulers.CosineAnnealingWarmRestarts(o, 2),
        lambda o: schedulers.CyclicLR(o, 0.01, 0.1),
        lambda o: schedulers.ReduceLROnPlateau(o, patience=0),
        lambda o: schedulers.SequentialLR(
            o, [schedulers.ConstantLR(o, 0.5, 2), schedulers.ExponentialLR(o, 0.9)], [2]
        ),
        lambda o: schedulers.ChainedScheduler([schedulers.ConstantLR(o), schedulers.ExponentialLR(o, 0.9)]),
    ],
)
def test_schedulers_of_torch_go_on(tmp_path, made):
    def rates(dies):
        net = nn.Linear(4, 2)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.5)
        scheduler = made(optimizer)
        watched = watch(net, optimizer, checkpoints=DueAt(tmp_path, 3), scheduler=scheduler)
        out = []
        for _ in watched.epochs(7):
            optimizer.step()
            scheduler.step(*[1.0] * isinstance(scheduler, schedulers.ReduceLROnPlateau))
            out.append(optimizer.param_groups[0]["lr"])
            if len(out) == dies:
                raise Killed
        return out

    with pytest.raises(Killed):
        rates(5)
    rest = rates(None)
    for path in tmp_path.rglob("*.checkpoint"):
        path.unlink()
    assert rest == rates(None)[3:]
