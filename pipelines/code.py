"""Which code is a pipeline made of, so that a change of any of it is noticed?"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from modulefinder import ModuleFinder
from pathlib import Path


def code_sha256(file: Path) -> str:
    """Hash of a pipeline's file and of the modules beside it that it imports, wherever it does so.

    Of a file that imports none, it is the hash of its bytes. What is installed is named by its version.
    """
    files = {file.resolve(), *_beside(file.resolve())}
    if len(files) == 1:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    content = hashlib.sha256()
    for path in sorted(files):
        name = path.relative_to(file.resolve().parent).as_posix()
        content.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return content.hexdigest()


def _beside(file: Path) -> set[Path]:
    """The modules in the file's folder that it imports, and those that they import; nothing is run."""
    finder = ModuleFinder(path=[str(file.parent)])
    # What cannot be parsed nothing has imported yet, and it is named when something does.
    with suppress(SyntaxError, UnicodeDecodeError):
        finder.run_script(str(file))
    files = (getattr(module, "__file__", None) for module in finder.modules.values())
    return {Path(path).resolve() for path in files if path and path.endswith(".py")}
