"""Which rows, which task and which model do the files mean that `wdgate judge` is given?"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import DataError, ModelError, PipelineError

if TYPE_CHECKING:
    from data_checks.splits import Split, Splits
    from wdgate.evaluation.tasks import Task
    from wdgate.judge_any import Model

PARTS = ("train", "validation", "test")
TABLES = (".parquet", ".csv", ".npz")


def read(arguments: Namespace) -> dict[str, Split]:
    """The rows of every file by the name of their part, with the attributes that they are broken down by."""
    from data_checks.readers import Named
    from data_checks.sources import read_rows

    given = {"train": arguments.train, "validation": arguments.validation}
    told = {name: path for name, path in given.items() if path is not None}
    paths = {**told, "test": arguments.test, **_also(arguments.also or ())}
    named = None
    if arguments.target is not None:
        keys = tuple(arguments.key or ())
        named = Named(arguments.target, arguments.group, arguments.time, arguments.id, keys)
    rows = read_rows(list(paths.values()), named, regression=arguments.regression)
    parts = dict(zip(paths, rows, strict=True))
    return {name: _broken_down(part, paths[name], arguments.slice or ()) for name, part in parts.items()}


def _also(words: Sequence[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for word in words:
        name, _, path = word.partition("=")
        if not name or not path or name in found or name in PARTS:
            raise PipelineError(f"--also {word!r}: expected NAME=FILE, with a name that no other set has")
        found[name] = Path(path)
    return found


def _broken_down(rows: Split, path: Path, columns: Sequence[str]) -> Split:
    """The rows with further attributes, read from the columns of their file."""
    from data_checks.table_files import read_columns, require

    if not columns:
        return rows
    if path.is_dir():
        raise PipelineError(f"--slice {columns[0]} names a column, but {path} is a folder of pictures")
    table = read_columns(path, text=True)
    for name in columns:
        require(name, table, path)
    values = {name: _values(table[name]) for name in columns}
    return replace(rows, attributes={**rows.attributes, **values})


def _values(column: Any) -> NDArray[Any]:
    return column if isinstance(column, np.ndarray) else np.array([*column.to_pylist(), None], object)[:-1]


def task_of(arguments: Namespace, parts: Mapping[str, Split]) -> tuple[Task, dict[str, Split], bool]:
    """The task, the rows with targets that count its classes, and whether their order was guessed."""
    from wdgate.evaluation.tasks import Classification, Regression

    if all(rows.targets.dtype.kind == "f" for rows in parts.values()):
        return Regression(), dict(parts), False
    names = {part: _names(rows) for part, rows in parts.items()}
    classes, guessed = _classes(arguments, sorted({name for each in names.values() for name in each}))
    places = {name: place for place, name in enumerate(classes)}
    for part, each in names.items():
        strange = next((name for name in each if name not in places), None)
        if strange is not None:
            raise DataError(
                f"the target of {part} holds {strange!r}, which is none of the classes {', '.join(classes)}"
            )
    coded = {
        part: replace(rows, targets=np.array([places[name] for name in names[part]], np.int64))
        for part, rows in parts.items()
    }
    return Classification(classes), coded, guessed


def _names(rows: Split) -> list[str]:
    named = rows.attributes.get("class")
    return [str(name) for name in (rows.targets if named is None else named).tolist()]


def _classes(arguments: Namespace, names: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    """The classes in the order of the columns, and whether that was guessed: told, read or counted.

    Raises:
        PipelineError: text whose order nobody tells.
    """
    if arguments.classes:
        return tuple(name.strip() for name in arguments.classes.split(",")), False
    own = _own_classes(arguments.onnx)
    if own is not None and set(names) <= set(own):
        return own, False
    if own is None and all(name.isdecimal() for name in names):
        return tuple(str(place) for place in range(max(map(int, names)) + 1)), True
    if own is not None or (arguments.predictions is None and not _names_classes(arguments.onnx)):
        knows = f"knows the classes {', '.join(own)}" if own else "names no classes"
        raise PipelineError(
            f"{arguments.onnx} {knows}, but the target holds {', '.join(names)}: "
            "--classes tells the target's classes in the order of the model's columns"
        )
    return tuple(names), True


def _own_classes(path: Path | None) -> tuple[str, ...] | None:
    from wdgate.evaluation.foreign import own_classes

    return None if path is None else own_classes(bytes_of(path))


def _names_classes(path: Path) -> bool:
    """Whether the file calls a row by the name of its class, which tells the order of its columns."""
    from wdgate.evaluation.foreign import answers_in_words

    return answers_in_words(bytes_of(path))


def bytes_of(path: Path) -> bytes:
    """A file's bytes.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error


def splits_of(parts: Mapping[str, Split], arguments: Namespace) -> Splits | None:
    """All rows; None without those of train, among which nobody can look for test rows then."""
    from data_checks.splits import Splits

    if "train" not in parts:
        return None
    also = {name: rows for name, rows in parts.items() if name not in PARTS}
    chosen_on = parts.get("validation", parts["train"].take(np.arange(0)))
    source = f"{arguments.train}, {arguments.test}"
    # Without a name nothing of it leaves this machine, so that rows are named by their numbers.
    stays = arguments.name is None
    return Splits(parts["train"], chosen_on, parts["test"], also=also, public=stays, source=source)


def model_of(arguments: Namespace, path: Path, task: Task) -> Model:
    """The bytes of an ONNX file, or a table of predictions."""
    from wdgate.evaluation.predictions import read_predictions

    return read_predictions(path, arguments.id, task) if is_table(path) else bytes_of(path)


def is_table(path: Path | None) -> bool:
    """Whether a file holds predictions."""
    return path is not None and path.suffix.lower() in TABLES
