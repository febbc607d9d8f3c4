"""Which network is trained, from a row as it was read to the outputs that its task needs?"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils.flop_counter import FlopCounterMode

from data_checks.errors import DataError, ModelError
from data_checks.splits import Split
from wd_train.rows import AT_ONCE, Rows
from wdgate.evaluation.tasks import Task

BuildModel = Callable[[Split], nn.Module]
BuildPreprocess = Callable[[Split], nn.Module]

CPU = torch.device("cpu")

FILTERED_AT_ONCE = 64
"""Pictures that filters are laid over together on a CPU: more leave the cache, and take thrice the time."""


class Network(nn.Module):
    """The preprocessing and the network behind it, as one module.

    Args:
        preprocess: from a batch as it was read - (N, ...), or a dictionary of columns - to what `net` takes.
        net: to the outputs (N, C).
    """

    def __init__(self, preprocess: nn.Module, net: nn.Module) -> None:
        super().__init__()
        self.preprocess = preprocess
        self.net = net

    def forward(self, inputs: Any) -> Any:
        """Outputs (N, C) for inputs (N, ...), or for a dictionary of columns."""
        return self.net(self.preprocess(inputs))


class AsFloat(nn.Module):
    """The preprocessing where none is given: numbers become float32, and nothing else changes."""

    def forward(self, inputs: Any) -> Any:
        """The same inputs as float32."""
        if isinstance(inputs, Tensor):
            return inputs.float()
        return {name: column.float() for name, column in inputs.items()}


@contextmanager
def seeded(seed: int, device: torch.device = CPU) -> Iterator[None]:
    """Draw what torch draws without being handed a generator - initial weights, dropout - from `seed`.

    The global generators are as they were before, afterwards.
    """
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def build_network(
    build_model: BuildModel, build_preprocess: BuildPreprocess | None, train: Split, seed: int
) -> Network:
    """Fit the preprocessing on the train rows and build the network with the initial weights of `seed`.

    Lazy layers, which take their size from what they are first shown, are shown the first rows.

    Raises:
        ModelError: a builder that gives back something else than a module, or lazy layers that cannot take
            the rows.
    """
    with seeded(seed):
        preprocess = _module(AsFloat() if build_preprocess is None else build_preprocess(train), "preprocess")
    with seeded(seed):
        network = Network(preprocess.eval(), _module(build_model(train), "model"))
        if any(is_lazy(parameter) for parameter in network.net.parameters()):
            # Within the seed, for this is where their initial weights are drawn.
            _first_outputs(network, train.take(np.arange(min(2, len(train)))))
        return network


def check_network(network: Network, train: Split, task: Task) -> int:
    """Predict the first rows of `train`, and count the floating-point operations a row.

    Raises:
        ModelError: a network that cannot take the rows, or that gives the wrong number of outputs.
        DataError: targets that are no classes of the task.
    """
    _check_targets(train, task)
    few = train.take(np.arange(min(2, len(train))))
    with FlopCounterMode(display=False) as counter:
        outputs = _first_outputs(network, few)
    _check_outputs(outputs, len(few), task)
    return int(counter.get_total_flops()) // len(few)


@torch.no_grad()
def _first_outputs(network: Network, few: Split) -> Any:
    network.eval()
    try:
        return network.net(Rows(few, network.preprocess, CPU).inputs(torch.arange(len(few))))
    except (RuntimeError, TypeError, ValueError, LookupError, AttributeError) as error:
        reason = f"{str(error).strip().splitlines()[0]}{_place(error)}"
        raise ModelError(f"the network cannot take the train rows ({_described(few)}): {reason}") from error


def _place(error: Exception) -> str:
    """Where in the user's own file it happened, if it did."""
    ours = (Path(torch.__file__).parent.as_posix(), Path(__file__).parent.as_posix())
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(ours)]
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""


def channels_last(net: nn.Module) -> None:
    """Lay out the weights of two-dimensional filters as convolutions are fastest, in place.

    Their inputs follow by themselves. A step on Fashion-MNIST takes two thirds of the time.
    """
    if any(isinstance(module, nn.Conv2d) for module in net.modules()):
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def predict(net: nn.Module, rows: Rows) -> Tensor:
    """Outputs (N, C) of the network behind the preprocessing, for all rows in their order."""
    was_training = net.training
    net.eval()
    filters = any(isinstance(module, nn.Conv2d) for module in net.modules())
    at_once = FILTERED_AT_ONCE if filters and rows.targets.device.type == "cpu" else AT_ONCE
    with torch.no_grad():
        outputs = torch.cat([net(inputs) for inputs in rows.in_order(at_once)])
    net.train(was_training)
    return outputs


def scores_of(task: Task, outputs: Tensor, targets: Tensor) -> dict[str, np.ndarray[Any, np.dtype[Any]]]:
    """The task's scores by name, one a row (N,), for the network's outputs (N, C)."""
    with torch.no_grad():
        predictions = {name: values.cpu().numpy() for name, values in task.predictions(outputs).items()}
    return dict(task.scores(predictions, targets.cpu().numpy()))


def _module(built: object, what: str) -> nn.Module:
    if not isinstance(built, nn.Module):
        raise ModelError(f"{what} gave back {type(built).__name__}, but a torch.nn.Module was expected")
    return built


def _check_targets(train: Split, task: Task) -> None:
    classes = getattr(task, "classes", None)
    if classes is None:
        return
    if train.targets.dtype.kind not in "iu":
        raise DataError(f"train targets are {train.targets.dtype}, but classes are whole numbers from 0")
    targets = train.targets.astype(np.int64)
    wrong = targets[(targets < 0) | (targets >= len(classes))]
    if len(wrong):
        raise DataError(f"train targets hold {wrong[0]}, but the task has classes 0 to {len(classes) - 1}")


def _check_outputs(outputs: object, rows: int, task: Task) -> None:
    if not isinstance(outputs, Tensor):
        raise ModelError(f"the network gives {type(outputs).__name__}, but a tensor of outputs was expected")
    shape = tuple(outputs.shape)
    if shape == (rows, task.outputs) or (shape == (rows,) and task.outputs == 1):
        return
    given = (
        shape[1] if len(shape) == 2 and shape[0] == rows else f"shape {shape} for {rows} rows, not a row of"
    )
    raise ModelError(f"the network gives {given} outputs a row, but the task needs {task.outputs}")


def _described(split: Split) -> str:
    if isinstance(split.inputs, np.ndarray):
        return f"{split.inputs.dtype} {tuple(split.inputs.shape[1:])} each"
    return f"columns {', '.join(split.inputs)}" if isinstance(split.inputs, dict) else "from a reader"
