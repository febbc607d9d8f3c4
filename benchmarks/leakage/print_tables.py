"""Tables for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence


def number(value: float) -> str:
    """Three figures at most; a dash where it is not known.

    Example:
        >>> number(0.987), number(123.4), number(float("nan"))
        ('0.99', '123', '-')
    """
    if math.isnan(value):
        return "-"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"


def print_rows(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """The first column to the left, the others to the right, each as wide as it must be."""
    table = [list(heads), *map(list, lines)]
    widths = [max(len(row[place]) for row in table) for place in range(len(heads))]
    for row in table:
        rest = "".join(f"{cell:>{width + 2}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        print(f"{row[0]:{widths[0]}}{rest}")
