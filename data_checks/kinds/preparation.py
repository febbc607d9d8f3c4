"""Were columns scaled, filled or encoded by what test rows say?"""

from __future__ import annotations

from functools import partial

import numpy as np

from data_checks import planted_preparation as plants
from data_checks.check import Check, Offenders, Plant
from data_checks.evidence import encoding, filling, scaling
from data_checks.evidence.preparation import Prepared

_LISTED = 3


def _say(found: Offenders) -> str:
    told: tuple[Prepared, ...] = found.facts
    words = [f"{p.name} ({p.how} over {' and '.join(p.over)}, and not over train)" for p in told[:_LISTED]]
    more = f" and {len(told) - _LISTED:,} more" if len(told) > _LISTED else ""
    columns = "1 column" if len(told) == 1 else f"{len(told):,} columns"
    return f"Prepared on more than train: {columns}: {', '.join(words)}{more}."


def _names(found: Offenders) -> tuple[str, ...]:
    return tuple(prepared.name for prepared in found.facts)


def _scaled(name: str, scale: plants.Scale) -> Plant:
    return Plant(name, partial(plants.scaled_on_all, scale=scale))


def _filled(name: str, statistic: plants.Statistic) -> Plant:
    return Plant(name, partial(plants.filled_on_all, statistic=statistic))


CHECKS = (
    Check(
        "DC160",
        "Scaled on train alone",
        "Was no column scaled by the mean, the range or the quartiles of train and test together?",
        column="scaled_on_more",
        measure=scaling.measure,
        explain=_say,
        clean="No column was scaled on train and test together.",
        severity="warn",
        applies=scaling.why_not,
        per_row=False,
        names=_names,
        plants=(
            _scaled("mean 0 and deviation 1 over all rows", plants.standardize),
            _scaled("mean 0 over all rows", plants.centre),
            _scaled("a range from 0 to 1 over all rows", plants.to_range),
            _scaled("a largest value of 1 over all rows", plants.to_largest),
            _scaled("median 0 and interquartile range 1 over all rows", plants.by_quartiles),
        ),
    ),
    Check(
        "DC161",
        "Filled in on train alone",
        "Was no gap filled with the mean or the median of train and test together?",
        column="filled_on_more",
        measure=filling.measure,
        explain=_say,
        clean="No gap was filled with the mean or the median of train and test together.",
        severity="warn",
        applies=filling.why_not,
        per_row=False,
        names=_names,
        plants=(
            _filled("gaps filled with the mean of all rows", np.mean),
            _filled("gaps filled with the median of all rows", np.median),
        ),
    ),
    Check(
        "DC162",
        "Encoded on train alone",
        "Was no category replaced by the mean target of train and test together?",
        column="encoded_on_more",
        measure=encoding.measure,
        explain=_say,
        clean="No category was replaced by the mean target of train and test together.",
        severity="warn",
        applies=encoding.why_not,
        per_row=False,
        names=_names,
        plants=(Plant("categories as the mean target of all rows", plants.encoded_on_all),),
    ),
)
