"""Are a network's operations counted as they are, and is a product's speed one?"""

import pytest
import torch
from torch import nn

from wd_train.matmul import _measured, large, operations_of, product_speed

CPU = torch.device("cpu")


def test_a_linear_layer_takes_a_product_for_its_outputs_and_one_for_its_weights():
    operations, shape = operations_of(nn.Linear(7, 5), torch.zeros(2, 7), 2)
    # The inputs need no gradient, so that of the three products of a layer the first one has two.
    assert operations == 2 * 2 * 7 * 5
    assert shape == (1, 7, 5)


def test_a_later_layer_also_hands_a_gradient_on():
    net = nn.Sequential(nn.Linear(7, 11), nn.ReLU(), nn.Linear(11, 3))
    operations, shape = operations_of(net, torch.zeros(2, 7), 2)
    assert operations == 2 * (2 * 7 * 11 + 3 * 11 * 3)
    assert shape == (1, 7, 11)


def test_a_convolution_is_a_product_of_patches_and_filters():
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.LazyLinear(2))
    net(torch.zeros(1, 3, 6, 6))
    assert operations_of(net, torch.zeros(2, 3, 6, 6), 2)[1] == (16, 27, 8)


def test_counting_leaves_the_network_as_it_was():
    net = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5)).train()
    before = {name: values.clone() for name, values in net.state_dict().items()}
    generator = torch.get_rng_state()
    operations_of(net, torch.randn(2, 4, generator=torch.Generator()), 2)
    assert net.training
    assert all(torch.equal(values, before[name]) for name, values in net.state_dict().items())
    assert all(parameter.grad is None for parameter in net.parameters())
    assert torch.equal(torch.get_rng_state(), generator)
    assert not net[0]._forward_hooks


def test_a_recurrent_network_is_counted_without_an_error():
    class Last(nn.LSTM):
        def forward(self, inputs):
            return super().forward(inputs)[0][:, -1]

    assert operations_of(Last(3, 4, batch_first=True), torch.zeros(2, 5, 3), 2)[0] is not None


def test_a_network_that_gives_no_gradient_when_it_is_evaluated_has_no_number():
    class Rounds(nn.Linear):
        def forward(self, inputs):
            return super().forward(inputs).argmax(1)

    assert operations_of(Rounds(3, 4), torch.zeros(2, 3), 2)[0] is None


@pytest.mark.parametrize("shape", [(1, 1, 1), (64, 64, 10), (100_000, 3, 100_000)])
def test_a_product_of_any_shape_has_a_speed(shape):
    assert product_speed(shape, CPU) > 0


def test_a_speed_is_measured_once():
    product_speed(large(CPU), CPU)
    asked = _measured.cache_info().misses
    product_speed(large(CPU), CPU)
    assert _measured.cache_info().misses == asked
