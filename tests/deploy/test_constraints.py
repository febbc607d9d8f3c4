from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@pytest.fixture(scope="module")
def script(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("constraints", root / "deploy/constraints.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def report(**versions: str) -> dict[str, list[dict[str, object]]]:
    chosen = [{"name": name, "version": version} for name, version in versions.items()]
    return {"install": [{"metadata": metadata} for metadata in chosen]}


def pins(root: Path) -> dict[str, str]:
    lines = (root / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_names_are_sorted_and_written_as_registries_compare_them(script: ModuleType) -> None:
    text = script.constraints(report(Zope_Interface="2", Alembic="1.0"))
    assert [line for line in text.splitlines() if "==" in line] == ["alembic==1.0", "zope-interface==2"]


def test_the_local_part_of_a_version_and_the_project_itself_are_left_out(script: ModuleType) -> None:
    text = script.constraints(report(torch="2.13.0+cpu", wdgate="0.1.0"))
    assert text.splitlines()[-1] == "torch==2.13.0"
    assert "wdgate==" not in text


def test_an_empty_report_is_no_list_of_constraints(script: ModuleType) -> None:
    with pytest.raises(SystemExit, match="names no package"):
        script.constraints(report(wdgate="0.1.0"))


def test_it_reads_what_pip_writes(root: Path) -> None:
    given = json.dumps(report(numpy="2.0.0"))
    command = [sys.executable, str(root / "deploy/constraints.py")]
    finished = subprocess.run(command, input=given, capture_output=True, text=True, check=True)
    assert finished.stdout.endswith("numpy==2.0.0\n")


def test_every_line_is_one_exact_public_version(root: Path) -> None:
    assert len(pins(root)) > 100
    assert [v for v in pins(root).values() if not re.fullmatch(r"[\w.!-]+", v)] == []


def test_every_requirement_of_the_project_is_pinned_within_its_range(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    named = [Requirement(line) for group in groups for line in group]
    pinned = pins(root)

    def fits(requirement: Requirement) -> bool:
        version = pinned.get(canonicalize_name(requirement.name))
        return version is not None and requirement.specifier.contains(version, prereleases=True)

    wrong = [
        str(requirement) for requirement in named if requirement.name != "wdgate" and not fits(requirement)
    ]
    assert wrong == [], "run `make lock`"
