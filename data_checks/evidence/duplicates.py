"""Which rows are equal, across and within splits, and do equal rows have equal targets?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.table import Columns, first_rows
from data_checks.splits import Array, Split, Splits

NOWHERE = -1


def measure(splits: Splits) -> Columns:
    """What equal content keys say of each row (N_all,).

    Returns:
        `copied`: a row outside train that equals a train row, or a test row that equals a validation row;
        `copied_from`: the position of that row among all, or -1;
        `conflicting`: an equal row, anywhere, has another target;
        `repeated`: an equal row stands in the same split.
    """
    named = list(splits.named().values())
    codes = _ranks(np.concatenate([split.keys for split in named]))
    copied_from = find_copies(splits, codes)
    places = np.repeat(np.arange(len(named)), [len(split) for split in named])
    return {
        "copied": copied_from != NOWHERE,
        "copied_from": copied_from,
        "conflicting": _count(codes, _ranks(_targets(named)))[1] > 1,
        "repeated": _count(codes, places)[0] > 1,
    }


def _targets(named: list[Split]) -> Array:
    """All targets (N_all,), as text where they are not all numbers."""
    targets = [split.targets for split in named]
    alike = all(part.dtype.kind in "biuf" for part in targets)
    return np.concatenate(targets if alike else [part.astype(str) for part in targets])


def find_copies(splits: Splits, codes: NDArray[np.intp]) -> NDArray[np.intp]:
    """The position of the equal row (N_all,) that each row should not have, or -1.

    Args:
        splits: the rows.
        codes: numbers (N_all,), equal where rows are equal.
    """
    start = first_rows(splits)
    learned = len(splits.train)
    first_in_train = _first_positions(codes, 0, learned)
    first_in_validation = _first_positions(codes, learned, start["test"])
    found = np.full(len(codes), NOWHERE)
    found[learned:] = first_in_train[codes[learned:]]
    judged = np.arange(len(codes)) >= start["test"]
    missed = judged & (found == NOWHERE)
    found[missed] = first_in_validation[codes[missed]]
    return found


def _first_positions(codes: NDArray[np.intp], start: int, stop: int) -> NDArray[np.intp]:
    """For each code, the first position from `start` to `stop` that has it, or -1."""
    first = np.full(int(codes.max()) + 1, NOWHERE)
    # Written from the last to the first, so that the first is what stays.
    first[codes[start:stop][::-1]] = np.arange(start, stop)[::-1]
    return first


def _ranks(values: Array) -> NDArray[np.intp]:
    return np.unique(values, return_inverse=True)[1].reshape(-1)


def _count(codes: NDArray[np.intp], kinds: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For each row: how many rows share its code and kind, and how many kinds share its code."""
    pairs = codes * (int(kinds.max()) + 1) + kinds
    unique, inverse, counts = np.unique(pairs, return_inverse=True, return_counts=True)
    kinds_of = np.bincount(unique // (int(kinds.max()) + 1), minlength=int(codes.max()) + 1)
    return counts[inverse.reshape(-1)], kinds_of[codes]
