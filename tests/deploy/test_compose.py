from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

SECRET = re.compile(r"PASSWORD|SECRET|KEY|AUTH_STRING")
REFERENCE = re.compile(r"^\$\{(\w+):\?[^}]+\}$")


@pytest.fixture(scope="module")
def compose(root: Path) -> dict[str, Any]:
    return yaml.safe_load((root / "docker-compose.yml").read_text())


def environments(compose: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {name: service.get("environment", {}) for name, service in compose["services"].items()}


def literal_secrets(compose: dict[str, Any]) -> list[str]:
    return [
        f"{service}.{variable}"
        for service, environment in environments(compose).items()
        for variable, value in environment.items()
        # A file in a volume is no secret itself.
        if SECRET.search(variable)
        and not REFERENCE.match(str(value))
        and not str(value).startswith("/var/lib/")
    ]


def unpinned(compose: dict[str, Any]) -> list[str]:
    images = [service["image"] for service in compose["services"].values()]
    return [image for image in images if not re.search(r":v?\d+\.\d[\w.-]*$", image)]


def test_it_fits_the_compose_specification(root: Path, fits) -> None:
    assert fits("vendor.compose-spec", root / "docker-compose.yml")


def test_a_misspelt_key_does_not_fit(compose: dict[str, Any], tmp_path: Path, fits) -> None:
    wrong = copy.deepcopy(compose)
    wrong["services"]["mlflow"]["depend_on"] = ["postgres"]
    (tmp_path / "wrong.yml").write_text(yaml.safe_dump(wrong))
    assert not fits("vendor.compose-spec", tmp_path / "wrong.yml")


def test_every_secret_comes_from_outside(compose: dict[str, Any]) -> None:
    assert sum(len(environment) for environment in environments(compose).values()) > 20
    assert literal_secrets(compose) == []


@pytest.mark.parametrize("value", ["hunter2", "${A}", "${A:-hunter2}"])
def test_a_secret_with_a_value_or_a_default_is_noticed(value: str) -> None:
    careless = {"services": {"db": {"environment": {"DB_PASSWORD": value}}}}
    assert literal_secrets(careless) == ["db.DB_PASSWORD"]


def test_no_address_carries_a_password(root: Path) -> None:
    for path in ("docker-compose.yml", "deploy/mlflow-auth.ini"):
        assert not re.search(r"://[^/\s@]+:[^/\s@]+@", (root / path).read_text())


def test_every_image_is_pinned(compose: dict[str, Any]) -> None:
    assert unpinned(compose) == []


@pytest.mark.parametrize("image", ["postgres", "postgres:latest", "postgres:17", "a/b:nightly"])
def test_an_image_that_moves_is_noticed(image: str) -> None:
    assert unpinned({"services": {"db": {"image": image}}}) == [image]


def test_every_file_that_is_named_exists(compose: dict[str, Any], root: Path) -> None:
    services = compose["services"].values()
    mounts = [str(v).split(":")[0] for service in services for v in service.get("volumes", ())]
    files = [mount for mount in mounts if mount.startswith(".")]
    files += [service["build"]["dockerfile"] for service in services if "build" in service]
    assert files
    assert [file for file in files if not (root / file).is_file()] == []


def test_every_build_target_is_a_stage_and_copies_what_exists(compose: dict[str, Any], root: Path) -> None:
    dockerfile = (root / "deploy/Dockerfile").read_text()
    stages = set(re.findall(r"^FROM \S+ AS (\w+)$", dockerfile, re.M))
    builds = [service["build"] for service in compose["services"].values() if "build" in service]
    assert {build["target"] for build in builds} <= stages
    sources = [name for line in re.findall(r"^COPY (.+)$", dockerfile, re.M) for name in line.split()[:-1]]
    # README.md is told of in the package's metadata, so the image cannot be built without it.
    assert [name for name in sources if not (root / name).exists()] == []


def test_the_example_names_exactly_what_is_required(root: Path) -> None:
    required = set(re.findall(r"\$\{(\w+):\?", (root / "docker-compose.yml").read_text()))
    lines = (root / "deploy/.env.example").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert set(given) == required
    assert set(given.values()) == {""}


def test_every_named_volume_and_network_is_declared(compose: dict[str, Any]) -> None:
    services = compose["services"].values()
    volumes = {str(v).split(":")[0] for service in services for v in service.get("volumes", ())}
    assert {volume for volume in volumes if not volume.startswith(".")} == set(compose["volumes"])
    assert {network for service in services for network in service["networks"]} == set(compose["networks"])


def test_services_are_waited_for_until_they_are_healthy(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        for name, how in service.get("depends_on", {}).items():
            waits = how["condition"] == "service_completed_successfully" or "healthcheck" in services[name]
            assert waits, name


def test_training_code_reaches_neither_the_database_nor_the_store(compose: dict[str, Any]) -> None:
    for worker in ("trainer", "promoter"):
        assert compose["services"][worker]["networks"] == ["services"]
    for store in ("postgres", "s3"):
        assert compose["services"][store]["networks"] == ["storage"]


def test_the_trainer_holds_no_secret_of_the_promoter(compose: dict[str, Any]) -> None:
    held = str(compose["services"]["trainer"]["environment"])
    for secret in ("PROMOTER_PASSWORD", "MLFLOW_ADMIN_PASSWORD", "S3_SECRET_KEY", "MLFLOW_DB_PASSWORD"):
        assert secret not in held


def test_nothing_is_published_beyond_this_machine(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_servers_name_each_other_as_mlflow_expects(compose: dict[str, Any]) -> None:
    # MLflow refuses requests for a host that it was not told of.
    host = compose["services"]["trainer"]["environment"]["MLFLOW_TRACKING_URI"].removeprefix("http://")
    allowed = next(a for a in compose["services"]["mlflow"]["command"] if a.startswith("--allowed-hosts="))
    assert host in allowed.removeprefix("--allowed-hosts=").split(",")
