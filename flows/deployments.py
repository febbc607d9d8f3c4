"""How does a Prefect server hear of the flows that it schedules?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data_checks.errors import CannotProceed

PREFECT_FILE = Path(__file__).with_name("prefect.yaml")


def deploy(work_pool: str | None = None, *, prefect_file: Path = PREFECT_FILE) -> list[str]:
    """Register every deployment of `prefect.yaml` with the Prefect API of the settings, anew if it is there.

    Work pools that do not exist are made, of the type `process`.

    Args:
        work_pool: the pool that takes all of them, or None for the pool that each one names.
        prefect_file: the deployments, as `prefect deploy --all` reads them.

    Returns:
        The registered names, such as `train/train`: a flow, and its deployment.

    Raises:
        CannotProceed: the Prefect API is away, or refuses.
    """
    import httpx
    from prefect.deployments.runner import DeploymentApplyError
    from prefect.settings import PREFECT_API_URL

    entries = [_in_pool(entry, work_pool) for entry in read_deployments(prefect_file)]
    try:
        for pool in sorted({entry["work_pool"]["name"] for entry in entries}):
            _make_work_pool(pool)
        return [_register(entry) for entry in entries]
    except (httpx.HTTPError, DeploymentApplyError) as error:
        address = PREFECT_API_URL.value() or "a temporary server"
        reason = str(error).partition("\n")[0].rstrip(".")
        raise CannotProceed(f"Prefect at {address} did not take the deployments: {reason}.") from error


def read_deployments(prefect_file: Path = PREFECT_FILE) -> list[dict[str, Any]]:
    """The deployments in a `prefect.yaml`, one mapping each."""
    import yaml

    with prefect_file.open(encoding="utf-8") as file:
        return list(yaml.safe_load(file)["deployments"])


def _in_pool(entry: Mapping[str, Any], work_pool: str | None) -> dict[str, Any]:
    return {**entry, "work_pool": {**entry["work_pool"], "name": work_pool or entry["work_pool"]["name"]}}


def _make_work_pool(name: str) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists
    from prefect.workers.process import ProcessWorker

    pool = WorkPoolCreate(
        name=name, type=ProcessWorker.type, base_job_template=ProcessWorker.get_default_base_job_template()
    )
    with get_client(sync_client=True) as client:
        try:
            client.create_work_pool(pool)
        except ObjectAlreadyExists:
            return  # whatever its type: somebody chose where these flows run


def _register(entry: Mapping[str, Any]) -> str:
    from prefect.deployments.runner import RunnerDeployment
    from prefect.flows import Flow, load_flow_from_entrypoint
    from prefect.schedules import Cron
    from prefect.types.entrypoint import EntrypointType

    flow: Flow[..., Any] = load_flow_from_entrypoint(entry["entrypoint"], use_placeholder_flow=False)
    deployment = RunnerDeployment.from_flow(
        flow,
        name=entry["name"],
        description=entry["description"],
        tags=entry["tags"],
        parameters=entry.get("parameters"),
        concurrency_limit=entry.get("concurrency_limit"),
        work_pool_name=entry["work_pool"]["name"],
        job_variables=entry["work_pool"].get("job_variables"),
        schedules=[
            Cron(each["cron"], timezone=each["timezone"], active=each["active"])
            for each in entry.get("schedules", ())
        ],
        # By the module's name: a path would be searched for in the worker's folder.
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    deployment.apply()
    return deployment.full_name
