"""A whole run in a process of its own, with an empty home folder: what does it leave where?"""

import os
import subprocess
import sys

import pytest


@pytest.mark.soak
def test_a_run_writes_into_wdgate_home_alone(tmp_path):
    user, work = tmp_path / "user", tmp_path / "work"
    user.mkdir()
    work.mkdir()
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("WDGATE", "MLFLOW", "PREFECT"))
    }
    environment = {**kept, "HOME": str(user), "PYTHONDONTWRITEBYTECODE": "1"}
    words = [sys.executable, "-m", "flows", "run", "pipelines.digits", "epochs=5"]
    ended = subprocess.run(words, cwd=work, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode in (0, 1), ended.stderr
    assert list(user.rglob("*")) == []
    assert [path.name for path in work.iterdir()] == [".wdgate"]
    assert "Warning" not in ended.stderr
