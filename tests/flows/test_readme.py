"""Every command and every example in README is run, as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from data_checks.splits import Split
from wd_train.answers import summarize
from wd_train.outcomes import Outcome
from wdgate.evaluation.tasks import Classification

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
    "wdgate check --train mine.csv --test mine.csv --target benign",
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


def test_what_the_decay_did_is_said_in_the_program_s_words():
    def outcome(wrong):
        predicted = (np.arange(200) == wrong).astype(int)
        probs = np.eye(2)[predicted]
        return Outcome({"predicted": predicted, "probs": probs}, None, (), 1, 1.0, 1.0)

    split = Split(np.arange(200.0)[:, None], np.zeros(200, int))
    sides = [[outcome(place + side) for place in (1, 3, 5)] for side in (0, 1)]
    effect = summarize(Classification("ab"), 0.3, *sides, split, rows=800, seconds=1.0)
    said = re.search(r"Weight decay 0\.3 had.*?validation rows\)", README, flags=re.DOTALL)
    assert without_figures(" ".join(said.group().split())) in without_figures(effect.sentence)


def without_figures(words):
    return re.sub(r"\d+\.\d+", "#", words)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where README's reader stands."""
    return tmp_path_factory.mktemp("reader")


@pytest.mark.parametrize("line", RUN)
def test_a_command_does_what_readme_says(line, folder, wdgate, digits, monkeypatch):
    monkeypatch.chdir(folder)
    code, printed = wdgate(*shlex.split(line)[1:])
    assert code == (1 if line in REFUSED else 0)
    assert printed


def test_the_python_examples_run(digits, folder, wdgate, monkeypatch, capsys):
    # As in a script of the reader's: nothing but the folder of the runs is known.
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(folder)
    # What the reader has typed before, also where this test is run alone.
    for line in ("wdgate new mine --from table", "wdgate check mine.csv --target benign"):
        if not (folder / "mine.test.parquet").exists():
            wdgate(*shlex.split(line)[1:])
    for example in blocks("python"):
        exec(compile(example, "README.md", "exec"), {})
    assert capsys.readouterr().out == "1 [0 1 2]\n"
