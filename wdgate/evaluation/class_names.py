"""Which classes does an ONNX file say that it knows, and in which order are its columns?

wdgate notes the names with the file; scikit-learn's converters write them into the nodes that classify
(`classlabels_strings`, `classlabels_int64s`, `classlabels_ints`). The base install has no onnx package, so
the messages of onnx.proto are walked here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TypeAlias

from data_checks.errors import ModelError

Field: TypeAlias = "tuple[int, int | memoryview]"

# Where to go from a message to those that hold attributes: {field of onnx.proto: kind of message}.
_INNER = {"model": {7: "graph"}, "graph": {1: "node"}, "node": {5: "attribute"}}
_NAME, _INTS, _STRINGS = 1, 8, 9
_METADATA, _KEY, _VALUE = 14, 1, 2


class OtherClassesError(ModelError):
    """A model whose classes are not those of the task, as far as can be told: somebody must tell them."""


def classes_of(onnx: bytes) -> tuple[str, ...] | None:
    """The names of the classes in the order of the columns; None where the file names none, or disagrees.

    Args:
        onnx: the bytes of a file that could be opened.
    """
    try:
        return _noted(memoryview(onnx)) or _written(memoryview(onnx))
    except IndexError:  # a message that ends before it should; onnxruntime reads over some of them
        return None


def _written(model: memoryview) -> tuple[str, ...] | None:
    # A stack of classifiers has several nodes; where they differ none of them is sure to be the last.
    found = {labels for attribute in _attributes(model, "model") if (labels := _labels(attribute))}
    return found.pop() if len(found) == 1 else None


def _noted(model: memoryview) -> tuple[str, ...] | None:
    for field, value in _fields(model):
        if field == _METADATA and isinstance(value, memoryview):
            pair = {place: bytes(text) for place, text in _fields(value) if isinstance(text, memoryview)}
            if pair.get(_KEY) == b"classes":
                return _names(pair.get(_VALUE, b""))
    return None


def _names(text: bytes) -> tuple[str, ...] | None:
    try:
        names = json.loads(text)
    except ValueError:  # somebody else's note of the same name
        return None
    return tuple(map(str, names)) if isinstance(names, list) else None


def _attributes(message: memoryview, kind: str) -> Iterator[memoryview]:
    if kind == "attribute":
        yield message
        return
    for field, value in _fields(message):
        if field in _INNER[kind] and isinstance(value, memoryview):
            yield from _attributes(value, _INNER[kind][field])


def _labels(attribute: memoryview) -> tuple[str, ...]:
    name, labels = "", []
    for field, value in _fields(attribute):
        if isinstance(value, memoryview):
            if field == _NAME:
                name = bytes(value).decode(errors="replace")
            elif field == _STRINGS:
                labels.append(bytes(value).decode(errors="replace"))
            elif field == _INTS:
                labels += [str(_signed(number)) for number in _packed(value)]
        elif field == _INTS:
            labels.append(str(_signed(value)))
    return tuple(labels) if name.startswith("classlabels_") else ()


def _fields(message: memoryview) -> Iterator[Field]:
    """The numbers and the parts of a protobuf message by their fields, in order; fixed ones are left out."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        wire = tag & 7
        if wire == 0:
            number, place = _varint(message, place)
            yield tag >> 3, number
        elif wire == 2:
            size, place = _varint(message, place)
            yield tag >> 3, message[place : place + size]
            place += size
        else:
            place += 8 if wire == 1 else 4


def _packed(part: memoryview) -> Iterator[int]:
    place = 0
    while place < len(part):
        number, place = _varint(part, place)
        yield number


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place


def _signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number
