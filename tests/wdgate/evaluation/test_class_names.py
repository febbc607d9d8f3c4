import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from data_checks.errors import ModelError
from wdgate.evaluation.class_names import classes_of, refuse_other_order
from wdgate.evaluation.tasks import Classification


def file(*labels, opset=3):
    """A file with a node that classifies for each list of labels; nobody runs it."""
    nodes = []
    for place, names in enumerate(labels):
        words = bool(names) and isinstance(names[0], str)
        named = {"classlabels_strings" if words else "classlabels_ints": list(names)} if names else {}
        outputs = [f"label{place}", f"scores{place}"]
        node = helper.make_node(
            "LinearClassifier", ["X"], outputs, domain="ai.onnx.ml", intercepts=[0.5], **named
        )
        nodes.append(node)
    puts = [helper.make_tensor_value_info("X", TensorProto.FLOAT, ("N", 1))]
    graph = helper.make_graph(nodes, "graph", puts, [])
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("ai.onnx.ml", opset)]
    ).SerializeToString()


NAMES = st.lists(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=5, unique=True
)


@given(NAMES)
def test_names_are_read_as_they_were_written(names):
    assert classes_of(file(names)) == tuple(names)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=5))
def test_whole_numbers_are_read_as_they_were_written(numbers):
    assert classes_of(file(numbers)) == tuple(map(str, numbers))


@given(st.binary(max_size=200), st.integers(0, 200))
def test_a_file_that_ends_too_soon_names_nothing_or_what_was_read(rest, end):
    found = classes_of(file(["cat", "dog"])[:end] + rest)
    assert found is None or all(isinstance(name, str) for name in found)


@pytest.mark.parametrize(
    ("labels", "found"),
    [([], None), ([[]], None), ([["a", "b"], ["a", "b"]], ("a", "b")), ([["a", "b"], ["b", "a"]], None)],
)
def test_a_file_that_names_none_or_disagrees_says_nothing(labels, found):
    assert classes_of(file(*labels)) == found


def test_rows_that_are_all_below_a_threshold_are_in_no_other_order():
    two = {"probs": np.array([[0.2, 0.8], [0.3, 0.7]]), "predicted": np.zeros(2, int)}
    refuse_other_order(two, Classification(("no", "yes"), threshold=0.9))
    with pytest.raises(ModelError, match="another order"):
        refuse_other_order(two, Classification(("no", "yes")))
