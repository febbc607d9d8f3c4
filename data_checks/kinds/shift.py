"""Are the rows that are judged on, and chosen on, like those that were learned?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from data_checks.check import Check, Offenders, Plant
from data_checks.evidence import shift
from data_checks.evidence.columns import lowest
from data_checks.evidence.features import columns_over
from data_checks.planted_columns import with_parts
from data_checks.splits import Array, Split, Splits

_FEWEST_MOVED, _FEWEST_STRETCHED, _FEWEST_SELECTED = 20, 100, 100


def selected(splits: Splits, rng: np.random.Generator, name: str) -> Splits | None:
    """The rows of a split whose value of one column is above the middle; None where they are too few."""
    part = splits.named()[name]
    part = part.take(lowest(part, shift.READER_ROWS))
    numbers = [c.numbers for c in columns_over([part]) if c.numbers is not None and not c.missing.all()]
    if not numbers:
        return None
    varied = max(numbers, key=lambda values: len(np.unique(values)))
    above = part.take(varied > np.nanmedian(varied))
    return _with(splits, name, above) if _enough(splits.train, above, _FEWEST_SELECTED) else None


def changed(
    splits: Splits, rng: np.random.Generator, name: str, change: Callable[[Array], Array], fewest: int
) -> Splits | None:
    """The rows of a split with every column of numbers changed; None of fewer rows, or without numbers."""
    part = splits.named()[name]
    part = part.take(lowest(part, shift.READER_ROWS))
    if not isinstance(part.inputs, np.ndarray | Mapping) or not _enough(splits.train, part, fewest):
        return None
    varied = any(
        c.numbers is not None and len(np.unique(c.numbers[~c.missing])) > 1 for c in columns_over([part])
    )
    if isinstance(part.inputs, Mapping):
        inputs: Array | dict[str, Array] = {n: _changed(c, change) for n, c in part.inputs.items()}
    else:
        inputs = _changed(part.inputs, change)
    return _with(splits, name, replace(part, inputs=inputs)) if varied else None


def _changed(values: Array, change: Callable[[Array], Array]) -> Array:
    if values.dtype.kind not in "iuf":
        return values
    with np.errstate(over="ignore", invalid="ignore"):
        return change(values.astype(np.float64))


def moved(values: Array) -> Array:
    """Every column of values (n, ...) one standard deviation higher."""
    return np.asarray(values + values.std(0))


def stretched(values: Array) -> Array:
    """Every value (n, ...) twice as far from the mean of its column."""
    return np.asarray(values.mean(0) + 2 * (values - values.mean(0)))


def _with(splits: Splits, name: str, part: Split) -> Splits:
    return with_parts(splits, {**splits.named(), name: part})


def _enough(train: Split, part: Split, fewest: int) -> bool:
    """Whether there are so many rows, or groups of them, in both splits."""
    units = [len(p) if p.groups is None else len(np.unique(p.groups.astype(str))) for p in (train, part)]
    return min(units) >= fewest


def _say(found: Offenders) -> str:
    told: shift.Shift = found.facts
    name = found.rows["split"].iloc[0]
    most = f"; what differs most: {', '.join(told.columns)}" if told.columns else ""
    return f"Rows of {name} can be told from rows of train (AUC {told.area:.2f}, where .5 is chance{most})."


def _names(found: Offenders) -> tuple[str, ...]:
    told: shift.Shift = found.facts
    return told.columns


def _plants(name: str) -> tuple[Plant, ...]:
    return (
        Plant(f"{name} rows of the upper half of one column", partial(selected, name=name)),
        Plant(
            f"{name} rows one standard deviation higher",
            partial(changed, name=name, change=moved, fewest=_FEWEST_MOVED),
        ),
        Plant(
            f"{name} rows twice as far from their mean",
            partial(changed, name=name, change=stretched, fewest=_FEWEST_STRETCHED),
        ),
    )


CHECKS = (
    Check(
        "DC170",
        "Test is like train",
        "Can a classifier tell test rows from train rows no better than by chance?",
        column="test_unlike_train",
        measure=shift.measure_test,
        explain=_say,
        clean="A classifier cannot tell test rows from train rows.",
        severity="warn",
        per_row=False,
        names=_names,
        plants=_plants("test"),
    ),
    Check(
        "DC171",
        "Validation is like train",
        "Can a classifier tell validation rows from train rows no better than by chance?",
        column="validation_unlike_train",
        measure=shift.measure_validation,
        explain=_say,
        clean="A classifier cannot tell validation rows from train rows.",
        severity="warn",
        applies=shift.why_not_validation,
        per_row=False,
        names=_names,
        plants=_plants("validation"),
    ),
)
