"""Which row of train has this code?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

NOWHERE = -1


@dataclass(frozen=True, eq=False)
class Lookup:
    """Positions of rows by a 64-bit code.

    Args:
        codes: sorted (N,).
        positions: of the rows that have them (N,).
        keys: content keys of all rows (N,), by position: of rows of one code, that of the least key is named.
    """

    codes: NDArray[np.uint64]
    positions: NDArray[np.intp]
    keys: NDArray[np.bytes_]

    @classmethod
    def of(cls, codes: NDArray[np.uint64], keys: NDArray[np.bytes_]) -> Lookup:
        """Rows by their codes (N,); of one code those of the least key come first."""
        order = np.argsort(codes, kind="stable")
        ranked = codes[order]
        shared = np.zeros(len(codes), bool)
        shared[1:] = ranked[1:] == ranked[:-1]
        shared[:-1] |= shared[1:]
        several = order[shared]
        order[shared] = several[np.lexsort((several, keys[several], codes[several]))]
        return cls(ranked, order, keys)

    @property
    def unique_share(self) -> float:
        """The share of the rows whose code no other row has; rows that are equal count once."""
        if not len(self.codes):
            return 1.0
        start, stop = self.runs(self.codes)
        return float((self._first(start) == self._first(stop - 1)).mean())

    def runs(self, codes: NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Where the rows of each code (n,) begin and end among the positions."""
        return np.searchsorted(self.codes, codes, "left"), np.searchsorted(self.codes, codes, "right")

    def find(
        self, codes: NDArray[np.uint64], keys: NDArray[np.bytes_], *, unique: bool = False
    ) -> NDArray[np.intp]:
        """For each row (n,) the position of one of its code, or -1; -1 too where one of them is equal to it.

        Args:
            codes: of the rows (n,).
            keys: their content keys (n,).
            unique: leave out codes that rows of different content have.
        """
        start, stop = self.runs(codes)
        there = np.flatnonzero(stop > start)
        if unique:
            there = there[self._first(start[there]) == self._first(stop[there] - 1)]
        # Equal rows have equal codes, so that whoever has an equal one is told by all keys together.
        if len(there):
            there = there[~has_any(self._sorted_keys, keys[there])]
        found = np.full(len(codes), NOWHERE)
        found[there] = self.positions[start[there]]
        return found

    def _first(self, places: NDArray[np.intp]) -> NDArray[np.bytes_]:
        return self.keys[self.positions[places]]

    @cached_property
    def _sorted_keys(self) -> NDArray[np.bytes_]:
        return np.sort(self.keys)


def has_any(ordered: NDArray[np.bytes_], keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
    """Whether each of the keys (n,) is among those in order (N,)."""
    if not len(ordered):
        return np.zeros(len(keys), bool)
    places = np.searchsorted(ordered, keys)
    return np.asarray(ordered[np.minimum(places, len(ordered) - 1)] == keys)
