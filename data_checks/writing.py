"""How do rows of a file get into another one, whole or not at all?"""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import DataError
from data_checks.pictures import files_of
from data_checks.table_files import read_arrow, read_columns

Positions = NDArray[np.intp]


def write_rows(rows_of: Mapping[Path, Positions], source: Path) -> None:
    """Write the rows at some positions of `source` into other files, all of them or none.

    A file is replaced only where it is what would be written anyway.

    Args:
        rows_of: the positions (n,) of the rows that each file gets; endings are `.parquet`, `.csv` or `.npz`,
            and no ending is a folder of pictures.
        source: a table with all rows, or a folder of pictures, in the order of `image_folder`.

    Raises:
        DataError: a file that is there already with other content.
    """
    write_all({path: writer(source, path, rows) for path, rows in rows_of.items()})


def write_places(path: Path, source: Path, places: Mapping[str, Positions]) -> None:
    """Write a table of `path,split` that says where each picture of the folder `source` goes."""
    files = np.array([file.relative_to(source).as_posix() for file in files_of(source)], dtype=object)
    named = sorted((files[at], name) for name, rows in places.items() for at in rows.tolist())

    def write(made: Path) -> None:
        with made.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([("path", "split"), *named])

    write_all({path: write})


def write_all(writers: Mapping[Path, Callable[[Path], Any]]) -> None:
    """Write files, or folders, all of them or none; each writer is handed the path that it writes to.

    Raises:
        DataError: one that is there already with other content.
    """
    made = {path: path.with_name(f".{path.name}.{os.getpid()}.part") for path in writers}
    try:
        for path, write in writers.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            write(made[path])
        other = [path for path in writers if path.exists() and not _equal(path, made[path])]
        if other:
            raise DataError(f"{other[0]} is there already with other rows; move it away, or write elsewhere")
        for path in writers:
            if not path.exists():
                made[path].rename(path)
    finally:
        for path in made.values():
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def writer(source: Path, path: Path, rows: Positions) -> Callable[[Path], None]:
    """Writes the rows at some positions of `source` for `path`, as `write_all` asks for it."""
    if source.is_dir():
        return lambda made: _copy_pictures(source, rows, made)
    kind = path.suffix.lower()[1:]
    if kind == "npz":
        return lambda made: _write_npz(source, rows, made)
    if kind == "csv":
        return lambda made: _write_csv(source, rows, made)
    return lambda made: _write_parquet(source, rows, made)


def _write_parquet(source: Path, rows: Positions, made: Path) -> None:
    import pyarrow.parquet

    pyarrow.parquet.write_table(read_arrow(source).take(rows), made)


def _write_csv(source: Path, rows: Positions, made: Path) -> None:
    """Every line as it was written, which no type keeps: 007, 1.50, an empty cell that is quoted."""
    header, *lines = _lines(source)
    if len(lines) != read_arrow(source).num_rows:
        raise DataError(
            f"{source} has quotes within cells, by which its lines are not told apart; use Parquet"
        )
    made.write_bytes(b"".join([header, *(lines[row] for row in rows.tolist())]))


def _lines(source: Path) -> list[bytes]:
    """The header and the rows of a CSV file, as bytes; a quoted cell may hold a line break."""
    found, begun = [], b""
    with source.open("rb") as stream:
        for line in stream:
            begun += line
            if begun.count(b'"') % 2 == 0:
                # An empty line is no row.
                found += [begun.rstrip(b"\r\n") + b"\n"] if begun.strip(b"\r\n") else []
                begun = b""
    return [*found, begun] if begun else found


def _write_npz(source: Path, rows: Positions, made: Path) -> None:
    arrays = read_columns(source)
    # By a stream, because `np.savez` appends an ending to a path that has another one.
    with made.open("wb") as stream:
        np.savez(stream, **{name: array[rows] for name, array in arrays.items()})


def _copy_pictures(source: Path, rows: Positions, made: Path) -> None:
    files = files_of(source)
    for row in rows.tolist():
        copy = made / files[row].relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(files[row], copy)


def _equal(path: Path, other: Path) -> bool:
    if path.is_dir() or other.is_dir():
        return path.is_dir() and other.is_dir() and _contents(path) == _contents(other)
    return path.read_bytes() == other.read_bytes()


def _contents(folder: Path) -> dict[Path, bytes]:
    return {f.relative_to(folder): f.read_bytes() for f in folder.rglob("*") if f.is_file()}
