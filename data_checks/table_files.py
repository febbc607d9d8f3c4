"""What columns does a table on disk have?"""

from __future__ import annotations

import difflib
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from data_checks.errors import DataError
from data_checks.splits import Array

TABLE_ENDINGS = (".parquet", ".csv", ".npz")
_LONGEST_REASON = 200

Found = TypeVar("Found")


def read_columns(file: Path, *, text: bool = False) -> dict[str, Any]:
    """The columns of a Parquet, CSV or npz file by name: Arrow's columns, which are no arrays yet, or arrays.

    Args:
        file: its ending says what it is.
        text: whether an empty cell of a CSV file is missing, also in a column of text, and a column without
            a name, as pandas writes of a table's index, is none of the user's.

    Raises:
        DataError: a file that is absent, broken, empty, or no table; columns of one name.
    """
    if kind_of_file(file) == "npz":
        columns = _told(file, _read_npz)
        empty = not all(array.ndim and len(array) for array in columns.values())
    else:
        table = read_arrow(file, text=text)
        columns = {name: table.column(place) for place, name in enumerate(table.column_names)}
        # What pandas writes of a table's index is no column of the user's.
        columns = {
            name: column
            for name, column in columns.items()
            if not name.startswith("__index_level_") and (name or not text)
        }
        empty = not table.num_rows
    if not columns or empty:
        raise DataError(f"{file} has no rows")
    return columns


def kind_of_file(file: Path) -> str:
    """`parquet`, `csv` or `npz`, by the ending.

    Raises:
        DataError: another ending, or no such file.
    """
    if file.suffix.lower() not in TABLE_ENDINGS:
        raise DataError(f"{file} must end in .parquet, .csv or .npz")
    if not file.is_file():
        raise DataError(f"there is no file {file}")
    return file.suffix.lower()[1:]


def read_arrow(file: Path, *, text: bool = True) -> Any:
    """A Parquet or CSV file as an Arrow table, with all of its columns; `text` as in `read_columns`.

    Raises:
        DataError: a file that is broken, or that has columns of one name.
    """
    csv = kind_of_file(file) == "csv"
    table = _told(file, (lambda file: _read_csv(file, text)) if csv else _read_parquet)
    twins = [name for name, count in Counter(table.column_names).items() if count > 1]
    if twins:
        count = table.column_names.count(twins[0])
        raise DataError(f"{file} has {count} columns named {twins[0]!r}; give each a name of its own")
    return table


def require(name: str, columns: Mapping[str, Any], file: Path) -> None:
    """Raise a `DataError` that names the nearest column, unless there is one of this name."""
    if name not in columns:
        near = difflib.get_close_matches(name, columns, n=1)
        known = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(columns)}"
        raise DataError(f"{file} has no column {name!r}; {known}")


def _told(file: Path, read: Callable[[Path], Found]) -> Found:
    """What `read` gives; what a file can do to a library that reads it is told in one sentence."""
    import pyarrow

    # Arrow's errors are of many families; that of ArrowNotImplementedError is none of the others.
    broken = (OSError, EOFError, KeyError, ValueError, NotImplementedError, zipfile.BadZipFile, zlib.error)
    try:
        return read(file)
    except (*broken, pyarrow.ArrowException) as error:
        reason = " ".join(str(error).split())
        if len(reason) > _LONGEST_REASON:
            reason = f"{reason[:_LONGEST_REASON]}..."
        raise DataError(f"{file} cannot be read as {file.suffix.lower()[1:]}: {reason}") from error


def _read_parquet(file: Path) -> Any:
    import pyarrow.parquet

    # Not `pyarrow.parquet.read_table`, which makes columns of the names of folders. By way of a buffer, or
    # the file is in memory beside its columns.
    with pyarrow.parquet.ParquetFile(file, buffer_size=1 << 20, pre_buffer=False) as opened:
        return opened.read()


def _read_csv(file: Path, text: bool) -> Any:
    import pyarrow.csv

    cells = pyarrow.csv.ConvertOptions(strings_can_be_null=text, quoted_strings_can_be_null=not text)
    lines = pyarrow.csv.ParseOptions(newlines_in_values=text)
    table = pyarrow.csv.read_csv(file, convert_options=cells, parse_options=lines)
    try:
        binary = [
            name
            for name, kind in zip(table.column_names, table.schema.types, strict=True)
            if kind == "binary"
        ]
    except UnicodeDecodeError as error:
        raise ValueError("its first line is not UTF-8 text; save it as UTF-8") from error
    apart = [sign for sign in ";\t" if len(table.column_names) == 1 and sign in table.column_names[0]]
    if apart:
        raise ValueError(f"its cells are parted by {apart[0]!r}; save it with commas")
    if binary:
        raise ValueError(f"column {binary[0]!r} is not UTF-8 text; save it as UTF-8")
    return table


def _read_npz(file: Path) -> dict[str, Array]:
    # Opened here, because `np.load` leaves a broken file open. Refusing pickles is the point: a pickle runs
    # code when it is read.
    with file.open("rb") as stream:
        arrays = np.load(stream, allow_pickle=False)
        if isinstance(arrays, np.ndarray):
            raise ValueError("it holds one array without a name; save it with numpy.savez(FILE, name=array)")
        with arrays:
            return {name: arrays[name] for name in arrays.files}
