"""How often were these test rows used to judge a model already?

A test set wears out: each judgement tells a little about its rows. Looks are counted over all bookings whose
rows overlap with these, whatever the model's name, so that a new name or a reshuffle renews nothing. A row is
known by its content and, where the data name their rows, by its id too: a column more makes no new row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.spelling import canonical_ids
from data_checks.splits import Split

# Sorted and distinct. The lowest bit tells a key of a content (0) from a key of an id (1).
RowKeys = NDArray[np.uint64]

SAME_ROWS = 0.01
CONTENT, ID = np.uint64(0), np.uint64(1)


def salted_keys(rows: Split, salt: str, lineage: str = "") -> RowKeys:
    """The keys of all rows, sorted: one a distinct content, and one an id where `keys_by_row` has those.

    Example:
        >>> split = Split(np.array([[1.0], [2.0], [1.0]]), np.array([0, 1, 0]))
        >>> len(salted_keys(split, "00")), bool((salted_keys(split, "00") == salted_keys(split, "01")).all())
        (2, False)
    """
    return np.unique(keys_by_row(rows, salt, lineage))


def keys_by_row(rows: Split, salt: str, lineage: str = "") -> RowKeys:
    """What each row is known by (n, 1), or (n, 2) where rows have ids of their own.

    Args:
        rows: the rows.
        salt: hex; without it nobody can tell which row a key stands for.
        lineage: the model whose ids these are. Unlike contents, ids mean nothing beyond it: every table
            has a row 17.

    Returns:
        8 bytes of BLAKE2b over the row's content key and the salt, and over its id, the lineage and the salt.
    """
    contents, names = _hashed(rows.keys, salt, CONTENT), _own_ids(rows)
    if names is None:
        return contents[:, None]
    scoped = (f"{lineage}\0{name}".encode(errors="surrogatepass") for name in names)
    return np.stack([contents, _hashed(scoped, salt, ID)], axis=1)


def overlap(keys: RowKeys, others: RowKeys) -> float:
    """The share of the smaller set's rows that the other one has too, 0 to 1, by contents or by ids.

    Of the smaller one, because a small part of a large test set is judged on the same rows. By whichever
    finds more, because each alone can be changed.
    """
    by_content, by_id = (_share(_of(keys, kind), _of(others, kind)) for kind in (CONTENT, ID))
    # No rows at all count as the same rows; no ids count for nothing.
    return max(1.0 if by_content is None else by_content, by_id or 0.0)


def looks_taken(keys: RowKeys, booked: Iterable[Sequence[str]], read: Callable[[str], RowKeys]) -> list[int]:
    """Which bookings were on these rows, by their position in `booked`.

    Args:
        keys: the salted keys of the rows in question.
        booked: for each booking ever made, where the keys of its sets of rows are.
        read: gives the keys of a place; called once a place.
    """
    bookings = list(booked)
    places = {place for booking in bookings for place in booking}
    same = {place for place in places if not overlap(keys, read(place)) <= SAME_ROWS}
    return [position for position, booking in enumerate(bookings) if same.intersection(booking)]


def affordable(spent: Iterable[tuple[float, int]], alpha: float, looks: int) -> bool:
    """Whether another look at `alpha / looks` keeps the chance of a wrong promotion within `alpha`.

    Args:
        spent: alpha and looks of each judgement on these rows before.
        alpha: the error probability that is planned for all of them.
        looks: how many are planned.

    Example:
        >>> affordable([(0.05, 20)] * 19, 0.05, 20), affordable([(0.05, 2)] * 2, 0.05, 20)
        (True, False)
    """
    shares = [each / number for each, number in spent]
    # One part in a million for rounding: twenty twentieths are one.
    return len(shares) < looks and not sum(shares) + alpha / looks > alpha * (1 + 1e-6)


def looks_left(spent: Iterable[tuple[float, int]], alpha: float, looks: int) -> int:
    """How many more looks at `alpha / looks` there are.

    Example:
        >>> looks_left([(0.05, 20)] * 3, 0.05, 20), looks_left([(0.05, 2)] * 2, 0.05, 20)
        (17, 0)
    """
    taken = list(spent)
    more = 0
    while affordable([*taken, *[(alpha, looks)] * more], alpha, looks):
        more += 1
    return more


def distinct(keys: RowKeys) -> int:
    """How many rows of different content the keys stand for."""
    return len(_of(keys, CONTENT))


def _hashed(values: Iterable[bytes], salt: str, kind: np.uint64) -> RowKeys:
    key = bytes.fromhex(salt)
    digests = b"".join(hashlib.blake2b(value, digest_size=8, key=key).digest() for value in values)
    return (np.frombuffer(digests, dtype="<u8").astype(np.uint64) & ~ID) | kind


def _own_ids(rows: Split) -> list[str] | None:
    """What the data call each row; None unless names were given, each its own, and not just 0 to n - 1."""
    if not rows.stable_ids:
        return None
    names = canonical_ids(rows.ids).tolist()
    different = set(names)
    return names if len(different) == len(names) and different != set(map(str, range(len(names)))) else None


def _of(keys: RowKeys, kind: np.uint64) -> RowKeys:
    chosen: RowKeys = keys[(keys & ID) == kind]
    return chosen


def _share(keys: RowKeys, others: RowKeys) -> float | None:
    smaller = min(len(keys), len(others))
    return len(np.intersect1d(keys, others, assume_unique=True)) / smaller if smaller else None
