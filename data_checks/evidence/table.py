"""Which row is which, and what was measured on it?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data_checks.splits import Array, Split, Splits

if TYPE_CHECKING:
    import pandas as pd

Columns = Mapping[str, Array]


def by_split(splits: Splits, column: Callable[[str, Split], Any]) -> Array:
    """A value a row of every split (N_all,), from a function that gives each split its own.

    A function that gives one value says it about all rows of the split.

    Example:
        >>> part = Split(np.eye(2), np.array([0, 1]))
        >>> by_split(Splits(part, part, part), lambda name, split: name == "test").tolist()
        [False, False, False, False, True, True]
    """
    parts = [np.broadcast_to(column(name, split), (len(split),)) for name, split in splits.named().items()]
    return np.concatenate(parts)


def first_rows(splits: Splits) -> dict[str, int]:
    """Where each split begins among the rows of all."""
    lengths = [len(split) for split in splits.named().values()]
    return dict(zip(splits.named(), np.cumsum([0, *lengths[:-1]]).tolist(), strict=True))


def salted(keys: NDArray[np.bytes_], salt: str) -> Array:
    """Names (N,) that a row can be recognized by, but that nobody can guess it from without the salt."""
    secret = hashlib.blake2b(salt.encode(), digest_size=32).digest()
    return np.array([hashlib.blake2b(key, key=secret, digest_size=6).hexdigest() for key in keys.tolist()])


def name_rows(splits: Splits, salt: str) -> pd.DataFrame:
    """The table that evidence is added to: `split`, `id` and `key` of all rows (N_all, 3).

    Rows of public data keep their ids. Others go by a salted key, which copies of a row share.
    """
    import pandas as pd

    keys = by_split(splits, lambda name, split: split.keys)
    names = salted(keys, salt)
    ids = by_split(splits, lambda name, split: split.ids.astype(str)) if splits.public else names
    return pd.DataFrame({"split": by_split(splits, lambda name, split: name), "id": ids, "key": names})
