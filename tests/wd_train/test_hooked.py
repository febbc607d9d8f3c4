"""Does a watch see by hooks what it sees from within a loop, whoever takes the steps?"""

import copy

import pytest
import torch
from torch import nn

from data_checks.errors import TrainingError
from wd_train.attaching import Attached
from wd_train.decay import Decay, WeightDecay
from wd_train.diagnostics import Watch
from wd_train.hooked import HookedWatch
from wd_train.steps import take_watched_step

STEPS, LR, WD = 401, 0.05, 0.1
INPUTS = torch.randn(8, 4, generator=torch.Generator().manual_seed(1))


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Embedding(5, 4), nn.Flatten(), nn.Linear(8, 3), nn.Tanh(), nn.Linear(3, 2))


def gradients(net, optimizer, step=0):
    rows = torch.randint(0, 3, (8, 2), generator=torch.Generator().manual_seed(step))
    optimizer.zero_grad()
    loss = (net(rows) - 1).square().mean()
    loss.backward()
    return loss


def hooked(net, optimizer, steps=STEPS):
    told = []
    watch = HookedWatch(net, optimizer, lambda: steps, told.append)
    return watch, told


def trained(net, optimizer, steps=STEPS):
    for step in range(steps):
        gradients(net, optimizer, step)
        optimizer.step()


@pytest.mark.parametrize("form", ["decoupled", "cautious", "constrained", "to_init", "l2"])
def test_an_attached_decay_is_measured_as_the_loop_of_our_own_measures_it(form):
    ours, theirs = model(), model()
    optimizer = torch.optim.SGD(ours.parameters(), lr=LR)
    attached = Attached(optimizer, ours, WD, Decay(form))
    watch, told = hooked(ours, optimizer)
    assert watch.decay is attached
    trained(ours, optimizer)

    parameters = {name: p for name, p in theirs.named_parameters() if name in ("2.weight", "4.weight")}
    decay = WeightDecay(parameters, WD, Decay(form), full_rate=LR, steps=STEPS)
    expected = Watch(parameters, steps=STEPS, scale_free=False)
    stepping = torch.optim.SGD(theirs.parameters(), lr=LR)
    for step in range(STEPS):
        gradients(theirs, stepping, step)
        take_watched_step(expected, step + 1, stepping, LR, decay)
    assert told == expected.readings
    assert watch.readings == told
    assert [reading.step for reading in told] == [1, 200, 400, 401]
    known = [entry.distance_from_equilibrium for reading in told[1:3] for entry in reading.tensors]
    assert (set(known) == {None}) == (form == "l2")


def own(net, **options):
    return torch.optim.AdamW(net.parameters(), lr=LR, weight_decay=WD, **options)


def test_the_decay_of_an_optimizer_of_its_own_is_told_the_watch():
    ours, theirs = model(), model()
    watch, told = hooked(ours, own(ours))
    trained(ours, watch._optimizer)
    stepping, expected = (
        own(theirs),
        Watch(dict(theirs.named_parameters()), steps=STEPS, tables=("0.weight",)),
    )
    for step in range(1, STEPS + 1):
        gradients(theirs, stepping, step - 1)
        if expected.due(step):
            expected.before_step()
        stepping.step()
        if expected.due(step):
            expected.after_step(step, LR, LR * WD)
    assert told == expected.readings
    # Two of five rows are in no batch.
    assert any(
        "2 of 5 rows of 0.weight" in found.sentence for found in told[-1].diagnoses + told[-2].diagnoses
    )


def test_gradients_that_a_closure_computes_are_seen():
    plain, closed = model(), model()
    watch, told = hooked(plain, own(plain))
    trained(plain, watch._optimizer)
    other, seen = hooked(closed, own(closed))
    for step in range(STEPS):
        computed = lambda step=step: gradients(closed, other._optimizer, step)  # noqa: E731
        loss = other._optimizer.step(closure=computed) if step % 2 else other._optimizer.step(computed)
        assert loss is not None
    assert seen == told


def test_a_step_that_is_not_due_asks_the_watch_nothing(monkeypatch):
    asked = []
    before = Watch.before_step
    monkeypatch.setattr(Watch, "before_step", lambda self: (asked.append(1), before(self)))
    net = model()
    watch, told = hooked(net, own(net), steps=150)
    trained(net, watch._optimizer, 150)
    assert (len(asked), len(told)) == (2, 2)


def test_what_cannot_be_known_of_a_decay_is_none():
    net = model()
    optimizer = torch.optim.Adam(net.parameters(), lr=LR, weight_decay=WD)
    _, told = hooked(net, optimizer)
    trained(net, optimizer)
    assert {entry.distance_from_equilibrium for reading in told for entry in reading.tensors} == {None}
    assert all(reading.tensors[0].angular_update > 0 for reading in told)


def test_every_tensor_is_read_at_the_rate_of_its_group():
    one, several = model(), model()
    slow = [{"params": several[2].parameters(), "lr": LR / 2}, {"params": several[4].parameters()}]
    _, expected = hooked(one, optimizer := own(one))
    trained(one, optimizer, 1)
    _, told = hooked(several, optimizer := torch.optim.AdamW(slow, lr=LR, weight_decay=WD))
    trained(several, optimizer, 1)
    rate = {e.name: e.effective_learning_rate * e.rms for e in (told[0].tensors + expected[0].tensors[:1])}
    assert rate["2.weight"] == pytest.approx(LR / 2)
    assert rate["4.weight"] == pytest.approx(LR)


def test_a_step_that_a_scaler_skips_is_no_step():
    net = model()
    optimizer, scaler = own(net, fused=False), torch.amp.GradScaler("cpu")
    watch, told = hooked(net, optimizer)
    scaler.scale(net(torch.zeros(1, 2, dtype=torch.long)).sum() * torch.inf).backward()
    scaler.step(optimizer)
    assert (watch.step, told) == (0, [])


def test_a_decay_that_is_attached_after_the_watch_is_refused():
    net = model()
    watch, _ = hooked(net, optimizer := own(net))
    Attached(optimizer, net, WD)
    with pytest.raises(TrainingError, match="was attached to the optimizer after watch"):
        trained(net, optimizer, 1)
    watch.remove()
    trained(net, optimizer, 1)


def test_a_resumed_watch_tells_its_readings_once_more_and_goes_on():
    through, stopped = model(), model()
    _, expected = hooked(through, optimizer := own(through))
    trained(through, optimizer)
    first, told = hooked(stopped, optimizer := own(stopped))
    for step in range(250):
        gradients(stopped, optimizer, step)
        optimizer.step()
    resumed = copy.deepcopy(stopped)
    again = own(resumed)
    again.load_state_dict(optimizer.state_dict())
    second, told_again = hooked(resumed, again)
    second.load_state_dict(first.state_dict())
    assert told_again == []
    second.tell_again()
    assert told_again == told
    for step in range(250, STEPS):
        gradients(resumed, again, step)
        again.step()
    assert told_again == expected
    assert second.readings == expected
