"""Files as scikit-learn's converters, torch and people write them, made of a few nodes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from data_checks.errors import ModelError
from wdgate.evaluation.class_names import OtherClassesError, classes_of, refuse_other_order
from wdgate.evaluation.foreign import ForeignModel, answers_in_words
from wdgate.evaluation.labels import Labels
from wdgate.evaluation.tasks import Classification, Regression

TASK = Classification(("cat", "dog"))
ROWS = {"size": np.array([2.0, -1.0]), "weight": np.array([0.0, 3.0])}
KINDS = {"float": TensorProto.FLOAT, "int": TensorProto.INT64, "text": TensorProto.STRING}


def file(nodes, inputs, outputs, constants=(), sequence=False):
    puts = [helper.make_tensor_value_info(name, KINDS[kind], shape) for name, kind, shape in outputs]
    if sequence:
        kind = helper.make_tensor_type_proto(TensorProto.FLOAT, [])
        dictionary = helper.make_map_type_proto(sequence, kind)
        puts.append(helper.make_value_info("probabilities", helper.make_sequence_type_proto(dictionary)))
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(name, KINDS[kind], shape) for name, kind, shape in inputs],
        puts,
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()


def sklearns(labels, zipmap=False, columns=2):
    """What skl2onnx makes of a logistic regression of two classes, the second of which grows with `size`."""
    words = isinstance(labels[0], str)
    named = {"classlabels_strings" if words else "classlabels_ints": labels}
    coefficients = np.zeros((2, columns), np.float32)
    coefficients[:, 0] = [-1, 1]
    scored = helper.make_node(
        "LinearClassifier",
        ["X"],
        ["label", "scores" if zipmap else "probabilities"],
        domain="ai.onnx.ml",
        coefficients=coefficients.ravel().tolist(),
        intercepts=[0.0, 0.0],
        post_transform="SOFTMAX",
        **named,
    )
    zipped = {"classlabels_strings" if words else "classlabels_int64s": labels}
    nodes = [scored, helper.make_node("ZipMap", ["scores"], ["probabilities"], domain="ai.onnx.ml", **zipped)]
    outputs = [("label", "text" if words else "int", ("N",)), ("probabilities", "float", ("N", 2))]
    kind = (TensorProto.STRING if words else TensorProto.INT64) if zipmap else False
    return file(
        nodes[: 2 if zipmap else 1],
        [("X", "float", ("N", columns))],
        outputs[: 1 if zipmap else 2],
        sequence=kind,
    )


def torchs(output="logits", rows=((-1.0, 1.0), (0.0, 0.0)), width=2, axis="N"):
    node = helper.make_node("MatMul", ["x", "w"], [output])
    weights = np.array(rows, np.float32)
    outputs = [(output, "float", ("N", weights.shape[1]))]
    return file([node], [("x", "float", (axis, width))], outputs, [("w", weights)])


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


TRUTH = softmax(np.array([[-2.0, 2.0], [1.0, -1.0]]))


@pytest.mark.parametrize("zipmap", [False, True])
@pytest.mark.parametrize("labels", [["cat", "dog"], [0, 1]])
def test_scikit_learns_outputs_are_read_with_zipmap_and_without(labels, zipmap):
    found = ForeignModel(sklearns(labels, zipmap), TASK).predict(ROWS)
    assert np.allclose(found["probs"], TRUTH, atol=1e-6)
    assert found["predicted"].tolist() == [1, 0]


@pytest.mark.parametrize("zipmap", [False, True])
def test_columns_come_into_the_order_of_the_task_by_the_names_in_the_file(zipmap):
    found = ForeignModel(sklearns(["dog", "cat"], zipmap), TASK).predict(ROWS)
    assert np.allclose(found["probs"], TRUTH[:, ::-1], atol=1e-6)
    assert found["predicted"].tolist() == [0, 1]


def test_classes_that_the_task_does_not_have_are_refused():
    with pytest.raises(OtherClassesError, match="knows the classes cow, dog, but the task has cat, dog"):
        ForeignModel(sklearns(["cow", "dog"]), TASK)
    with pytest.raises(OtherClassesError, match="knows the classes 1, 0"):
        ForeignModel(sklearns([1, 0]), TASK)


@pytest.mark.parametrize(
    ("onnx", "names"),
    [
        (sklearns(["dog", "cat"]), ("dog", "cat")),
        (sklearns([-1, 1], True), ("-1", "1")),
        (torchs(), None),
    ],
)
def test_the_classes_that_a_file_names_are_read(onnx, names):
    assert classes_of(onnx) == names


def test_the_classes_that_wdgate_notes_are_read():
    import onnx

    model = onnx.load_from_string(torchs())
    helper.set_model_props(model, {"task": "Classification", "classes": '["Hund", "Käse"]'})
    assert classes_of(model.SerializeToString()) == ("Hund", "Käse")
    helper.set_model_props(model, {"classes": "none of yours"})
    assert classes_of(model.SerializeToString()) is None


def test_names_that_a_line_cannot_hold_are_told_in_one():
    with pytest.raises(OtherClassesError, match="knows the classes c at, dog, but"):
        ForeignModel(sklearns(["c\nat", "dog"]), TASK)
    broken = torchs(axis="Nnn").replace(b"Nnn", b"Nn\xff")
    with pytest.raises(ModelError, match="it holds a name that is no UTF-8 text"):
        ForeignModel(broken, TASK)


def test_text_answers_tell_the_order_and_numbers_do_not():
    assert answers_in_words(sklearns(["cat", "dog"]))
    assert not answers_in_words(sklearns([0, 1]))
    assert not answers_in_words(torchs())


def test_logits_become_probabilities():
    found = ForeignModel(torchs(), TASK).predict(ROWS)
    assert np.allclose(found["probs"], TRUTH, atol=1e-6)


def test_the_only_output_needs_a_word_when_its_name_says_nothing():
    with pytest.raises(
        ModelError, match=r"gives linear_1, expected .* say what it is: probs, logits or pred"
    ):
        ForeignModel(torchs("linear_1"), TASK)
    found = ForeignModel(torchs("linear_1"), TASK, "logits").predict(ROWS)
    assert np.allclose(found["probs"], TRUTH, atol=1e-6)
    with pytest.raises(ModelError, match="none is its only output"):
        ForeignModel(sklearns(["cat", "dog"]), TASK, "logits")


@pytest.mark.parametrize(("output", "first"), [("logits", 1 / (1 + np.exp(2.0))), ("probs", 3.0)])
def test_one_column_is_of_the_second_class(output, first):
    one = torchs(output, rows=((1.0,), (0.0,)))
    if output == "probs":
        found = ForeignModel(one, TASK).predict({"size": np.array([0.25]), "weight": np.zeros(1)})
        assert found["probs"].tolist() == [[0.75, 0.25]]
    else:
        assert np.isclose(ForeignModel(one, TASK).predict(ROWS)["probs"][0, 0], first)


def test_a_file_of_more_classes_is_refused():
    three = torchs(rows=((1.0, 2.0, 3.0), (0.0, 0.0, 0.0)))
    with pytest.raises(OtherClassesError, match=r"shape \(2, 3\), expected a column for each of cat, dog"):
        ForeignModel(three, TASK).predict(ROWS)


def test_a_file_without_probabilities_is_scored_by_its_classes():
    node = helper.make_node("ArgMax", ["x"], ["label"], axis=1, keepdims=0)
    model = ForeignModel(file([node], [("x", "float", ("N", 2))], [("label", "int", ("N",))]), TASK)
    assert model.task == Labels(("cat", "dog"))
    assert model.predict(ROWS)["predicted"].tolist() == [0, 1]


def test_a_regression_has_one_column_of_any_name():
    model = ForeignModel(torchs("out", rows=((2.0,), (1.0,))), Regression())
    assert model.predict(ROWS)["predicted"].tolist() == [4.0, 1.0]


def columns_file(names, shape):
    node = helper.make_node("Sub", names, ["predicted"])
    return file([node], [(name, "float", shape) for name in names], [("predicted", "float", shape)])


@pytest.mark.parametrize("shape", [("N",), ("N", 1)])
def test_one_input_a_column_is_fed_by_name_and_other_columns_are_left_aside(shape):
    rows = {"body weight": np.array([5.0, 7.0]), "other": np.zeros(2), "size": np.array([1.0, 2.0])}
    model = ForeignModel(columns_file(["body_weight", "size"], shape), Regression())
    assert model.predict(rows)["predicted"].tolist() == [4.0, 5.0]


def test_columns_that_are_missing_text_or_too_many_are_one_sentence():
    with pytest.raises(ModelError, match="takes an input named colour, but the rows have size, weight"):
        ForeignModel(columns_file(["size", "colour"], ("N",)), Regression()).predict(ROWS)
    with pytest.raises(ModelError, match="takes one matrix of numbers, but column site holds text"):
        ForeignModel(torchs(), TASK).predict({**ROWS, "site": np.array(["A", "B"])})
    with pytest.raises(ModelError, match="takes 2 columns, but the rows have 3, the first of them size, wei"):
        ForeignModel(torchs(), TASK).predict({**ROWS, "age": np.zeros(2)})


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_logits_that_are_no_numbers_are_said_so(value):
    with pytest.raises(ModelError, match="logits are NaN or infinite on 1 of 2 rows"):
        ForeignModel(torchs(), TASK).predict({**ROWS, "size": np.array([value, 1.0])})


def test_a_permutation_of_the_classes_is_noticed():
    probs, named = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]]), np.array([0, 1, 1])
    refuse_other_order({"probs": probs, "predicted": named}, TASK)
    with pytest.raises(OtherClassesError, match="'dog' is predicted for rows of which 'cat' has the most"):
        refuse_other_order({"probs": probs, "predicted": 1 - named}, TASK)


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_file_with_a_changed_byte_is_judged_or_refused_in_one_sentence(place, byte):
    changed = bytearray(sklearns(["cat", "dog"]))
    changed[place % len(changed)] = byte
    try:
        found = ForeignModel(bytes(changed), TASK).predict(ROWS)
    except ModelError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either may happen
    else:
        assert set(found) <= {"probs", "predicted"}


@given(st.permutations(["a", "b", "c", "d"]), st.integers(0, 2**32 - 1))
def test_the_order_of_the_columns_changes_nothing_where_the_file_names_them(order, seed):
    rng = np.random.default_rng(seed)
    weights, rows = rng.normal(size=(3, 4)).astype(np.float32), rng.normal(size=(5, 3))
    task = Classification(("a", "b", "c", "d"))

    def model(names):
        places = ["abcd".index(name) for name in names]
        node = helper.make_node(
            "LinearClassifier",
            ["X"],
            ["label", "probabilities"],
            domain="ai.onnx.ml",
            coefficients=weights[:, places].T.ravel().tolist(),
            intercepts=[0.0] * 4,
            post_transform="SOFTMAX",
            classlabels_strings=list(names),
        )
        outputs = [("label", "text", ("N",)), ("probabilities", "float", ("N", 4))]
        return ForeignModel(file([node], [("X", "float", ("N", 3))], outputs), task)

    found, expected = model(order).predict(rows), model("abcd").predict(rows)
    assert np.allclose(found["probs"], expected["probs"], atol=1e-6)
    assert found["predicted"].tolist() == expected["predicted"].tolist()
