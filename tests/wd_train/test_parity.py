"""Is a file that predicts something else found out?"""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from data_checks.errors import ModelError
from wd_train.network import AsFloat, Network
from wd_train.parity import TOLERANCE, _sure, check_parity
from wdgate.evaluation.onnx_file import OnnxModel
from wdgate.evaluation.tasks import Classification

TASK = Classification(("a", "b", "c"))
INPUTS = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
WEIGHT = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)


def network(weight=WEIGHT):
    net = nn.Linear(4, 3, bias=False)
    net.weight = nn.Parameter(torch.tensor(weight))
    return Network(AsFloat(), net)


def by_hand(weight=WEIGHT, predicted="ArgMax"):
    """The file of a linear network, written without the exporter."""
    nodes = [
        helper.make_node("Gemm", ["inputs", "weight"], ["logits"], transB=1),
        helper.make_node("Softmax", ["logits"], ["probs"], axis=1),
        helper.make_node(predicted, ["logits"], ["predicted"], axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("inputs", TensorProto.FLOAT, ["rows", 4])],
        [
            helper.make_tensor_value_info("probs", TensorProto.FLOAT, ["rows", 3]),
            helper.make_tensor_value_info("predicted", TensorProto.INT64, ["rows"]),
        ],
        [numpy_helper.from_array(weight, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def parity(content, net):
    return check_parity(content, net, TASK, INPUTS, len(INPUTS))


def test_the_same_network_written_by_hand_is_near_enough():
    found = parity(by_hand(), network())
    assert found.rows == 20
    assert found.difference <= 1e-6 < TOLERANCE


@pytest.mark.parametrize(
    "content", [by_hand(WEIGHT * 1.01), by_hand(predicted="ArgMin")], ids=["probs", "class"]
)
def test_a_file_that_predicts_something_else_is_refused(content):
    with pytest.raises(ModelError, match="predicts something else than the network: on 20 rows"):
        parity(content, network())


@pytest.mark.parametrize("fixed", [1, 2, 7, 20])
def test_a_file_that_is_wrong_at_one_batch_size_is_found_out(monkeypatch, fixed):
    """As where an exporter took a number of rows for a constant, and broadcasts."""

    class Wrong(OnnxModel):
        def predict(self, inputs):
            predictions = super().predict(inputs)
            if len(inputs) == fixed:
                predictions["probs"] = predictions["probs"][:, ::-1]
            return predictions

    monkeypatch.setattr("wd_train.parity.OnnxModel", Wrong)
    with pytest.raises(ModelError, match="predicts something else than the network"):
        parity(by_hand(), network())


def test_small_probabilities_are_compared_as_the_logits_that_they_come_from():
    """By a probability of .0003 the files differ in no digit that counts, by its logit they do."""
    weight = np.array([[8.0] * 4, [0.0] * 4, [0.0] * 4], np.float32)
    off = weight + np.array([[0], [0.01], [0]], np.float32)
    rows = np.full((20, 4), 0.25, np.float32)
    with pytest.raises(ModelError, match="predicts something else"):
        check_parity(by_hand(off), network(weight), TASK, rows, 20)


def test_nan_is_no_small_difference():
    with pytest.raises(ModelError, match="predicts something else"):
        parity(by_hand(WEIGHT * np.float32(np.nan)), network())


def test_classes_that_are_as_good_as_equal_may_be_ordered_either_way():
    tied = np.tile(WEIGHT[:1], (3, 1))
    nearly = tied + np.array([[0], [0], [1e-9]], np.float32)
    assert parity(by_hand(nearly, predicted="ArgMin"), network(tied)).difference <= TOLERANCE


def test_a_network_of_zeros_has_parity():
    assert parity(by_hand(WEIGHT * 0), network(WEIGHT * 0)).difference == 0


def test_rows_at_the_threshold_are_told_from_rows_beyond_it():
    task = Classification(("no", "yes"), threshold=0.3)
    edge = float(np.log(0.3 / 0.7))
    outputs = torch.tensor([[0.0, edge + 1e-6], [0.0, 0.0], [0.0, 2.0]])
    assert _sure(task, outputs, 1e-4).tolist() == [False, True, True]
    # Without the threshold the row in the middle is the one that may be called either way.
    assert _sure(Classification(("no", "yes")), outputs, 1e-4).tolist() == [True, False, True]
