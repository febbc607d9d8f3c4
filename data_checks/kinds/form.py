"""Are the rows of all splits complete, of one form, and enough?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from data_checks.check import Check, Offenders, Plant
from data_checks.evidence import balance, ranges, schema
from data_checks.evidence.columns import named_values, why_no_columns
from data_checks.evidence.pictures import is_pictures
from data_checks.planted_preparation import with_values
from data_checks.plants import some_rows
from data_checks.splits import Splits


def checks(classes: int | None) -> tuple[Check, ...]:
    """The checks of the form of inputs and targets.

    Args:
        classes: how many classes the task has; None for values, or where that is not known.
    """
    return (*_input_checks(), *_target_checks(classes), *_balance_checks())


def _input_checks() -> tuple[Check, ...]:
    return (
        Check(
            "DC101",
            "Inputs are complete",
            "Are all inputs present and finite?",
            column="not_finite",
            measure=schema.measure_finite,
            explain=_say_gaps,
            clean="Every input is present and finite.",
            names=lambda found: schema.columns_not_finite(found.splits),
        ),
        Check(
            "DC102",
            "Splits have one form",
            "Do all splits have the same columns, of the same kind and shape?",
            column="other_form",
            measure=schema.measure_forms,
            explain=_say_forms,
            clean="All splits have the same columns, kinds and shapes.",
            per_row=False,
        ),
        Check(
            "DC105",
            "Enough rows",
            f"Does every split have at least {schema.MINIMUM_ROWS} rows?",
            column="rows_short",
            measure=schema.measure_sizes,
            explain=lambda found: f"Every split needs {schema.MINIMUM_ROWS} rows, got {found.counted()}.",
            clean=f"Every split has at least {schema.MINIMUM_ROWS} rows.",
            per_row=False,
        ),
        Check(
            "DC106",
            "Inputs vary",
            "Does every input value vary over the train rows?",
            column="constant_columns",
            measure=schema.measure_constant,
            explain=_say_constant,
            clean="Every input value varies over the train rows.",
            severity="warn",
            applies=_why_no_constants,
            per_row=False,
        ),
    )


def _target_checks(classes: int | None) -> tuple[Check, ...]:
    measure_classes = partial(schema.measure_classes, classes=classes)
    return (
        Check(
            "DC103",
            "Targets are valid",
            "Is every target a class counted from 0, or a finite value?",
            column="bad_target",
            measure=partial(schema.measure_targets, classes=classes),
            explain=partial(_say_targets, classes),
            clean="Every target is a class counted from 0, or a finite value.",
        ),
        Check(
            "DC104",
            "Train and test have every class",
            "Do train and test have rows of every class?",
            column="absent_classes",
            measure=measure_classes,
            explain=partial(_say_classes, classes, ("train", "test")),
            clean="Train and test have rows of every class.",
            applies=_why_no_classes,
            per_row=False,
        ),
        Check(
            "DC107",
            "Validation has every class",
            "Does validation have rows of every class?",
            column="absent_from_validation",
            measure=measure_classes,
            explain=partial(_say_classes, classes, ("validation",)),
            clean="Validation has rows of every class.",
            severity="warn",
            applies=_why_no_validation_classes,
            per_row=False,
        ),
    )


def _balance_checks() -> tuple[Check, ...]:
    return (
        Check(
            "DC108",
            "Classes are balanced enough",
            "Does every class have enough of the train rows to be learned?",
            column="rare_classes",
            measure=balance.measure,
            explain=_say_balance,
            clean="Every class has 10 train rows, 1 % of them, and a hundredth of the largest class.",
            severity="warn",
            applies=_why_no_classes,
            per_row=False,
            plants=(Plant("a class of two train rows", _thinned),),
        ),
        Check(
            "DC109",
            "Test lies in train's range",
            "Are test rows within the range of the train rows, and of the same categories?",
            column="columns_outside",
            measure=ranges.measure,
            explain=_say_outside,
            clean="Test rows are within the range of the train rows, and of their categories.",
            severity="warn",
            applies=why_no_columns,
            per_row=False,
            names=lambda found: tuple(column.name for column in found.facts),
            plants=(Plant("one column beyond train's largest value", _beyond),),
        ),
    )


def _thinned(splits: Splits, rng: np.random.Generator) -> Splits | None:
    """Train without all but two rows of one class."""
    train = splits.train
    classes, counts = np.unique(train.targets, return_counts=True)
    chosen = np.flatnonzero(train.targets == classes[counts.argmin()])
    kept = np.ones(len(train), dtype=bool)
    kept[chosen[2:]] = False
    return replace(splits, train=train.take(kept)) if len(classes) > 1 else None


def _beyond(splits: Splits, rng: np.random.Generator) -> Splits | None:
    """Test rows, of which one column of numbers is larger than in train; None where there is none."""
    test = splits.test.take(some_rows(splits.test, rng))
    train = dict(named_values(splits.train))
    for name, values in named_values(test):
        if values.dtype.kind in "iuf" and np.isfinite(values).any() and name in train:
            largest = float(np.nanmax(train[name]))
            made = np.full(len(test), largest + 1 + abs(largest))
            return replace(splits, test=replace(test, inputs=with_values(test.inputs, {name: made})), also={})
    return None


def _say_balance(found: Offenders) -> str:
    rare = balance.rare_classes(found.splits.train.targets)
    told = [f"class {label} ({count:,} rows)" for label, count in sorted(rare.items(), key=lambda r: r[1])]
    more = f" and {len(told) - 5:,} more" if len(told) > 5 else ""
    return f"Of {len(found.splits.train):,} train rows, few are of {', '.join(told[:5])}{more}."


def _say_outside(found: Offenders) -> str:
    how = {True: "of texts that train has not", False: "beyond its range"}
    told = [f"{c.name} ({c.rows:,} test rows {how[c.is_text]})" for c in found.facts]
    more = f" and {len(told) - 3:,} more columns" if len(told) > 3 else ""
    return f"Test leaves what train has seen: {', '.join(told[:3])}{more}."


def _say_gaps(found: Offenders) -> str:
    names = schema.columns_not_finite(found.splits)
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    told = f" (of {', '.join(names[:3])}{more})" if names else ""
    return f"NaN, an infinity or nothing in {found.counted()}{told}: {found.listed()}."


def _say_forms(found: Offenders) -> str:
    named = found.splits.named()
    train = schema.form(named["train"])
    told = [
        f"{column} is {_in_words(form.get(column))} in {name} and {_in_words(train.get(column))} in train"
        for name in found.rows["split"].unique()
        for form in [schema.form(named[name])]
        for column in sorted({*form, *train})
        if form.get(column) != train.get(column)
    ]
    return "; ".join(told[:3]) + (f"; and {len(told) - 3:,} more differences." if len(told) > 3 else ".")


def _in_words(form: tuple[str, tuple[int, ...]] | None) -> str:
    if form is None:
        return "absent"
    kind, shape = form
    return f"{kind} of shape {shape}" if shape else kind


def _say_constant(found: Offenders) -> str:
    names = schema.constant_columns(found.splits.train)
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    plural = "values are" if len(names) > 1 else "value is"
    return f"{len(names):,} input {plural} the same in every train row: {', '.join(names[:3])}{more}."


def _say_targets(classes: int | None, found: Offenders) -> str:
    expected = "a class counted from 0, or a finite number" if classes is None else f"from 0 to {classes - 1}"
    kinds = {schema.kind_of(split.targets) for split in found.splits.named().values()}
    return f"Targets must be {expected}, got {found.counted()} with others ({', '.join(sorted(kinds))})."


def _say_classes(classes: int | None, names: tuple[str, ...], found: Offenders) -> str:
    known = schema.known_classes(found.splits, classes)
    if len(known) < 2:
        return f"There is one class only ({min(known)}), and a choice needs two."
    lacking = {name: schema.absent_classes(found.splits, known, name) for name in names}
    told = [f"{name} has no row of {_classes(absent)}" for name, absent in lacking.items() if absent]
    return "; ".join(told) + "."


def _classes(absent: list[int]) -> str:
    more = f" and {len(absent) - 5:,} more" if len(absent) > 5 else ""
    return ("class " if len(absent) == 1 else "classes ") + ", ".join(map(str, absent[:5])) + more


def _why_no_constants(splits: Splits) -> str:
    if not isinstance(splits.train.inputs, np.ndarray | Mapping) or is_pictures(splits):
        return "a border that never changes is usual in pictures"
    return ""


def _why_no_classes(splits: Splits) -> str:
    if all(split.targets.dtype.kind in "iub" for split in splits.named().values()):
        return ""
    return "the targets are values, not classes"


def _why_no_validation_classes(splits: Splits) -> str:
    return _why_no_classes(splits) if len(splits.validation) else "there are no validation rows"
