"""Is a column that is predicted one of classes or of values, and which class is which number?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import DataError
from data_checks.splits import Array, Split

# A column of so few different whole numbers is one of classes ...
FEW = 20
_SHOWN = 5
# ... and so is one of more, up to MANY, that has at least so many rows for each.
MANY, ROWS_A_CLASS = 1000, 10


@dataclass(frozen=True, eq=False)
class Targets:
    """Targets of several files that go by one code.

    Args:
        values: a column a file (N,): classes counted from 0, or values as floats.
        names: the name of each class; None where classes are the numbers that they were, or values.
    """

    values: Sequence[NDArray[np.int64] | NDArray[np.float64]]
    names: Array | None = None


def code_targets(columns: Sequence[Array], whats: Sequence[str], *, regression: bool = False) -> Targets:
    """The targets of several files, such as train and test, as classes or as values.

    Text, and yes and no, is classes, counted in the order of their sorted names over all files. Whole numbers
    are classes where they are few, also as floats; everything else is values.

    Args:
        columns: a column a file (N,).
        whats: what each is called in messages.
        regression: whether whole numbers are values, however few they are.

    Raises:
        DataError: missing cells, moments, text in one file and numbers in another, or text as a value.

    Example:
        >>> code_targets([np.array(["b", "c"]), np.array(["a"])], ["train", "test"]).names.tolist()
        ['a', 'b', 'c']
    """
    for column, what in zip(columns, whats, strict=True):
        _refuse(column, what)
    worded = [column.dtype.kind in "OUb" for column in columns]
    if any(worded):
        odd = worded.index(not worded[0]) if len(set(worded)) > 1 else None
        if odd is not None or regression:
            found = "text in one file and numbers in the other" if odd is not None else "no numbers"
            raise DataError(f"{whats[odd or 0]} holds {found}; a target is classes or values")
        return _named([np.array([*map(str, column.tolist()), None], object)[:-1] for column in columns])
    unique = np.unique(np.concatenate([np.unique(column) for column in columns]))
    rows = sum(len(column) for column in columns)
    if regression or not _are_classes(unique, rows, all(column.dtype.kind in "iu" for column in columns)):
        return Targets([column.astype(np.float64) for column in columns])
    whole = [column.astype(np.int64) for column in columns]
    # Classes are counted from 0; -1 and 1 are two of them as well.
    return Targets(whole) if unique[0] >= 0 else _named(whole)


def in_words(splits: Sequence[Split]) -> str:
    """What a target was taken for, in a sentence.

    Example:
        >>> in_words([Split(np.eye(2), np.array([0, 2]))])
        '2 classes (0, 2), because its values are few and whole'
    """
    targets = np.concatenate([split.targets for split in splits])
    if targets.dtype.kind == "f":
        return f"values from {targets.min():.6g} to {targets.max():.6g}"
    named = all("class" in split.attributes for split in splits)
    names = np.concatenate([split.attributes["class"] if named else split.targets for split in splits])
    known = sorted(set(names.tolist()))
    shown = ", ".join(str(name) for name in known[:_SHOWN]) + (", ..." if len(known) > _SHOWN else "")
    classes = f"{len(known):,} class{'es' if len(known) > 1 else ''}"
    return f"{classes} ({shown})" + ("" if named else ", because its values are few and whole")


def _named(columns: Sequence[Array]) -> Targets:
    # Not as arrays of text, which end at the first zero byte.
    names = sorted({name for column in columns for name in column.tolist()})
    codes = {name: code for code, name in enumerate(names)}
    values = [np.fromiter((codes[name] for name in c.tolist()), np.int64, len(c)) for c in columns]
    return Targets(values, np.array([*map(str, names), None], object)[:-1])


def _are_classes(unique: Array, rows: int, whole: bool) -> bool:
    if not (np.isfinite(unique).all() and (unique == np.floor(unique)).all()):
        return False
    return len(unique) <= FEW or (whole and len(unique) <= MANY and rows >= ROWS_A_CLASS * len(unique))


def _refuse(column: Array, what: str) -> None:
    if column.ndim != 1:
        raise DataError(f"{what} must be one value a row, got shape {column.shape}")
    if column.dtype.kind in "mM":
        raise DataError(f"{what} holds moments; a target is classes or values")
    refuse_missing(column, what)


def refuse_missing(column: Array, what: str) -> None:
    """Raise a `DataError` that counts the missing cells (N,), unless there are none."""
    lost = int(_missing(column).sum())
    if lost:
        all_of_them = f"all {lost:,} rows" if lost == len(column) else f"{lost:,} of {len(column):,} rows"
        raise DataError(f"{what} is missing in {all_of_them}")


def _missing(column: Array) -> NDArray[np.bool_]:
    """True where a cell (N,) is None, or NaN or NaT, which do not equal themselves."""
    if column.dtype.kind == "O":
        return np.array([cell is None or cell != cell for cell in column.tolist()], bool)
    return np.asarray(column != column, bool)
