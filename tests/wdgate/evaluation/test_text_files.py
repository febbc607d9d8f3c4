"""Is a file that reads text, as scikit-learn's converters write it, judged on text that is mistyped?"""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from data_checks.splits import Split
from wdgate.evaluation.corruption_errors import corruption_errors
from wdgate.evaluation.evaluation import evaluate, evaluate_with
from wdgate.evaluation.foreign import ForeignModel
from wdgate.evaluation.tasks import Classification
from wdgate.evaluation.text_corruptions import TEXTS

TASK = Classification(("awful", "lovely"))
FEW = ("warm", "cold", "late", "early", "blue", "quiet", "loud", "small", "large", "round", "flat", "old")


def bag_of_words(shape, name="inputs"):
    """Counts `awful` and `lovely` in each text, and takes the softmax."""
    counted = {"mode": "TF", "min_gram_length": 1, "max_gram_length": 1, "max_skip_count": 0}
    words = {"ngram_counts": [0], "ngram_indexes": [0, 1], "pool_strings": ["awful", "lovely"]}
    nodes = [
        helper.make_node("Reshape", [name, "flat"], ["texts"]),
        helper.make_node(
            "Tokenizer", ["texts"], ["words"], "t", domain="com.microsoft",
            mark=0, pad_value="#", separators=[" "], mincharnum=1,
        ),
        helper.make_node("TfIdfVectorizer", ["words"], ["counts"], **counted, **words),
        helper.make_node("Softmax", ["counts"], ["probs"], axis=1),
        helper.make_node("ArgMax", ["counts"], ["predicted"], axis=1, keepdims=0),
    ]  # fmt: skip
    outputs = [
        helper.make_tensor_value_info("probs", TensorProto.FLOAT, ("N", 2)),
        helper.make_tensor_value_info("predicted", TensorProto.INT64, ("N",)),
    ]
    inputs = [helper.make_tensor_value_info(name, TensorProto.STRING, shape)]
    flat = numpy_helper.from_array(np.array([-1]), "flat")
    graph = helper.make_graph(nodes, "graph", inputs, outputs, [flat])
    domains = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=domains, ir_version=9).SerializeToString()


def texts(rows=200):
    """Texts of six words, one of which says what they are."""
    generator = np.random.default_rng(0)
    targets = np.arange(rows) % 2
    said = [generator.permutation([*generator.choice(FEW, 5), TASK.classes[one]]) for one in targets]
    return np.array([" ".join(words) for words in said], object), targets


@pytest.mark.parametrize(("kind", "shape"), [(object, ("N",)), (str, ("N",)), (object, ("N", 1))])
def test_a_file_that_takes_strings_is_judged_on_mistyped_text(kind, shape):
    inputs, targets = texts()
    inputs = inputs.astype(kind).reshape(-1, *shape[1:])
    found = evaluate(bag_of_words(shape), Split(inputs, targets), TASK)
    assert found.scores["accuracy"].mean() == 1
    assert list(found.robustness) == [corruption.name for corruption in TEXTS]
    for means in found.robustness.values():
        assert 1 > means[0] > means[-1] > 0.5
    assert corruption_errors(found, TASK).mean > 0.05
    assert found.permuted is None  # a text is one cell


def test_somebody_elses_file_takes_text_from_a_column_of_its_name():
    inputs, targets = texts()
    model = ForeignModel(bag_of_words(("N", 1), "note"), TASK)
    found = evaluate_with(model, model.sha256, Split({"note": inputs}, targets), TASK)
    assert found.scores["accuracy"].mean() == 1
    assert set(found.robustness) == {corruption.name for corruption in TEXTS}
