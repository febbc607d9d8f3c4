"""Do the servers answer? In the embedded default Prefect's is started, and MLflow's store is opened."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from data_checks.errors import CannotProceed
from flows.interrupting import end_orphaned_servers
from flows.settings import read_settings
from wdgate.store import opening


def start() -> None:
    """Wait for Prefect's server, and import other heavy libraries meanwhile: both take seconds.

    Raises:
        CannotProceed: the server in the settings does not answer, or its own does not start.
        RegistryError: the embedded store cannot be opened.
    """
    end_orphaned_servers(os.environ.get("PREFECT_HOME", ""))
    # All of Prefect first: its modules import one another late, and deadlock when two threads do so.
    import flows.train_and_promote  # noqa: F401

    with ThreadPoolExecutor(1) as pool:
        answered = pool.submit(_ask)
        import torch  # noqa: F401

        answered.result()
    open_store()


def open_store() -> None:
    """Open MLflow's embedded store, and make its tables where there are none, one process after another."""
    from flows.tracking import Run, answering

    settings = read_settings()
    if settings.embedded:
        with answering(settings), opening():
            # MLflow keeps what is opened here for the whole process.
            _ = Run(settings, "").client


def _ask() -> None:
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL

    try:
        # Without an address in the settings, asking starts a server that lives as long as this process.
        with get_client(sync_client=True) as client:
            client.hello().raise_for_status()
    except (httpx.HTTPError, RuntimeError) as error:
        address = PREFECT_API_URL.value()
        what = (
            f"Prefect at {address} (PREFECT_API_URL) did not answer"
            if address
            else "Prefect's server did not start"
        )
        raise CannotProceed(f"{what}: {str(error).splitlines()[0]}") from error
