"""Which bytes leave the training, and do they predict what the network predicts?"""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from data_checks.errors import ModelError
from data_checks.splits import Split, read_inputs
from wd_train.parity import Parity, check_parity
from wd_train.rows import Tensors, as_tensors
from wdgate.evaluation.latency import Latency
from wdgate.evaluation.onnx_file import OnnxModel, read_onnx
from wdgate.evaluation.tasks import Task
from wdgate.evaluation.temperature import Temperature

EXAMPLES = 256
"""How many rows the file and the network are compared on."""


@dataclass(frozen=True)
class Port:
    """An input or an output of the file.

    Args:
        name: as the file has it.
        dtype: as NumPy has it, such as `float32`.
        shape: of which the first is `rows`, any number of them.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True, eq=False)
class ExportedModel:
    """One ONNX file that takes rows as they were read and gives named predictions.

    Args:
        onnx: the file.
        sha256: its hash.
        inputs: what it takes.
        outputs: what it gives.
        parity: how near it is to the network; None where the network was never seen.
        opset: the version of the operators that it is written in.
        temperature: what the file divides the network's outputs by; None where nobody asked for it.
        tempered: how the temperature was found, where it was.
        latency: how long it took to answer on the machine that wrote it, where that was measured.
    """

    onnx: bytes
    sha256: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    parity: Parity | None
    opset: int
    temperature: float | None = None
    tempered: Temperature | None = None
    latency: Latency | None = None

    @property
    def sentence(self) -> str:
        """What a person is told of the file."""
        told = [found.sentence for found in (self.tempered, self.latency) if found is not None]
        return " ".join([*told, f"The file has {len(self.onnx):,} bytes (opset {self.opset})."])

    def as_dict(self) -> dict[str, Any]:
        """Everything but the bytes, as plain values."""
        return {
            "sha256": self.sha256,
            "bytes": len(self.onnx),
            "opset": self.opset,
            "inputs": [asdict(port) for port in self.inputs],
            "outputs": [asdict(port) for port in self.outputs],
            "parity": None if self.parity is None else asdict(self.parity),
            **({} if self.temperature is None else {"temperature": self.temperature}),
            **({} if self.tempered is None else {"tempered": self.tempered.as_dict()}),
            **({} if self.latency is None else {"latency": self.latency.as_dict()}),
            "sentence": self.sentence,
        }


class Predictor(nn.Module):
    """A network with its task's predictions behind it: what is exported."""

    def __init__(self, network: nn.Module, task: Task) -> None:
        super().__init__()
        self.network = network
        self.task = task

    def forward(self, inputs: Any) -> tuple[Any, ...]:
        """The task's predictions, in the task's order."""
        return tuple(self.task.predictions(self.network(inputs)).values())


class Tempered(nn.Module):
    """A network whose outputs are divided by a temperature (Guo et al. 2017)."""

    def __init__(self, network: nn.Module, temperature: float) -> None:
        super().__init__()
        self.network = network
        self.temperature = temperature

    def forward(self, inputs: Any) -> Any:
        """The network's outputs, each divided by the temperature."""
        return self.network(inputs) / self.temperature


def export(network: nn.Module, task: Task, example: Split, temperature: float | None = None) -> ExportedModel:
    """Write the network and the task's predictions as one ONNX file, compared on rows of `example`.

    The bytes depend on the network, the task and the kind of the inputs alone: not on the folder, the process
    or the time. The input is called `inputs`, or as the columns are; the number of rows is free.

    Args:
        network: what was trained.
        task: its predictions are the file's outputs.
        example: rows as they were read.
        temperature: divides the network's outputs in the file, as `wdgate.evaluation.temperature` found it;
            None or 1 leaves the file as it is without.

    Raises:
        ModelError: a network that cannot be exported, or whose file predicts something else; a temperature
            that is not above 0, or asked for a task that has no classes.
    """
    network = network.cpu().eval()
    if temperature is not None:
        _check_temperature(temperature, task)
        network = Tempered(network, temperature).eval() if temperature != 1 else network
    rows = example.take(np.arange(min(EXAMPLES, len(example))))
    few = as_tensors(read_inputs(rows.inputs, _two_rows(len(rows))))
    with torch.no_grad():
        predictions = {name: values.numpy() for name, values in task.predictions(network(few)).items()}
    # A module of the user's own loop was not looked at before: what the task cannot score is told here.
    task.scores(predictions, example.targets[_two_rows(len(rows))])
    names = list(predictions)
    content = _plain(_graph(Predictor(network, task), few, names), task)
    parity = check_parity(content, network, task, rows.inputs, len(rows))
    return replace(_exported(content, parity), temperature=temperature)


