"""Are the exported bytes the network, and the same bytes everywhere?"""

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from data_checks.errors import ModelError
from data_checks.splits import Split
from wd_train.export import ExportedModel, Port, adopt, export
from wd_train.network import AsFloat, Network
from wdgate.evaluation.onnx_file import OnnxModel
from wdgate.evaluation.tasks import Classification, Regression

TASK = Classification(("cat", "dög", "owl"))
PICTURES = Split(
    np.random.default_rng(0).integers(0, 256, size=(12, 6, 6), dtype=np.uint8), np.arange(12) % 3
)
COLUMNS = Split(
    {"mean radius": np.arange(9.0), "age": np.arange(9), "unused": np.arange(9) > 3}, np.arange(9.0)
)

SCRIPT = """
import hashlib, numpy, torch
from data_checks.splits import Split
from wd_train.export import export
from wd_train.network import AsFloat, Network
from wdgate.evaluation.tasks import Classification
torch.manual_seed(0)
from torch import nn
net = nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.LayerNorm(4), nn.Linear(4, 2))
split = Split(numpy.ones((3, 3)), numpy.zeros(3, int))
print(hashlib.sha256(export(Network(AsFloat(), net), Classification(("a", "b")), split).onnx).hexdigest())
"""


class Brightness(nn.Module):
    def forward(self, inputs):
        return inputs.float().unsqueeze(1) / 255


class Table(nn.Module):
    def forward(self, inputs):
        return torch.stack([inputs["mean radius"].float(), inputs["age"].float()], dim=1)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Dropout(), nn.Flatten(), nn.Linear(32, 3)
    )
    return Network(Brightness(), net)


@pytest.fixture(scope="module")
def exported(network) -> ExportedModel:
    return export(network, TASK, PICTURES)


def test_the_file_takes_rows_as_they_were_read_and_names_what_it_gives(exported):
    assert exported.inputs == (Port("inputs", "uint8", ("rows", 6, 6)),)
    assert exported.outputs == (Port("probs", "float32", ("rows", 3)), Port("predicted", "int64", ("rows",)))
    assert exported.sha256 == hashlib.sha256(exported.onnx).hexdigest()
    assert json.loads(json.dumps(exported.as_dict()))["bytes"] == len(exported.onnx)


@pytest.mark.parametrize("rows", [1, 2, 12])
def test_the_file_predicts_what_the_network_predicts_for_any_number_of_rows(network, exported, rows):
    inputs = PICTURES.inputs[:rows]
    found = OnnxModel(exported.onnx).predict(inputs)
    with torch.no_grad():
        expected = network.eval()(torch.tensor(inputs)).softmax(1).numpy()
    np.testing.assert_allclose(found["probs"], expected, atol=1e-6)
    np.testing.assert_array_equal(found["predicted"], expected.argmax(1))


def test_the_names_of_the_classes_are_in_the_file(exported):
    properties = {
        entry.key: entry.value for entry in onnx.load_model_from_string(exported.onnx).metadata_props
    }
    assert json.loads(properties["classes"]) == ["cat", "dög", "owl"]


def test_nothing_of_this_machine_is_in_the_file(exported):
    assert b".py" not in exported.onnx
    assert os.path.expanduser("~").encode() not in exported.onnx
    assert b"stack_trace" not in exported.onnx


def test_the_bytes_are_the_same_from_any_folder_and_process(tmp_path):
    runs = []
    for seed in ("1", "2"):
        folder = tmp_path / f"folder_{seed}"
        folder.mkdir()
        (folder / f"script_{seed}.py").write_text(SCRIPT)
        environment = {**os.environ, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, f"script_{seed}.py"]
        runs.append(subprocess.Popen(command, cwd=folder, env=environment, stdout=-1, stderr=-1, text=True))
    (first, noise), (second, _) = (run.communicate(timeout=120) for run in runs)
    assert len(first.strip()) == 64, noise
    assert first == second
    assert noise == ""


def test_columns_keep_their_names_and_all_of_them_are_inputs():
    exported = export(Network(Table(), nn.Linear(2, 1)), Regression(), COLUMNS)
    assert [(port.name, port.dtype) for port in exported.inputs] == [
        ("mean radius", "float32"),
        ("age", "int64"),
        ("unused", "bool"),
    ]
    assert exported.outputs == (Port("predicted", "float32", ("rows",)),)


