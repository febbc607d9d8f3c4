"""Which code is a pipeline made of, so that a change of any of it is noticed?

Its file, and every module of the user's own that this imports, directly or through others: what the source
names, looked for where Python looks, what is loaded by such a name, and what loaded modules hold. Nothing is
run, and what merely happens to be loaded does not count. What is installed is named by its version elsewhere.
"""

from __future__ import annotations

import ast
import hashlib
import os
import posixpath
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import FunctionType, ModuleType

_ROOM = Path(__file__).resolve().parents[1]
_NOT_THE_USERS = (
    *(str(_ROOM / name) + os.sep for name in ("data_checks", "wdgate", "wd_train", "pipelines", "flows")),
    *(os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib")),
    *(os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("purelib", "platlib")),
)
_SUFFIXES = (*EXTENSION_SUFFIXES, ".py")


@dataclass(frozen=True)
class Source:
    """A module's file.

    Args:
        name: as it is imported, such as `shared/nets.py`: the same on every machine.
        file: where it is here.
    """

    name: str
    file: str


@dataclass(frozen=True)
class Named:
    """A module that a source names.

    Args:
        level: dots before it, each a folder further up; 0 is looked for on `sys.path`.
        parts: of its name.
    """

    level: int
    parts: tuple[str, ...]


def code_sha256(file: Path) -> str:
    """Hash of a pipeline's file and of the user's own modules that it imports, wherever it does so.

    Of a file that imports none, it is the hash of its bytes. Call it once the file's module is loaded: what
    only running tells, such as a name that is put together, is seen in what that module then holds.
    """
    names = _reached(os.path.abspath(file))
    if len(names) == 1:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    lines = sorted(f"{name} {hashlib.sha256(_bytes(path)).hexdigest()}\n" for path, name in names.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _reached(file: str) -> dict[str, str]:
    """The names of all files that are reached from one, by their resolved paths."""
    loaded = {vars(module).get("__file__"): module for module in _all_loaded()}
    folders = [*(os.path.abspath(folder) for folder in sys.path), os.path.dirname(file), _root(file)]
    folders = list(dict.fromkeys(folders))
    names: dict[str, str] = {}
    left = [Source(os.path.relpath(file, _root(file)).replace(os.sep, "/"), file)]
    for source in left:  # it grows on the way
        path = os.path.realpath(source.file)
        if path in names or (names and _is_not_the_users(path)):
            continue
        names[path] = source.name
        module = loaded.get(source.file) or loaded.get(path)
        left += _imported(source, module, folders)
        left += [] if module is None else _held(module)
    return names


def _all_loaded() -> list[ModuleType]:
    # Some packages put other objects there, which import on the first look at an attribute.
    return [module for module in list(sys.modules.values()) if isinstance(module, ModuleType)]


def _root(file: str) -> str:
    """The folder that holds the outermost package of a file."""
    folder = os.path.dirname(file)
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder = os.path.dirname(folder)
    return folder


def _is_not_the_users(path: str) -> bool:
    """Whether a file is installed, or of wdgate itself: both are named by a version."""
    installed = any(f"{os.sep}{name}{os.sep}" in path for name in ("site-packages", "dist-packages"))
    return installed or path.startswith(_NOT_THE_USERS)


def _bytes(path: str) -> bytes:
    return Path(path).read_bytes()


def _imported(source: Source, module: ModuleType | None, folders: list[str]) -> Iterator[Source]:
    """What a source imports; of a module that is loaded, its packages too, which ran before it."""
    named = list(_named(_bytes(source.file))) if source.file.endswith(".py") else []
    package = getattr(module, "__package__", None)
    named += [Named(0, tuple(package.split(".")))] if package else []
    for one in named:
        if one.level:
            yield from _beside(source, one)
        else:
            yield from _on_path(folders, "", one.parts)
            yield from _loaded_as(one.parts)


def _beside(source: Source, named: Named) -> Iterator[Source]:
    """What a relative import leads to."""
    up = [".."] * (named.level - 1)
    folder = os.path.normpath(os.path.join(os.path.dirname(source.file), *up))
    name = posixpath.join(posixpath.dirname(source.name), *up)
    package = os.path.join(folder, "__init__.py")
    if os.path.isfile(package):
        yield Source(posixpath.normpath(posixpath.join(name, "__init__.py")), package)
    yield from _on_path([folder], name, named.parts)


def _on_path(folders: list[str], name: str, parts: tuple[str, ...]) -> Iterator[Source]:
    """The files of a module and of its packages, looked for in folders as Python does."""
    for part in parts:
        name = posixpath.normpath(posixpath.join(name, part))
        found = next((file for folder in folders for file in _candidates(folder, part)), None)
        if found is None:  # a package without a file of its own, perhaps
            folders = [os.path.join(folder, part) for folder in folders]
            folders = [folder for folder in folders if os.path.isdir(folder)]
            continue
        is_package = os.path.basename(found) == "__init__.py" and part != "__init__"
        yield Source(f"{name}/__init__.py" if is_package else name + _suffix(found), found)
        if not is_package or _is_not_the_users(found):
            return
        folders = [os.path.dirname(found)]


def _candidates(folder: str, part: str) -> Iterator[str]:
    base = os.path.join(folder, part)
    files = (os.path.join(base, "__init__.py"), *(base + suffix for suffix in _SUFFIXES))
    return (file for file in files if os.path.isfile(file))


def _suffix(file: str) -> str:
    return ".py" if file.endswith(".py") else ".so"


def _loaded_as(parts: tuple[str, ...]) -> Iterator[Source]:
    """What is loaded by a name and by those of its packages, however it was found."""
    for count in range(1, len(parts) + 1):
        yield from _source_of(sys.modules.get(".".join(parts[:count])))


def _held(module: ModuleType) -> Iterator[Source]:
    """The modules that a module's globals are, or that their functions and classes come from."""
    for value in list(vars(module).values()):
        # By the type itself, for a proxy answers for what it stands for, or fails where that is not there.
        kind = type(value)
        if issubclass(kind, ModuleType):
            yield from _source_of(value)
        else:
            definition = value if issubclass(kind, FunctionType | type) else kind
            yield from _source_of(sys.modules.get(str(definition.__module__)))


def _source_of(module: object) -> Iterator[Source]:
    if not isinstance(module, ModuleType):
        return
    file = vars(module).get("__file__")
    if not isinstance(file, str) or not os.path.isfile(file):
        return
    name = module.__name__.replace(".", "/") + ("/__init__" if "__path__" in vars(module) else "")
    # A name that was made up for a file says nothing of it, and may differ between machines.
    own = os.path.splitext(file)[0].replace(os.sep, "/").endswith(f"/{name}")
    yield Source(name + _suffix(file) if own else os.path.basename(file), file)


@lru_cache(maxsize=1024)
def _named(source: bytes) -> tuple[Named, ...]:
    """What a source imports, in its order, wherever it stands in it."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return ()  # nothing has imported it yet, and it is named when something does
    return tuple(dict.fromkeys(named for node in ast.walk(tree) for named in _named_by(node)))


def _named_by(node: ast.AST) -> Iterator[Named]:
    match node:
        case ast.Import(names=aliases):
            yield from (_as_written(alias.name) for alias in aliases)
        case ast.ImportFrom(module=module, names=aliases, level=level):
            # What is taken from a package may be a module of it.
            base = tuple(module.split(".")) if module else ()
            yield from (Named(level, (*base, alias.name)) for alias in aliases)
        case ast.Call(
            func=ast.Name(id="import_module" | "__import__")
            | ast.Attribute(attr="import_module" | "__import__"),
            args=[ast.Constant(value=str(name)), *_],
        ):
            yield _as_written(name)


def _as_written(name: str) -> Named:
    parts = name.lstrip(".")
    return Named(len(name) - len(parts), tuple(parts.split(".")))