def adopt(content: bytes | Path, task: Task, example: Split) -> ExportedModel:
    """Take an ONNX file that somebody else's loop wrote, byte by byte, if it predicts what the task needs.

    Raises:
        ModelError: a file that cannot be read, needs other files, or does not give the task's predictions.
    """
    content = content if isinstance(content, bytes) else read_onnx(Path(content))
    rows = np.arange(min(EXAMPLES, len(example)))
    predictions = OnnxModel(content).predict(read_inputs(example.inputs, rows))
    task.scores(predictions, example.targets[rows])
    return _exported(content, parity=None)


def _check_temperature(temperature: float, task: Task) -> None:
    if not 0 < temperature < float("inf"):
        raise ModelError(f"temperature must be a number above 0, got {temperature!r}")
    if not hasattr(task, "classes"):
        raise ModelError(f"a temperature is for logits of classes, but the task is {type(task).__name__}")


def _graph(predictor: Predictor, few: Tensors, names: list[str]) -> onnx.ModelProto:
    columns = {"inputs": few} if isinstance(few, Tensor) else few
    free = {0: torch.export.Dim.DYNAMIC}
    try:
        with _quiet():
            program = torch.onnx.export(
                predictor,
                kwargs={"inputs": few},  # by name, because a dictionary at the end of args is taken for names
                dynamo=True,
                external_data=False,
                input_names=list(columns),
                output_names=names,
                dynamic_shapes={"inputs": free if isinstance(few, Tensor) else dict.fromkeys(few, free)},
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        reason = str(error.__cause__ or error).strip().split("\n")[0]
        raise ModelError(f"the network cannot be written as ONNX: {reason}") from error
    if program is None:
        raise ModelError("the network cannot be written as ONNX: the exporter gave nothing back")
    return program.model_proto


def _plain(model: onnx.ModelProto, task: Task) -> bytes:
    # The exporter notes the absolute path of every line of code that it traced, and orders attributes as
    # a set happens to be ordered: without both, a network gives the same bytes in any folder and process.
    for thing in _things(model):
        thing.ClearField("doc_string")
        if hasattr(thing, "metadata_props"):
            thing.ClearField("metadata_props")
    for node in _nodes(model):
        attributes = sorted(node.attribute, key=lambda attribute: str(attribute.name))
        node.ClearField("attribute")
        node.attribute.extend(attributes)
    model.ClearField("producer_version")
    model.producer_name = "wdgate"
    onnx.helper.set_model_props(model, _properties(task))
    if model.ByteSize() >= onnx.checker.MAXIMUM_PROTOBUF:
        raise ModelError(
            f"the network takes {model.ByteSize():,} bytes as ONNX, but one file holds less than 2 GiB"
        )
    return bytes(model.SerializeToString(deterministic=True))


def _properties(task: Task) -> dict[str, str]:
    classes = getattr(task, "classes", None)
    named = {} if classes is None else {"classes": json.dumps(list(classes), ensure_ascii=False)}
    return {"task": type(task).__name__, **named}


def _nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    yield from _nodes_of(model.graph.node)
    for function in model.functions:
        yield from _nodes_of(function.node)


def _nodes_of(nodes: Any) -> Iterator[onnx.NodeProto]:
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                yield from _nodes_of(graph.node)


def _things(model: onnx.ModelProto) -> Iterator[Any]:
    graph = model.graph
    yield from (model, graph, *graph.input, *graph.output, *graph.value_info, *graph.initializer)
    yield from model.functions
    yield from _nodes(model)


def _exported(content: bytes, parity: Parity | None) -> ExportedModel:
    model = onnx.load_model_from_string(content)
    graph = model.graph
    weights = {weight.name for weight in graph.initializer}
    return ExportedModel(
        onnx=content,
        sha256=hashlib.sha256(content).hexdigest(),
        inputs=tuple(_port(value) for value in graph.input if value.name not in weights),
        outputs=tuple(_port(value) for value in graph.output),
        parity=parity,
        opset=next((used.version for used in model.opset_import if used.domain in ("", "ai.onnx")), 0),
    )


def _port(value: onnx.ValueInfoProto) -> Port:
    tensor = value.type.tensor_type
    _, *rest = [d.dim_value if d.HasField("dim_value") else d.dim_param for d in tensor.shape.dim] or ["rows"]
    return Port(value.name, str(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)), ("rows", *rest))


def _two_rows(rows: int) -> NDArray[np.intp]:
    # One row would make the exporter take the number of rows for a constant.
    return np.arange(2) % rows


@contextmanager
def _quiet() -> Iterator[None]:
    """Let the exporter say nothing: its warnings are about its own insides."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
