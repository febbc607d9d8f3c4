"""Which gate do the words of a person at a terminal name, such as `at_least(accuracy, .9)`?

Nothing is evaluated: the words are read as a call of a known name with plain values.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Mapping
from typing import Any

from data_checks.errors import PipelineError
from wdgate.gates.also_gate import on
from wdgate.gates.better_gate import better
from wdgate.gates.gap_gate import gap_at_most
from wdgate.gates.gates import Gate, at_least, at_most, no_worse, robust, skill, within
from wdgate.gates.slice_gate import slices

MAKERS: Mapping[str, Callable[..., Gate]] = {
    maker.__name__: maker
    for maker in (at_least, at_most, within, no_worse, better, robust, skill, slices, on, gap_at_most)
}
_EXPECTED = "expected one such as at_least(accuracy, .9) or skill()"


def gate_of(words: str) -> Gate:
    """The gate that some words name; names need no quotation marks.

    Raises:
        PipelineError: words that are no call, name no gate, or give it what it does not take.

    Example:
        >>> gate_of("at_least(accuracy, .9)").as_dict()
        {'gate': 'at_least', 'score': 'accuracy', 'limit': 0.9}
        >>> gate_of("on(winter, within(confidence_gap, .1))").as_dict()["name"]
        'winter'
    """
    try:
        return _called(ast.parse(words.strip(), mode="eval").body, words)
    # ValueError: a zero byte; the others: far too many brackets.
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise PipelineError(f"--gate {words!r} is no gate; {_EXPECTED}") from error


def _called(node: ast.expr, words: str) -> Gate:
    call = ast.Call(node, [], []) if isinstance(node, ast.Name) else node
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
        raise PipelineError(f"--gate {words!r} is no gate; {_EXPECTED}")
    name = call.func.id
    if name not in MAKERS:
        near = difflib.get_close_matches(name, MAKERS, n=1, cutoff=0.0)
        raise PipelineError(f"--gate {words!r} names no gate; did you mean {near[0]}?")
    named = {str(option.arg): _value(option.value, words) for option in call.keywords}
    try:
        return MAKERS[name](*(_value(part, words) for part in call.args), **named)
    except TypeError as error:
        reason = str(error).removeprefix(f"{name}() ")
        raise PipelineError(f"--gate {words!r}: {name} {reason}") from error


def _value(node: ast.expr, words: str) -> Any:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Call):
        return _called(node, words)
    if isinstance(node, ast.List | ast.Tuple):
        return tuple(_value(part, words) for part in node.elts)
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise PipelineError(f"--gate {words!r} holds what is neither a name nor a number") from error
