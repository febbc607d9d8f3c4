"""What does a loop of the user's own leave, by a module and by an ONNX file?"""

import numpy as np
import pytest
import torch
from torch import nn

from data_checks.errors import ModelError, TrainingDivergedError
from data_checks.splits import Split
from pipelines.own_loops import train_own
from wd_train import watch
from wd_train.export import export
from wd_train.network import AsFloat, Network
from wd_train.outcomes import Diverged
from wd_train.training import Training
from wdgate.evaluation.tasks import Classification

TASK, TRAINING = Classification("abc"), Training(0.1)


def rows(count=40):
    generator = np.random.default_rng(0)
    pictures = generator.normal(size=(count, 6, 6)).astype(np.float32)
    return Split(pictures, generator.integers(0, 3, count))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(36, 3)

    def forward(self, inputs):
        return self.layer(inputs.flatten(1))


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return Net()


def outcome(given):
    return train_own(lambda train, validation, training: given, rows(), rows(), TASK, TRAINING)


def test_a_module_and_its_onnx_file_leave_the_same(net, tmp_path):
    onnx = export(Network(AsFloat(), net).eval(), TASK, rows()).onnx
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx)
    module = outcome(net)
    for same in (outcome(onnx), outcome(path), outcome(str(path))):
        assert np.allclose(same.predictions["probs"], module.predictions["probs"], atol=1e-5)
        assert np.array_equal(same.predictions["predicted"], module.predictions["predicted"])
        assert np.allclose(same.corrupted, module.corrupted, atol=1e-5)
        assert module.corrupted.shape == (40,)


def test_the_loop_is_handed_train_and_validation_rows_and_the_training(net):
    handed = []

    def loop(*given):
        handed.extend(given)
        return net

    train, validation = rows(), rows(20)
    train_own(loop, train, validation, TASK, TRAINING)
    assert handed == [train, validation, TRAINING]


def test_a_loop_that_diverges_is_named(net):
    def loop(train, validation, training):
        raise TrainingDivergedError("its loss was nan")

    assert train_own(loop, rows(), rows(), TASK, TRAINING) == Diverged("its loss was nan")
    with torch.no_grad():
        broken = Net()
        broken.layer.bias.fill_(torch.nan)
    assert isinstance(outcome(broken), Diverged)


def test_what_a_loop_of_many_watches_is_told_nobody(net, caplog):
    def loop(train, validation, training):
        optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=1e-3)
        watched = watch(net, optimizer, steps=1)
        net.layer.weight.grad = torch.zeros_like(net.layer.weight)
        optimizer.step()
        told.extend(watched.diagnoses)
        return net

    told = []
    train_own(loop, rows(), rows(), TASK, TRAINING)
    assert [diagnosis.name for diagnosis in told] == ["inert"]
    assert caplog.messages == []
    loop(None, None, None)
    assert caplog.messages == [f"inert: {told[1].sentence}"]


def test_anything_else_is_refused():
    with pytest.raises(ModelError, match=r"gave back dict, but a torch\.nn\.Module, or an ONNX file"):
        outcome({})
