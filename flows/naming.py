"""What was typed as `name=value`?"""

from __future__ import annotations

from data_checks.errors import PipelineError


def arguments_of(words: list[str]) -> dict[str, str]:
    """`name=value` words as a dictionary.

    Raises:
        PipelineError: a word without an equals sign, or a name given twice.

    Example:
        >>> arguments_of(["weight_decay=0.3", "epochs=20"])
        {'weight_decay': '0.3', 'epochs': '20'}
    """
    given: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise PipelineError(f"arguments of a pipeline are written name=value, got {word!r}")
        if name in given:
            raise PipelineError(f"{name} is given twice: {given[name]!r} and {value!r}")
        given[name] = value
    return given
