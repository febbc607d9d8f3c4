"""Are labels right, as far as the rows around a row can tell?"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from data_checks.check import Check, Offenders, Plant
from data_checks.evidence import labels
from data_checks.plants import some_rows
from data_checks.splits import Split, Splits


def wrong_labels(splits: Splits, rng: np.random.Generator) -> Split | None:
    """Test rows of another class than theirs; None where neighbours do not tell classes apart."""
    classes = np.unique(splits.train.targets)
    if len(classes) < 2 or not labels.separable(splits.train):
        return None
    rows = splits.test.take(some_rows(splits.test, rng))
    places = np.searchsorted(classes, rows.targets)
    others = classes[(places + rng.integers(1, len(classes), len(rows))) % len(classes)]
    return replace(rows, targets=others.astype(rows.targets.dtype))


def _say_row(found: Offenders, row: int) -> str:
    return f"{found.name(row)} lies among rows of class {found.rows.at[row, 'mislabelled_as']}"


def _say(found: Offenders) -> str:
    told: labels.Mislabelled = found.facts
    rows = found.listed(partial(_say_row, found))
    chance = f"of {told.looked_at:,} looked at, where {told.expected:.1f} would be there by chance"
    return f"Of another class than the rows around them: {found.counted()} {chance} ({rows})."


CHECKS = (
    Check(
        "DC180",
        "Labels agree with their neighbours",
        "Are no more train and test rows than by chance deep among the rows of another class?",
        column="mislabelled",
        measure=labels.measure,
        explain=_say,
        clean="No more rows than by chance are deep among the rows of another class.",
        severity="warn",
        applies=labels.why_not,
        plants=(Plant("test rows of another class", wrong_labels, must_find=0.5),),
    ),
)
