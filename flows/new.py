"""What does the first version of a user's own pipeline look like?"""

from __future__ import annotations

import re
from pathlib import Path

from data_checks.errors import PipelineError

TEMPLATES = Path(__file__).parent / "templates"


def write(name: str, kind: str, folder: Path = Path()) -> Path:
    """Write `NAME.py` from a template, with sample data beside it, so that it runs at once.

    Args:
        name: of the model, the file and its data.
        kind: `table`, `image_folder` or `own_loop`.
        folder: where the file goes.

    Returns:
        The path of the file.

    Raises:
        PipelineError: a name that is no file name for Python, or a file or folder that is there already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,60}", name):
        raise PipelineError(
            f"a name has small letters, digits and underscores, and starts with a letter; got {name!r}"
        )
    path = folder / f"{name}.py"
    for there in (path, folder / name, folder / f"{name}.csv"):
        if there.exists():
            raise PipelineError(f"{there} is there already, and is not overwritten")
    _DATA[kind](folder / name)
    text = (TEMPLATES / f"{kind}.py.txt").read_text()
    path.write_text(text.replace("NAME", name).replace("FILE", path.as_posix()))
    return path


def _table(stem: Path) -> None:
    from sklearn.datasets import load_breast_cancer

    table = load_breast_cancer(as_frame=True).frame.rename(columns={"target": "benign"})
    table.columns = [column.replace(" ", "_") for column in table.columns]
    table.to_csv(stem.with_suffix(".csv"), index=False)


def _pictures(stem: Path) -> None:
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    for number, (pixels, digit) in enumerate(zip(digits.images, digits.target, strict=True)):
        folder = stem / str(digit)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray((pixels * 15).astype("uint8")).convert("RGB").save(folder / f"{number}.png")


def _nothing(stem: Path) -> None:
    """The template makes its own rows."""


_DATA = {"table": _table, "image_folder": _pictures, "own_loop": _nothing}
