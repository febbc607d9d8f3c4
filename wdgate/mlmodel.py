"""How is an ONNX file told to MLflow's UI, without a line that MLflow would run?"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from wdgate.canonical import canonical_json

# What MLflow's signatures call a type, where it is not the middle of onnxruntime's `tensor(...)`.
NAMES = {"float": "float32", "double": "float64", "string": "str"}


def mlmodel(onnx: bytes, *, created: str) -> str:
    """The MLmodel file of a release: its signature, and no flavor that runs code when it is loaded.

    Args:
        onnx: the released file.
        created: when, in UTC; handed in so that the same release gives the same file.

    Returns:
        JSON, which is YAML too.
    """
    fields = {
        "flavors": {"wdgate": {"data": "model.onnx", "certificate": "certificate.json"}},
        "model_size_bytes": len(onnx),
        "signature": signature(onnx),
        "utc_time_created": created,
    }
    return canonical_json(fields)


def signature(onnx: bytes) -> dict[str, str]:
    """MLflow's model signature: the inputs and outputs, each a JSON text of tensor specifications."""
    import onnxruntime

    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    return {
        "inputs": _specifications(session.get_inputs()),
        "outputs": _specifications(session.get_outputs()),
    }


def _specifications(tensors: Iterable[Any]) -> str:
    return json.dumps([_specification(tensor) for tensor in tensors])


def _specification(tensor: Any) -> dict[str, Any]:
    shape = [size if isinstance(size, int) else -1 for size in tensor.shape]
    dtype = tensor.type.removeprefix("tensor(").removesuffix(")")
    return {
        "name": tensor.name,
        "type": "tensor",
        "tensor-spec": {"dtype": NAMES.get(dtype, dtype), "shape": shape},
    }
