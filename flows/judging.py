"""What does `wdgate judge` do with an ONNX file, or a table of predictions, that no pipeline has made?

The base install suffices: nothing of torch or Prefect is used, and without rich the tables are plain.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import CannotProceed, DataError, ModelError, PipelineError
from flows.progress import doing
from flows.settings import Settings, read_salt

if TYPE_CHECKING:
    from data_checks.report import DataReport
    from data_checks.splits import Split, Splits
    from wdgate.evaluation.tasks import Task
    from wdgate.judge_any import Judgement, Model

PARTS = ("train", "validation", "test")
_TABLES = (".parquet", ".csv", ".npz")


def judge(arguments: Namespace, settings: Settings) -> int:
    """Judge somebody else's model; 0: it passed, 1: it was refused."""
    from flows import judgement_page

    with judgement_page.shown():
        found = _judged(arguments, settings)
    if arguments.json:
        from flows.report import print_json

        print_json({"model": str(arguments.onnx or arguments.predictions), **found.as_dict()})
    else:
        judgement_page.show(found, str(arguments.onnx or arguments.predictions))
    return 0 if found.passed else 1


def _judged(arguments: Namespace, settings: Settings) -> Judgement:
    from wdgate.evaluation.class_names import OtherClassesError
    from wdgate.gates.wording import gate_of
    from wdgate.judge_any import judge as judge_model

    _refuse_words(arguments)
    gates = [gate_of(words) for words in arguments.gate or ()]
    with doing("Reading the files"):
        read = _read(arguments)
        task, parts, guessed = _task_of(arguments, read)
    splits = _splits(parts, arguments)
    report = None if splits is None else _checked(splits, settings)
    also = {name: rows for name, rows in parts.items() if name not in PARTS}
    try:
        with doing("Judging"):
            return judge_model(
                _model(arguments, arguments.onnx or arguments.predictions, task),
                splits or parts["test"],
                task,
                gates,
                champion=arguments.champion and _model(arguments, arguments.champion, task),
                also=None if splits else also,
                report=report,
                output=arguments.output,
                alpha=arguments.alpha,
                looks=arguments.looks,
            )
    except OtherClassesError as error:
        hint = "; --classes tells the model's classes in the order of its columns" if guessed else ""
        raise ModelError(f"{error}{hint}") from error


def _refuse_words(arguments: Namespace) -> None:
    """What is missing or too much on the command line, before any file is read."""
    if (arguments.onnx is None) == (arguments.predictions is None):
        wrong = "neither was given" if arguments.onnx is None else "both were given"
        raise PipelineError(f"`wdgate judge` needs --onnx FILE or --predictions FILE, but {wrong}")
    if arguments.test is None:
        raise PipelineError("`wdgate judge` needs --test FILE: the rows that the model is judged on")
    if arguments.id is None and _is_table(arguments.predictions or arguments.champion):
        raise PipelineError(
            "predictions are found by the ids of the rows: --id COLUMN names them in both files"
        )
    if arguments.validation is not None and arguments.train is None:
        raise PipelineError("--validation FILE goes with --train FILE: both are asked for leaks")
    if arguments.train is not None and find_spec("great_expectations") is None:
        raise CannotProceed(
            "--train asks whether test rows are train rows, which takes `pip install 'wdgate[checks]'`; "
            "without --train everything else is judged"
        )


def _read(arguments: Namespace) -> dict[str, Split]:
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


def _task_of(arguments: Namespace, parts: Mapping[str, Split]) -> tuple[Task, dict[str, Split], bool]:
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

    return None if path is None else own_classes(_bytes(path))


def _names_classes(path: Path) -> bool:
    """Whether the file calls a row by the name of its class, which tells the order of its columns."""
    from wdgate.evaluation.foreign import answers_in_words

    return answers_in_words(_bytes(path))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error


def _splits(parts: Mapping[str, Split], arguments: Namespace) -> Splits | None:
    from data_checks.splits import Splits

    if "train" not in parts:
        return None
    also = {name: rows for name, rows in parts.items() if name not in PARTS}
    chosen_on = parts.get("validation", parts["train"].take(np.arange(0)))
    source = f"{arguments.train}, {arguments.test}"
    # Nothing of it leaves this machine, so that rows are named by their numbers.
    return Splits(parts["train"], chosen_on, parts["test"], also=also, public=True, source=source)


def _checked(splits: Splits, settings: Settings) -> DataReport:
    from data_checks.default_checks import default_checks
    from data_checks.remembering import check_once
    from flows.checked import data_docs

    with doing("Checking the data"):
        return check_once(
            splits,
            default_checks(gaps="warn"),
            data_docs(settings, splits),
            salt=read_salt(settings),
            needs_validation=bool(len(splits.validation)),
        )


def _model(arguments: Namespace, path: Path, task: Task) -> Model:
    from wdgate.evaluation.predictions import read_predictions

    return read_predictions(path, arguments.id, task) if _is_table(path) else _bytes(path)


def _is_table(path: Path | None) -> bool:
    return path is not None and path.suffix.lower() in _TABLES
