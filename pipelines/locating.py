"""Which function does a locator name?

`module`, `module:function`, or `path/to/file.py[:function]`.
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
import hashlib
import importlib
import importlib.machinery
import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pipelines
from data_checks.errors import PipelineError

MISTAKES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What a mistake in a pipeline's file raises; an interrupt, or running out of memory, is none."""


def find_function(locator: str) -> tuple[Callable[..., Any], Path]:
    """The function that a locator names, and the file that it stands in.

    Without a name it is `pipeline`, or the only function that is annotated to return a `Pipeline`.

    Raises:
        PipelineError: no such file, module or function, or a file that cannot be imported.
    """
    place, name = _parted(locator)
    module = _load_file(Path(place)) if place.endswith(".py") else _import_module(place)
    return _function(module, name, place), Path(module.__file__ or "")


def mistake(error: BaseException, what: str, file: Path) -> PipelineError:
    """A user's mistake as one sentence, with the file and the line where it happened."""
    if isinstance(error, SyntaxError):
        line, file = error.lineno, Path(error.filename or file)
    else:
        steps = [step for step in traceback.extract_tb(error.__traceback__) if Path(step.filename) == file]
        line = steps[-1].lineno if steps else None
    where = f"{file.name}, line {line}" if line else file.name
    message = error.msg if isinstance(error, SyntaxError) else str(error).strip().split("\n")[0]
    said = _no_field(message) or f"{type(error).__name__}: {message}"
    return PipelineError(f"{what} ({where}): {said}")


def _no_field(message: str) -> str | None:
    """What Python says of `Training(epoch=3)`, with the nearest field; None where it says else."""
    told = re.fullmatch(r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'", message)
    kind = getattr(importlib.import_module("pipelines"), told[1], None) if told else None
    if told is None or not dataclasses.is_dataclass(kind):
        return None
    known = [field.name for field in dataclasses.fields(kind)]
    nearest = difflib.get_close_matches(told[2], known, n=1, cutoff=0.5)
    meant = f"did you mean {nearest[0]}?" if nearest else f"it has {', '.join(known)}"
    return f"{told[1]} has no field {told[2]!r}; {meant}"


def _parted(locator: str) -> tuple[str, str | None]:
    # A path on Windows has a colon of its own, so the name is what follows the last one behind `.py`.
    head, dot_py, tail = locator.rpartition(".py")
    if dot_py and (not tail or tail.startswith(":")):
        return head + dot_py, tail[1:] or None
    place, _, name = locator.partition(":")
    return place, name or None


def _load_file(path: Path) -> ModuleType:
    file = path.resolve()
    if not file.is_file():
        raise PipelineError(f"there is no pipeline file {path}")
    # A name that nothing else has, so that a file called like one of our own modules replaces none of them.
    private = f"_wdgate_pipeline_{hashlib.sha256(str(file).encode()).hexdigest()[:16]}"
    loader = _FromSource(private, str(file))
    module = importlib.util.module_from_spec(ModuleSpec(private, loader, origin=str(file)))
    module.__file__ = str(file)
    _append_to_path(str(file.parent))
    sys.modules[private] = module
    try:
        loader.exec_module(module)
    except MISTAKES as error:
        del sys.modules[private]
        raise mistake(error, f"{path} cannot be imported", file) from error
    return module


class _FromSource(importlib.machinery.SourceFileLoader):
    """Compile what the file says now, and write no bytecode beside it."""

    def get_code(self, fullname: str) -> CodeType:
        """The code of the file, freshly compiled."""
        return self.source_to_code(self.get_data(self.path), self.path)


def _append_to_path(folder: str) -> None:
    # Last, because many people have folders called flows, pipelines or tests beside their file.
    if folder not in sys.path:
        sys.path.append(folder)


def _import_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if not (error.name and (name == error.name or name.startswith(f"{error.name}."))):
            raise PipelineError(f"{name} needs the module {error.name}, which is not installed") from error
        raise PipelineError(f"there is no module {name}{_nearest_module(name)}") from error
    except MISTAKES as error:
        raise PipelineError(f"{name} cannot be imported: {type(error).__name__}: {error}") from error


def _nearest_module(name: str) -> str:
    # By their last words alone: all names that begin with `pipelines.` are alike.
    nearest = difflib.get_close_matches(name.removeprefix("pipelines."), _shipped(), n=1)
    return (
        f"; did you mean pipelines.{nearest[0]}?"
        if nearest
        else "; a pipeline in a file is named by its path, ending in .py"
    )


def _shipped() -> list[str]:
    """The modules beside this one that hold a pipeline, read and not imported."""
    return [
        file.stem
        for folder in pipelines.__path__
        for file in sorted(Path(folder).glob("*.py"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "pipeline" for node in _parsed(file).body)
    ]


def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _function(module: ModuleType, name: str | None, place: str) -> Callable[..., Any]:
    own = {
        key: value
        for key, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__
    }
    if name is not None:
        found = own.get(name) or getattr(module, name, None)
        if not callable(found):
            nearest = difflib.get_close_matches(name, own, n=1)
            raise PipelineError(
                f"{place} has no function {name}" + (f"; did you mean {nearest[0]}?" if nearest else "")
            )
        return found
    annotated = {key: value for key, value in own.items() if _returns_pipeline(value)}
    if "pipeline" in own:
        return own["pipeline"]
    if len(annotated) == 1:
        return next(iter(annotated.values()))
    several = f"several ({', '.join(annotated)}): name one as {place}:{next(iter(annotated), 'function')}"
    none = "none: call it pipeline, or annotate it with -> Pipeline"
    raise PipelineError(
        f"{place} should have one function that returns a Pipeline, but has {several if annotated else none}"
    )


def _returns_pipeline(function: Callable[..., Any]) -> bool:
    returned = function.__annotations__.get("return")
    text = returned if isinstance(returned, str) else getattr(returned, "__name__", "")
    return text.rpartition(".")[2] == "Pipeline"
