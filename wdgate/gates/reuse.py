"""How often were these test rows used to judge a model already?

A test set wears out: each judgement tells a little about its rows. Looks are counted over all bookings whose
rows overlap with these, whatever the model's name, so that a new name or a reshuffle renews nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from data_checks.splits import Split

RowKeys = NDArray[np.uint64]

SAME_ROWS = 0.01


def salted_keys(rows: Split, salt: str) -> RowKeys:
    """A key a distinct row, sorted (n,): 8 bytes of BLAKE2b over the row's content key and the salt (hex).

    Example:
        >>> split = Split(np.array([[1.0], [2.0], [1.0]]), np.array([0, 1, 0]))
        >>> len(salted_keys(split, "00")), bool((salted_keys(split, "00") == salted_keys(split, "01")).all())
        (2, False)
    """
    key = bytes.fromhex(salt)
    digests = (hashlib.blake2b(row, digest_size=8, key=key).digest() for row in rows.keys)
    return np.unique(np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64))


def overlap(keys: RowKeys, others: RowKeys) -> float:
    """The share of the smaller set's rows that the other one has too, 0 to 1.

    Of the smaller one, because a small part of a large test set is judged on the same rows.
    """
    smaller = min(len(keys), len(others))
    return len(np.intersect1d(keys, others, assume_unique=True)) / smaller if smaller else 1.0


def looks_taken(keys: RowKeys, booked: Iterable[str], read: Callable[[str], RowKeys]) -> int:
    """How many bookings were on these rows.

    Args:
        keys: the salted keys of the rows in question.
        booked: for each booking ever made, where the keys of its rows are.
        read: gives the keys of a place; called once a place.
    """
    places = list(booked)
    same = {place for place in set(places) if not overlap(keys, read(place)) <= SAME_ROWS}
    return sum(place in same for place in places)