def test_a_network_whose_file_would_hold_one_number_of_rows_is_refused():
    class Fixed(nn.Module):
        def forward(self, inputs):
            return inputs.reshape(2, 4)[:, :3] if len(inputs) == 2 else inputs[:, :3] * len(inputs)

    split = Split(np.ones((5, 4), np.float32), np.zeros(5, int))
    with pytest.raises(ModelError):
        export(Network(AsFloat(), Fixed()), TASK, split)


def test_a_network_that_cannot_be_traced_is_refused_in_one_sentence():
    class Branching(nn.Linear):
        def forward(self, inputs):
            return super().forward(inputs) if inputs.sum() > 0 else inputs

    split = Split(np.ones((5, 3), np.float32), np.zeros(5, int))
    with pytest.raises(ModelError, match="the network cannot be written as ONNX: ") as raised:
        export(Network(AsFloat(), Branching(3, 3)), TASK, split)
    assert "\n" not in str(raised.value)


def test_a_file_of_somebody_else_is_adopted_byte_by_byte(exported, tmp_path):
    file = tmp_path / "model.onnx"
    file.write_bytes(exported.onnx)
    for given in (file, exported.onnx):
        adopted = adopt(given, TASK, PICTURES)
        assert adopted.onnx == exported.onnx
        assert (adopted.inputs, adopted.outputs) == (exported.inputs, exported.outputs)
        assert adopted.parity is None


@pytest.mark.parametrize(
    ("content", "task", "example", "said"),
    [
        (b"not a model", TASK, PICTURES, "cannot be opened as an ONNX file"),
        (None, Classification(tuple("abcd")), PICTURES, "probs has shape"),
        (None, TASK, COLUMNS, "the file takes inputs named inputs"),
    ],
    ids=["no file", "other classes", "other rows"],
)
def test_a_file_that_does_not_do_what_the_task_needs_is_not_adopted(exported, content, task, example, said):
    with pytest.raises(ModelError, match=said):
        adopt(exported.onnx if content is None else content, task, example)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"gone\.onnx cannot be read"):
        adopt(tmp_path / "gone.onnx", TASK, PICTURES)


def test_a_temperature_divides_the_outputs_in_the_file_and_is_told(network, exported):
    cooler = export(network, TASK, PICTURES, temperature=2.0)
    with torch.no_grad():
        expected = (network(torch.tensor(PICTURES.inputs)) / 2).softmax(dim=1).numpy()
    found = OnnxModel(cooler.onnx).predict(PICTURES.inputs)
    plain = OnnxModel(exported.onnx).predict(PICTURES.inputs)
    assert np.allclose(found["probs"], expected, atol=1e-6)
    assert found["predicted"].tolist() == plain["predicted"].tolist()
    assert cooler.as_dict()["temperature"] == 2
    assert "temperature" not in exported.as_dict()


def test_a_threshold_asks_of_the_probabilities_that_a_temperature_left(network):
    task = Classification(("no", "yes"), threshold=0.3)
    two = nn.Sequential(network, nn.Linear(3, 2))
    found = OnnxModel(export(two, task, PICTURES, temperature=2.0).onnx).predict(PICTURES.inputs)
    assert found["predicted"].tolist() == (found["probs"][:, 1] >= 0.3).tolist()


def test_the_version_of_the_operators_and_the_size_are_told(exported):
    used = {one.domain: one.version for one in onnx.load_model_from_string(exported.onnx).opset_import}
    assert exported.as_dict()["opset"] == used[""] > 0
    assert exported.sentence == f"The file has {len(exported.onnx):,} bytes (opset {used['']})."


def test_a_temperature_of_1_changes_no_byte(network, exported):
    assert export(network, TASK, PICTURES, temperature=1.0).onnx == exported.onnx


@pytest.mark.parametrize(("temperature", "task"), [(0.0, TASK), (float("nan"), TASK), (2.0, Regression())])
def test_a_temperature_that_means_nothing_is_refused(network, temperature, task):
    with pytest.raises(ModelError, match="temperature"):
        export(network, task, PICTURES, temperature=temperature)


def test_a_threshold_is_inside_the_file():
    torch.manual_seed(0)
    split = Split(np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2)
    task = Classification(("no", "yes"), threshold=0.3)
    found = OnnxModel(export(Network(AsFloat(), nn.Linear(3, 2)), task, split).onnx).predict(split.inputs)
    over = found["probs"][:, 1] >= np.float32(0.3)
    np.testing.assert_array_equal(found["predicted"], over)
    assert (found["predicted"] != found["probs"].argmax(axis=1)).any()
