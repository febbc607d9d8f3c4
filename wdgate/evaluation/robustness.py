"""How are a split's rows corrupted, and which corruptions mean something for them?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from data_checks.splits import Inputs, Split, read_inputs
from wdgate.evaluation.corruptions import SEVERITIES, Corruption, Noise, Usual
from wdgate.evaluation.places import SAMPLE, Array, Batch, Place, places_of

Rows = NDArray[np.intp]

# Each row costs thirty predictions, and the standard error of a mean over 2,000 rows is a point at most.
MOST_ROWS = 2_000
# How many numbers are corrupted at once: some 20 MB for each array that this takes.
AT_ONCE = 1 << 22


def corruptions_for(inputs: Inputs) -> tuple[Corruption, ...]:
    """The corruptions that mean something for these inputs; none where nothing does.

    Numbers in three or four dimensions are pictures: (N, H, W), (N, H, W, C) or (N, C, H, W). In two
    dimensions, or in a mapping, a column is numeric when it holds floats of more than 10 different
    values or integers of more than 256: fewer are codes or categories, such as the operands of a
    modular addition, and a code that is changed a little is another code. A column of strings is text
    when more than 10 are different and they have two words or more on average: a name or a category
    that is mistyped is another one. `input_ids` with an `attention_mask` (N, L) of a mapping are tokens.
    Each of these is corrupted in its own ways; all else stays as it is.

    Example:
        >>> [c.name for c in corruptions_for(np.zeros((4, 8, 8), np.uint8))][:3]
        ['gaussian_noise', 'impulse_noise', 'blur']
        >>> corruptions_for(np.array([[3, 30], [7, 2]]))
        ()
    """
    return tuple(corruption for place in places_of(inputs) for corruption in place.corruptions)


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

    What is random is seeded by each row's content: a row is corrupted alike in any order and batch. A cell
    that is missing or infinite stays so, and says nothing of what is usual.
    """
    places = {place.kind: place for place in places_of(split.inputs)}
    if not places:
        return
    sample = read_inputs(split.inputs, rows[:SAMPLE])
    taken = {kind: place.take(sample) for kind, place in places.items()}
    usual = {kind: place.usual(taken[kind]) for kind, place in places.items()}
    each = sum(place.size(taken[kind]) for kind, place in places.items())
    size = max(1, min(batch_size, AT_ONCE // each))
    for start in range(0, len(rows), size):
        positions = rows[start : start + size]
        yield positions, _cells(split, positions, places, usual, corruptions)


def _cells(
    split: Split,
    rows: Rows,
    places: Mapping[str, Place],
    usual: Mapping[str, Usual],
    corruptions: Sequence[Corruption],
) -> Iterator[Batch]:
    clean, keys = read_inputs(split.inputs, rows), split.keys[rows]
    values = {kind: place.take(clean) for kind, place in places.items()}
    noise = {kind: place.noise(keys, values[kind]) for kind, place in places.items()}
    for corruption in corruptions:
        kind = corruption.kind
        for severity in SEVERITIES:
            worse = _worse(corruption, values[kind], usual[kind], noise[kind], severity)
            yield places[kind].put(clean, worse, usual[kind])


def _worse(corruption: Corruption, values: Array, usual: Usual, noise: Noise, severity: int) -> Array:
    known = np.isfinite(values) if values.dtype.kind == "f" else np.True_
    if known.all():
        return np.asarray(corruption.change(values, usual, noise, severity))
    # What a pixel's neighbours take from it must be a number.
    filled = np.where(known, values, usual.center)
    return np.where(known, corruption.change(filled, usual, noise, severity), values)
