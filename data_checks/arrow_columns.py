"""What does a column of a file hold, as an array that questions can be asked of?

Numbers stay numbers, moments stay moments, and text is an object array whose equal cells are one object.
What is missing is NaN, NaT or None.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from data_checks.errors import DataError
from data_checks.splits import Array

_ZONE = re.compile(r"\d{2}:\d{2}.*(Z|[+-]\d{2}:?\d{2})$")


@dataclass(frozen=True, eq=False)
class Column:
    """A column of one file.

    Args:
        values: the cells (N, ...).
        lost: whole numbers or yes and no, of which some are missing, so that they became numbers with NaN.
        empty: nothing but missing cells.
        zoned: moments that had a time zone, and are those of Greenwich now.
        guessed: the file does not say what type a column has, so that it was guessed from the cells.
    """

    values: Array
    lost: bool = False
    empty: bool = False
    zoned: bool = False
    guessed: bool = False


def column_of(column: Any, what: str, *, guessed: bool = False, name: bool = False) -> Column:
    """A column of Arrow's, or an array, as a `Column`.

    Args:
        column: a chunked array of Arrow's, or an array (N, ...).
        what: the column's name and file, for messages.
        guessed: whether the type was guessed by who read the file.
        name: whether cells are names, such as those of groups, which no number of 53 bits may stand for.

    Raises:
        DataError: cells that are no single value, such as lists.
    """
    if isinstance(column, np.ndarray):
        return Column(_plain_array(column, what), guessed=guessed)
    return replace(_of_arrow(_stored(column), what, name), guessed=guessed)


def _plain_array(array: Array, what: str) -> Array:
    if array.dtype.kind in "cV":
        held = "complex numbers" if array.dtype.kind == "c" else "records"
        raise DataError(
            f"{what} holds {held}, which no check can compare; name it as a key, or take it apart"
        )
    if array.dtype.kind == "S":
        return np.char.decode(array, errors="backslashreplace")
    return array


def _of_arrow(column: Any, what: str, name: bool) -> Column:
    import pyarrow as pa

    if column.null_count == len(column):
        return Column(np.full(len(column), np.nan), empty=True)
    family = _family(column.type)
    if family == "whole" and column.null_count and name:
        column, family = column.cast(pa.string()), "text"
    if family == "text":
        return Column(_texts(column))
    if family == "moments":
        return Column(column.to_numpy(), zoned=getattr(column.type, "tz", None) is not None)
    if family == "whole":
        lost = bool(column.null_count)
        return Column((_wide(column) if lost else column).to_numpy(), lost=lost)
    if family == "numbers":
        return Column(column.to_numpy())
    held = {"lists": "lists", "bytes": "bytes"}.get(family, f"cells of type {column.type}")
    raise DataError(f"{what} holds {held}, which no check can compare; name it as a key, or take it apart")


def _family(kind: Any) -> str:
    """What cells of one of Arrow's types mean, once `_stored` has undone how they are stored."""
    import pyarrow.types as are

    families = {
        "text": (are.is_string, are.is_large_string, are.is_string_view, are.is_dictionary),
        "moments": (are.is_timestamp, are.is_date),
        "whole": (are.is_integer, are.is_boolean),
        "numbers": (are.is_floating, are.is_duration),
        "lists": (are.is_list, are.is_large_list, are.is_fixed_size_list, are.is_list_view),
        "bytes": (are.is_binary, are.is_large_binary, are.is_fixed_size_binary, are.is_binary_view),
    }
    return next((name for name, tests in families.items() if any(test(kind) for test in tests)), "")


def _stored(column: Any) -> Any:
    """The column without what is only a way to store it."""
    import pyarrow as pa

    are = pa.types
    if isinstance(column.type, pa.BaseExtensionType):
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
    if are.is_dictionary(column.type) and column.type.value_type not in (pa.string(), pa.large_string()):
        column = column.cast(column.type.value_type)
    if are.is_decimal(column.type):
        return column.cast(pa.float64())
    if are.is_time(column.type):
        # The time of a day, in its own unit.
        return column.cast(pa.int32() if are.is_time32(column.type) else pa.int64())
    return column


