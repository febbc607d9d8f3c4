"""How do tables and pictures on disk become rows?"""

from __future__ import annotations

import difflib
import hashlib
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import DataError
from data_checks.splits import Array, Split

_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp")


def class_names(folder: str | Path) -> tuple[str, ...]:
    """The classes of a folder of pictures: the names of its folders, in alphabetical order."""
    path = Path(folder)
    if not path.is_dir():
        raise DataError(f"there is no folder {path}; expected {path}/CLASS/*.png or *.jpg")
    return tuple(sorted(entry.name for entry in path.iterdir() if entry.is_dir() and entry.name[0] != "."))


def image_folder(folder: str | Path, *, size: tuple[int, int] | None = None) -> Split:
    """The pictures in `folder/CLASS/*.png|jpg`, read when they are asked for.

    Targets count the folders in alphabetical order, as `class_names` names them; `attributes["class"]` has
    each row's name. A row's id is its path in the folder, and its key a hash of the file's bytes.

    Args:
        folder: where the folders of the classes lie.
        size: the height and width that every picture is resized to; None expects pictures of one size.

    Returns:
        Rows whose inputs are a reader of uint8 pictures (N, H, W), or (N, H, W, 3) if any is coloured.

    Raises:
        DataError: no folder, no pictures, a file that is no picture, or pictures of different sizes.
    """
    path, names = Path(folder), class_names(folder)
    files = [file for name in names for file in _pictures(path / name)]
    if not files:
        raise DataError(f"{path} has no pictures; expected {path}/CLASS/*.png or *.jpg")
    classes = np.array([file.relative_to(path).parts[0] for file in files])
    reader = Pictures(tuple(files), *_common_form(files, size))
    return Split(
        reader,
        np.searchsorted(np.array(names), classes),
        ids=np.array([file.relative_to(path).as_posix() for file in files]),
        attributes={"class": classes},
    )


@dataclass(frozen=True)
class Pictures:
    """Picture files as rows: decoded when asked for, known by a hash of their bytes.

    Args:
        files: one a row.
        size: height and width that rows are resized to, where they differ.
        mode: Pillow's name of how a row is stored, `L` (grey) or `RGB`.
    """

    files: tuple[Path, ...]
    size: tuple[int, int]
    mode: str

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, indices: NDArray[np.intp]) -> Array:
        rows = [self._decode(self.files[index]) for index in np.asarray(indices).tolist()]
        return np.stack(rows)

    def key(self, index: int) -> bytes:
        """A hash of the file's bytes."""
        try:
            return hashlib.blake2b(self.files[index].read_bytes(), digest_size=16).digest()
        except OSError as error:
            raise DataError(f"{self.files[index]} cannot be read: {error.strerror}") from error

    def _decode(self, file: Path) -> NDArray[np.uint8]:
        height, width = self.size

        def pixels(picture: Any) -> NDArray[np.uint8]:
            plain = picture.convert(self.mode)
            return np.asarray(plain if plain.size == (width, height) else plain.resize((width, height)))

        decoded: NDArray[np.uint8] = _with_picture(file, pixels)
        return decoded


def _pictures(folder: Path) -> list[Path]:
    return sorted(f for f in folder.rglob("*") if f.suffix.lower() in _ENDINGS and f.name[0] != ".")


def _common_form(files: Sequence[Path], size: tuple[int, int] | None) -> tuple[tuple[int, int], str]:
    """The one size and mode of all pictures, from their headers."""
    headers = [_with_picture(file, lambda picture: (picture.size, picture.mode)) for file in files]
    mode = "L" if all(mode in ("L", "1") for _, mode in headers) else "RGB"
    width, height = headers[0][0]
    for file, ((other_width, other_height), _) in zip(files, headers, strict=True):
        if size is None and (other_width, other_height) != (width, height):
            sizes = f"{files[0]} is {height} x {width} and {file} is {other_height} x {other_width}"
            raise DataError(f"pictures must have one size, or a size to be resized to: {sizes}")
    return size or (height, width), mode


