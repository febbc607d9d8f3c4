"""Do the examples train, export, and go on after a kill with the same bytes?"""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data_checks.splits import read_inputs
from pipelines.pipeline import load_pipeline
from wd_train.checkpoints import Checkpoints
from wd_train.devices import threads_for
from wd_train.export import export
from wd_train.watching import watching_for
from wdgate.evaluation.onnx_file import OnnxModel

EXAMPLES = Path(__file__).parents[1] / "examples"
needs_lightning = pytest.mark.skipif(
    importlib.util.find_spec("lightning") is None, reason="lightning is not installed"
)
NAMES = ["plain_loop", "hugging_face", pytest.param("lightning_loop", marks=needs_lightning)]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Batches of few rows wait for the second thread longer than they compute."""
    with threads_for(0):
        yield


class Killed(BaseException):
    pass


class DiesAt(Checkpoints):
    """Leaves a checkpoint at one moment, and dies at a later one."""

    def __init__(self, folder, moment, dies):
        super().__init__(str(folder), "key")
        self.moment, self.dies, self.asked = moment, dies, 0

    def due(self):
        self.asked += 1
        if self.asked == self.dies:
            raise Killed
        return self.asked == self.moment


def loaded(name, epochs):
    return load_pipeline(str(EXAMPLES / f"{name}.py"), {"epochs": epochs}).pipeline


@pytest.mark.parametrize("name", NAMES)
def test_an_example_that_is_killed_ends_with_the_same_bytes(name, tmp_path):
    pipeline = loaded(name, 3)
    splits = pipeline.splits()
    few = replace(splits, train=splits.train.take(np.arange(150)))

    def trained(checkpoints, told):
        with watching_for(lambda number: checkpoints, lambda number, reading: told.append(reading)):
            model = pipeline.train(few.train, few.validation, pipeline.training)
        return {key: values.tolist() for key, values in model.state_dict().items()}

    whole, resumed = [], []
    expected = trained(Checkpoints(str(tmp_path / "whole"), "key"), whole)
    # Lightning's loop pauses between two epochs, the others between two batches as well.
    moment, dies = (1, 2) if name == "lightning_loop" else (5, 7)
    with pytest.raises(Killed):
        trained(DiesAt(tmp_path, moment, dies), [])
    assert trained(Checkpoints(str(tmp_path), "key"), resumed) == expected
    assert resumed == whole
    assert [reading.step for reading in whole] == [1, 9]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_trains_a_model_that_its_file_repeats(name):
    pipeline = loaded(name, 5)
    splits = pipeline.splits()
    model = pipeline.train(splits.train, splits.validation, pipeline.training)
    exported = export(model, pipeline.task, splits.train)
    inputs = read_inputs(splits.test.inputs, np.arange(len(splits.test)))
    predicted = OnnxModel(exported.onnx).predict(inputs)["predicted"]
    assert (predicted == splits.test.targets).mean() > 0.85
