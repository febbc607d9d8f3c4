"""What does an ONNX file predict that somebody else exported, in the words of the task?

Inputs: one matrix of the columns in their order, or one input a column. Outputs, by name: wdgate's own
(`probs`, `predicted`, `quantiles`), scikit-learn's (`label`, `probabilities`, also as ZipMap's list of
dictionaries), `logits`, or the only one, of which a person says what it is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import ModelError
from wdgate.evaluation.class_names import (
    OtherClassesError,
    class_numbers,
    class_order,
    classes_of,
    listed,
    word_of,
)
from wdgate.evaluation.labels import Labels
from wdgate.evaluation.onnx_file import OnnxModel
from wdgate.evaluation.quantiles import Quantiles
from wdgate.evaluation.tasks import Classification, Task

Array = NDArray[Any]
Meaning = Literal["probs", "logits", "predicted", "quantiles"]

MEANINGS: tuple[Meaning, ...] = ("probs", "logits", "predicted")
# What outputs are called: by wdgate, skl2onnx, onnxmltools, and by people.
NAMES: Mapping[str, Meaning] = {
    "probs": "probs",
    "probabilities": "probs",
    "output_probability": "probs",
    "logits": "logits",
    "quantiles": "quantiles",
    "predicted": "predicted",
    "label": "predicted",
    "output_label": "predicted",
    "variable": "predicted",
}


class _Opened(OnnxModel):
    """A session whose names of inputs and outputs can be read."""

    def __init__(self, onnx: bytes) -> None:
        try:
            super().__init__(onnx)
            self._shapes = {put.name: tuple(put.shape) for put in self._session.get_inputs()}
        except UnicodeDecodeError as error:
            raise ModelError(
                f"{len(onnx):,} bytes cannot be opened as an ONNX file: it holds a name that is no UTF-8 text"
            ) from error


class ForeignModel(_Opened):
    """A session over somebody else's file, which predicts in the words of a task.

    Args:
        onnx: the bytes of the file.
        task: what is predicted; the columns of the file are put into the order of its classes where the file
            names them, and are taken to be in that order where it names none.
        output: what the file's only output is, where its name does not say it.

    Raises:
        ModelError: bytes that cannot be opened, outputs that say nothing of this task, or other classes.
    """

    def __init__(self, onnx: bytes, task: Task, output: Meaning | None = None) -> None:
        super().__init__(onnx)
        self.sha256 = hashlib.sha256(onnx).hexdigest()
        self._meanings = _meanings(self.outputs, task, output)
        self._task = task
        own = classes_of(onnx)
        self._own: NDArray[np.intp] | None = None
        if own is not None and isinstance(task, Classification):
            self._own = class_order(own, task)

    @property
    def task(self) -> Task:
        """The task that these outputs can be scored in: without probabilities, classes alone."""
        names_only = set(self._meanings) == {"predicted"}
        if names_only and isinstance(self._task, Classification):
            return Labels(self._task.classes)
        return self._task

    def predict(self, inputs: Any) -> dict[str, Array]:
        """The predictions of some rows, named as the task names them.

        Raises:
            ModelError: columns that the file does not take, or outputs that say nothing of this task.
        """
        outputs = super().predict(self._fed(inputs))
        found = {meaning: outputs[name] for meaning, name in self._meanings.items()}
        if isinstance(self._task, Quantiles):
            return self._task.all_from(_numbers("quantiles", found["quantiles"]))
        if not isinstance(self._task, Classification):
            return {"predicted": _one_column(_numbers("predicted", found["predicted"]))}
        return self._classified(found, self._task)

    def _classified(self, found: Mapping[str, Array], task: Classification) -> dict[str, Array]:
        said = {}
        if "predicted" in found:
            said["predicted"] = class_numbers(found["predicted"], task)
        if "probs" in found or "logits" in found:
            probs = _probabilities(found, len(task.classes), task)
            if probs.ndim != 2 or probs.shape[1] != len(task.classes):
                raise OtherClassesError(
                    f"the file gives probabilities of shape {probs.shape}, expected a column for each of "
                    f"{listed(task.classes)}"
                )
            if self._own is not None and not _is_dictionaries(found.get("probs")):
                probs = probs[:, self._own]
            said = {"predicted": task.called(probs), **said, "probs": probs}
        return said

    def _fed(self, inputs: Any) -> Any:
        if not isinstance(inputs, Mapping) or set(inputs) == set(self.inputs):
            return self._shaped(inputs) if isinstance(inputs, Mapping) else inputs
        # Converters write `mean radius` as `mean_radius`; a name that is there as it stands comes first.
        known = {re.sub(r"\W", "_", name): name for name in inputs} | {name: name for name in inputs}
        missing = [name for name in self.inputs if name not in known]
        if not missing:
            return self._shaped({name: inputs[known[name]] for name in self.inputs})
        if len(self.inputs) > 1:
            raise ModelError(
                f"the file takes an input named {listed(missing[:1])}, but the rows have {listed(inputs)}"
            )
        matrix = _matrix(inputs, self.inputs[missing[0]])
        width = (*self._shapes[missing[0]], None, None)[1]
        if isinstance(width, int) and width != matrix.shape[1]:
            first = listed(list(inputs)[:5])
            raise ModelError(
                f"the file takes {width:,} columns, but the rows have {matrix.shape[1]:,}, "
                f"the first of them {first}"
            )
        return matrix

    def _shaped(self, columns: Mapping[str, Array]) -> dict[str, Array]:
        """Columns (N,) as (N, 1), where the file takes such ones."""
        return {
            name: values[:, None] if values.ndim == 1 and len(self._shapes[name]) == 2 else values
            for name, values in columns.items()
        }


def own_classes(onnx: bytes) -> tuple[str, ...] | None:
    """The classes that a file names in the order of its columns, or None.

    Raises:
        ModelError: bytes that cannot be opened.
    """
    _Opened(onnx)
    return classes_of(onnx)


def answers_in_words(onnx: bytes) -> bool:
    """Whether a file names the class of each row as text, by which the order of its columns can be told."""
    outputs = _Opened(onnx)._session.get_outputs()
    return any(NAMES.get(put.name) == "predicted" and put.type == "tensor(string)" for put in outputs)


def _meanings(outputs: Sequence[str], task: Task, output: Meaning | None) -> dict[str, str]:
    """The outputs by what they mean; those that mean nothing to the task are left out."""
    if output is not None and len(outputs) > 1:
        raise ModelError(f"the file gives {listed(outputs)}, so that none is its only output, {output}")
    found: dict[str, str] = {NAMES[name]: name for name in reversed(outputs) if name in NAMES}
    told = _told(task)
    if len(outputs) == 1 and (output is not None or len(told) == 1):
        found = {output or told[0]: outputs[0]}
    found = {meaning: name for meaning, name in found.items() if meaning in told}
    if not found:
        several = "" if len(outputs) > 1 else "; say what it is: probs, logits or predicted"
        raise ModelError(
            f"the file gives {listed(outputs)}, expected outputs named {', '.join(NAMES)}{several}"
        )
    return found


def _told(task: Task) -> tuple[Meaning, ...]:
    """What outputs may say of a task."""
    if isinstance(task, Classification):
        return MEANINGS
    return ("quantiles",) if isinstance(task, Quantiles) else ("predicted",)


def _probabilities(found: Mapping[str, Array], count: int, task: Classification) -> Array:
    values = found["probs"] if "probs" in found else found["logits"]
    if _is_dictionaries(values):
        return _unzipped(values, task)
    values = _numbers("probs" if "probs" in found else "logits", values)
    values = values[:, None] if values.ndim == 1 else values
    if "probs" not in found:
        return _softmax(values, count)
    # One column of two classes is the probability of the second.
    one = values.ndim == 2 and values.shape[1] == 1 and count == 2
    return np.concatenate([1 - values, values], axis=1) if one else values


def _softmax(logits: Array, count: int) -> Array:
    if not np.isfinite(logits).all():
        wrong = (~np.isfinite(logits)).reshape(len(logits), -1).any(axis=1).sum()
        raise ModelError(
            f"logits are NaN or infinite on {wrong:,} of {len(logits):,} rows, expected finite numbers"
        )
    if logits.ndim == 2 and logits.shape[1] == 1 and count == 2:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    if logits.ndim != 2:
        raise ModelError(f"logits have shape {logits.shape}, expected a column a class")
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _is_dictionaries(values: Array | None) -> bool:
    return values is not None and values.dtype == object and bool(len(values)) and isinstance(values[0], dict)


def _unzipped(rows: Array, task: Classification) -> Array:
    """What ZipMap gives, a dictionary a row, in the order of the task's classes (N, C)."""
    names = [word_of(name) for name in rows[0]]
    order = class_order(names, task)
    table = np.array([list(row.values()) for row in rows.tolist()], np.float64)
    return np.asarray(table[:, order])


def _one_column(values: Array) -> Array:
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def _numbers(name: str, values: Array) -> Array:
    if values.dtype.kind not in "biuf":
        raise ModelError(f"{name} is {values.dtype}, expected numbers")
    return values


def _matrix(columns: Mapping[str, Array], kind: str) -> Array:
    """The columns side by side in their order (N, F), where the file takes one input."""
    odd = [name for name, values in columns.items() if values.dtype.kind not in "biuf"]
    if odd and kind != "tensor(string)":
        raise ModelError(f"the file takes one matrix of numbers, but column {odd[0]} holds text or moments")
    parts = [values.reshape(len(values), -1) for values in columns.values()]
    if kind == "tensor(string)":
        parts = [part.astype(str).astype(object) for part in parts]
    return np.concatenate(parts, axis=1)
