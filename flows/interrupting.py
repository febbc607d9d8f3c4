"""How does Ctrl+C end a run within seconds, and what does a killed one leave behind?"""

from __future__ import annotations

import os
import signal
import sys
from threading import Timer
from types import FrameType

PATIENCE = 3.0  # seconds
MESSAGE = "wdgate: interrupted; the same command goes on where it stopped"
EXIT_CODE = 128 + signal.SIGINT


def end_soon_when_interrupted() -> None:
    """Make Ctrl+C close the run in MLflow and leave, within `PATIENCE`.

    Ctrl+C reaches Prefect's temporary server too, and Prefect then asks the dead server for a minute.
    """

    def interrupted(number: int, frame: FrameType | None) -> None:
        print(MESSAGE, file=sys.stderr, flush=True)
        leaving = Timer(PATIENCE, _leave)
        leaving.daemon = True
        leaving.start()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupted)


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
    os._exit(EXIT_CODE)
