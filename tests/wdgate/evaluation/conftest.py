"""ONNX files of a few nodes, made where they are needed."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper


def _file(nodes, inputs, outputs, initializers=()):
    values = {np.float32: TensorProto.FLOAT, np.float64: TensorProto.DOUBLE, np.int64: TensorProto.INT64}
    values |= {np.uint8: TensorProto.UINT8}
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(name, values[kind], shape) for name, kind, shape in inputs],
        [helper.make_tensor_value_info(name, values[kind], shape) for name, kind, shape in outputs],
        [numpy_helper.from_array(value, name) for name, value in initializers],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return model.SerializeToString()


@pytest.fixture
def classifier():
    """Makes a file: the softmax of inputs (N, ...) flattened, times weights (F, C); `broken` times that."""

    def make(weights, shape=("N", 2), kind=np.float32, broken=None):
        node = helper.make_node
        constants = [("weights", weights.astype(np.float32)), ("flat", np.array([-1, len(weights)]))]
        nodes = [
            node("Cast", ["inputs"], ["numbers"], to=TensorProto.FLOAT),
            node("Reshape", ["numbers", "flat"], ["rows"]),
            node("MatMul", ["rows", "weights"], ["logits"]),
            node("Softmax", ["logits"], ["probs" if broken is None else "fine"], axis=1),
            node("ArgMax", ["logits"], ["predicted"], axis=1, keepdims=0),
        ]
        if broken is not None:
            nodes.append(node("Mul", ["fine", "broken"], ["probs"]))
            constants.append(("broken", np.array(broken, np.float32)))
        outputs = [("probs", np.float32, ("N", weights.shape[1])), ("predicted", np.int64, ("N",))]
        return _file(nodes, [("inputs", kind, shape)], outputs, constants)

    return make


@pytest.fixture
def adder():
    """A file of two named columns (N,), whose sum it predicts."""
    nodes = [
        helper.make_node("Cast", ["count"], ["number"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["size", "number"], ["predicted"]),
    ]
    inputs = [("size", np.float32, ("N",)), ("count", np.int64, ("N",))]
    return _file(nodes, inputs, [("predicted", np.float32, ("N",))])
