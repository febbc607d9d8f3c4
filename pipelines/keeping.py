"""By what name is the outcome of a training kept, so that whoever trains the same finds it?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pipelines.grid import training_form
from pipelines.sameness import digest, form_of
from wdgate import __version__

if TYPE_CHECKING:
    from wd_train.training import Training


def outcome_name(
    parts: str,
    fingerprints: tuple[str, str],
    training: Training,
    arguments: Mapping[str, Any],
    *,
    rows: float = 1.0,
    fold: int = 0,
    folds: int = 1,
) -> str:
    """The name of a file: the same for the same parts, rows, training and code, in a run or in a sweep.

    Args:
        parts: of the pipeline, as `pipelines.grid.parts_of` names them.
        fingerprints: of the train and validation rows.
        training: with its own seed.
        arguments: of the pipeline, which stand for a training that has no form.
        rows: the share of the train rows.
        fold: which rows are predicted, from 0.
        folds: of how many; 1 is train and validation as they are.
    """
    where = (parts, fingerprints, form_of(float(rows)), folds)
    return f"{digest(where, fold, training_form(training, arguments), _versions())}.npz"


@cache
def _versions() -> tuple[str, ...]:
    """What computes: another version of it may give other numbers."""
    return __version__, version("torch"), version("numpy")
