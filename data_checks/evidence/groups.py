"""Do rows of one group, such as a patient or a site, stand on both sides?"""

from __future__ import annotations

import numpy as np

from data_checks.errors import DataError
from data_checks.evidence.spelling import canonical_ids
from data_checks.evidence.table import Columns, by_split
from data_checks.splits import Array, Split, Splits


def measure(splits: Splits) -> Columns:
    """`shared_group`: whether a row's group is also train's, or for test rows validation's, however spelt."""
    import pandas as pd

    groups = {name: canonical_ids(_groups(name, split)) for name, split in splits.named().items()}

    def shared(name: str, split: Split) -> Array:
        earlier = {"train": [], "validation": ["train"]}.get(name, ["train", "validation"])
        taken = [groups[other] for other in earlier if other in groups]
        # Not `np.isin`, which compares objects one by one.
        return np.asarray(pd.Series(groups[name]).isin(np.concatenate([*taken, groups[name][:0]])), bool)

    return {"shared_group": by_split(splits, shared)}


def _groups(name: str, split: Split) -> Array:
    if split.groups is None:
        raise DataError(f"{name} has no groups, although train or test has: give all splits groups, or none")
    return split.groups
