"""What does an argument mean, that was typed as text?

A pipeline is a function, and the type hints of its keyword arguments say what each may be.
"""

from __future__ import annotations

import difflib
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Union

from data_checks.errors import PipelineError

TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", Path: "a path"}


class _NotThis(Exception):  # noqa: N818 - a branch that was not taken
    """A value that a type hint does not allow."""


def bind_arguments(function: Callable[..., Any], given: Mapping[str, Any], locator: str) -> dict[str, Any]:
    """All arguments for a call of `function`: those given, converted by its type hints, and its own defaults.

    Text is converted; a value of any other type must be what the hint says.

    Raises:
        PipelineError: an argument that the function does not have, with the nearest that it has; one that is
            missing; one that is not what it should be.

    Example:
        >>> def pipeline(*, weight_decay: float = 0.3, epochs: int = 20): ...
        >>> bind_arguments(pipeline, {"epochs": "10"}, "mine")
        {'weight_decay': 0.3, 'epochs': 10}
        >>> bind_arguments(pipeline, {"epochs": "ten"}, "mine")
        Traceback (most recent call last):
        data_checks.errors.PipelineError: epochs must be a whole number, got 'ten'
    """
    parameters = _parameters(function)
    for name in given:
        if name not in parameters:
            raise PipelineError(unknown(name, list(parameters), locator))
    hints = parameter_hints(function)
    bound = {}
    for name, parameter in parameters.items():
        if name in given:
            bound[name] = convert(name, given[name], hints[name])
        elif parameter.default is parameter.empty:
            raise PipelineError(f"{locator} needs the argument {name}: add {name}=...")
        else:
            bound[name] = parameter.default
    return bound


def parameter_hints(function: Callable[..., Any]) -> dict[str, Any]:
    """The type hint of every named parameter; that of its default where it has none, and else `Any`.

    Example:
        >>> def pipeline(*, width: int = 8, rate=0.1, note=None): ...
        >>> parameter_hints(pipeline)
        {'width': <class 'int'>, 'rate': <class 'float'>, 'note': typing.Any}
    """
    hints = _hints(function)
    return {name: _hint(name, hints, parameter) for name, parameter in _parameters(function).items()}


def is_listed(hint: Any) -> bool:
    """Whether one value of this type is several between commas.

    Example:
        >>> is_listed(tuple[int, ...]), is_listed(list[float] | None), is_listed(str)
        (True, True, False)
    """
    if _is_union(hint):
        return any(is_listed(part) for part in typing.get_args(hint))
    return (typing.get_origin(hint) or hint) in (tuple, list)


def convert(name: str, value: Any, hint: Any) -> Any:
    """The value as its type hint says, from text or from a value of that type.

    Raises:
        PipelineError: what was expected, and what was received.

    Example:
        >>> convert("patience", "none", int | None), convert("shuffle", "no", bool)
        (None, False)
        >>> convert("widths", "64,32", tuple[int, ...])
        (64, 32)
    """
    try:
        return _converted(value, hint)
    except _NotThis as error:
        raise PipelineError(f"{name} must be {described(hint)}, got {value!r}") from error


def described(hint: Any) -> str:
    """A type hint in words.

    Example:
        >>> described(Literal["adamw", "sgd"]), described(int | None)
        ("'adamw' or 'sgd'", 'a whole number or none')
    """
    if hint is type(None):
        return "none"
    if typing.get_origin(hint) is Literal:
        return " or ".join(repr(choice) for choice in typing.get_args(hint))
    if _is_union(hint):
        return " or ".join(described(part) for part in typing.get_args(hint))
    if is_listed(hint):
        parts = [part for part in typing.get_args(hint) if part is not Ellipsis]
        return f"values between commas ({', '.join(dict.fromkeys(map(described, parts))) or 'text'} each)"
    return WORDS.get(hint, f"of type {getattr(hint, '__name__', hint)}, which cannot be given as text")


def _converted(value: Any, hint: Any) -> Any:
    if hint is Any:
        return value
    if typing.get_origin(hint) is Literal:
        return _choice(value, typing.get_args(hint))
    if _is_union(hint):
        return _first(value, typing.get_args(hint))
    if hint is type(None):
        return _none(value)
    return _from_text(value, hint) if isinstance(value, str) else _checked(value, hint)


def _choice(value: Any, choices: tuple[Any, ...]) -> Any:
    for choice in choices:
        if value == choice or (isinstance(value, str) and value == str(choice)):
            return choice
    raise _NotThis


def _first(value: Any, hints: tuple[Any, ...]) -> Any:
    # None goes first: "none" would otherwise be taken for text.
    for hint in sorted(hints, key=lambda hint: hint is not type(None)):
        try:
            return _converted(value, hint)
        except _NotThis:
            continue
    raise _NotThis


def _none(value: Any) -> None:
    if value is not None and not (isinstance(value, str) and value.lower() == "none"):
        raise _NotThis


def _from_text(text: str, hint: Any) -> Any:
    if hint is bool:
        if text.lower() not in TRUTH:
            raise _NotThis
        return TRUTH[text.lower()]
    if is_listed(hint):
        return _listed(text, hint)
    if hint not in WORDS:
        raise _NotThis
    try:
        return hint(text)
    except ValueError as error:
        raise _NotThis from error


def _listed(text: str, hint: Any) -> Any:
    """Values between commas, each by its own hint: `tuple[int, ...]`, `tuple[float, str]`, `list[int]`."""
    texts = [part.strip() for part in text.strip("()[] ").split(",")] if text.strip("()[] ") else []
    own = typing.get_args(hint)
    hints = [part for part in own if part is not Ellipsis] or [str]
    # `tuple[int, ...]` and `list[int]` are of any length; `tuple[int]` is of one.
    if Ellipsis in own or typing.get_origin(hint) is not tuple:
        hints = hints * len(texts)
    if len(hints) != len(texts):
        raise _NotThis
    kind = typing.get_origin(hint) or hint
    return kind(_converted(part, each) for part, each in zip(texts, hints, strict=True))


def _checked(value: Any, hint: Any) -> Any:
    if hint is float and type(value) is int:
        return float(value)
    kind = typing.get_origin(hint) or hint
    if kind is tuple and isinstance(value, list):  # what JSON makes of a tuple
        return tuple(value)
    # A bool is an int to Python, but `epochs=True` is a mistake.
    if not isinstance(kind, type) or not isinstance(value, kind) or (hint is int and isinstance(value, bool)):
        raise _NotThis
    return value


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (Union, types.UnionType)


def _parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    return {
        name: parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }


def _hint(name: str, hints: Mapping[str, Any], parameter: inspect.Parameter) -> Any:
    if name in hints:
        return hints[name]
    return type(parameter.default) if type(parameter.default) in WORDS else Any


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError, SyntaxError) as error:
        raise PipelineError(f"the type hints of {function.__qualname__} cannot be read: {error}") from error


def unknown(name: str, known: list[str], locator: str) -> str:
    """One sentence about an argument that there is none of, with the nearest that there is.

    Example:
        >>> unknown("epoch", ["epochs", "width"], "mine")
        'mine has no argument epoch; did you mean epochs? it takes epochs, width'
    """
    if not known:
        return f"{locator} takes no arguments, got {name}"
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    meant = f"did you mean {nearest[0]}? " if nearest else ""
    return f"{locator} has no argument {name}; {meant}it takes {', '.join(known)}"
