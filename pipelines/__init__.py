"""What is run, and what must it show? This is what a pipeline file imports from.

The names are looked up when they are first used, so that naming this package imports nothing heavy.

Example:
    >>> from pipelines import Training, at_least
    >>> Training(weight_decay=0.3).optimizer, at_least("accuracy", 0.9).limit
    ('adamw', 0.9)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data_checks.readers import image_folder, read_table
    from data_checks.splits import Split, Splits
    from data_checks.splitting import split
    from pipelines.pipeline import Control, Pipeline
    from wd_train.decay import Decay
    from wd_train.training import Training
    from wdgate.evaluation.quantiles import Quantiles
    from wdgate.evaluation.tasks import Classification, Regression
    from wdgate.gates.also_gate import on
    from wdgate.gates.better_gate import better
    from wdgate.gates.effect_gate import decay_helps
    from wdgate.gates.gap_gate import gap_at_most
    from wdgate.gates.gates import at_least, at_most, no_worse, robust, skill, within
    from wdgate.gates.slice_gate import slices

_PLACES = {
    "Classification": "wdgate.evaluation.tasks",
    "Control": "pipelines.pipeline",
    "Decay": "wd_train.decay",
    "Pipeline": "pipelines.pipeline",
    "Quantiles": "wdgate.evaluation.quantiles",
    "Regression": "wdgate.evaluation.tasks",
    "Split": "data_checks.splits",
    "Splits": "data_checks.splits",
    "Training": "wd_train.training",
    "at_least": "wdgate.gates.gates",
    "at_most": "wdgate.gates.gates",
    "better": "wdgate.gates.better_gate",
    "decay_helps": "wdgate.gates.effect_gate",
    "gap_at_most": "wdgate.gates.gap_gate",
    "image_folder": "data_checks.readers",
    "no_worse": "wdgate.gates.gates",
    "on": "wdgate.gates.also_gate",
    "read_table": "data_checks.readers",
    "robust": "wdgate.gates.gates",
    "skill": "wdgate.gates.gates",
    "slices": "wdgate.gates.slice_gate",
    "split": "data_checks.splitting",
    "within": "wdgate.gates.gates",
}

__all__ = [
    "Classification",
    "Control",
    "Decay",
    "Pipeline",
    "Quantiles",
    "Regression",
    "Split",
    "Splits",
    "Training",
    "at_least",
    "at_most",
    "better",
    "decay_helps",
    "gap_at_most",
    "image_folder",
    "no_worse",
    "on",
    "read_table",
    "robust",
    "skill",
    "slices",
    "split",
    "within",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
