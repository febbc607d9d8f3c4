"""How do tables and pictures on disk become rows?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data_checks.arrow_columns import Column, agree, column_of, moments_of
from data_checks.errors import DataError
from data_checks.pictures import Pictures, class_names, image_folder, image_folders
from data_checks.splits import Array, Inputs, Split
from data_checks.table_files import read_columns, require
from data_checks.targets import Targets, code_targets, refuse_missing

__all__ = ["Named", "Pictures", "class_names", "image_folder", "image_folders", "read_table", "read_tables"]


@dataclass(frozen=True)
class Named:
    """The columns of a table that are no inputs.

    Args:
        target: what is predicted.
        group: the unit that rows belong to.
        time: when a row happened.
        ids: what a row is called.
        keys: further ones.
    """

    target: str
    group: str | None = None
    time: str | None = None
    ids: str | None = None
    keys: tuple[str, ...] = ()

    def used(self) -> list[str]:
        """The columns that are read though they are no inputs."""
        return [name for name in (self.target, self.group, self.time, self.ids) if name is not None]


def read_table(
    path: str | Path,
    target: str,
    *,
    group: str | None = None,
    time: str | None = None,
    ids: str | None = None,
    keys: Sequence[str] = (),
    columns: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    regression: bool = False,
    text: bool = False,
) -> Split:
    """The rows of a Parquet, CSV or npz file.

    Args:
        path: the file; its ending says what it is.
        target: the column that is predicted.
        group: the column of the unit that rows belong to; never an input.
        time: the column of when a row happened; never an input.
        ids: the column of what a row is called; never an input.
        keys: further columns that are never inputs.
        columns: the inputs; all other columns where None.
        classes: the names of the classes in their order, for a target that is text.
        regression: whether whole numbers in the target are values rather than classes.
        text: whether inputs and target may also be text and moments, which checks can compare, and of which
            a network can make nothing; see `read_tables`.

    Returns:
        Rows whose inputs map names to columns of numbers. A single array of an npz file stays an array.

    Raises:
        DataError: a file that is absent, broken or empty; a column that is absent, or no numbers.
    """
    file, named = Path(path), Named(target, group, time, ids, tuple(keys))
    if text:
        return _read_together([file], named, columns, classes, regression)[0]
    table = {name: _as_array(column) for name, column in read_columns(file).items()}
    inputs = {name: _numbers(name, table[name], file) for name in _inputs(table, file, named, columns)}
    return Split(
        _single(inputs, file),
        _target(target, table[target], file, classes, regression),
        ids=table.get(ids),  # type: ignore[arg-type]  # where none are given, rows have numbers
        groups=None if group is None else table[group],
        times=None if time is None else table[time],
    )


def read_tables(paths: Sequence[str | Path], named: Named, *, regression: bool = False) -> list[Split]:
    """The rows of files that belong together, such as train and test, with their text and moments.

    Classes that are text are counted over all files in the order of their names, which are kept in
    `attributes["class"]`; whole numbers are classes where they are few. A column that holds whole numbers in
    one file, and whole numbers of which some are missing in another, is numbers in both.

    Args:
        paths: Parquet, CSV or npz files.
        named: the columns that are no inputs.
        regression: whether whole numbers in the target are values, however few they are.

    Raises:
        DataError: a file that is absent, broken or empty; a column that is absent or cannot be compared.
    """
    return _read_together([Path(path) for path in paths], named, None, None, regression)


def _read_together(
    files: Sequence[Path],
    named: Named,
    columns: Sequence[str] | None,
    classes: Sequence[str] | None,
    regression: bool,
) -> list[Split]:
    tables = _agreed([_read_one(file, named, columns) for file in files])
    whats = [f"target {named.target!r} of {file}" for file in files]
    targets = [table[named.target] for table in tables]
    if classes is None:
        coded = code_targets(targets, whats, regression=regression)
    else:
        pairs = zip(targets, files, strict=True)
        known = [_classes(named.target, column, file, list(classes)) for column, file in pairs]
        coded = Targets(known, np.array(list(classes), object))
    return [
        _rows(table, file, named, values, coded.names)
        for table, file, values in zip(tables, files, coded.values, strict=True)
    ]


def _rows(table: Mapping[str, Array], file: Path, named: Named, targets: Array, names: Array | None) -> Split:
    return Split(
        _single({name: values for name, values in table.items() if name not in named.used()}, file),
        targets,
        ids=table.get(named.ids),  # type: ignore[arg-type]  # where none are given, rows have numbers
        groups=None if named.group is None else table[named.group],
        times=None if named.time is None else table[named.time],
        attributes={} if names is None else {"class": names[targets]},
    )


def _read_one(file: Path, named: Named, columns: Sequence[str] | None) -> dict[str, Column]:
    table = read_columns(file, text=True)
    wanted = [*named.used(), *_inputs(table, file, named, columns)]
    guessed = file.suffix.lower() == ".csv"
    read: dict[str, Column] = {}
    for name in dict.fromkeys(wanted):
        what = f"column {name!r} of {file}"
        # Taken out, so that no more than one column is in memory twice.
        read[name] = column_of(table.pop(name), what, guessed=guessed, name=name in (named.group, named.ids))
        if name == named.time:
            read[name] = moments_of(read[name], what)
    return read


def _agreed(tables: list[dict[str, Column]]) -> list[dict[str, Array]]:
    """The columns of all tables, those of one name in one type."""
    agreed: list[dict[str, Array]] = [{} for _ in tables]
    for name in dict.fromkeys(name for table in tables for name in table):
        holders = [place for place, table in enumerate(tables) if name in table]
        columns = agree([tables[place][name] for place in holders], f"column {name!r}")
        for place, values in zip(holders, columns, strict=True):
            agreed[place][name] = values
    return agreed


def _inputs(
    table: Mapping[str, Any], file: Path, named: Named, columns: Sequence[str] | None
) -> Sequence[str]:
    """The names of the inputs, after every name that was given has been looked up."""
    apart = (*named.used(), *named.keys)
    for name in (*apart, *(columns or ())):
        require(name, table, file)
    leaked = [name for name in columns or () if name in apart]
    if leaked:
        raise DataError(
            f"column {leaked[0]!r} of {file} cannot be an input, because it is named as something else"
        )
    inputs = [name for name in table if name not in apart] if columns is None else columns
    if not inputs:
        raise DataError(f"{file} has no column beside those named, and inputs need at least one")
    return inputs


def _single(inputs: Mapping[str, Array], file: Path) -> Inputs:
    one = file.suffix.lower() == ".npz" and len(inputs) == 1
    return next(iter(inputs.values())) if one else inputs


def _as_array(column: Any) -> Array:
    return column if isinstance(column, np.ndarray) else column.to_numpy()


def _numbers(name: str, column: Array, file: Path) -> Array:
    if column.dtype.kind not in "biuf":
        what = "moments" if column.dtype.kind in "mM" else "text or mixed types"
        raise DataError(f"column {name!r} of {file} must be numbers, got {what}; leave it out, or encode it")
    return column


def _target(name: str, column: Array, file: Path, classes: Sequence[str] | None, regression: bool) -> Array:
    if column.ndim != 1:
        raise DataError(f"target {name!r} of {file} must be one value a row, got shape {column.shape}")
    if classes is not None:
        return _classes(name, column, file, list(classes))
    if column.dtype.kind not in "biuf":
        raise DataError(
            f"target {name!r} of {file} holds text; name its classes in order: classes=('no', 'yes')"
        )
    refuse_missing(column, f"target {name!r} of {file}")
    if regression:
        return column.astype(np.float64)
    return column.astype(np.int64) if column.dtype.kind == "b" else column


def _classes(name: str, column: Array, file: Path, classes: list[str]) -> Array:
    texts = column.astype(str).tolist()
    places = {text: place for place, text in enumerate(classes)}
    unknown = sorted(set(texts) - set(places))
    if unknown:
        known = ", ".join(classes)
        raise DataError(f"target {name!r} of {file} holds {unknown[0]!r}, which is not one of {known}")
    return np.array([places[text] for text in texts])
