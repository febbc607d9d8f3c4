"""Do rows of one group, such as a patient or a site, stand on both sides?"""

from __future__ import annotations

import re
import unicodedata

import numpy as np

from data_checks.errors import DataError
from data_checks.evidence.table import Columns, by_split
from data_checks.splits import Array, Split, Splits


def measure(splits: Splits) -> Columns:
    """`shared_group`: whether a row's group is also train's, or for test rows validation's, however spelt."""
    groups = {name: canonical(_groups(name, split)) for name, split in splits.named().items()}

    def shared(name: str, split: Split) -> Array:
        earlier = {"train": [], "validation": ["train"]}.get(name, ["train", "validation"])
        taken = [groups[other] for other in earlier if other in groups]
        return np.isin(groups[name], np.concatenate(taken)) if taken else np.zeros(len(split), bool)

    return {"shared_group": by_split(splits, shared)}


def canonical(groups: Array) -> Array:
    """The groups (N,) as text that does not tell spellings apart: case, blanks, Unicode forms, 7 and 7.0.

    Example:
        >>> canonical(np.array(["Site  A ", "site a"])).tolist()
        ['site a', 'site a']
        >>> canonical(np.array([7.0, 8.5])).tolist()
        ['7', '8.5']
    """
    unique, codes = np.unique(groups.astype(str), return_inverse=True)
    return np.array([_one_spelling(text) for text in unique.tolist()])[codes.reshape(-1)]


def _one_spelling(text: str) -> str:
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return re.sub(r"^(-?\d+)\.0+$", r"\1", plain)


def _groups(name: str, split: Split) -> Array:
    if split.groups is None:
        raise DataError(f"{name} has no groups, although train or test has: give all splits groups, or none")
    return split.groups
