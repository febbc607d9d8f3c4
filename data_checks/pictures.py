"""How do folders of picture files become rows?"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import DataError
from data_checks.splits import Array, Split

_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
# Enough to recognize a picture by, where pictures of many sizes have to be given one.
_LARGEST = 256


def class_names(folder: str | Path) -> tuple[str, ...]:
    """The classes of a folder of pictures: the names of its folders, in alphabetical order."""
    path = Path(folder)
    if not path.is_dir():
        raise DataError(f"there is no folder {path}; expected {path}/CLASS/*.png or *.jpg")
    return tuple(sorted(entry.name for entry in path.iterdir() if entry.is_dir() and entry.name[0] != "."))


def image_folder(folder: str | Path, *, size: tuple[int, int] | None = None) -> Split:
    """The pictures in `folder/CLASS/*.png|jpg`, read when they are asked for.

    Targets count the folders in alphabetical order, as `class_names` names them; `attributes["class"]` has
    each row's name. A row's id is its path in the folder, and its key a hash of the file's bytes. A path
    changes when a picture is put into another class, so that `split` goes by the key.

    Args:
        folder: where the folders of the classes lie.
        size: the height and width that every picture is resized to; None expects pictures of one size.

    Returns:
        Rows whose inputs are a reader of uint8 pictures (N, H, W), or (N, H, W, 3) if any is coloured.

    Raises:
        DataError: no folder, no pictures, a file that is no picture, or pictures of different sizes.
    """
    return image_folders([folder], size=size)[0]


def image_folders(folders: Sequence[str | Path], *, size: tuple[int, int] | None = None) -> list[Split]:
    """The pictures of several folders, such as train and test, in one form and with the same classes.

    Args:
        folders: each holds the folders of the classes; not every one needs to have all of them.
        size: the height and width that every picture is resized to; None expects pictures of one size.

    Raises:
        DataError: as `image_folder` does.
    """
    paths = [Path(folder) for folder in folders]
    files = [files_of(path) for path in paths]
    form = _common_form([file for some in files for file in some], size)
    names = np.array(sorted({name for path in paths for name in class_names(path)}))
    return [_rows_of(path, some, form, names) for path, some in zip(paths, files, strict=True)]


def common_size(folders: Sequence[str | Path]) -> tuple[int, int] | None:
    """The height and width to resize pictures to: the median ones, or None where they all have one size."""
    sizes = [_with_picture(file, lambda p: p.size) for folder in folders for file in files_of(Path(folder))]
    if len(set(sizes)) == 1:
        return None
    width, height = np.median(np.array(sizes), axis=0).astype(int).tolist()
    shrink = min(1.0, _LARGEST / max(width, height))
    return max(1, round(height * shrink)), max(1, round(width * shrink))


def files_of(path: Path) -> list[Path]:
    """The picture files of a folder of classes, in the order of their rows."""
    files = [file for name in class_names(path) for file in _pictures(path / name)]
    if not files:
        raise DataError(f"{path} has no pictures; expected {path}/CLASS/*.png or *.jpg")
    return files


def _rows_of(path: Path, files: list[Path], form: tuple[tuple[int, int], str], names: Array) -> Split:
    classes = np.array([file.relative_to(path).parts[0] for file in files])
    return Split(
        Pictures(tuple(files), *form),
        np.searchsorted(names, classes),
        ids=np.array([file.relative_to(path).as_posix() for file in files]),
        attributes={"class": classes},
        stable_ids=False,
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
