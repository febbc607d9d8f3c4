"""Where is everything kept, and which servers are used?"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from data_checks.errors import CannotProceed
from wdgate.store import embedded_store, home


@dataclass(frozen=True)
class Settings:
    """Addresses, read from the environment once.

    Args:
        home: everything that is kept on this machine is under this folder (`WDGATE_HOME`).
        tracking_uri: where MLflow keeps runs and models (`MLFLOW_TRACKING_URI`).
        embedded: nobody set an address, so that MLflow's store is a file under `home`.
        checkpoints: the folder, or the fsspec address, where trainings under way are kept
            (`WDGATE_CHECKPOINTS`); workers that go on with each other's trainings share one.
        checkpoint_seconds: between two checkpoints (`WDGATE_CHECKPOINT_SECONDS`).
    """

    home: Path
    tracking_uri: str
    embedded: bool
    checkpoints: str = ""
    checkpoint_seconds: float = 30.0

    @property
    def artifact_location(self) -> str | None:
        """Where new experiments keep their files; None leaves it to the MLflow server."""
        return (self.home / "artifacts").as_uri() if self.embedded else None

    @property
    def ui_command(self) -> str:
        """The command that opens the MLflow UI on these runs."""
        return "wdgate ui" if self.home == Path(".wdgate").resolve() else f"WDGATE_HOME={self.home} wdgate ui"


def read_settings(environment: MutableMapping[str, str] = os.environ) -> Settings:
    """The settings that the environment holds.

    Example:
        >>> read_settings({"MLFLOW_TRACKING_URI": "http://mlflow:5000"}).embedded
        False
    """
    given, default = environment.get("MLFLOW_TRACKING_URI"), embedded_store(environment)
    kept = home(environment)
    return Settings(
        kept,
        given or default,
        # Our own default comes back through the environment in a subprocess; it is still the embedded store.
        embedded=given in (None, "", default),
        checkpoints=environment.get("WDGATE_CHECKPOINTS") or str(kept / "checkpoints"),
        checkpoint_seconds=_seconds(environment, "WDGATE_CHECKPOINT_SECONDS", 30.0),
    )


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    given = environment.get(name) or str(default)
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise CannotProceed(f"{name} must be a number of seconds, got {given!r}")
    return seconds


def apply(settings: Settings, environment: MutableMapping[str, str] = os.environ) -> None:
    """Tell the libraries where to keep things, before they are imported; what a user has set stays."""
    kept = settings.home
    for folder in ("cache", "prefect"):
        _make(kept / folder)
    defaults = {
        "WDGATE_HOME": str(kept),
        "MLFLOW_TRACKING_URI": settings.tracking_uri,
        "PREFECT_HOME": str(kept / "prefect"),
        "MPLCONFIGDIR": str(kept / "cache" / "matplotlib"),
        **_QUIET,
    }
    for name, value in defaults.items():
        environment.setdefault(name, value)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        usable = os.access(folder, os.W_OK | os.X_OK)
        why = "" if usable else "nothing may be written there"
    except OSError as error:
        why = error.strerror or type(error).__name__
    if why:
        raise CannotProceed(
            f"WDGATE_HOME is {folder.parent}, where everything is kept on this machine, but {why}: "
            "expected a folder that may be written to"
        )


def read_salt(settings: Settings) -> str:
    """The secret that row keys of private data are salted with: made once, kept under `home` alone."""
    path = settings.home / "salt"
    if not path.exists():
        made = path.with_name(f"salt.{os.getpid()}")
        made.write_text(secrets.token_hex(16))
        made.chmod(0o600)
        # A link is made once: of two processes that come here together, the second keeps the first one's.
        with suppress(FileExistsError):
            path.hardlink_to(made)
        made.unlink()
    return path.read_text()


_QUIET = {
    # None of these may call home or write into ~: a run leaves traces in WDGATE_HOME alone.
    "DO_NOT_TRACK": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "ORT_DISABLE_TELEMETRY": "1",  # or onnxruntime keeps a device id under ~/.cache
    "GX_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # A refusal is told in a sentence; Prefect would print the traceback of every failed flow besides.
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_CLI_PROMPT": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    # A server that is away is told in seconds; MLflow would try for minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
}
