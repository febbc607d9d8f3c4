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


def looks_taken(keys: RowKeys, booked: Iterable[str], read: Callable[[str], RowKeys]) -> list[int]:
    """Which bookings were on these rows, by their position in `booked`.

    Args:
        keys: the salted keys of the rows in question.
        booked: for each booking ever made, where the keys of its rows are.
        read: gives the keys of a place; called once a place.
    """
    places = list(booked)
    same = {place for place in set(places) if not overlap(keys, read(place)) <= SAME_ROWS}
    return [position for position, place in enumerate(places) if place in same]


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
