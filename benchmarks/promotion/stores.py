"""Where do promoters race? A SQLite file, MLflow's server over HTTP, and PostgreSQL behind it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

Store = dict[str, str | None]


@contextmanager
def sqlite(folder: Path) -> Iterator[Store]:
    """A file that all processes open."""
    yield {
        "tracking_uri": f"sqlite:///{folder}/mlflow.db",
        "artifact_location": (folder / "artifacts").as_uri(),
    }


@contextmanager
def http(folder: Path, store: str | None = None) -> Iterator[Store]:
    """MLflow's own server with two workers on `store`, which is SQLite where none is given."""
    port = _free_port()
    store = store or f"sqlite:///{folder}/server.db"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", store, "--artifacts-destination", str(folder / "served")]
    with _running([*command, "--workers", "2"], folder / "server.log"):
        address = f"http://127.0.0.1:{port}"
        _until(lambda: urllib.request.urlopen(f"{address}/health", timeout=5).close())
        yield {"tracking_uri": address, "artifact_location": None}


@contextmanager
def postgresql(folder: Path) -> Iterator[Store]:
    """The same server on a PostgreSQL of its own."""
    port, data = _free_port(), folder / "postgres"
    data.mkdir()
    # PostgreSQL refuses to run as root.
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(data, "postgres")
        folder.chmod(0o755)
    programs = Path(_programs())
    initdb = [*as_user, str(programs / "initdb"), "-D", str(data), "-U", "mlflow", "-A", "trust"]
    subprocess.run(initdb, check=True, capture_output=True)
    serve = [*as_user, str(programs / "postgres"), "-D", str(data), "-p", str(port), "-k", str(data)]
    with _running(serve, folder / "postgres.log"):
        make = [str(programs / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "mlflow", "mlflow"]
        _until(lambda: subprocess.run(make, check=True, capture_output=True))
        with http(folder, f"postgresql+psycopg://mlflow@127.0.0.1:{port}/mlflow") as address:
            yield address


STORES = {"SQLite": sqlite, "HTTP, SQLite": http, "HTTP, PostgreSQL": postgresql}


def _programs() -> str:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise SystemExit("PostgreSQL is not installed here: leave it out with --stores SQLite")
    return str(found[-1].parent)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[None]:
    with log.open("w") as told:
        server = subprocess.Popen(command, stdout=told, stderr=told, start_new_session=True)
    try:
        yield
    finally:
        server.terminate()
        server.wait(30)


def _until(works) -> None:
    for _ in range(300):
        try:
            works()
            return
        except (OSError, subprocess.CalledProcessError):
            time.sleep(0.2)
    raise SystemExit("a server did not start")
