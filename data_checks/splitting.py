"""Which rows are train, which validation and which test, so that a row stays where it is?"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from data_checks.cuts import Cut, masks_by_time
from data_checks.errors import DataError
from data_checks.evidence.spelling import canonical_ids
from data_checks.evidence.times import in_words
from data_checks.splits import Array, Split, Splits

By = Literal["row", "group", "near", "time"]
_UNITS = {"row": "rows", "group": "groups", "near": "clusters of near rows"}


def split(
    rows: Split,
    by: By = "row",
    test: float = 0.2,
    validation: float = 0.1,
    salt: str = "",
    *,
    cut: Cut | None = None,
    embargo: Any = None,
    public: bool = False,
    source: str = "",
) -> Splits:
    """Split rows into train, validation and test, so that rows stay where they are when the data grow.

    `row` assigns by a keyed hash of a row's id, however spelt, or of its content where no ids were given.
    `group` assigns by a hash of its group, however spelt. `near` puts rows that are nearly equal where the
    first of them goes; a later row stays with them, unless it joins two such clusters, of which the second
    then moves.
    `time` cuts at two moments: the last rows are test, those before them validation, and rows of one moment
    stay together. As later rows are added the moments move on, and train keeps what it had; `cut` pins them.

    Args:
        rows: all rows.
        by: what rows are kept together by.
        test: the share of test rows, above 0.
        validation: the share of validation rows, above 0.
        salt: another salt gives another split.
        cut: the moments at which validation and test begin, instead of shares (`cuts.cut_of` tells them).
        embargo: how much time must lie between the last row of a part and the first of the next, as a
            number or a timedelta; rows that come too shortly before are in no part.
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
    if by != "time" and (cut is not None or embargo is not None):
        name = "an embargo" if cut is None else "a cut"
        raise DataError(f"{name} is kept in time, so that by must be 'time', got {by!r}")
    if by == "time":
        masks = masks_by_time(rows.times, 1 - test - validation, 1 - test, cut, embargo)
    else:
        places = _places(rows, by, salt)
        masks = _masks(places, validation, test)
        _refuse_empty(masks, f"{len(np.unique(places)):,} different {_UNITS[by]} ({len(rows):,} rows)")
    return _parts(rows, masks, public=public, source=source, embargo=embargo)


def _masks(places: NDArray[np.floating], validation: float, test: float) -> dict[str, NDArray[np.bool_]]:
    return {
        "train": places < 1 - test - validation,
        "validation": (places < 1 - test) & (places >= 1 - test - validation),
        "test": places >= 1 - test,
    }


def _refuse_empty(masks: dict[str, NDArray[np.bool_]], what: str) -> None:
    empty = [name for name in ("test", "validation", "train") if not masks[name].any()]
    if empty:
        raise DataError(f"no row fell into {empty[0]}: {what} are too few for such a split")


def _parts(rows: Split, masks: dict[str, NDArray[np.bool_]], **more: Any) -> Splits:
    _refuse_empty(masks, f"{len(rows):,} rows by time")
    kept_out = len(rows) - sum(int(mask.sum()) for mask in masks.values())
    if kept_out:
        told = f"{kept_out:,} rows within the embargo of {in_words(more['embargo'])} are in no part"
        more["source"] = ", ".join(filter(None, [more["source"], told]))
    train, validation, test = (rows.take(masks[name]) for name in ("train", "validation", "test"))
    return Splits(train, validation, test, **more)


def _places(rows: Split, by: str, salt: str) -> NDArray[np.floating]:
    """Where each row lies between 0 (train) and 1 (test)."""
    if by == "row":
        return _hashed(_names(rows), salt)
    if by == "group":
        if rows.groups is None:
            raise DataError("rows cannot be split by group, because no groups were given")
        return _hashed(canonical_ids(rows.groups), salt)
    if by == "near":
        from data_checks.evidence.clusters import clusters

        places = _hashed(_names(rows), salt)
        return np.asarray(places[clusters(rows)])
    raise DataError(f"by must be 'row', 'group', 'near' or 'time', got {by!r}")


def _names(rows: Split) -> Array:
    """What rows (N,) are known by, whatever else there is: ids, or their content where none were given."""
    # However spelt, because ids are read as numbers until a row comes whose id is text, or missing.
    return canonical_ids(rows.ids) if rows.stable_ids else rows.keys


def _hashed(names: Array, salt: str) -> NDArray[np.floating]:
    """A number from 0 to below 1 a name (N,), the same for equal names, whatever else there is."""
    unique, codes = np.unique(names.astype(str), return_inverse=True)
    secret = hashlib.blake2b(salt.encode(), digest_size=32).digest()
    digests = [hashlib.blake2b(name.encode(), key=secret, digest_size=6).digest() for name in unique.tolist()]
    return np.array([int.from_bytes(digest, "big") / 2**48 for digest in digests])[codes.reshape(-1)]
