from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the checkout, which holds what is deployed."""
    return Path(__file__).parents[2]


@pytest.fixture(scope="session")
def fits() -> Callable[[str, Path], bool]:
    """Whether a YAML file fits one of the schemas that check-jsonschema carries; needs no network."""

    def fits(schema: str, file: Path) -> bool:
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)]
        finished = subprocess.run(command, capture_output=True, text=True)
        # 1 is "does not fit"; anything else is a check that did not run.
        assert finished.returncode in (0, 1), finished.stderr
        return finished.returncode == 0

    return fits
