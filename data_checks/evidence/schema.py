"""Are the rows of all splits complete, of one form, and enough to learn a choice from?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.table import Columns, by_split
from data_checks.splits import Array, Inputs, Split, Splits, read_inputs

MINIMUM_ROWS = 10
_VALUES_AT_ONCE = 1_000_000


def batches(inputs: Inputs, rows: int) -> Iterator[Array | dict[str, Array]]:
    """All rows in order, some at a time, so that a reader never holds more than a few million values."""
    first = read_inputs(inputs, np.arange(1))
    parts = first.values() if isinstance(first, Mapping) else [first]
    at_once = max(1, _VALUES_AT_ONCE // max(1, sum(part[:1].size for part in parts)))
    for start in range(0, rows, at_once):
        yield read_inputs(inputs, np.arange(start, min(start + at_once, rows)))


def columns_of(inputs: Array | Mapping[str, Array]) -> dict[str, Array]:
    """The inputs by name; a plain array is one column named `inputs`."""
    return dict(inputs) if isinstance(inputs, Mapping) else {"inputs": inputs}


def form(split: Split) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The kind and the shape of each column of a row, and the kind of its target.

    Example:
        >>> form(Split(np.zeros((2, 3), np.uint8), np.array([0.5, 1.5])))
        {'inputs': ('whole numbers', (3,)), 'targets': ('numbers', ())}
    """
    first = columns_of(read_inputs(split.inputs, np.arange(1)))
    shown = {name: (kind_of(column), column.shape[1:]) for name, column in sorted(first.items())}
    return {**shown, "targets": (kind_of(split.targets), ())}


def kind_of(values: Array) -> str:
    """What a column holds, in words that do not tell 32 from 64 bits."""
    kinds = {"b": "yes or no", "i": "whole numbers", "u": "whole numbers"}
    if values.dtype.kind == "f":
        # A row that was rounded to another width has another key, and copies of it would not be found.
        return "numbers" if values.dtype.itemsize == 8 else f"numbers of {8 * values.dtype.itemsize} bits"
    return kinds.get(values.dtype.kind, "moments" if values.dtype.kind in "mM" else "text")


def measure_forms(splits: Splits) -> Columns:
    """`other_form`: whether a row's columns differ from those of train in name, kind or shape."""
    train = form(splits.train)
    return {"other_form": by_split(splits, lambda name, split: form(split) != train)}


def measure_finite(splits: Splits) -> Columns:
    """`not_finite`: whether a row's inputs hold NaN, an infinity, or nothing."""
    return {"not_finite": by_split(splits, lambda name, split: rows_not_finite(split))}


def rows_not_finite(split: Split) -> NDArray[np.bool_]:
    """True where a row (N,) holds NaN, an infinity, or nothing; whole numbers are not even decoded."""
    if all(kind in ("whole numbers", "yes or no") for kind, _ in list(form(split).values())[:-1]):
        return np.zeros(len(split), bool)
    found = [
        np.logical_or.reduce([_missing(column) for column in columns_of(batch).values()])
        for batch in batches(split.inputs, len(split))
    ]
    return np.concatenate(found)


def columns_not_finite(splits: Splits) -> tuple[str, ...]:
    """The names of columns that hold NaN, an infinity or nothing in any split; none of arrays and readers."""
    columns = [split.inputs for split in splits.named().values() if isinstance(split.inputs, Mapping)]
    named = {name for inputs in columns for name, column in inputs.items() if _missing(column).any()}
    return tuple(sorted(named))


def _missing(column: Array) -> NDArray[np.bool_]:
    flat = column.reshape(len(column), -1)
    if flat.dtype.kind in "fc":
        return np.asarray(~np.isfinite(flat).all(1))
    if flat.dtype.kind in "mM":
        return np.asarray(np.isnat(flat).any(1))
    if flat.dtype.kind == "O":
        import pandas as pd

        # Not by comparing, which pandas' own NA answers with NA.
        return np.asarray(pd.isna(flat).any(1))
    return np.zeros(len(flat), bool)


def measure_targets(splits: Splits, classes: int | None = None) -> Columns:
    """`bad_target`: whether a row's target is neither a class from 0 nor a finite value.

    Args:
        splits: the rows.
        classes: how many classes there are; None where the largest allowed class is not known.
    """
    return {"bad_target": by_split(splits, lambda name, split: _bad_targets(split.targets, classes))}


def _bad_targets(targets: Array, classes: int | None) -> NDArray[np.bool_]:
    if targets.dtype.kind == "f":
        return np.asarray(~np.isfinite(targets)) | (classes is not None)
    if targets.dtype.kind not in "iub":
        return np.ones(len(targets), bool)
    whole = targets.astype(np.int64)
    return (whole < 0) | (whole >= (np.iinfo(np.int64).max if classes is None else classes))


def measure_classes(splits: Splits, classes: int | None = None) -> Columns:
    """How many classes a row's split has no row of, of those that any split has.

    Returns:
        `absent_classes`, for train and test; where there is one class alone, another counts as absent;
        `absent_from_validation`, for validation, which may be too small for rare classes.
    """
    known = known_classes(splits, classes)
    absent = {name: len(absent_classes(splits, known, name)) for name in splits.named()}
    judged = {name: absent[name] + (len(known) < 2) for name in ("train", "test")}
    chosen_on = {"validation": absent.get("validation", 0)}
    return {
        "absent_classes": by_split(splits, lambda name, split: judged.get(name, 0)),
        "absent_from_validation": by_split(splits, lambda name, split: chosen_on.get(name, 0)),
    }


def known_classes(splits: Splits, classes: int | None = None) -> set[int]:
    """The classes that any split has a row of, and those that were declared."""
    seen = {int(c) for split in splits.named().values() for c in np.unique(split.targets)}
    return seen | set(range(classes or 0))


def absent_classes(splits: Splits, known: set[int], name: str) -> list[int]:
    """The known classes that the split `name` has no row of."""
    return sorted(known - {int(c) for c in np.unique(splits.named()[name].targets)})


def measure_sizes(splits: Splits) -> Columns:
    """`rows_short`: how many rows a row's split has less than the fewest that can be judged on."""
    return {"rows_short": by_split(splits, lambda name, split: max(0, MINIMUM_ROWS - len(split)))}


def measure_constant(splits: Splits) -> Columns:
    """`constant_columns`: how many of train's input values are the same in all of its rows."""
    count = len(constant_columns(splits.train))
    return {"constant_columns": by_split(splits, lambda name, split: count if name == "train" else 0)}


def constant_columns(split: Split) -> list[str]:
    """The names of the values that are the same in all rows: `age`, or `inputs[3]` of a wider column."""
    names: list[str] = []
    for name, column in columns_of(_in_memory(split.inputs)).items():
        flat = column.reshape(len(column), -1)
        flat = _comparable(flat) if flat.dtype.kind == "O" else flat
        same = np.flatnonzero((flat == flat[:1]).all(0))
        names += [f"{name}[{place}]" if column.ndim > 1 else name for place in same]
    return names


def _comparable(flat: Array) -> Array:
    """Untyped cells (N, n), of which all that is missing is None, which equals itself."""
    import pandas as pd

    whole = flat.copy()
    whole[pd.isna(flat)] = None
    return whole


def _in_memory(inputs: Inputs) -> Any:
    if not isinstance(inputs, np.ndarray | Mapping):
        raise TypeError("constant values are looked for in arrays and columns, not in a reader")
    return inputs
