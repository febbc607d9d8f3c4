import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from data_checks.errors import ModelError
from wdgate.evaluation import onnx_file
from wdgate.evaluation.onnx_file import TOO_LARGE, OnnxModel, has_external_data, read_onnx


def moved_out(tensor):
    """The tensor with its values in another file."""
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")


def test_a_file_says_what_it_takes_and_gives(adder):
    model = OnnxModel(adder)
    assert model.inputs == {"size": "tensor(float)", "count": "tensor(int64)"}
    assert model.outputs == ("predicted",)


def test_named_columns_go_to_the_inputs_of_their_names(adder):
    columns = {"count": np.array([1, 2]), "size": np.array([0.5, 0.25])}
    assert OnnxModel(adder).predict(columns)["predicted"].tolist() == [1.5, 2.25]


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"size": np.zeros(2)}, "takes inputs named count, size, but the rows have inputs named size"),
        (np.zeros((2, 2)), "but the rows have inputs named inputs"),
        ({"size": np.zeros(2), "count": np.zeros(2)}, "takes count as int64, but the rows have float64"),
        ({"size": np.zeros(2), "count": np.array(["1", "2"])}, "takes count as int64"),
        ({"size": np.zeros(2), "count": np.zeros((2, 3), int)}, "does not take rows of"),
    ],
)
def test_other_inputs_are_refused_in_one_sentence(adder, columns, sentence):
    with pytest.raises(ModelError, match=sentence) as refused:
        OnnxModel(adder).predict(columns)
    assert "\n" not in str(refused.value)


@given(st.binary(max_size=300))
def test_bytes_that_are_no_onnx_file_are_refused(content):
    with pytest.raises(ModelError, match="cannot be opened as an ONNX file"):
        OnnxModel(content)


def test_a_truncated_file_is_refused(adder):
    with pytest.raises(ModelError, match="cannot be opened as an ONNX file"):
        OnnxModel(adder[: len(adder) // 2])


def test_what_a_bad_file_prints_is_kept_from_the_terminal(classifier, capfd):
    with pytest.raises(ModelError):
        OnnxModel(classifier(np.eye(2), shape=("N", 2))).predict(np.zeros((2, 3), np.float32))
    with pytest.raises(ModelError):
        OnnxModel(b"no file")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("name", "other"), [(b"inputs", b"inp\xffts"), (b"probs", b"pr\xffbs")])
def test_a_name_that_is_no_text_is_refused(classifier, name, other):
    honest = classifier(np.eye(2))
    assert name in honest
    with pytest.raises(ModelError, match="it holds a name that is no UTF-8 text"):
        OnnxModel(honest.replace(name, other))


def test_an_operator_that_is_no_text_is_refused_without_a_word_on_the_terminal(classifier, capfd):
    with pytest.raises(ModelError, match="it holds a name that is no UTF-8 text"):
        OnnxModel(classifier(np.eye(2)).replace(b"ArgMax", b"Arg\xffax"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("operator", "domain", "said"),
    [("Nonsense", "", "knows no operator Nonsense"), ("Foo", "mine", "declares no operators of 'mine'")],
)
def test_an_operator_that_nobody_knows_is_named(classifier, operator, domain, said):
    model = onnx.load_from_string(classifier(np.eye(2)))
    model.graph.node[-1].op_type, model.graph.node[-1].domain = operator, domain
    with pytest.raises(ModelError, match=said):
        OnnxModel(model.SerializeToString())


def test_a_file_of_3_gb_is_refused_before_a_byte_is_read(tmp_path):
    path = tmp_path / "large.onnx"
    with path.open("wb") as file:
        file.truncate(3 * 10**9)  # takes no room on the disk
    with pytest.raises(ModelError, match=r"large\.onnx: 3,000,000,000 bytes cannot be an ONNX file"):
        read_onnx(path)


def test_bytes_beyond_what_a_protobuf_holds_are_refused(adder, monkeypatch):
    assert TOO_LARGE == onnx.checker.MAXIMUM_PROTOBUF
    monkeypatch.setattr(onnx_file, "TOO_LARGE", len(adder))
    with pytest.raises(ModelError, match="bytes cannot be an ONNX file, which holds less than 2 GiB"):
        OnnxModel(adder)


def test_a_file_is_read_as_it_is_and_one_that_is_not_there_is_named(adder, tmp_path):
    path = tmp_path / "adder.onnx"
    path.write_bytes(adder)
    assert read_onnx(path) == adder
    with pytest.raises(ModelError, match=r"gone\.onnx cannot be read"):
        read_onnx(tmp_path / "gone.onnx")


def test_weights_in_another_file_are_refused_wherever_the_tensor_is(classifier):
    honest = classifier(np.eye(2))
    assert not has_external_data(honest)

    initializer = onnx.load_from_string(honest)
    moved_out(initializer.graph.initializer[0])

    constant = onnx.load_from_string(honest)
    constant.graph.node.add(op_type="Constant", output=["spare"]).attribute.add(name="value", type=4)
    moved_out(constant.graph.node[-1].attribute[0].t)

    branch = onnx.load_from_string(honest)
    inner = helper.make_graph([], "inner", [], [], [helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])])
    moved_out(inner.initializer[0])
    branch.graph.node.add(op_type="If", output=["other"]).attribute.append(
        helper.make_attribute("then_branch", inner)
    )

    for model in (initializer, constant, branch):
        with pytest.raises(ModelError, match="expected all of them inside it"):
            OnnxModel(model.SerializeToString())
