"""How are a split's rows corrupted, and which corruptions mean something for them?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.splits import Inputs, Split, read_inputs
from wdgate.evaluation.corruptions import COLUMNS, PICTURES, SEVERITIES, Corruption, Noise, Usual

Rows = NDArray[np.intp]
Batch = NDArray[Any] | dict[str, NDArray[Any]]

# Each row costs thirty predictions, and the standard error of a mean over 2,000 rows is a point at most.
MOST_ROWS = 2_000
# How many rows tell what is usual for a pixel or a column.
SAMPLE = 512
# How many numbers are corrupted at once: some 20 MB for each array that this takes.
AT_ONCE = 1 << 22
# A column with no more different values holds codes or categories.
FLOAT_LEVELS, INTEGER_LEVELS = 10, 256


def corruptions_for(inputs: Inputs) -> tuple[Corruption, ...]:
    """The corruptions that mean something for these inputs; none where nothing does.

    Numbers in three or four dimensions are pictures: (N, H, W), (N, H, W, C) or (N, C, H, W). In two
    dimensions, or in a mapping, a column is numeric when it holds floats of more than 10 different
    values or integers of more than 256: fewer are codes or categories, such as the operands of a
    modular addition, and a code that is changed a little is another code. Columns that are not numeric
    stay as they are; without a numeric column no corruption applies.

    Example:
        >>> [c.name for c in corruptions_for(np.zeros((4, 8, 8), np.uint8))][:3]
        ['gaussian_noise', 'impulse_noise', 'blur']
        >>> corruptions_for(np.array([[3, 30], [7, 2]]))
        ()
    """
    place = _place(inputs)
    return () if place is None else PICTURES if place.picture else COLUMNS


def rows_to_corrupt(split: Split) -> Rows:
    """Which rows are corrupted: all, or the 2,000 of the smallest keys, which is as good as by chance.

    Chosen by content, so that candidate and champion are corrupted on the same rows.
    """
    if len(split) <= MOST_ROWS:
        return np.arange(len(split))
    return np.sort(np.argsort(split.keys, kind="stable")[:MOST_ROWS])


def corrupted(
    split: Split, rows: Rows, corruptions: Sequence[Corruption], batch_size: int
) -> Iterator[tuple[Rows, Iterator[Batch]]]:
    """Rows of a split in batches: their positions, and their inputs by every corruption at every severity.

    What is random is seeded by each row's content: a row is corrupted alike in any order and batch.
    """
    place = _place(split.inputs)
    if place is None:
        return
    sample = place.take(read_inputs(split.inputs, rows[:SAMPLE]))
    usual = Usual(float(sample.min()), float(sample.max()), np.median(sample, axis=0), sample.std(axis=0))
    size = max(1, min(batch_size, AT_ONCE // sample[0].size))
    for start in range(0, len(rows), size):
        positions = rows[start : start + size]
        yield positions, _cells(split, positions, place, usual, corruptions)


def _cells(
    split: Split, rows: Rows, place: _Place, usual: Usual, corruptions: Sequence[Corruption]
) -> Iterator[Batch]:
    clean = read_inputs(split.inputs, rows)
    values = place.take(clean)
    noise = _noise(split.keys[rows], values.shape[1:])
    for corruption in corruptions:
        for severity in SEVERITIES:
            yield place.put(clean, corruption.change(values, usual, noise, severity), usual)


def _noise(keys: NDArray[np.bytes_], shape: tuple[int, ...]) -> Noise:
    # A row's key has the 128 bits that this generator takes as its own.
    generators = [np.random.Generator(np.random.Philox(key=int(key, 16))) for key in keys]
    normal = np.stack([g.standard_normal(shape, dtype=np.float32) for g in generators])
    return Noise(normal, np.stack([g.random(shape, dtype=np.float32) for g in generators]))


@dataclass(frozen=True)
class _Place:
    """Where in the inputs the numbers are that can be corrupted.

    Args:
        picture: the whole array is a picture.
        columns: else the numeric columns: positions in an array (N, F), or names in a mapping.
    """

    picture: bool
    columns: tuple[Any, ...] = ()

    def take(self, batch: Batch) -> NDArray[np.floating]:
        """The numbers of these rows: pictures as they are, or a matrix (n, columns)."""
        if isinstance(batch, dict):
            return np.stack([batch[name].reshape(-1).astype(np.float64) for name in self.columns], axis=1)
        return batch.astype(np.float32) if self.picture else batch[:, self.columns].astype(np.float64)

    def put(self, clean: Batch, worse: NDArray[np.floating], usual: Usual) -> Batch:
        """The rows with other numbers in this place, in the types that they had."""
        if isinstance(clean, dict):
            changed = {
                n: _as(worse[:, i], clean[n]).reshape(clean[n].shape) for i, n in enumerate(self.columns)
            }
            return {**clean, **changed}
        if self.picture:
            # The range is that of the rows, not of their type: digits in bytes end at 16, not at 255.
            return _as(np.clip(worse, usual.low, usual.high), clean)
        mixed = clean.copy()
        mixed[:, self.columns] = _as(worse, clean)
        return mixed


def _as(values: NDArray[np.floating], like: NDArray[Any]) -> NDArray[Any]:
    if like.dtype.kind not in "iu":
        return values.astype(like.dtype)
    limits = np.iinfo(like.dtype)
    return np.clip(np.round(values), limits.min, limits.max).astype(like.dtype)


def _place(inputs: Inputs) -> _Place | None:
    """Where these inputs can be corrupted; None where no corruption means anything."""
    if isinstance(inputs, Mapping):
        names = tuple(n for n, values in inputs.items() if values.size == len(values) and _is_numeric(values))
        return _Place(False, names) if names else None
    # A reader's first rows stand for all of them.
    values = (
        inputs
        if isinstance(inputs, np.ndarray)
        else np.asarray(read_inputs(inputs, np.arange(min(len(inputs), SAMPLE))))
    )
    if values.ndim in (3, 4):
        return _Place(True) if values.dtype.kind in "iuf" else None
    columns = [i for i in range(values.shape[1]) if _is_numeric(values[:, i])] if values.ndim == 2 else []
    return _Place(False, tuple(columns)) if columns else None


def _is_numeric(values: NDArray[Any]) -> bool:
    if values.dtype.kind not in "iuf":
        return False
    return len(np.unique(values)) > (FLOAT_LEVELS if values.dtype.kind == "f" else INTEGER_LEVELS)
