"""Is every row in one batch of an epoch, and can an epoch go on where it stopped?"""

import torch
from hypothesis import given
from hypothesis import strategies as st

from wd_train.configuration import Training
from wd_train.sampling import Order, batches


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
