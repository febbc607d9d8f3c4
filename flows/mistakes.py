"""Was it the user's own code that failed, and where?"""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path

OURS = ("data_checks", "wdgate", "wd_train", "pipelines", "flows")


def sentence_of(error: BaseException) -> str | None:
    """One sentence about what the user's own code raised, with its file and line.

    Returns:
        None where no line of the user's was running: the defect is ours, and its traceback is of use.
    """
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_users(frame.filename)]
    if not lines:
        return None
    said = " ".join(str(error).split()) or "no message"
    return f"{lines[-1].filename}, line {lines[-1].lineno}: {type(error).__name__}: {said}"


def _is_users(filename: str) -> bool:
    path = Path(filename)
    installed = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "scripts")]
    ours = [Path(__file__).parents[1] / room for room in OURS]
    return path.suffix == ".py" and not any(path.is_relative_to(folder) for folder in (*installed, *ours))
