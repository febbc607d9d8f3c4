"""How long does Optuna take for the same trainings?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

PINS = ("optuna==5.0.0", "joblib==1.6.0")


def install(peers: Path) -> Path:
    """The Python of the peer's environment, which is made first where it is not there as it is wanted."""
    folder = peers / "optuna"
    python, stamp = folder / "bin" / "python", folder / "pins.txt"
    if not stamp.exists() or stamp.read_text().splitlines() != list(PINS):
        print(f"installing {', '.join(PINS)} into {folder}", file=sys.stderr)
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *PINS], check=True)
        except subprocess.CalledProcessError as error:
            raise SystemExit(f"no peers ({error}); --no-peers measures ours alone") from error
        stamp.write_text("\n".join(PINS))
    return python


def seconds_of_optuna(python: Path, trials: int, epochs: int, batch_size: int) -> float:
    """What all trials take on workers that are already there, with the same torch as ours."""
    places = os.pathsep.join(str(place) for place in (Path(__file__).parents[1], Path(__file__).parents[2]))
    one = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    environment = {**os.environ, **one, "PYTHONPATH": places, "OURS": sysconfig.get_paths()["purelib"]}
    command = [python, "-W", "ignore", "-m", "fleet.run_optuna", str(trials), str(epochs), str(batch_size)]
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return float(json.loads(told.stdout.splitlines()[-1])["seconds"])
