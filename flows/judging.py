"""What does `wdgate judge` do with an ONNX file, or a table of predictions, that no pipeline has made?

The base install suffices: nothing of torch or Prefect is used, and without rich the tables are plain.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from data_checks.errors import CannotProceed, ModelError, PipelineError
from flows.judged_rows import PARTS, bytes_of, is_table, model_of, read, splits_of, task_of
from flows.progress import doing, words_of
from flows.settings import Settings, read_salt

if TYPE_CHECKING:
    from data_checks.report import DataReport
    from data_checks.splits import Split, Splits
    from wdgate.evaluation.tasks import Task
    from wdgate.judge_any import Judgement, Opened
    from wdgate.promotion import Promotion
    from wdgate.registry import Registry

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, eq=False)
class _Given:
    """What the files hold: rows by part, the task, if the order of its classes was guessed, and a report."""

    parts: dict[str, Split]
    task: Task
    guessed: bool
    splits: Splits | None
    report: DataReport | None

    @property
    def also(self) -> dict[str, Split] | None:
        return None if self.splits else {n: rows for n, rows in self.parts.items() if n not in PARTS}


def judge(arguments: Namespace, settings: Settings) -> int:
    """Judge somebody else's model; 0: it passed, 1: it was refused."""
    from flows import judgement_page

    _refuse_words(arguments)
    model = str(arguments.onnx or arguments.predictions)
    with judgement_page.shown():
        found = _under_a_name(arguments, settings) if arguments.name else _judged(arguments, settings)
    if arguments.json:
        from flows.report import print_json

        # Under a name the model is that of the registry.
        print_json({"model": model, **found.as_dict(), "file": model})
    else:
        judgement_page.tell(found, model)
    return 1 if found.outcome == "refused" else 0


def _judged(arguments: Namespace, settings: Settings) -> Judgement:
    """The answer that nobody counts."""
    from wdgate.gates.wording import gate_of
    from wdgate.judge_any import judge as judge_model

    gates = [gate_of(words) for words in arguments.gate or ()]
    given = _given(arguments, settings)
    with doing("Judging"), _classes_told(given):
        return judge_model(
            model_of(arguments, arguments.onnx or arguments.predictions, given.task),
            given.splits or given.parts["test"],
            given.task,
            gates,
            champion=arguments.champion and model_of(arguments, arguments.champion, given.task),
            also=given.also,
            report=given.report,
            output=arguments.output,
            alpha=0.05 if arguments.alpha is None else arguments.alpha,
            looks=20 if arguments.looks is None else arguments.looks,
        )


def _under_a_name(arguments: Namespace, settings: Settings) -> Promotion:
    """The answer that the ledger of a name counts."""
    from wdgate.judge_named import asked_of, judge_named

    with doing("Opening the ledger"):
        registry = _open(arguments.name, settings)
        asked = asked_of(
            registry,
            arguments.gate or (),
            arguments.alpha,
            arguments.looks,
            promoting=arguments.promote,
            bound=not settings.embedded,
        )
    given = _given(arguments, settings)
    assert given.splits is not None and given.report is not None  # noqa: S101, PT018 - --train was asked for
    path = arguments.onnx or arguments.predictions
    with _classes_told(given):
        return judge_named(
            _opened(arguments, path, given.task),
            bytes_of(path),
            given.splits,
            given.task,
            asked,
            given.report,
            registry=registry,
            release=arguments.promote,
            output=arguments.output,
            step=_saying,
        )


def _open(name: str, settings: Settings) -> Registry:
    """The registry of a name; in the embedded store it is made when it is missing."""
    from wdgate.registry import Registry
    from wdgate.store import opening

    registry = Registry(name, settings.tracking_uri, artifact_location=settings.artifact_location)
    if settings.embedded:
        with opening():  # MLflow makes its tables when a store is first opened
            _ = registry.client
        registry.init()
    return registry


def _opened(arguments: Namespace, path: Path, task: Task) -> Opened:
    from wdgate.evaluation.foreign import ForeignModel
    from wdgate.evaluation.predictions import read_predictions

    if is_table(path):
        return read_predictions(path, arguments.id, task)
    return ForeignModel(bytes_of(path), task, arguments.output)


def _saying(function: Callable[P, R]) -> Callable[P, R]:
    """A step that says what it is doing, without Prefect."""

    @wraps(function)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        with doing(words_of(function)):
            return function(*args, **kwargs)

    return told


def _given(arguments: Namespace, settings: Settings) -> _Given:
    with doing("Reading the files"):
        rows = read(arguments)
        task, parts, guessed = task_of(arguments, rows)
    splits = splits_of(parts, arguments)
    report = None if splits is None else _checked(splits, settings, again=_counts(arguments, settings))
    return _Given(parts, task, guessed, splits, report)


def _counts(arguments: Namespace, settings: Settings) -> bool:
    """Whether a promoter with a server asks, who trusts no folder that somebody else may write to."""
    return arguments.name is not None and not settings.embedded


@contextmanager
def _classes_told(given: _Given) -> Iterator[None]:
    """Within this context a wrong order of classes that was guessed is told with the option that tells it."""
    from wdgate.evaluation.class_names import OtherClassesError

    try:
        yield
    except OtherClassesError as error:
        hint = "; --classes tells the model's classes in the order of its columns" if given.guessed else ""
        raise ModelError(f"{error}{hint}") from error


def _refuse_words(arguments: Namespace) -> None:
    """What is missing or too much on the command line, before any file is read."""
    if (arguments.onnx is None) == (arguments.predictions is None):
        wrong = "neither was given" if arguments.onnx is None else "both were given"
        raise PipelineError(f"`wdgate judge` needs --onnx FILE or --predictions FILE, but {wrong}")
    if arguments.test is None:
        raise PipelineError("`wdgate judge` needs --test FILE: the rows that the model is judged on")
    if arguments.id is None and is_table(arguments.predictions or arguments.champion):
        raise PipelineError(
            "predictions are found by the ids of the rows: --id COLUMN names them in both files"
        )
    if arguments.validation is not None and arguments.train is None:
        raise PipelineError("--validation FILE goes with --train FILE: both are asked for leaks")
    _refuse_words_about_names(arguments)
    if arguments.train is not None and find_spec("great_expectations") is None:
        raise CannotProceed(
            "--train asks whether test rows are train rows, which takes `pip install 'wdgate[checks]'`; "
            "without --train everything else is judged"
        )


def _refuse_words_about_names(arguments: Namespace) -> None:
    if arguments.promote and arguments.name is None:
        raise PipelineError("--promote needs --name NAME: the registered model that it becomes a version of")
    if arguments.promote and arguments.predictions is not None:
        raise PipelineError("predictions are judged and never promoted: only --onnx FILE can be served")
    if arguments.name is None:
        return
    if arguments.champion is not None:
        raise PipelineError(
            f"--champion FILE goes without --name: the ledger of {arguments.name} knows its champion"
        )
    if arguments.train is None:
        raise PipelineError(
            "--name needs --train FILE: what a ledger keeps is not judged on rows that may be train rows"
        )


def _checked(splits: Splits, settings: Settings, *, again: bool) -> DataReport:
    from data_checks.default_checks import default_checks
    from data_checks.remembering import check_once
    from flows.checked import data_docs

    with doing("Checking the data"):
        return check_once(
            splits,
            default_checks(gaps="warn"),
            data_docs(settings, splits),
            salt=read_salt(settings),
            again=again,
            needs_validation=bool(len(splits.validation)),
        )
