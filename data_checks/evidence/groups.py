"""Do rows of one group, such as a patient or a site, stand on both sides?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from data_checks.errors import DataError
from data_checks.evidence.spelling import canonical_ids
from data_checks.evidence.table import Columns, first_rows
from data_checks.splits import Array, Split, Splits

if TYPE_CHECKING:
    import pandas as pd


def measure(splits: Splits) -> Columns:
    """Whose group, however spelt, stands in an earlier split: train, and for test rows validation.

    Returns:
        `shared_group`: whether a row's does;
        `shared_group_of`: the position among all of the first row of that group, or -1.
    """
    groups = {name: canonical_ids(_groups(name, split)) for name, split in splits.named().items()}
    start, first = first_rows(splits), _first_of_each(groups)
    found = []
    for name, values in groups.items():
        learned = {"train": 0, "validation": start.get("validation", 0)}.get(name, start["test"])
        positions = first.reindex(values).to_numpy()
        found.append(np.where(positions < learned, positions, -1))
    twins = np.concatenate(found)
    return {"shared_group": twins >= 0, "shared_group_of": twins}


def _first_of_each(groups: Mapping[str, Array]) -> pd.Series:
    """The position of the first row of each group, by the group."""
    import pandas as pd

    values = np.concatenate(list(groups.values()))
    positions = pd.Series(np.arange(len(values)), index=values)
    return positions[~positions.index.duplicated()]


def _groups(name: str, split: Split) -> Array:
    if split.groups is None:
        raise DataError(f"{name} has no groups, although train or test has: give all splits groups, or none")
    return split.groups