def _with_picture(file: Path, use: Callable[[Any], Any]) -> Any:
    from PIL import Image

    bombs = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file) as picture:
                return use(picture)
    except (OSError, SyntaxError, ValueError, *bombs) as error:
        raise DataError(f"{file} cannot be read as a picture: {error}") from error


def read_table(
    path: str | Path,
    target: str,
    *,
    group: str | None = None,
    time: str | None = None,
    ids: str | None = None,
    columns: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    regression: bool = False,
) -> Split:
    """The rows of a Parquet, CSV or npz file.

    Args:
        path: the file; its ending says what it is.
        target: the column that is predicted.
        group: the column of the unit that rows belong to; never an input.
        time: the column of when a row happened; never an input.
        ids: the column of what a row is called; never an input.
        columns: the inputs; all other columns where None.
        classes: the names of the classes in their order, for a target that is text.
        regression: whether whole numbers in the target are values rather than classes.

    Returns:
        Rows whose inputs map names to columns of numbers. A single array of an npz file stays an array.

    Raises:
        DataError: a file that is absent, broken or empty; a column that is absent, or no numbers.
    """
    file = Path(path)
    table = _read_file(file)
    named = [name for name in (target, group, time, ids, *(columns or ())) if name is not None]
    for name in named:
        _require(name, table, file)
    kept_apart = (target, group, time, ids)
    rest = [name for name in table if name not in kept_apart]
    leaked = [name for name in columns or () if name in kept_apart]
    if leaked:
        raise DataError(
            f"column {leaked[0]!r} of {file} cannot be an input, because it is named as something else"
        )
    inputs = {name: _numbers(name, table[name], file) for name in (rest if columns is None else columns)}
    if not inputs:
        raise DataError(f"{file} has no column beside those named, and inputs need at least one")
    single = file.suffix == ".npz" and len(inputs) == 1
    return Split(
        next(iter(inputs.values())) if single else inputs,
        _target(target, table[target], file, classes, regression),
        ids=np.arange(len(table[target])) if ids is None else table[ids],
        groups=None if group is None else table[group],
        times=None if time is None else table[time],
    )


def _read_file(file: Path) -> Mapping[str, Array]:
    readers: dict[str, Callable[[Path], Mapping[str, Array]]] = {
        ".parquet": _read_parquet,
        ".csv": _read_csv,
        ".npz": _read_npz,
    }
    if file.suffix not in readers:
        raise DataError(f"{file} must end in .parquet, .csv or .npz")
    if not file.is_file():
        raise DataError(f"there is no file {file}")
    try:
        table = readers[file.suffix](file)
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{file} cannot be read as {file.suffix[1:]}: {reason}") from error
    if not table or not all(array.ndim and len(array) for array in table.values()):
        raise DataError(f"{file} has no rows")
    return table


def _read_parquet(file: Path) -> Mapping[str, Array]:
    import pyarrow.parquet

    table = _from_arrow(pyarrow.parquet.read_table(file))
    # What pandas writes of a table's index is no column of the user's.
    return {name: column for name, column in table.items() if not name.startswith("__index_level_")}


def _read_csv(file: Path) -> Mapping[str, Array]:
    import pyarrow.csv

    return _from_arrow(pyarrow.csv.read_csv(file))


def _from_arrow(table: Any) -> Mapping[str, Array]:
    return {name: table.column(name).to_numpy() for name in table.column_names}


def _read_npz(file: Path) -> Mapping[str, Array]:
    # Refusing pickles is the point: a pickle runs code when it is read.
    with np.load(file, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _require(name: str, table: Mapping[str, Array], file: Path) -> None:
    if name not in table:
        near = difflib.get_close_matches(name, table, n=1)
        known = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(table)}"
        raise DataError(f"{file} has no column {name!r}; {known}")


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
    if column.dtype.kind == "f" and np.isnan(column).any():
        lost = int(np.isnan(column).sum())
        raise DataError(f"target {name!r} of {file} is missing in {lost:,} of {len(column):,} rows")
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
