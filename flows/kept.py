"""Where are outcomes kept, so that neither a run nor a sweep trains the same control twice?"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from data_checks.splits import Splits
from flows.progress import say
from flows.settings import Settings, read_settings

if TYPE_CHECKING:  # torch takes seconds to import
    from pipelines.pipeline import Plan
    from wd_train.kept import Kept
    from wd_train.training import Training


def outcomes_folder(settings: Settings) -> Path:
    """What runs and sweeps share; it holds predictions of rows, and stays on this machine."""
    return settings.home / "controls"


def kept_outcomes(plan: Plan, splits: Splits, *, fresh: bool = False) -> Kept:
    """The outcomes of trainings with the same pipeline, rows and code, by runs or by sweeps.

    Checkpoints of others that nobody went on with are removed on the way.

    Args:
        plan: the pipeline.
        splits: its rows.
        fresh: of earlier ones none is found.
    """
    from pipelines.grid import parts_of
    from pipelines.keeping import outcome_name
    from wd_train.kept import Kept, remove_abandoned

    settings = read_settings()
    folder = outcomes_folder(settings)
    remove_abandoned(folder, time.time())
    parts, fingerprints = parts_of(plan), (splits.train.fingerprint, splits.validation.fingerprint)

    def name(member: Training) -> str:
        rows = plan.pipeline.control.rows
        return outcome_name(parts, fingerprints, member, plan.arguments, rows=rows)

    return Kept(folder, name, fresh, every=settings.checkpoint_seconds, tell=say)
