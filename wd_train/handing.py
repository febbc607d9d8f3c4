"""How does another process get the objects of this one, those of the user's own file included?"""

from __future__ import annotations

import importlib.util
import io
import pickle  # what is unpickled comes from the process that started this one
import sys
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

LIMIT = 2**27
"""Bytes (128 MiB) that are handed over at most: more is data, which would lie in memory twice."""


class CannotHandError(Exception):
    """An object that stays in its process."""


def packed(thing: object) -> bytes:
    """The object with what is needed to find its classes and functions.

    A numpy memmap is opened again instead of copied.

    Raises:
        CannotHandError: an object that cannot be pickled, stands in the script that was started - which would
            run again - or is larger than `LIMIT`.
    """
    file = _Bounded()
    packer = _Packer(file, pickle.HIGHEST_PROTOCOL)
    try:
        packer.dump(thing)
    except CannotHandError:
        raise
    except Exception as error:
        # Whatever a user's object raises that was not written to be pickled.
        raise CannotHandError(str(error)) from error
    return pickle.dumps((_files(packer.modules), file.getvalue()))


def unpacked(content: bytes) -> Any:
    """The object, in another process; modules that only its file tells are loaded from there."""
    files, thing = pickle.loads(content)  # noqa: S301 - made by the parent process
    for name, file in files.items():
        if not _found(name):
            _load(name, file)
    return _Unpacker(io.BytesIO(thing)).load()


def search_path() -> list[str]:
    """Where this process looks for modules, as folders that mean the same in another one."""
    return [str(Path(folder or ".").resolve()) for folder in sys.path]


class _Bounded(io.BytesIO):
    def write(self, data: Any) -> int:
        if self.tell() + memoryview(data).nbytes > LIMIT:
            raise CannotHandError(f"more than {LIMIT:,} bytes")
        return super().write(data)


class _Packer(pickle.Pickler):
    def __init__(self, file: io.BytesIO, protocol: int) -> None:
        super().__init__(file, protocol)
        self.modules: set[str] = set()

    def reducer_override(self, thing: Any) -> Any:
        """Note whose module is needed; everything but a memmap is pickled as ever."""
        self.modules.add(str(getattr(thing, "__module__", "")))
        if isinstance(thing, np.memmap):
            return np.memmap, _opened_again(thing)
        return NotImplemented


def _opened_again(values: np.memmap[Any, Any]) -> tuple[Any, ...]:
    # A slice of a memmap does not know where in the file it begins.
    whole = not isinstance(values.base, np.ndarray)
    if not (whole and values.mode == "r" and values.filename and values.flags.c_contiguous):
        raise CannotHandError("a memmap that is a part of another, or that may be written")
    return str(Path(values.filename).resolve()), values.dtype, "r", values.offset, values.shape


class _Unpacker(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """A class or function; its module may stand in a package of which only this module is here."""
        there = sys.modules.get(module)
        return super().find_class(module, name) if there is None else attrgetter(name)(there)


def _files(modules: set[str]) -> dict[str, str]:
    """The modules that are needed, with their files."""
    if "__main__" in modules:
        raise CannotHandError("it stands in the script that was started")
    files = {name: getattr(sys.modules.get(name), "__file__", None) for name in sorted(modules)}
    return {name: file for name, file in files.items() if file}


def _found(name: str) -> bool:
    """Whether a module is there, or can be imported by its name."""
    try:
        return name in sys.modules or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _load(name: str, file: str) -> None:
    """Have the module of a file under the name that it has in the other process."""
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{name} cannot be loaded from {file}")
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
