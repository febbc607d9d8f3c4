"""Which columns hold texts, such as mails or questions, and what do they say?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.schema import columns_of
from data_checks.splits import Array, Inputs, Split, read_inputs

MINIMUM_WORDS = 5
# Columns of fewer different texts are categories, which test shares with train.
_DISTINCT = 0.5
# Cells that tell whether a column is worth reading whole.
_GLANCED = 1000
_LETTERS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Size:
    """How long the texts of a column are.

    Args:
        words: of a text, at the median.
        letters: of all texts.
    """

    words: float
    letters: int


def text_of(cell: Any) -> str:
    """The text of a cell; nothing, if it holds none."""
    if isinstance(cell, bytes):
        return cell.decode(errors="replace")
    return cell if isinstance(cell, str) else ""


def text_columns(split: Split) -> dict[str, Size]:
    """The columns that hold texts of five or more words at the median, mostly different ones."""
    columns = ((name, column_of(split, name)) for name in _names(split.inputs))
    sizes = {name: _size(column) for name, column in columns if _may_hold_texts(column)}
    return {name: size for name, size in sizes.items() if size is not None}


def _may_hold_texts(column: Array) -> bool:
    """Whether a few of the cells, evenly apart, have more than half of the words that texts have."""
    words = _words_a_cell(column[:: max(1, len(column) // _GLANCED)])
    return not len(words) or bool(np.median(words) > MINIMUM_WORDS / 2)


def _words_a_cell(cells: Array) -> NDArray[np.intp]:
    return np.array([text.count(" ") + 1 for text in map(text_of, cells) if text], np.intp)


def _size(column: Array) -> Size | None:
    """How long the texts of a column are; None if it holds none."""
    words = _words_a_cell(column)
    if not len(words) or not np.median(words) >= MINIMUM_WORDS:
        return None
    texts = [text for text in map(text_of, column) if text]
    if not len(set(texts)) >= _DISTINCT * len(texts):
        return None
    return Size(float(np.median(words)), sum(map(len, texts)))


def _names(inputs: Inputs) -> Iterator[str]:
    """The columns of one text a row; a plain array of texts is one named `inputs`."""
    first = columns_of(read_inputs(inputs, np.arange(1)))
    yield from (
        name for name, column in sorted(first.items()) if column.dtype.kind in "OSU" and column.ndim == 1
    )


def column_of(split: Split, name: str) -> Array:
    """The cells of a column (N,); none, where the split lacks it."""
    inputs = split.inputs
    if not isinstance(inputs, np.ndarray | Mapping):
        inputs = read_inputs(inputs, np.arange(len(split)))
    read = columns_of(inputs)
    return read[name] if name in read else np.full(len(split), None)


def batches_of(column: Array) -> Iterator[tuple[int, list[str]]]:
    """The texts of a column (N,), a few million letters at a time, each time with the first one's row."""
    start, letters, texts = 0, 0, []
    for row, cell in enumerate(column):
        text = text_of(cell)
        texts.append(text)
        letters += len(text)
        if letters >= _LETTERS_AT_ONCE:
            yield start, texts
            start, letters, texts = row + 1, 0, []
    if texts:
        yield start, texts
