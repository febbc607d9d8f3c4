"""On which rows does a model err most, though nobody has named them?

A tree of two questions on the columns is grown on the errors of validation rows. Its worst leaf is then
looked up among the test rows, which had no part in finding it, so that its bounds need no correction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.splits import Inputs

Floats = NDArray[np.floating]
Mask = NDArray[np.bool_]

# Fewer validation rows in a leaf say nothing that holds for others.
LEAST_ROWS = 30
DEPTH = 2
# Between which shares of the rows a column is cut.
CUTS = np.arange(1, 10) / 10


@dataclass(frozen=True)
class Cut:
    """One question: is a column above a number, or not?"""

    column: str
    threshold: float
    above: bool

    def holds(self, columns: Mapping[str, Floats]) -> Mask:
        """Of which rows it is true (N,); a missing cell is not above anything."""
        above: Mask = columns[self.column] > self.threshold
        return above if self.above else ~above

    @property
    def words(self) -> str:
        """As a person would say it."""
        return f"{self.column} {'>' if self.above else '<='} {self.threshold:.4g}"


@dataclass(frozen=True)
class Region:
    """The rows of which all cuts hold."""

    cuts: tuple[Cut, ...]

    def mask(self, columns: Mapping[str, Floats]) -> Mask:
        """Which rows are in it (N,)."""
        inside: Mask = np.logical_and.reduce([cut.holds(columns) for cut in self.cuts])
        return inside

    @property
    def words(self) -> str:
        """As a person would say it."""
        return " and ".join(cut.words for cut in self.cuts)


def worst_region(columns: Mapping[str, Floats], errors: Floats) -> Region | None:
    """The leaf with the highest mean error (N,) of a tree of depth two; None where nothing can be cut.

    Example:
        >>> size = np.arange(200.0)
        >>> worst_region({"size": size}, (size >= 160).astype(float)).words
        'size > 159.2'
    """
    leaves = [region for region in _leaves(columns, errors, (), np.ones(len(errors), bool)) if region.cuts]
    if not leaves:
        return None
    return max(leaves, key=lambda region: float(errors[region.mask(columns)].mean()))


def numeric_columns(inputs: Inputs) -> dict[str, Floats]:
    """The columns (N,) of numbers among some inputs by name; pictures and readers have none."""
    if isinstance(inputs, Mapping):
        named = dict(inputs)
    elif isinstance(inputs, np.ndarray) and inputs.ndim == 2:
        named = {f"inputs[{place}]": inputs[:, place] for place in range(inputs.shape[1])}
    else:
        named = {}
    flat = {
        name: values for name, values in named.items() if values.ndim == 1 and values.dtype.kind in "biuf"
    }
    return {name: values.astype(np.float64) for name, values in flat.items()}


def _leaves(
    columns: Mapping[str, Floats], errors: Floats, cuts: tuple[Cut, ...], inside: Mask
) -> Iterator[Region]:
    best = _best_cut(columns, errors, inside) if len(cuts) < DEPTH else None
    if best is None:
        yield Region(cuts)
        return
    column, threshold = best
    for above in (False, True):
        cut = Cut(column, threshold, above)
        yield from _leaves(columns, errors, (*cuts, cut), inside & cut.holds(columns))


def _best_cut(columns: Mapping[str, Floats], errors: Floats, inside: Mask) -> tuple[str, float] | None:
    """The cut that leaves the least variance of the errors; None where it takes none away."""
    found: list[tuple[float, str, float]] = []
    for name, values in columns.items():
        here = values[inside & np.isfinite(values)]
        for threshold in np.unique(np.quantile(here, CUTS)) if len(here) else ():
            gained = _gain(errors[inside], np.asarray(values[inside] > threshold))
            found.append((gained, name, float(threshold)))
    best = max(found, default=(0.0, "", 0.0), key=lambda one: one[0])
    return (best[1], best[2]) if best[0] > 0 else None


def _gain(errors: Floats, above: NDArray[Any]) -> float:
    """How much of the sum of squares a cut explains; 0 where a side is too small."""
    high, low = errors[above], errors[~above]
    if min(len(high), len(low)) < LEAST_ROWS:
        return 0.0
    return float(len(high) * len(low) / len(errors) * (high.mean() - low.mean()) ** 2)
