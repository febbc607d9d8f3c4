"""Are two functions, or two pipelines' parts, the same, though each call of a pipeline makes them anew?

Two lambdas are never identical, so that what they are made of is compared: code, the values that they close
over, defaults, and the global values that they name, functions of the user's own among them. What libraries
hold goes by its name. Whatever cannot be compared so is different.
"""

from __future__ import annotations

import functools
import hashlib
import sys
import sysconfig
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path, PurePath
from typing import Any

import numpy as np

Form = Any
"""Nested tuples of plain values, which are equal where what they stand for is the same."""

DEEPEST = 20
_INSTALLED = tuple(
    Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
PLAIN = (type(None), bool, int, float, complex, str, bytes)


class Unsure(Exception):  # noqa: N818 - an answer, not an error
    """Something that has no form: nobody can say whether another one is the same."""


def same_function(first: Callable[..., Any] | None, second: Callable[..., Any] | None) -> bool:
    """Whether two functions do the same; False where that cannot be told.

    Example:
        >>> def scaled(by): return lambda number: number * by
        >>> same_function(scaled(2), scaled(2)), same_function(scaled(2), scaled(3))
        (True, False)
    """
    try:
        return bool(form_of(first) == form_of(second))
    except Unsure:
        return False


def form_of(value: Any, depth: int = 0) -> Form:
    """What a value is made of, as nested tuples of plain values that tell it from others.

    Raises:
        Unsure: it holds something that cannot be compared, such as a class made within a function.

    Example:
        >>> form_of({"b": 1, "a": (2.0, None)})
        ('Mapping', ('a', ('tuple', ('float', '2.0'), ('NoneType', 'None'))), ('b', ('int', '1')))
    """
    if depth > DEEPEST:
        raise Unsure(f"nested more than {DEEPEST} deep, or in itself")
    if isinstance(value, PLAIN):
        # With its type and as text: 1, 1.0 and True are equal to Python, and NaN is not equal to itself.
        return type(value).__name__, repr(value)
    for kinds, form in _FORMS:
        if isinstance(value, kinds):
            return form(value, depth + 1)
    return _of_object(value, depth + 1)


def digest(*forms: Form) -> str:
    """A name of 32 letters for what has these forms, the same in every process.

    Example:
        >>> digest(form_of(1)) == digest(form_of(1)), digest(form_of(1)) == digest(form_of(2))
        (True, False)
    """
    return hashlib.sha256(repr(forms).encode()).hexdigest()[:32]


def _of_function(function: types.FunctionType, depth: int) -> Form:
    cells = [_of_cell(cell, depth) for cell in function.__closure__ or ()]
    defaults = form_of((function.__defaults__, function.__kwdefaults__), depth)
    return "function", function.__module__, _of_code(function.__code__, function, depth), *cells, defaults


def _of_cell(cell: types.CellType, depth: int) -> Form:
    try:
        return form_of(cell.cell_contents, depth)
    except ValueError as error:  # it is filled later
        raise Unsure("closes over a name that has no value yet") from error


def _of_code(code: types.CodeType, function: types.FunctionType, depth: int) -> Form:
    constants = tuple(
        _of_code(constant, function, depth) if isinstance(constant, types.CodeType) else form_of(constant)
        for constant in code.co_consts
    )
    named = {name: function.__globals__[name] for name in code.co_names if name in function.__globals__}
    values = tuple(
        # A function that names itself is told by its code already.
        (name, ("itself",) if value is function else _of_global(value, depth))
        for name, value in named.items()
    )
    names = code.co_names + code.co_varnames + code.co_freevars + code.co_cellvars
    return code.co_qualname, code.co_code, code.co_flags, names, constants, values


def _of_global(value: Any, depth: int) -> Form:
    if isinstance(value, types.FunctionType | type) and _is_of_a_library(value.__module__):
        return "library", value.__module__, value.__qualname__
    return form_of(value, depth)


def _is_of_a_library(module: str) -> bool:
    """Whether a module is installed, and not one that a user changes between two points."""
    if module.partition(".")[0] in ("data_checks", "wdgate", "wd_train"):
        return True
    file = getattr(sys.modules.get(module), "__file__", None)
    path = Path(file).resolve() if file else None
    if path is None:
        return module in sys.builtin_module_names
    return any(path.is_relative_to(folder) for folder in _INSTALLED)


def _of_partial(partial: functools.partial[Any], depth: int) -> Form:
    parts = (partial.func, partial.args, partial.keywords)
    return "partial", *(form_of(part, depth) for part in parts)


def _of_method(method: types.MethodType, depth: int) -> Form:
    return "method", form_of(method.__func__, depth), form_of(method.__self__, depth)


def _of_class(kind: type, depth: int) -> Form:
    # What a class does may hang on what it closes over, where it was made within a function.
    if "<locals>" in kind.__qualname__:
        raise Unsure(f"{kind.__qualname__} is made anew by every call")
    return "class", kind.__module__, kind.__qualname__


def _of_builtin(function: types.BuiltinFunctionType, depth: int) -> Form:
    if not isinstance(function.__self__, types.ModuleType | type | None):
        raise Unsure(f"{function.__qualname__} belongs to an object")
    return "builtin", function.__module__, function.__qualname__


def _of_array(array: np.ndarray[Any, Any], depth: int) -> Form:
    if array.dtype.hasobject:
        return "array", array.shape, form_of(array.reshape(-1).tolist(), depth)
    content = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    return "array", array.dtype.str, array.shape, content


def _of_mapping(mapping: Mapping[Any, Any], depth: int) -> Form:
    if not all(isinstance(key, str) for key in mapping):
        return "Mapping", *((form_of(key, depth), form_of(mapping[key], depth)) for key in mapping)
    return "Mapping", *((key, form_of(mapping[key], depth)) for key in sorted(mapping))


def _of_set(values: set[Any] | frozenset[Any], depth: int) -> Form:
    return "set", *sorted((form_of(value, depth) for value in values), key=repr)


def _of_list(values: list[Any] | tuple[Any, ...], depth: int) -> Form:
    return type(values).__name__, *(form_of(value, depth) for value in values)


def _of_object(value: Any, depth: int) -> Form:
    """A dataclass by its fields, and an object of another class of Python's own kind by its attributes."""
    kind = _of_class(type(value), depth)
    if is_dataclass(value):
        return "object", kind, *((f.name, form_of(getattr(value, f.name), depth)) for f in fields(value))
    # What C code holds, or what hides in slots, its attributes do not tell.
    if type(value).__basicsize__ != _Bare.__basicsize__ or not hasattr(value, "__dict__"):
        raise Unsure(f"{type(value).__qualname__} does not say what it is made of")
    return "object", kind, form_of(vars(value), depth)


class _Bare:
    """An object that is made of its attributes alone."""


_FORMS: tuple[tuple[Any, Callable[[Any, int], Form]], ...] = (
    (types.FunctionType, _of_function),
    (types.MethodType, _of_method),
    (types.BuiltinFunctionType, _of_builtin),
    (functools.partial, _of_partial),
    (type, _of_class),
    (types.ModuleType, lambda module, depth: ("module", module.__name__)),
    (types.EllipsisType, lambda value, depth: ("...",)),
    (Enum, lambda value, depth: ("enum", _of_class(type(value), depth), value.name)),
    (PurePath, lambda path, depth: ("path", str(path))),
    (np.generic, lambda number, depth: ("number", number.dtype.str, number.tobytes())),
    (np.ndarray, _of_array),
    (Mapping, _of_mapping),
    (set | frozenset, _of_set),
    (list | tuple, _of_list),
)
