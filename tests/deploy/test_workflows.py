from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

NAMES = ["ci.yml", "promote.yml"]
EXPRESSION = re.compile(r"\$\{\{")


def read(root: Path, name: str) -> dict[str, Any]:
    # The base loader keeps text: YAML 1.1 reads the key `on` as true.
    return yaml.load((root / ".github/workflows" / name).read_text(), Loader=yaml.BaseLoader)


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("name", NAMES)
def test_they_fit_githubs_schema(root: Path, name: str, fits) -> None:
    assert fits("vendor.github-workflows", root / ".github/workflows" / name)


def test_a_misspelt_key_does_not_fit(root: Path, tmp_path: Path, fits) -> None:
    text = (root / ".github/workflows/ci.yml").read_text().replace("runs-on:", "run-on:")
    (tmp_path / "wrong.yml").write_text(text)
    assert not fits("vendor.github-workflows", tmp_path / "wrong.yml")


@pytest.mark.parametrize("name", NAMES)
def test_actions_are_pinned_to_commits(root: Path, name: str) -> None:
    used = [step["uses"] for step in steps(read(root, name)) if "uses" in step]
    assert used
    assert [action for action in used if not re.search(r"@[0-9a-f]{40}$", action)] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_script_is_written_by_whoever_starts_it(root: Path, name: str) -> None:
    scripts = [step["run"] for step in steps(read(root, name)) if "run" in step]
    assert scripts
    assert [script for script in scripts if EXPRESSION.search(script)] == []


@pytest.mark.parametrize("name", NAMES)
def test_they_may_only_read(root: Path, name: str) -> None:
    assert read(root, name)["permissions"] == {"contents": "read"}


def test_ci_runs_the_command_that_people_run(root: Path) -> None:
    scripts = [step["run"] for step in steps(read(root, "ci.yml")) if "run" in step]
    assert scripts == ["make test"]
    assert (root / ".ci/run").read_text().rstrip().endswith("exec make test < /dev/null")


def test_promotion_waits_for_the_environments_approval(root: Path) -> None:
    promote = read(root, "promote.yml")
    assert list(promote["on"]) == ["workflow_dispatch"]
    assert promote["jobs"]["promote"]["environment"] == "production"


def test_the_answer_of_wdgate_is_the_answer_of_the_job(root: Path) -> None:
    step = steps(read(root, "promote.yml"))[-1]
    # The last command of the script, unpiped: its exit code is the step's.
    assert step["run"].splitlines()[-1] == '.venv/bin/wdgate promote "$RUN_ID" --json'
    assert "continue-on-error" not in step
    assert step["env"]["RUN_ID"] == "${{ inputs.run_id }}"
