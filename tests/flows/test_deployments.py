from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from data_checks.errors import CannotProceed
from flows.deployments import PREFECT_FILE, deploy, read_deployments

ROOT = Path(__file__).parents[2]
NAMES = [
    "train-and-promote/train-and-promote-digits",
    "train/train",
    "promote/promote",
    "check-data/check-data",
    "sweep/sweep",
]
COMPARED = {
    "entrypoint",
    "description",
    "tags",
    "parameters",
    "work_pool_name",
    "job_variables",
    "path",
    "enforce_parameter_schema",
    "parameter_openapi_schema",
    "concurrency_limit",
}


@pytest.fixture
def registered(prefect_server: str) -> list[str]:
    return deploy()


def read(name: str):
    with get_client(sync_client=True) as client:
        return client.read_deployment_by_name(name)


def as_compared(name: str) -> dict[str, object]:
    deployment = read(name)
    schedules = [(each.schedule.model_dump(), each.active) for each in deployment.schedules]
    # An empty list and none at all are the same to a worker; which it is depends on who wrote last.
    pull = deployment.pull_steps or []
    return {**deployment.model_dump(include=COMPARED), "schedules": schedules, "pull": pull}


def test_every_deployment_of_the_file_is_registered(registered: list[str]) -> None:
    assert registered == NAMES
    assert [read(name).name for name in registered] == [entry["name"] for entry in read_deployments()]


def test_flows_are_entered_by_module_and_nothing_is_pulled(registered: list[str]) -> None:
    for name, entry in zip(registered, read_deployments(), strict=True):
        deployment = read(name)
        assert deployment.entrypoint == entry["entrypoint"]
        assert not deployment.pull_steps
        # A working directory comes first on the import path, and may hold another folder `flows`.
        assert "working_dir" not in deployment.job_variables


def test_the_trainer_and_the_promoter_run_in_different_pools(registered: list[str]) -> None:
    pools = {name: read(name).work_pool_name for name in registered}
    assert pools["train/train"] == "trainer"
    assert pools["promote/promote"] == "promoter"
    assert pools["train-and-promote/train-and-promote-digits"] == "promoter"


def test_one_deployment_runs_every_night(registered: list[str]) -> None:
    crons = {name: [each.schedule.cron for each in read(name).schedules] for name in registered}
    assert crons == {name: ["0 2 * * *"] if "digits" in name else [] for name in registered}


def test_deploying_again_changes_nothing(registered: list[str]) -> None:
    before = {name: (read(name).id, as_compared(name)) for name in registered}
    assert deploy() == registered
    assert {name: (read(name).id, as_compared(name)) for name in registered} == before


def test_one_pool_can_take_all(prefect_server: str) -> None:
    names = deploy("laptop")
    assert {read(name).work_pool_name for name in names} == {"laptop"}
    deploy()
    assert read("train/train").work_pool_name == "trainer"


def test_prefects_own_command_registers_the_same(registered: list[str]) -> None:
    before = {name: as_compared(name) for name in registered}
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    environment = {**os.environ, "PREFECT_API_URL": PREFECT_API_URL.value()}
    finished = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert {name: as_compared(name) for name in registered} == before


def test_a_server_that_is_away_is_one_sentence() -> None:
    nowhere = {PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}
    with temporary_settings(nowhere), pytest.raises(CannotProceed) as caught:
        deploy()
    assert str(caught.value).startswith("Prefect at http://127.0.0.1:9/api did not take the deployments: ")


def test_prefects_command_finds_the_file_that_is_shipped() -> None:
    assert (ROOT / "prefect.yaml").resolve() == PREFECT_FILE.resolve()
