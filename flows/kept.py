"""Where are the outcomes of earlier trainings kept, and of which of them may a run make use?"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from data_checks.splits import Splits
from flows.settings import read_settings
from wdgate import __version__

if TYPE_CHECKING:  # torch takes seconds to import
    from pipelines.pipeline import Plan
    from wd_train.kept import Kept


def kept_outcomes(plan: Plan, splits: Splits) -> Kept:
    """The outcomes under `WDGATE_HOME` of trainings that had all but the training's own values in common.

    Those are the pipeline, its other arguments, the train and validation rows, and the code.
    """
    from pipelines.grid import parts_of
    from wd_train.kept import Kept

    content = [parts_of(plan), splits.train.fingerprint, splits.validation.fingerprint, __version__]
    key = hashlib.sha256("\n".join(content).encode()).hexdigest()
    return Kept(read_settings().home / "controls", key)
