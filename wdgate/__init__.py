"""May this model be promoted, and can anybody verify it?

    from wdgate import Classification, at_least, judge, load_champion, promote

Nothing is imported before it is used: MLflow and SciPy take seconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from wdgate.evaluation.evaluation import evaluate
    from wdgate.evaluation.predictions import read_predictions
    from wdgate.evaluation.quantiles import Quantiles
    from wdgate.evaluation.tasks import Classification, Regression
    from wdgate.gates.also_gate import on
    from wdgate.gates.better_gate import better
    from wdgate.gates.effect_gate import decay_helps
    from wdgate.gates.gap_gate import gap_at_most
    from wdgate.gates.gates import at_least, at_most, no_worse, robust, skill, within
    from wdgate.gates.slice_gate import slices
    from wdgate.judge_any import judge
    from wdgate.promotion import Promotion, promote
    from wdgate.registry import Registry
    from wdgate.serving import history, load_champion, rollback, verify

__all__ = [
    "Classification",
    "Promotion",
    "Quantiles",
    "Registry",
    "Regression",
    "at_least",
    "at_most",
    "better",
    "decay_helps",
    "evaluate",
    "gap_at_most",
    "history",
    "judge",
    "load_champion",
    "no_worse",
    "on",
    "promote",
    "read_predictions",
    "robust",
    "rollback",
    "skill",
    "slices",
    "verify",
    "within",
]

_MODULES = {
    "wdgate.evaluation.evaluation": ("evaluate",),
    "wdgate.evaluation.quantiles": ("Quantiles",),
    "wdgate.evaluation.tasks": ("Classification", "Regression"),
    "wdgate.evaluation.predictions": ("read_predictions",),
    "wdgate.gates.also_gate": ("on",),
    "wdgate.gates.better_gate": ("better",),
    "wdgate.gates.effect_gate": ("decay_helps",),
    "wdgate.gates.gap_gate": ("gap_at_most",),
    "wdgate.gates.gates": ("at_least", "at_most", "no_worse", "robust", "skill", "within"),
    "wdgate.gates.slice_gate": ("slices",),
    "wdgate.judge_any": ("judge",),
    "wdgate.promotion": ("Promotion", "promote"),
    "wdgate.registry": ("Registry",),
    "wdgate.serving": ("history", "load_champion", "rollback", "verify"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'wdgate' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
