"""Which classes does a model say that it knows, in which order, and which of the task's are they?

wdgate notes the names with the file; scikit-learn's converters write them into the nodes that classify
(`classlabels_strings`, `classlabels_int64s`, `classlabels_ints`). The base install has no onnx package, so
the messages of onnx.proto are walked here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import ModelError
from wdgate.evaluation.tasks import Classification

Array = NDArray[Any]
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


def class_order(own: Sequence[str], task: Classification) -> NDArray[np.intp]:
    """Where the file has each class of the task: columns of the file in the task's order.

    Raises:
        ModelError: neither the task's names nor as many numbers from 0.
    """
    count = len(task.classes)
    if sorted(own) == sorted(task.classes):
        return np.array([list(own).index(name) for name in task.classes])
    if list(own) == [str(place) for place in range(count)]:
        return np.arange(count)
    raise OtherClassesError(
        f"the file knows the classes {listed(own)}, but the task has {listed(task.classes)}"
    )


def class_numbers(labels: Array, task: Classification) -> NDArray[np.int64]:
    """Labels (N,) or (N, 1), names or numbers, as places among the task's classes.

    Raises:
        ModelError: a label that is none of them.
    """
    flat = labels.reshape(len(labels), -1)[:, 0] if labels.size else labels.reshape(-1)
    words = [word_of(label) for label in flat.tolist()]
    places = {name: place for place, name in enumerate(task.classes)}
    numbers = {str(place): place for place in range(len(task.classes))}
    known = places if set(words) <= set(places) else numbers
    strange = next((word for word in words if word not in known), None)
    if strange is not None:
        raise OtherClassesError(f"predicted names {strange!r}, expected one of {listed(task.classes)}")
    return np.array([known[word] for word in words], np.int64)


def refuse_other_order(predictions: Mapping[str, Array], task: Classification) -> None:
    """Raise an `OtherClassesError` where most rows of a column are called by the name of another class.

    Args:
        predictions: `probs` (N, C) and `predicted` (N,) of all rows; nothing is asked where one is missing.
        task: whose classes are the columns.
    """
    if "probs" not in predictions:
        return
    column, named = predictions["probs"].argmax(axis=1), predictions["predicted"]
    if _has_threshold(predictions["probs"], named, task.threshold):
        return
    for place, name in enumerate(task.classes):
        called = named[column == place]
        if len(called) and not (called == place).mean() >= 0.5:
            other = task.classes[int(np.bincount(called).argmax())]
            raise OtherClassesError(
                f"{other!r} is predicted for rows of which {name!r} has the most probability: "
                f"the classes are in another order than {listed(task.classes)}"
            )


def _has_threshold(probs: Array, named: Array, told: float | None) -> bool:
    """Whether some probability of the second of two classes parts the rows that are called by its name.

    A model may call a row by the name of the less probable of two classes, at a threshold of its own. Where
    all rows are called the same, only the threshold that was told is believed.
    """
    if probs.shape[1] != 2:
        return False
    if not 0 < (named == 1).sum() < len(named):
        return told is not None and bool(((probs[:, 1] >= told) == named).all())
    return bool(probs[named == 1, 1].min() >= probs[named == 0, 1].max())


def listed(names: Iterable[str]) -> str:
    """Names in one line, whatever a file has put into them."""
    return ", ".join(" ".join(name.split()) for name in names)


def word_of(label: Any) -> str:
    """A class's name as a file gives it: text, bytes, or a number."""
    if isinstance(label, bytes):
        return label.decode(errors="replace")
    return str(int(label)) if isinstance(label, bool | float) and float(label).is_integer() else str(label)


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
