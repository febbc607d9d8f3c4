"""Are test rows within what train rows were seen to be?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from data_checks.evidence.chance import alpha
from data_checks.evidence.columns import common_names, named_values
from data_checks.evidence.table import Evidence, by_split
from data_checks.splits import Array, Splits

SHARE = 0.01
"""Of the test rows, so many may lie outside whatever the cause."""


@dataclass(frozen=True)
class Outside:
    """A column, and how many test rows have a value of it that is outside of train's."""

    name: str
    rows: int
    is_text: bool


def measure(splits: Splits) -> Evidence:
    """`columns_outside`: how many columns leave train's range, of test's rows; facts: an `Outside` each."""
    train, test = dict(named_values(splits.train)), dict(named_values(splits.test))
    names = common_names(splits)
    told = [found for name in names for found in look(name, train[name], test[name], alpha() / len(names))]
    flags = by_split(splits, lambda name, split: len(told) * (name == "test"))
    return Evidence({"columns_outside": flags}, tuple(sorted(told, key=lambda found: -found.rows)))


def look(name: str, train: Array, test: Array, chance: float) -> Iterator[Outside]:
    """The column, if more test rows (N,) lie outside of train's (n,) than the share, and chance, allow."""
    is_text = train.dtype.kind not in "biufmM" or test.dtype.kind not in "biufmM"
    rows, unlikely = (_unseen if is_text else _beyond)(train, test, chance)
    if unlikely and rows > SHARE * len(test):
        yield Outside(name, rows, is_text)


def _beyond(train: Array, test: Array, chance: float) -> tuple[int, bool]:
    """How many test rows lie outside of train's range, and whether that is unlikely."""
    known, asked = train[train == train], test[test == test]  # NaN and NaT equal nothing
    if not len(known):
        return 0, False
    below, above = int((asked < known.min()).sum()), int((asked > known.max()).sum())
    return below + above, max(below, above) > likely_beyond(len(known), len(asked), chance / 2)


def likely_beyond(train: int, test: int, chance: float) -> int:
    """How many of `test` rows may lie above all of `train` rows before it is less likely than `chance`.

    Of rows in a random order, the k highest are all of test with a probability of about (m / (m + n)) ** k.

    Example:
        >>> likely_beyond(300, 100, 0.001)
        4
    """
    share = test / max(test + train, 1)
    return int(np.log(chance) / np.log(share)) if 0 < share < 1 else test


def _unseen(train: Array, test: Array, chance: float) -> tuple[int, bool]:
    """How many test rows have a text that no train row has, and whether train does not explain that.

    Of texts that are all different, none of test is in train. How often a row's text is that of no other row
    is seen in train (Good & Turing): those that come there once.
    """
    import pandas as pd
    from scipy.stats import binom

    known = pd.Series(train.astype(object)).dropna()
    counts = known.astype(str).value_counts()
    asked = pd.Series(test.astype(object)).dropna().astype(str)
    unseen, once = int((~asked.isin(counts.index)).sum()), int((counts == 1).sum())
    share = len(asked) / max(1, len(asked) + len(known))
    return unseen, bool(len(known) and binom.sf(unseen - 1, unseen + once, share) < chance)
