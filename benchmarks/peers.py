"""What do other people's packages say of the same few predictions?

    pip install --no-deps --target .wdgate/peers/calibration torchmetrics lightning-utilities netcal relplot \
        uncertainty-calibration deprecation seaborn
    python benchmarks/peers.py

prints their figures, which `tests/wdgate/evaluation/peers.json` holds and a test compares with ours;
with `--write` the file is written anew.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "tests" / "wdgate" / "evaluation" / "peers.json"
PEERS = ROOT / ".wdgate" / "peers" / "calibration"
PACKAGES = ("torchmetrics", "netcal", "relplot", "uncertainty-calibration")

Inputs = dict[str, list[Any]]


def inputs(rows: int = 60) -> Inputs:
    """Three classes by a model that is too sure, two classes with ties, and numbers."""
    generator = np.random.default_rng(0)
    targets = generator.integers(0, 3, rows)
    logits = 2 * generator.normal(size=(rows, 3)) + 2.4 * np.eye(3)[targets]
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = generator.normal(size=rows)
    return {
        "targets": targets.tolist(),
        "probs": probs.tolist(),
        "second": generator.uniform(size=rows).round(2).tolist(),
        "positive": (generator.uniform(size=rows) < 0.4).astype(int).tolist(),
        "truth": truth.tolist(),
        "predicted": (truth + 0.5 * generator.normal(size=rows)).tolist(),
    }


def of_torchmetrics(given: Inputs) -> dict[str, Any]:
    """Figures of torchmetrics' functions, in double precision."""
    import torch
    from torchmetrics import functional
    from torchmetrics.functional import classification

    one = {name: torch.tensor(values) for name, values in given.items() if name in ("targets", "positive")}
    one |= {n: torch.tensor(v, dtype=torch.float64) for n, v in given.items() if n not in one}
    three, two = (one["probs"], one["targets"], 3), (one["second"], one["positive"])
    found = {
        "accuracy": classification.multiclass_accuracy(*three, average="micro"),
        "balanced_accuracy": classification.multiclass_accuracy(*three, average="macro"),
        "recalls": classification.multiclass_recall(*three, average="none"),
        "precisions": classification.multiclass_precision(*three, average="none"),
        "top2_accuracy": classification.multiclass_accuracy(*three, average="micro", top_k=2),
        "auc": classification.multiclass_auroc(*three),
        "average_precision": classification.multiclass_average_precision(*three),
        "binary_auc": classification.binary_auroc(*two),
        "binary_average_precision": classification.binary_average_precision(*two),
        "recall_at_.3": classification.binary_recall(*two, threshold=0.3),
        "precision_at_.3": classification.binary_precision(*two, threshold=0.3),
        "ece_equal_width": classification.multiclass_calibration_error(*three, n_bins=15),
        "ece_at_1": classification.binary_calibration_error(
            torch.tensor([0.95, 0.95, 1.0, 1.0]), torch.tensor([1, 1, 1, 0]), n_bins=15
        ),
        "r2": functional.r2_score(one["predicted"], one["truth"]),
        "squared_error": functional.mean_squared_error(one["predicted"], one["truth"]),
        "absolute_error": functional.mean_absolute_error(one["predicted"], one["truth"]),
    }
    return {name: value.tolist() for name, value in found.items()}


def of_netcal(given: Inputs) -> dict[str, Any]:
    """Expected calibration errors of the most probable class, over bins of equal width and of equal mass."""
    from netcal.metrics import ECE

    probs, targets = np.array(given["probs"]), np.array(given["targets"])
    return {
        "ece_equal_width": float(ECE(15).measure(probs, targets)),
        "ece_equal_mass": float(ECE(15, equal_intervals=False).measure(probs, targets)),
        "ece_at_1": float(ECE(15).measure(np.array([0.95, 0.95, 1.0, 1.0]), np.array([1, 1, 1, 0]))),
    }


def of_calibration(given: Inputs) -> dict[str, Any]:
    """Figures of the package of Kumar, Liang & Ma: debiased, of equal mass, and of each class."""
    from calibration import utils

    sure, right = _sure(given)
    probs, targets = np.array(given["probs"]), np.array(given["targets"])
    return {
        "l2_ece": float(utils.lower_bound_scaling_ce(sure, right)),
        "ece_equal_mass": float(utils.get_ece_em(sure, right, mode="marginal")),
        "classwise": [
            float(utils.get_ece_em(probs[:, k], (targets == k).astype(int), mode="marginal"))
            for k in range(3)
        ],
    }


def of_relplot(given: Inputs) -> dict[str, Any]:
    """The smooth calibration error of its authors."""
    import relplot.metrics

    relplot.metrics.config.use_logit_scaling = False
    sure, right = _sure(given)
    return {"smooth_ece": float(relplot.metrics.smECE(sure, right))}


def main() -> None:
    """Print what each package says, and write it down where that is asked for."""
    sys.path.append(str(PEERS))
    given = inputs()
    figures = {
        "torchmetrics": of_torchmetrics(given),
        "netcal": of_netcal(given),
        "uncertainty-calibration": of_calibration(given),
        "relplot": of_relplot(given),
    }
    whole = {"versions": {name: version(name) for name in PACKAGES}, "inputs": given, "figures": figures}
    print(json.dumps({"versions": whole["versions"], "figures": figures}, indent=2))
    if "--write" in sys.argv:
        lines = (f"{json.dumps(name)}: {json.dumps(part)}" for name, part in whole.items())
        FIGURES.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _sure(given: Inputs) -> tuple[Any, Any]:
    probs, targets = np.array(given["probs"]), np.array(given["targets"])
    return probs.max(axis=1), (probs.argmax(axis=1) == targets).astype(int)


if __name__ == "__main__":
    main()
