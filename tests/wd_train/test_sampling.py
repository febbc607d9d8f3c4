"""Is every row in one batch of an epoch, and can an epoch go on where it stopped?"""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from data_checks.errors import TrainingError
from data_checks.splits import Split
from wd_train.configuration import Training
from wd_train.network import AsFloat
from wd_train.rows import Rows
from wd_train.sampling import Order, batches, chances_of, drawn
from wdgate.evaluation.tasks import Classification, Regression

TASK, CPU = Classification(("a", "b", "c")), torch.device("cpu")


@given(st.integers(1, 300), st.integers(1, 64), st.integers(0, 9))
def test_an_epoch_holds_every_row_once_in_batches_of_nearly_one_size(rows, batch_size, seed):
    training = Training(weight_decay=0, batch_size=batch_size)
    epoch = list(batches(rows, training, torch.Generator().manual_seed(seed)))
    sizes = [len(batch) for batch in epoch]
    assert sorted(torch.cat(epoch).tolist()) == list(range(rows))
    assert len(sizes) == training.batches(rows)
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= batch_size


def test_a_full_batch_draws_nothing():
    generator = torch.Generator().manual_seed(3)
    before = generator.get_state()
    (batch,) = batches(5, Training(weight_decay=0, batch_size=None), generator)
    assert batch.tolist() == [0, 1, 2, 3, 4]
    assert torch.equal(before, generator.get_state())


@given(st.integers(1, 30), st.integers(1, 8), st.integers(0, 40))
def test_an_order_goes_on_where_it_stopped(rows, batch_size, stop):
    training = Training(weight_decay=0, batch_size=batch_size)
    whole, stopped = Order(rows, training), Order(rows, training)
    expected = list(_two_epochs(whole))
    taken = list(_two_epochs(stopped, most=stop))
    resumed = Order(rows, training)
    resumed.load_state_dict(stopped.state_dict())
    rest = list(_two_epochs(resumed, batches_before=len(taken)))
    assert [batch.tolist() for batch in taken + rest] == [batch.tolist() for batch in expected]


def _two_epochs(order, most=10**9, batches_before=0):
    per_epoch = len(list(order.rest())) + order.taken
    for _ in range(batches_before, min(2 * per_epoch, most)):
        batch = next(order.rest())
        order.taken += 1
        if order.taken == per_epoch:
            order.end_epoch()
        yield batch


def chances(sampler, targets, weights=None, task=TASK):
    split = Split(np.zeros((len(targets), 1)), targets, weights=weights)
    return chances_of(Training(weight_decay=0, sampler=sampler), task, Rows(split, AsFloat(), CPU))


@given(st.lists(st.integers(0, 2), min_size=1, max_size=40))
def test_balanced_chances_are_equal_for_every_class_that_there_is(targets):
    targets = np.array(targets)
    found = chances("balanced", targets).numpy()
    sums = [found[targets == c].sum() for c in set(targets)]
    np.testing.assert_allclose(sums, sums[0])


def test_rows_are_drawn_as_often_as_their_chances_say():
    asked = torch.tensor([0.0, 1.0, 0.0, 2.0, 5.0, 0.0])
    found = torch.bincount(drawn(asked, 80_000, torch.Generator().manual_seed(0)), minlength=6)
    spread = (80_000 * asked / 8 * (1 - asked / 8)).sqrt()
    assert ((found - 80_000 * asked / 8).abs() <= 5 * spread).all()


@given(
    st.lists(st.floats(0, 1e30), min_size=1, max_size=30).filter(any), st.integers(1, 9), st.integers(0, 99)
)
def test_rows_without_a_chance_are_never_drawn(asked, batch_size, seed):
    training = Training(weight_decay=0, batch_size=batch_size, sampler="weighted")
    generator = torch.Generator().manual_seed(seed)
    epoch = list(batches(len(asked), training, generator, torch.tensor(asked, dtype=torch.float64)))
    assert len(epoch) == training.batches(len(asked))
    assert len(torch.cat(epoch)) == len(asked)
    assert all(asked[row] > 0 for row in torch.cat(epoch).tolist())


def test_a_full_batch_can_be_drawn_too():
    training = Training(weight_decay=0, batch_size=None, sampler="weighted")
    (batch,) = batches(3, training, torch.Generator(), torch.tensor([0.0, 1.0, 0.0]))
    assert batch.tolist() == [1, 1, 1]


def test_a_drawn_order_goes_on_where_it_stopped():
    training = Training(weight_decay=0, batch_size=4, sampler="weighted")
    asked = torch.arange(13.0)
    expected = [batch.tolist() for batch in _two_epochs(Order(13, training, asked))]
    for stop in range(len(expected)):
        stopped, resumed = Order(13, training, asked), Order(13, training, asked)
        taken = [batch.tolist() for batch in _two_epochs(stopped, most=stop)]
        resumed.load_state_dict(stopped.state_dict())
        rest = [batch.tolist() for batch in _two_epochs(resumed, batches_before=stop)]
        assert taken + rest == expected


def test_samplers_refuse_rows_that_lack_what_they_draw_by():
    with pytest.raises(
        TrainingError, match="'weighted' draws rows by their weights, but the train split has"
    ):
        chances("weighted", np.array([0, 1]))
    with pytest.raises(TrainingError, match="sampler 'balanced' needs classes, but the task is Regression"):
        chances("balanced", np.array([0.5, 1.0]), task=Regression())
    for wrong in ([0.0, 0.0], [-1.0, 2.0], [float("nan"), 1.0], [float("inf"), 1.0]):
        with pytest.raises(TrainingError, match="'weighted' needs weights of at least 0"):
            chances("weighted", np.array([0, 1]), np.array(wrong))


def test_shuffled_rows_have_no_chances_and_weights_are_the_chances():
    assert chances("shuffle", np.array([0, 1]), np.array([1.0, 3.0])) is None
    assert chances("weighted", np.array([0, 1]), np.array([1.0, 3.0])).tolist() == [1.0, 3.0]
