"""What do known leaks look like, made of the user's own rows?

Each function gives a test split in which every row leaks in one way, so that the share of its rows that a
check complains of is the share that it finds.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.space import fit_space, numbers
from data_checks.splits import Array, Split, Splits, read_inputs

PLANTED_ROWS = 100
# In standard deviations a value, and as a share of the brightness: too little for an eye to see.
_NOISE = 0.005


def some_rows(split: Split, rng: np.random.Generator, rows: int = PLANTED_ROWS) -> NDArray[np.intp]:
    """Positions of different rows, or of all where there are fewer."""
    return rng.permutation(len(split))[:rows]


def copies(splits: Splits, rng: np.random.Generator) -> Split:
    """Train rows, as they are."""
    return splits.train.take(some_rows(splits.train, rng))


def conflicts(splits: Splits, rng: np.random.Generator) -> Split:
    """Train rows whose targets are others."""
    planted = copies(splits, rng)
    return replace(planted, targets=np.char.add("not ", planted.targets.astype(str)))


def repeats(splits: Splits, rng: np.random.Generator) -> Split:
    """Test rows, each twice."""
    return splits.test.take(np.repeat(some_rows(splits.test, rng, PLANTED_ROWS // 2), 2))


def near_copies(splits: Splits, rng: np.random.Generator) -> Split:
    """Train rows with a little noise; where values share a unit, every second one is brighter instead."""
    space = fit_space(splits.train)
    rows = some_rows(splits.train, rng)
    plain = numbers(read_inputs(splits.train.inputs, rows)).astype(float)
    step = space.scale / np.sqrt(space.width)
    changed = plain + _NOISE * step * rng.standard_normal(plain.shape)
    if space.one_unit:
        changed[::2] = plain[::2] * (1 + _NOISE)
    return _bare(splits.train, rows, changed)


def shared_groups(splits: Splits, rng: np.random.Generator) -> Split:
    """Test rows that belong to train's groups, spelt in another way where that is text."""
    if splits.train.groups is None:
        raise ValueError("there are no groups to share")
    rows = some_rows(splits.test, rng)
    groups = rng.choice(np.unique(splits.train.groups.astype(str)), len(rows))
    respelt = np.array([f" {group.upper()} " for group in groups.tolist()])
    return replace(splits.test.take(rows), groups=respelt)


def early_rows(splits: Splits, rng: np.random.Generator) -> Split:
    """Test rows that happened when train rows did."""
    if splits.train.times is None:
        raise ValueError("there are no times to be early in")
    rows = some_rows(splits.test, rng)
    return replace(splits.test.take(rows), times=rng.choice(splits.train.times, len(rows)))


def _bare(split: Split, rows: NDArray[np.intp], inputs: Array) -> Split:
    """The rows with other inputs, and with nothing but their targets beside."""
    return Split(inputs, split.targets[rows])
