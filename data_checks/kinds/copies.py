"""Is a row judged on that was learned or chosen from already?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data_checks.check import Check, Offenders, Plant
from data_checks.evidence import duplicates
from data_checks.plants import PLANTED_ROWS, some_rows
from data_checks.splits import Split, Splits


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


def _say_copies(found: Offenders) -> str:
    twins = found.rows["copied_from"].to_dict()
    return found.listed(lambda row: f"{found.name(row)} is {found.name(twins[row])}")


CHECKS = (
    Check(
        "DC110",
        "No copies across splits",
        "Is no test or validation row equal to a row that was learned or chosen from?",
        column="copied",
        measure=duplicates.measure,
        explain=lambda found: f"Already in an earlier split: {found.counted()} ({_say_copies(found)}).",
        clean="No test row equals a train or validation row, and no validation row equals a train row.",
        plants=(Plant("copies", copies),),
    ),
    Check(
        "DC111",
        "Equal rows, equal targets",
        "Do rows with equal inputs have equal targets?",
        column="conflicting",
        measure=duplicates.measure,
        explain=lambda found: f"Of another target than an equal row: {found.counted()} ({found.listed()}).",
        clean="Rows with equal inputs have equal targets.",
        severity="warn",
        plants=(Plant("copies with other targets", conflicts),),
    ),
    Check(
        "DC112",
        "No copies inside a split",
        "Does every row stand in its split once?",
        column="repeated",
        measure=duplicates.measure,
        explain=lambda found: f"More than once in their split: {found.counted()} ({found.listed()}).",
        clean="Every row stands in its split once.",
        severity="warn",
        plants=(Plant("rows that stand twice", repeats),),
    ),
)
