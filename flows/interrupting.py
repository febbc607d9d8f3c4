"""How does Ctrl+C or SIGTERM end a run within seconds, and what does a killed one leave behind?"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer, current_thread, main_thread
from types import FrameType
from typing import Any

PATIENCE = 3.0  # seconds
MESSAGE = "wdgate: interrupted; the same command goes on where it stopped"


class _Command:
    """The signal that ended the command of this process, and whether there is one to end."""

    running = False
    ended_by: int | None = None


def end_soon_when_interrupted() -> None:
    """Make Ctrl+C and SIGTERM leave a checkpoint, close the run in MLflow and leave, within `PATIENCE`.

    A training first ends the step that is under way, however long that takes; a second signal leaves at once.
    They reach Prefect's temporary server too, and Prefect then asks the dead server for a minute.
    """
    _Command.running, _Command.ended_by = True, None
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupted)


def exit_code() -> int:
    """What a process that a signal ended answers with: 130 after Ctrl+C, 143 after SIGTERM."""
    return 128 + (_Command.ended_by or signal.SIGINT)


@contextmanager
def stopping_between_steps() -> Iterator[None]:
    """Within this context SIGTERM lets a training leave a checkpoint first, in a Prefect worker too.

    Prefect's engine puts its own handler in the place of the command's; a worker's stays, and comes second.
    """
    if current_thread() is not main_thread():
        yield
        return
    before: Any = signal.getsignal(signal.SIGTERM)

    def terminated(number: int, frame: FrameType | None) -> None:
        from wd_train.stopping import ask_to_stop

        if not ask_to_stop(lambda: before(number, frame)):
            before(number, frame)

    if _Command.running:
        signal.signal(signal.SIGTERM, _interrupted)
    elif callable(before):
        signal.signal(signal.SIGTERM, terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupted(number: int, frame: FrameType | None) -> None:
    if _Command.ended_by is not None:
        _leave()
    _Command.ended_by = number
    print(MESSAGE, file=sys.stderr, flush=True)
    # Importing it here would import torch; without torch no training listens.
    stopping = sys.modules.get("wd_train.stopping")
    if stopping is None or not stopping.ask_to_stop(_leave_soon):
        _leave_soon()


def _leave_soon() -> None:
    leaving = Timer(PATIENCE, _leave)
    leaving.daemon = True
    leaving.start()
    raise KeyboardInterrupt


def end_orphaned_servers(prefect_home: str) -> None:
    """End the temporary Prefect servers of this home folder whose run was killed: nobody asks them now."""
    import psutil

    for process in psutil.process_iter(["ppid", "cmdline"]):
        if process.info["ppid"] != 1 or "prefect.server" not in " ".join(process.info["cmdline"] or ()):
            continue
        try:
            if process.environ().get("PREFECT_HOME") == prefect_home:
                process.terminate()
        except psutil.Error:  # another user's, or gone meanwhile
            continue


def _leave() -> None:
    import psutil

    for child in psutil.Process().children(recursive=True):
        child.terminate()
    os._exit(exit_code())
