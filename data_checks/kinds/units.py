"""Are rows that belong together on one side, and is what is judged later than what was learned?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data_checks.check import Check, Plant
from data_checks.evidence import groups, times
from data_checks.plants import some_rows
from data_checks.splits import Split, Splits


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


def _why_without(splits: Splits, name: str) -> str:
    given = any(getattr(split, name) is not None for split in splits.named().values())
    return "" if given else f"no {name} were given"


CHECKS = (
    Check(
        "DC130",
        "Groups stay together",
        "Does no group, such as a patient or a site, have rows on both sides?",
        column="shared_group",
        measure=groups.measure,
        explain=lambda found: f"Of a group of an earlier split: {found.counted()} ({found.listed()}).",
        clean="No group has rows on both sides.",
        applies=lambda splits: _why_without(splits, "groups"),
        plants=(Plant("groups spelt otherwise", shared_groups),),
    ),
    Check(
        "DC140",
        "Judged after learned",
        "Did every test and validation row happen after the last train row?",
        column="not_after_train",
        measure=times.measure,
        explain=lambda found: f"No later than the last train row: {found.counted()} ({found.listed()}).",
        clean="Every test and validation row is later than the last train row.",
        applies=lambda splits: _why_without(splits, "times"),
        plants=(Plant("rows of earlier moments", early_rows),),
    ),
)
