"""Where are runs, models and ledgers kept, if nobody says otherwise?"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from data_checks.errors import RegistryError


def home(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder for everything that is kept on this machine: `WDGATE_HOME`, or `.wdgate` here.

    Example:
        >>> home({"WDGATE_HOME": "/srv/wdgate"}).as_posix()
        '/srv/wdgate'
    """
    return Path(environment.get("WDGATE_HOME") or ".wdgate").resolve()


def embedded_store(environment: Mapping[str, str] = os.environ) -> str:
    """The address of the MLflow store under `home`."""
    return f"sqlite:///{home(environment)}/mlflow.db"


@contextmanager
def opening(environment: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Within this context no other process opens the store under `home`: they wait for one another.

    MLflow makes its tables when a store is first opened, and of two that make them at once one fails. What
    a killed process held is free again.
    """
    from filelock import FileLock

    folder = home(environment)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "mlflow.lock"):
        yield


def reason(error: Exception) -> str:
    """What MLflow said went wrong, in one line."""
    said = str(error).strip() or type(error).__name__
    if "Max retries exceeded" in said:
        return "it did not answer"
    return said.splitlines()[0][:300]


def existing_store(environment: Mapping[str, str] = os.environ) -> str:
    """The address of MLflow's store: `MLFLOW_TRACKING_URI`, or the one under `home` if there is one.

    Raises:
        RegistryError: neither; MLflow would silently make an empty store in the current folder.
    """
    given = environment.get("MLFLOW_TRACKING_URI")
    if given:
        return given
    if not (home(environment) / "mlflow.db").is_file():
        raise RegistryError(
            f"there is no MLflow store in {home(environment)}; set WDGATE_HOME to the folder of the runs, or "
            "MLFLOW_TRACKING_URI to the server's address"
        )
    return embedded_store(environment)