def _wide(column: Any) -> Any:
    """Whole numbers, or yes and no, as floats, so that what is missing can be NaN."""
    import pyarrow as pa

    whole = column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column
    return whole.cast(pa.float64(), safe=False)


def _texts(column: Any) -> Array:
    """Text as an object array (N,) in which a cell that comes often is one object."""
    encoded = column.dictionary_encode().unify_dictionaries().combine_chunks()
    chunk = encoded.chunk(0) if hasattr(encoded, "chunk") else encoded
    names = np.empty(len(chunk.dictionary) + 1, dtype=object)
    names[:-1] = chunk.dictionary.to_numpy(zero_copy_only=False)
    return np.asarray(names[chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False)])


def agree(columns: Sequence[Column], what: str) -> list[Array]:
    """The columns of one name in several files, such as train and test, in one type where they mean one.

    A column of whole numbers of which some are missing is read as numbers; where the other file misses
    none, that is no difference between the files. The same goes for types that were guessed.

    Raises:
        DataError: moments of which some have a time zone.
    """
    full = [column for column in columns if not column.empty]
    if len({column.zoned for column in full if column.values.dtype.kind == "M"}) > 1:
        raise DataError(f"{what} has a time zone in one file and none in the other; give both the same")
    like = full[0].values if full else np.zeros(0)
    if _mean_numbers(full):
        like = np.zeros(0)
        full = [replace(column, values=column.values.astype(np.float64)) for column in full]
    given = iter(full)
    return [
        _nothing_like(like, len(column.values)) if column.empty else next(given).values for column in columns
    ]


def _mean_numbers(columns: Sequence[Column]) -> bool:
    """Whether columns differ in type only because cells are missing, or because their type was guessed."""
    kinds = {column.values.dtype.kind for column in columns}
    if len(kinds) < 2:
        return False
    if kinds <= set("iuf"):
        return any(column.lost or column.guessed for column in columns)
    # Yes and no beside numbers is a difference in meaning, unless some are only missing.
    return kinds == set("bf") and all(column.lost for column in columns if column.values.dtype.kind == "f")


def _nothing_like(like: Array, rows: int) -> Array:
    """Missing cells (N,) of the type that the other file's cells have."""
    if like.dtype.kind in "mM":
        return np.full(rows, np.array("NaT", like.dtype))
    if like.dtype.kind in "OUS":
        return np.full(rows, None, dtype=object)
    return np.full(rows, np.nan)


def moments_of(column: Column, what: str) -> Column:
    """A column that says when rows happened: text in the form of ISO 8601 as moments, numbers as they are.

    Raises:
        DataError: text that is no moment, or moments with and without time zones in one column.
    """
    values = column.values
    if values.ndim != 1 or values.dtype.kind == "b":
        raise DataError(f"{what} must say when a row happened, as moments or numbers")
    if values.dtype.kind not in "OU":
        return column
    texts = [text for text in values.tolist() if text is not None]
    zoned = [bool(_ZONE.search(str(text).strip())) for text in texts]
    if len(set(zoned)) > 1:
        one, other = texts[zoned.index(True)], texts[zoned.index(False)]
        raise DataError(
            f"{what} mixes moments with a time zone ({one!r}) and without ({other!r}); give all of them one"
        )
    return Column(_parsed(values, what), zoned=any(zoned))


def _parsed(values: Array, what: str) -> Array:
    import pandas as pd

    parsed = pd.to_datetime(pd.Series(values), format="ISO8601", utc=True, errors="coerce").dt.tz_localize(
        None
    )
    wrong = np.flatnonzero(np.asarray(parsed.isna()) & np.array([value is not None for value in values]))
    if len(wrong):
        raise DataError(
            f"{what} holds {values[wrong[0]]!r}, which is no moment; write it as 2024-01-31 12:00"
        )
    return np.asarray(parsed.to_numpy())
