"""How does the MLflow UI come up, and go down again?"""

from __future__ import annotations

import socket
import subprocess
import sys
import time

from data_checks.errors import CannotProceed


def serve(tracking_uri: str, port: int) -> int:
    """Serve the MLflow UI on this machine until it is interrupted; the address is told once it answers.

    Raises:
        CannotProceed: the port is taken, or the server ended before it answered.
    """
    if _answers(port):
        raise CannotProceed(f"port {port} is taken already; choose another one with --port")
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", tracking_uri, "--port", str(port)]
    # A session of its own: Ctrl+C ends this process, which then ends the server without its tracebacks.
    server = subprocess.Popen(  # noqa: S603 - no shell, and nothing that anybody else has typed
        command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(server, port)
        # MLflow shows chat traces first, unless it is asked for model training.
        page = f"http://127.0.0.1:{port}/#/experiments?workflowType=machine_learning"
        print(f"MLflow UI: {page} (Ctrl+C ends it)", flush=True)
        return server.wait()
    finally:
        server.terminate()


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    print("Starting the MLflow UI", file=sys.stderr, flush=True)
    while not _answers(port):
        if server.poll() is not None:
            raise CannotProceed(f"the MLflow UI ended before it answered, with exit code {server.returncode}")
        time.sleep(0.2)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
