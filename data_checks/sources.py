"""Which rows are in the files or folders that somebody wants to have checked?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data_checks.errors import DataError
from data_checks.pictures import class_names, common_size, image_folders
from data_checks.readers import Named, read_tables
from data_checks.splits import Split, Splits
from data_checks.table_files import TABLE_ENDINGS, read_columns

PARTS = {"train", "training", "val", "valid", "validation", "test", "testing"}


def read_splits(
    train: str | Path,
    test: str | Path,
    target: str | None = None,
    *,
    validation: str | Path | None = None,
    group: str | None = None,
    time: str | None = None,
    ids: str | None = None,
    keys: Sequence[str] = (),
    regression: bool = False,
    public: bool = False,
) -> Splits:
    """Train and test as they lie on disk, in the form that checks compare: text, moments and gaps included.

    Args:
        train: a Parquet, CSV or npz file, or a folder of pictures (`folder/CLASS/*.png`).
        test: the same.
        target: the column that is predicted; pictures have their folders.
        validation: the same as train; without it, call `check_splits(..., needs_validation=False)`.
        group: the column of the unit that rows belong to.
        time: the column of when a row happened.
        ids: the column of what a row is called.
        keys: further columns that are no inputs.
        regression: whether whole numbers in the target are values, however few they are.
        public: whether the rows may leave the worker.

    Raises:
        DataError: what cannot be read, or cannot be compared, in one sentence.
    """
    paths = [Path(path) for path in (train, test, *([validation] if validation is not None else []))]
    named = None if target is None else Named(target, group, time, ids, tuple(keys))
    fitted, judged, *more = read_rows(paths, named, regression=regression)
    chosen_on = more[0] if more else fitted.take(np.arange(0))
    return Splits(fitted, chosen_on, judged, public=public, source=", ".join(map(str, paths)))


def is_data(word: str) -> bool:
    """Whether a word on the command line names a table or a folder of pictures, and not a pipeline."""
    path = Path(word)
    return path.suffix.lower() in TABLE_ENDINGS or (path.is_dir() and not (path / "__init__.py").exists())


def read_rows(paths: Sequence[Path], named: Named | None, *, regression: bool = False) -> list[Split]:
    """The rows of files or folders that belong together.

    Args:
        paths: tables, or folders of pictures.
        named: the columns of the tables that are no inputs; None for pictures, which have no columns.
        regression: whether whole numbers in the target are values, however few they are.

    Raises:
        DataError: what cannot be read, or files beside folders.
    """
    folders = [path for path in paths if path.is_dir()]
    if folders and len(folders) < len(paths):
        other = next(path for path in paths if path not in folders)
        raise DataError(f"{folders[0]} is a folder and {other} is none; compare two files, or two folders")
    if folders:
        for folder in folders:
            refuse_parts(folder)
        return image_folders(folders, size=common_size(folders))
    if named is None:
        columns = ", ".join(name for name in read_columns(paths[0], text=True) if name)
        raise DataError(f"which column of {paths[0]} is the target? It has {columns}")
    return read_tables(paths, named, regression=regression)


def refuse_parts(folder: Path) -> None:
    """Raise a `DataError` where a folder's folders are train and test rather than classes."""
    parts = [name for name in class_names(folder) if name.lower() in PARTS]
    if len(parts) > 1:
        raise DataError(f"{folder} holds {' and '.join(parts)} rather than classes; compare those folders")
