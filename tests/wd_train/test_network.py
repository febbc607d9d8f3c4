"""Is a network that does not fit its task refused before it is trained?"""

import numpy as np
import pytest
import torch
from torch import nn

from data_checks.errors import DataError, ModelError
from data_checks.splits import Split
from wd_train.network import build_network, check_network, predict, seeded
from wd_train.rows import Rows
from wdgate.evaluation.tasks import Classification, Regression

TASK = Classification(("a", "b", "c"))
TRAIN = Split(np.ones((4, 5)), np.array([0, 1, 2, 0]))


def network(net, train=TRAIN):
    return build_network(lambda split: net, None, train, seed=0)


@pytest.mark.parametrize(
    ("net", "said"),
    [
        (nn.Linear(5, 4), "gives 4 outputs a row, but the task needs 3"),
        (nn.Linear(6, 3), r"cannot take the train rows \(float64 \(5,\) each\)"),
        (nn.Flatten(0), "gives shape .* but the task needs 3"),
        (nn.LSTM(5, 3), "gives tuple, but a tensor of outputs was expected"),
    ],
)
def test_a_network_that_does_not_fit_is_refused_with_what_it_gives(net, said):
    with pytest.raises(ModelError, match=said):
        check_network(network(net), TRAIN, TASK)


def test_a_regression_takes_one_number_a_row_with_or_without_a_dimension_of_its_own():
    train = Split(np.ones((4, 5)), np.arange(4.0))
    flat = nn.Sequential(nn.Linear(5, 1), nn.Flatten(0))
    operations = [check_network(network(net, train), train, Regression()) for net in (nn.Linear(5, 1), flat)]
    assert operations[0] == operations[1] > 0


@pytest.mark.parametrize(
    ("targets", "said"),
    [(np.array([0, 1, 3, 0]), "hold 3, but the task has classes 0 to 2"), (np.ones(4), "are float64")],
)
def test_targets_that_are_no_classes_are_refused(targets, said):
    with pytest.raises(DataError, match=said):
        check_network(network(nn.Linear(5, 3)), Split(np.ones((4, 5)), targets), TASK)


def test_a_builder_that_gives_no_module_is_named():
    with pytest.raises(ModelError, match=r"model gave back int, but a torch\.nn\.Module was expected"):
        build_network(lambda split: 3, None, TRAIN, seed=0)


def test_the_operations_of_a_row_are_counted():
    assert check_network(network(nn.Linear(5, 3)), TRAIN, TASK) == 2 * 5 * 3


def test_initial_weights_follow_the_seed_and_leave_the_global_generator_alone():
    before = torch.get_rng_state()
    one, same, other = (build_network(lambda s: nn.Linear(5, 3), None, TRAIN, seed) for seed in (1, 1, 2))
    assert torch.equal(one.net.weight, same.net.weight)
    assert not torch.equal(one.net.weight, other.net.weight)
    assert torch.equal(before, torch.get_rng_state())


def test_lazy_layers_have_their_sizes_and_the_weights_of_their_seed():
    torch.manual_seed(5)
    lazy = build_network(lambda s: nn.LazyLinear(3), None, TRAIN, 1).net
    eager = build_network(lambda s: nn.Linear(5, 3), None, TRAIN, 1).net
    assert torch.equal(lazy.weight, eager.weight)


def test_lazy_layers_that_cannot_take_the_rows_are_refused():
    with pytest.raises(ModelError, match="the network cannot take the train rows"):
        build_network(lambda s: nn.LazyConv2d(3, 3), None, TRAIN, 1)


def test_a_preprocessing_that_draws_numbers_changes_no_initial_weight():
    def drawing(split):
        torch.randn(3)
        return nn.Identity()

    plain = build_network(lambda s: nn.Linear(5, 3), None, TRAIN, 0)
    drawn = build_network(lambda s: nn.Linear(5, 3), drawing, TRAIN, 0)
    assert torch.equal(plain.net.weight, drawn.net.weight)


def test_prediction_is_without_dropout_and_leaves_the_mode_as_it_was():
    net = nn.Sequential(nn.Dropout(0.5), nn.Linear(5, 3)).train()
    rows = Rows(TRAIN, nn.Identity(), torch.device("cpu"))
    with seeded(0):
        assert torch.equal(predict(net, rows), predict(net, rows))
    assert net.training
