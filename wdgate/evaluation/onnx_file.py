"""What does an ONNX file predict, given nothing but its bytes?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import ModelError

Inputs = NDArray[Any] | Mapping[str, NDArray[Any]]

TOO_LARGE = 2**31 - 1
"""Bytes of which a protobuf holds fewer, and so an ONNX file without external data."""

# What onnxruntime calls a type, and what NumPy calls it.
DTYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(bool)": "bool",
    "tensor(string)": "object",
} | {f"tensor({kind}int{bits})": f"{kind}int{bits}" for kind in ("", "u") for bits in (8, 16, 32, 64)}

DTYPE_OBJECTS = {kind: np.dtype(name) for kind, name in DTYPES.items()}


class OnnxModel:
    """A session over an ONNX file's bytes, on the CPU.

    Args:
        onnx: the bytes of the file.
        threads: that compute; with one, the same rows always give the same bits.

    Raises:
        ModelError: bytes that onnxruntime cannot open, more of them than a protobuf holds, or a file whose
            weights lie elsewhere.
    """

    def __init__(self, onnx: bytes, threads: int = 1) -> None:
        refuse_size(len(onnx))
        if has_external_data(onnx):
            raise ModelError("the ONNX file keeps weights in another file, expected all of them inside it")
        self._run_options = _run_options()
        try:
            self._session = _session(onnx, threads)
            self.inputs = {put.name: put.type for put in self._session.get_inputs()}
            self.outputs = tuple(put.name for put in self._session.get_outputs())
            self._only_input = next(iter(self.inputs)) if len(self.inputs) == 1 else "inputs"
        except _failures() as error:
            raise ModelError(
                f"{len(onnx):,} bytes cannot be opened as an ONNX file: {_reason(error)}"
            ) from error

    def predict(self, inputs: Inputs) -> dict[str, NDArray[Any]]:
        """The named outputs for some rows; an array is fed to the file's only input, whatever its name.

        Raises:
            ModelError: inputs of other names, types or shapes than the file takes.
        """
        # Of one row this takes as long as a small network, so that nothing here is asked twice.
        columns = {self._only_input: inputs} if isinstance(inputs, np.ndarray) else inputs
        if columns.keys() != self.inputs.keys():
            raise ModelError(f"the file takes {_listed(self.inputs)}, but the rows have {_listed(columns)}")
        feed = {name: _cast(name, values, self.inputs[name]) for name, values in columns.items()}
        try:
            outputs = self._session.run(self.outputs, feed, self._run_options)
        except _failures() as error:
            shapes = ", ".join(f"{name} {values.dtype} {values.shape}" for name, values in columns.items())
            raise ModelError(f"the file does not take rows of {shapes}: {_reason(error)}") from error
        return dict(zip(self.outputs, map(np.asarray, outputs), strict=True))


def read_onnx(path: Path) -> bytes:
    """The bytes of an ONNX file, if they are no more than a protobuf holds.

    Raises:
        ModelError: a file that cannot be read, or that is too large, of which nothing is read.
    """
    try:
        refuse_size(path.stat().st_size, f"{path}: ")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"the ONNX file {path} cannot be read: {error.strerror}") from error


def refuse_size(size: int, which: str = "") -> None:
    """Raise unless an ONNX file of `size` bytes can be opened.

    Raises:
        ModelError: one of 2 GiB or more, of which no reader of protobufs makes anything.
    """
    if size >= TOO_LARGE:
        raise ModelError(f"{which}{size:,} bytes cannot be an ONNX file, which holds less than 2 GiB")


def _session(onnx: bytes, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what it has to say is raised as a sentence instead
    # Its fallback would print, and try the same provider again.
    return onnxruntime.InferenceSession(
        onnx, options, providers=["CPUExecutionProvider"], enable_fallback=False
    )


def _run_options() -> Any:
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.log_severity_level = 4
    return options


def _cast(name: str, values: NDArray[Any], kind: str) -> NDArray[Any]:
    """The values in the type that the file takes, where that loses no more than precision."""
    if values.dtype is DTYPE_OBJECTS.get(kind) and values.flags.c_contiguous:
        return values
    text = kind == "tensor(string)" and values.dtype.kind in "OUS"
    if not text and (kind not in DTYPES or not np.can_cast(values.dtype, DTYPES[kind], "same_kind")):
        raise ModelError(
            f"the file takes {name} as {DTYPES.get(kind, kind)}, but the rows have {values.dtype}"
        )
    return np.ascontiguousarray(values, dtype=DTYPES[kind])


def _failures() -> tuple[type[Exception], ...]:
    """What onnxruntime raises; its exceptions have no base of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = [kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    return (*own, RuntimeError, ValueError)


def _reason(error: Exception) -> str:
    """What is wrong, in one line."""
    if isinstance(error, UnicodeDecodeError):
        return "it holds a name that is no UTF-8 text"
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    unknown = re.search(r"No Op registered for (\S+)|No opset import for domain '([^']*)", text)
    if unknown is not None:
        name, domain = unknown.groups()
        return f"onnxruntime knows no operator {name}" if name else f"it declares no operators of {domain!r}"
    return text if len(text) <= 200 else f"{text[:200]} ..."


def _listed(names: Mapping[str, Any]) -> str:
    return "inputs named " + ", ".join(sorted(names)) if names else "no inputs"


# Where tensors are found from each kind of protobuf message of onnx.proto: {field: kind of message}.
MESSAGES = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
EXTERNAL_DATA = 13  # TensorProto.external_data; data_location alone is a hint that a loader may ignore


def has_external_data(onnx: bytes) -> bool:
    """Whether any tensor of an ONNX file lies in another file, which no hash of these bytes protects.

    The base install has no onnx package, so the messages are walked here.

    Raises:
        ModelError: bytes that are no protobuf; what cannot be read is not vouched for.
    """
    try:
        return _any_external(memoryview(onnx), "model")
    except (IndexError, RecursionError) as error:
        raise ModelError(
            f"{len(onnx):,} bytes cannot be opened as an ONNX file: they are no protobuf"
        ) from error


def _any_external(message: memoryview, kind: str) -> bool:
    if kind == "tensor":
        return any(field == EXTERNAL_DATA for field, _ in _fields(message))
    inner = MESSAGES[kind]
    return any(_any_external(part, inner[field]) for field, part in _fields(message) if field in inner)


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The length-delimited fields of a protobuf message, in order."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        size, place = _size(message, place, tag & 7)
        if tag & 7 == 2:
            yield tag >> 3, message[place : place + size]
        place += size


def _size(message: memoryview, place: int, wire: int) -> tuple[int, int]:
    """How many bytes a field's value takes, and where it begins."""
    if wire == 2:
        return _varint(message, place)
    if wire == 0:
        return _varint(message, place)[1] - place, place
    if wire not in (1, 5):
        raise IndexError(f"wire type {wire}")  # groups, which no ONNX file has
    return (8 if wire == 1 else 4), place


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place
