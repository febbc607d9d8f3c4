"""What is exported of what was trained, without any flow?"""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from data_checks.splits import Split, Splits
from flows.figures import of_file
from flows.fitting import Fitted, attack, export
from wd_train.network import AsFloat, Network
from wdgate.evaluation.tasks import Classification

TASK = Classification(("a", "b"))


def rows(seed, count):
    generator = np.random.default_rng(seed)
    inputs = generator.normal(size=(count, 2)).astype(np.float32)
    noise = generator.logistic(size=count)
    return Split(inputs, (inputs[:, 0] + noise > 0).astype(np.int64))


SPLITS = Splits(rows(0, 50), rows(1, 400), rows(2, 50))


def network(sure):
    net = nn.Linear(2, 2, bias=False)
    net.weight = nn.Parameter(torch.tensor([[0.0, 0.0], [sure, 0.0]]))
    return Network(AsFloat(), net)


def exported(model, *, calibrate):
    plan = SimpleNamespace(pipeline=SimpleNamespace(task=TASK, calibrate=calibrate))
    return export(plan, SPLITS, Fitted(model, 1.0))


def test_outputs_are_divided_where_that_surely_helps_and_it_is_told():
    found = exported(network(4.0), calibrate=True)
    told = found.as_dict()
    assert told["temperature"] == told["tempered"]["value"] > 2
    assert told["sentence"].startswith("The outputs are divided by ")
    figures = of_file(told)
    assert figures["validation/temperature"] == told["temperature"]
    assert figures["validation/temperature_gain"] == told["tempered"]["gain"] > 0


def test_a_calibrated_network_keeps_its_bytes_and_it_is_told():
    found = exported(network(1.0), calibrate=True)
    assert found.onnx == exported(network(1.0), calibrate=False).onnx
    assert "No temperature: its gain could not be shown on 400 validation rows." in found.sentence


def test_without_being_asked_nothing_is_said_of_a_temperature():
    found = exported(network(4.0), calibrate=False)
    assert "emperature" not in found.sentence
    assert "validation/temperature" not in of_file(found.as_dict())


def test_a_file_of_an_own_loop_stays_as_it_is():
    onnx = exported(network(4.0), calibrate=False).onnx
    assert exported(onnx, calibrate=True).onnx == onnx


def test_how_long_the_file_takes_its_size_and_its_operators_are_told():
    found = exported(network(1.0), calibrate=False)
    figures = of_file(found.as_dict())
    assert 0 < figures["file/latency_p50_ms"] <= figures["file/latency_p99_ms"]
    assert figures["file/bytes"] == len(found.onnx)
    assert "One row takes " in found.sentence
    assert f"(opset {found.opset})" in found.sentence


def test_of_a_candidate_without_a_file_there_are_no_figures():
    assert of_file({}) == {}


def attacked(model):
    training = SimpleNamespace(epochs=5, seed=0)
    plan = SimpleNamespace(pipeline=SimpleNamespace(task=TASK, training=training))
    return attack(plan, SPLITS, Fitted(model, 1.0, facts={"seconds": 1})).facts


def test_a_network_is_attacked_on_validation_rows_and_a_file_is_not():
    facts = attacked(network(4.0))
    assert facts["seconds"] == 1
    assert facts["attacks"]["fgsm_accuracy"] < facts["attacks"]["clean_accuracy"]
    assert attacked(b"onnx")["attacks"]["sentence"].endswith("an ONNX file has no gradients.")
