"""Which rows are train, which validation and which test, so that a row stays where it is?"""

from __future__ import annotations

import hashlib
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import DataError
from data_checks.evidence.spelling import canonical_ids
from data_checks.evidence.times import missing
from data_checks.splits import Array, Split, Splits


def split(
    rows: Split,
    by: Literal["row", "group", "time"] = "row",
    test: float = 0.2,
    validation: float = 0.1,
    salt: str = "",
    *,
    public: bool = False,
    source: str = "",
) -> Splits:
    """Split rows into train, validation and test.

    `row` and `group` assign by a keyed hash of the row's content or of its group: a row stays where it is
    when the data grow, and copies of a row, or the rows of a group, stay together. `time` cuts at two
    moments: the last rows are test, those before them validation, and rows of one moment stay together.

    Args:
        rows: all rows.
        by: what rows are kept together by.
        test: the share of test rows, above 0.
        validation: the share of validation rows, above 0.
        salt: another salt gives another split.
        public: whether the rows may leave the worker.
        source: where the rows came from.

    Raises:
        DataError: shares that leave nothing for train, nothing to split by, or a part without rows.

    Example:
        >>> rows = Split(np.arange(1000.0)[:, None], np.zeros(1000, int))
        >>> parts = split(rows)
        >>> [len(part) for part in parts.named().values()]
        [707, 101, 192]
    """
    if not (test > 0 and validation > 0 and test + validation < 1):
        shares = f"test={test}, validation={validation}"
        raise DataError(f"test and validation must be above 0 and leave rows for train, got {shares}")
    places = _places(rows, by, salt)
    chosen = {
        "test": places >= 1 - test,
        "validation": (places < 1 - test) & (places >= 1 - test - validation),
        "train": places < 1 - test - validation,
    }
    for name, mask in chosen.items():
        if not mask.any():
            raise DataError(
                f"no row fell into {name}: {len(rows):,} rows by {by} are too few for such a split"
            )
    parts = {name: rows.take(mask) for name, mask in chosen.items()}
    return Splits(parts["train"], parts["validation"], parts["test"], public=public, source=source)


def _places(rows: Split, by: str, salt: str) -> NDArray[np.floating]:
    """Where each row lies between 0 (train) and 1 (test)."""
    if by == "row":
        return _hashed(rows.keys, salt)
    if by == "group":
        return _hashed(canonical_ids(_given(rows.groups, by)), salt)
    if by == "time":
        return _ranked(_given(rows.times, by))
    raise DataError(f"by must be 'row', 'group' or 'time', got {by!r}")


def _hashed(names: Array, salt: str) -> NDArray[np.floating]:
    """A number from 0 to below 1 a name (N,), the same for equal names, whatever else there is."""
    unique, codes = np.unique(names.astype(str), return_inverse=True)
    secret = hashlib.blake2b(salt.encode(), digest_size=32).digest()
    digests = [hashlib.blake2b(name.encode(), key=secret, digest_size=6).digest() for name in unique.tolist()]
    return np.array([int.from_bytes(digest, "big") / 2**48 for digest in digests])[codes.reshape(-1)]


def _ranked(times: Array) -> NDArray[np.floating]:
    """The share of rows (N,) before each row's moment, so that rows of one moment stay together."""
    lost = int(missing(times).sum())
    if lost:
        raise DataError(f"rows cannot be split by time where {lost:,} of {len(times):,} have none")
    _, codes, counts = np.unique(times, return_inverse=True, return_counts=True)
    before = np.concatenate([[0], np.cumsum(counts)[:-1]]) / len(times)
    return before[codes.reshape(-1)]


def _given(values: Array | None, by: str) -> Array:
    if values is None:
        raise DataError(f"rows cannot be split by {by}, because no {by}s were given")
    return values
