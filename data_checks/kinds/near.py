"""Is a row judged on that is a train row but for small changes?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from data_checks.check import Check, Offenders, Plant
from data_checks.evidence import near, schema
from data_checks.evidence.space import fit_space, numbers
from data_checks.plants import bare, some_rows
from data_checks.splits import Split, Splits, read_inputs

# In standard deviations a value, and as a share of the brightness: too little for an eye to see.
_NOISE = 0.005


def near_copies(splits: Splits, rng: np.random.Generator) -> Split:
    """Train rows with a little noise; where values share a unit, every second one is brighter instead."""
    space = fit_space(splits.train)
    rows = some_rows(splits.train, rng)
    plain = numbers(read_inputs(splits.train.inputs, rows)).astype(float)
    step = space.scale / np.sqrt(space.width)
    changed = plain + _NOISE * step * rng.standard_normal(plain.shape)
    if space.one_unit:
        changed[::2] = plain[::2] * (1 + _NOISE)
    return bare(splits.train, rows, changed)


def _say_near(found: Offenders, row: int) -> str:
    evidence = found.rows.loc[[row]].to_dict("records")[0]
    how = f"differs by {evidence['near_distance']:.2g} standard deviations a value"
    train = found.splits.train
    if not isinstance(train.inputs, Mapping) and schema.form(train)["inputs"][0] == "whole numbers":
        how = f"pixels differ by at most {evidence['near_difference']:.3g}"
    return f"{found.name(row)} is {found.name(evidence['near_to'])} re-encoded ({how})"


CHECKS = (
    Check(
        "DC120",
        "No near copies in test",
        "Is no test row a train row again but for small changes, such as another encoding?",
        column="near",
        measure=near.measure,
        explain=lambda found: f"{found.listed(partial(_say_near, found))}; left out of judging.",
        clean="No test row is a slightly changed train row.",
        applies=near.why_not,
        asked_of="test",
        tolerated=0.005,
        leaves_out=True,
        # A change that is small beside the typical row is not small beside a row with near neighbours.
        plants=(Plant("a little noise", near_copies, must_find=0.95),),
    ),
)
