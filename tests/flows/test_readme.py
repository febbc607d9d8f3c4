"""Every command and every example in README is run, as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = README.splitlines()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines()]
# What these do is tested elsewhere: the Makefile's own tests, and tests of the deployments.
MADE = [line for line in COMMANDS if line.startswith("make ")]
RUN = [line for line in COMMANDS if line.startswith("wdgate ") and line != "wdgate deploy"]
REFUSED = {
    "wdgate run pipelines.digits weight_decay=30",
    "wdgate run pipelines.modular_addition weight_decay=0",
}


def test_every_command_is_one_that_is_run_here_or_by_make():
    assert {*MADE, *RUN, "wdgate deploy"} == set(COMMANDS)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(f"\n{line.removeprefix('make ')}:" in makefile for line in MADE)
    assert "wdgate run pipelines.digits" in makefile


def test_the_first_command_and_its_result_are_on_the_first_screen():
    assert LINES.index("make run") < 20
    assert next(i for i, line in enumerate(LINES) if "promoted as version 1" in line) < 40


def test_every_file_that_readme_names_exists():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert all((ROOT / link).exists() for link in links)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where README's reader stands: two CSV files of their own lie there."""
    folder = tmp_path_factory.mktemp("reader")
    generator = np.random.default_rng(0)
    for name, rows in (("train", 200), ("test", 60)):
        columns = generator.normal(size=(rows, 5))
        table = np.column_stack([columns, (columns[:, 0] > 0).astype(int)])
        header = ",".join([f"x{i}" for i in range(5)] + ["y"])
        formats = ["%.6f"] * 5 + ["%d"]
        np.savetxt(folder / f"{name}.csv", table, delimiter=",", header=header, comments="", fmt=formats)
    return folder


@pytest.mark.parametrize("line", RUN)
def test_a_command_does_what_readme_says(line, folder, wdgate, digits, monkeypatch):
    monkeypatch.chdir(folder)
    code, printed = wdgate(*shlex.split(line)[1:])
    assert code == (1 if line in REFUSED else 0)
    assert printed


def test_the_python_examples_run(wdgate, digits, home, capsys):
    from pipelines.digits import load_splits

    for example in blocks("python"):
        exec(compile(example, "README.md", "exec"), {"pictures": load_splits().test.inputs[:3]})
    assert capsys.readouterr().out.startswith("1 [")
