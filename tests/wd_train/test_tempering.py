"""Is the temperature that of the network's own outputs, on the rows that count, and always the same?"""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from data_checks.splits import Split
from wd_train import tempering
from wd_train.export import export
from wd_train.network import AsFloat, Network
from wd_train.tempering import logits_of, temperature_of
from wdgate.evaluation.onnx_file import OnnxModel
from wdgate.evaluation.tasks import Classification
from wdgate.evaluation.temperature import fit_temperature

TASK = Classification(tuple("0123456789"))


@pytest.fixture(scope="module")
def digits():
    """Train and validation rows of digits, in bytes."""
    inputs, targets = load_digits(return_X_y=True)
    rows = Split(inputs.astype(np.uint8), targets.astype(np.int64))
    return rows.take(np.arange(600)), rows.take(np.arange(600, 960))


@pytest.fixture(scope="module")
def too_sure(digits):
    """A network that is right on nine rows of ten and thrice as sure as it should be, with dropout."""
    train, _ = digits
    torch.manual_seed(0)
    net = nn.Sequential(nn.Dropout(0.5), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    inputs, targets = torch.tensor(train.inputs).float(), torch.tensor(train.targets)
    for _ in range(60):
        loss = nn.functional.cross_entropy(net(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        net[1].weight *= 3
        net[1].bias *= 3
    return Network(AsFloat(), net).train()


def test_the_logits_are_those_of_all_rows_without_dropout(too_sure, digits):
    _, validation = digits
    net = too_sure.net[1]
    expected = validation.inputs @ net.weight.detach().numpy().T + net.bias.detach().numpy()
    np.testing.assert_allclose(logits_of(too_sure.eval(), validation), expected, rtol=1e-4, atol=1e-3)


def test_a_network_that_is_too_sure_gets_a_temperature(too_sure, digits):
    _, validation = digits
    found = temperature_of(too_sure.train(), validation)
    assert found.lower > 0
    assert found.value == fit_temperature(logits_of(too_sure, validation), validation.targets)
    assert 1.5 < found.value < 10


def test_the_same_rows_give_the_same_bytes_which_predict_the_same_classes(too_sure, digits):
    train, validation = digits
    values = [temperature_of(too_sure, validation).value for _ in range(2)]
    first, again = (export(too_sure, TASK, train, value).onnx for value in values)
    assert first == again
    plain = export(too_sure, TASK, train)
    assert first != plain.onnx
    warm, cold = (OnnxModel(onnx).predict(validation.inputs) for onnx in (first, plain.onnx))
    assert warm["predicted"].tolist() == cold["predicted"].tolist()
    assert warm["probs"].max(axis=1).mean() < cold["probs"].max(axis=1).mean()


def test_groups_are_the_units(too_sure, digits):
    _, validation = digits
    one = Split(validation.inputs, validation.targets, groups=np.zeros(len(validation), int))
    assert temperature_of(too_sure, one).value == 1


def test_of_too_many_logits_some_rows_are_taken_whatever_their_order(too_sure, digits, monkeypatch):
    _, validation = digits
    monkeypatch.setattr(tempering, "MOST_LOGITS", 2000)
    found = temperature_of(too_sure, validation)
    turned = temperature_of(too_sure, validation.take(np.arange(len(validation))[::-1].copy()))
    assert found.rows == turned.rows == 200
    assert found.fitted == pytest.approx(turned.fitted, rel=1e-3)


def test_no_rows_change_nothing(too_sure, digits):
    _, validation = digits
    assert temperature_of(too_sure, validation.take(np.arange(0))).value == 1
