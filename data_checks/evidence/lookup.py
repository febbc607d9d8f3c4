"""Which row of train has this code?"""

from __future__ import annotations

from dataclasses import dataclass

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
        """Rows by their codes (N,)."""
        order = np.argsort(codes, kind="stable")
        return cls(codes[order], order, keys)

    @property
    def unique_share(self) -> float:
        """The share of the rows whose code no other row has; rows that are equal count once."""
        if not len(self.codes):
            return 1.0
        starts = np.concatenate([[True], self.codes[1:] != self.codes[:-1]])
        lengths = np.diff(np.append(np.flatnonzero(starts), len(self.codes)))
        first = np.repeat(self.keys[self.positions[starts]], lengths)
        same = np.logical_and.reduceat(self.keys[self.positions] == first, np.flatnonzero(starts))
        return float(same.mean())

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
        found = np.full(len(codes), NOWHERE)
        single = np.flatnonzero(stop - start == 1)
        found[single] = self.positions[start[single]]
        for row in np.flatnonzero(stop - start > 1):
            found[row] = self._best(start[row], stop[row], keys[row], unique)
        equal = np.flatnonzero(found != NOWHERE)
        found[equal[self.keys[found[equal]] == keys[equal]]] = NOWHERE
        return found

    def _best(self, start: int, stop: int, key: np.bytes_, unique: bool) -> int:
        places = self.positions[start:stop]
        content = self.keys[places]
        if (content == key).any() or (unique and (content != content[0]).any()):
            return NOWHERE
        return int(places[np.lexsort((places, content))[0]])
