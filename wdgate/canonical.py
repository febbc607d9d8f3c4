"""Which bytes stand for a value, so that it can be hashed, stored and compared?"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """The value as JSON can hold it: mappings, lists, texts, finite numbers, booleans and None.

    A number that is not finite becomes a text, because JSON has none and MLflow would store another.

    Raises:
        TypeError: a value that has no such form.

    Example:
        >>> plain({"bound": float("nan"), "rows": (1, np.float64(0.5))})
        {'bound': 'nan', 'rows': [1, 0.5]}
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        return [plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    raise TypeError(f"a {type(value).__name__} cannot be recorded; give texts, numbers, lists and mappings")


def canonical_json(value: Any) -> str:
    """One text a value: sorted keys, no spaces, no escapes beyond JSON's own.

    Example:
        >>> canonical_json({"b": 1, "a": (True, None)})
        '{"a":[true,null],"b":1}'
    """
    return json.dumps(
        plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def sha256(content: bytes | str) -> str:
    """The SHA-256 of bytes, or of a text as UTF-8, as 64 hex characters."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()
