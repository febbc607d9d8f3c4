"""What makes two askings the same: the rows, what may be shown of them, the questions, and the code?"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta
from functools import partial
from pathlib import Path, PurePath
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from data_checks.check import Check
from data_checks.evidence.schema import columns_of
from data_checks.splits import Array, Inputs, Split, Splits, column_bytes, read_inputs

# Of functions within functions, and of what they are called with: deeper, only the type counts.
_DEPTH = 8
_PLAIN = (bool, int, float, complex, str, bytes, date, time, timedelta, PurePath, range, np.generic)


def asking_key(splits: Splits, checks: Sequence[Check], salt: str, code: str, options: dict[str, Any]) -> str:
    """What makes two askings the same, as 32 hex digits."""
    content = [
        [splits.fingerprints, splits.public, str(splits.embargo), splits.source],
        {name: _beside_the_rows(split) for name, split in splits.named().items()},
        [_described(check) for check in checks],
        [salt, code, options, _own_code()],
    ]
    return _hash(json.dumps(content, default=str).encode(errors="surrogatepass"))


def _beside_the_rows(split: Split) -> list[Any]:
    """What an answer depends on that a fingerprint leaves out."""
    attributes = {str(name): _hash_of(np.asarray(values)) for name, values in split.attributes.items()}
    return [
        _form(split.inputs) if len(split) else [],
        split.targets.dtype.str,
        _hash_of(split.ids),
        attributes,
    ]


def _form(inputs: Inputs) -> list[Any]:
    """Name, type and shape of each column, and which cells of an untyped one are missing."""
    row = inputs if isinstance(inputs, np.ndarray | Mapping) else read_inputs(inputs, np.arange(1))
    columns = columns_of(row).items()
    return [[name, column.dtype.str, column.shape[1:], _untyped(column)] for name, column in columns]


def _untyped(column: Array) -> str:
    if column.dtype.kind != "O":
        return ""
    import pandas as pd

    # None and the text None have one content key, and are not the same answer.
    kind = pd.api.types.infer_dtype(column.reshape(-1), skipna=True)
    return f"{kind} {_hash(np.packbits(pd.isna(column)).tobytes())}"


def _described(value: Any, depth: int = _DEPTH) -> Any:
    """A question, or a part of one, as plain values that are the same in every process."""
    if value is None or isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, np.ndarray):
        return [value.shape, _hash_of(value)]
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    return [kind, *_parts(value, depth - 1)] if depth else kind


def _parts(value: Any, depth: int) -> list[Any]:
    if isinstance(value, Mapping):
        return sorted(json.dumps([str(key), _described(each, depth)]) for key, each in value.items())
    if isinstance(value, set | frozenset):
        return sorted(json.dumps(_described(each, depth)) for each in value)
    if isinstance(value, FunctionType):
        return _called_with(value, depth)
    return [_described(each, depth) for each in (value if isinstance(value, list | tuple) else _held(value))]


def _held(value: Any) -> Sequence[Any]:
    """What a value that is no container is made of; of what shows nothing, the type has to do."""
    if isinstance(value, partial):
        return value.func, value.args, value.keywords
    if isinstance(value, MethodType):
        return value.__func__, value.__self__
    if isinstance(value, re.Pattern):
        return value.pattern, value.flags
    if hasattr(value, "__qualname__"):
        return str(value.__module__), value.__qualname__
    if is_dataclass(value):
        # Not its `__dict__`, where what was computed once is kept.
        return [(each.name, getattr(value, each.name)) for each in fields(value)]
    return [vars(value)] if hasattr(value, "__dict__") else []


def _called_with(function: FunctionType, depth: int) -> list[Any]:
    """Where a function stands, and what it holds besides its code: a closure and default arguments."""
    held = []
    for cell in function.__closure__ or ():
        try:
            held.append(_described(cell.cell_contents, depth))
        except ValueError:  # a cell that nothing was put into yet
            held.append(None)
    defaults = [_described(given, depth) for given in (function.__defaults__, function.__kwdefaults__)]
    return [function.__module__, function.__qualname__, held, defaults]


def _hash_of(values: Array) -> str:
    content = column_bytes(values.reshape(-1)).tobytes() if values.size else b""
    return _hash(values.dtype.str.encode() + content)


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _own_code() -> str:
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
