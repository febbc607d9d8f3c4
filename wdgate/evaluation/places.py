"""Where in the inputs is what can be corrupted: pixels, numeric columns, text, tokens?"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from data_checks.splits import Inputs, read_inputs
from wdgate.evaluation.corruptions import COLUMNS, PICTURES, Corruption, Noise, Usual
from wdgate.evaluation.text_corruptions import TEXTS, TOKENS

Array = NDArray[Any]
Batch = Array | dict[str, Array]
Keys = NDArray[np.bytes_]

# How many rows tell what is usual for a pixel or a column, and whether a column is text.
SAMPLE = 512
# A column with no more different values holds codes or categories.
FLOAT_LEVELS, INTEGER_LEVELS, TEXT_LEVELS = 10, 256, 10
# Cells of fewer words, on average, are names or categories, and a name that is mistyped is another name.
WORDS_OF_TEXT = 2.0
NOTHING = Usual(0.0, 0.0, np.zeros(0), np.zeros(0))


class Place(Protocol):
    """A part of the inputs that is corrupted in ways of its own, while the rest stays as it is."""

    @property
    def kind(self) -> str:
        """What is there, as `Corruption.kind` says it."""
        ...

    @property
    def corruptions(self) -> tuple[Corruption, ...]:
        """The corruptions that mean something there."""
        ...

    def take(self, batch: Batch) -> Array:
        """What can be corrupted of these rows (n, ...)."""
        ...

    def put(self, clean: Batch, worse: Array, usual: Usual) -> Batch:
        """The rows with other values in this place, in the types that they had."""
        ...

    def usual(self, values: Array) -> Usual:
        """What is usual for such values, of a sample (n, ...)."""
        ...

    def noise(self, keys: Keys, values: Array) -> Noise:
        """What is random about rows, drawn from their own keys (n,)."""
        ...

    def size(self, values: Array) -> int:
        """How many numbers or letters a row has."""
        ...


@dataclass(frozen=True)
class Numbers:
    """Pixels, or numeric columns.

    Args:
        picture: the whole array is a picture.
        columns: else the numeric columns: positions in an array (N, F), or names in a mapping.
    """

    picture: bool
    columns: tuple[Any, ...] = ()
    kind: str = "numbers"

    @property
    def corruptions(self) -> tuple[Corruption, ...]:
        """Those of pictures, or of columns."""
        return PICTURES if self.picture else COLUMNS

    def take(self, batch: Batch) -> Array:
        """Pictures as they are, or a matrix (n, columns)."""
        if isinstance(batch, dict):
            return np.stack([batch[name].reshape(-1).astype(np.float64) for name in self.columns], axis=1)
        return batch.astype(np.float32) if self.picture else batch[:, self.columns].astype(np.float64)

    def put(self, clean: Batch, worse: Array, usual: Usual) -> Batch:
        """The rows with other numbers."""
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

    def usual(self, values: Array) -> Usual:
        """Of the numbers that are there: cells that are missing or infinite say nothing."""
        known = np.isfinite(values)
        if not known.any():
            nothing = np.zeros(values.shape[1:])
            return Usual(0.0, 0.0, nothing, nothing)
        low, high = (
            float(values.min(where=known, initial=np.inf)),
            float(values.max(where=known, initial=-np.inf)),
        )
        if known.all():
            return Usual(low, high, np.median(values, axis=0), values.std(axis=0))
        with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
            told = np.where(known, values, np.nan)
            center, spread = np.nanmedian(told, axis=0), np.nanstd(told, axis=0)
        return Usual(low, high, np.nan_to_num(center), np.nan_to_num(spread))

    def noise(self, keys: Keys, values: Array) -> Noise:
        """Numbers shaped as the rows."""
        generators, shape = _generators(keys), values.shape[1:]
        normal = np.stack([g.standard_normal(shape, dtype=np.float32) for g in generators])
        return Noise(normal, np.stack([g.random(shape, dtype=np.float32) for g in generators]))

    def size(self, values: Array) -> int:
        """The numbers of a row."""
        return int(values[0].size)


@dataclass(frozen=True)
class Text:
    """Columns of text.

    Args:
        columns: names in a mapping, positions in an array (N, F), or (0,) of an array (N,).
    """

    columns: tuple[Any, ...]
    kind: str = "text"
    corruptions: tuple[Corruption, ...] = TEXTS

    def take(self, batch: Batch) -> Array:
        """The cells (n, columns) as Python's own strings."""
        if isinstance(batch, dict):
            return np.stack([batch[name].reshape(-1).astype(object) for name in self.columns], axis=1)
        return batch.reshape(len(batch), -1)[:, self.columns].astype(object)

    def put(self, clean: Batch, worse: Array, usual: Usual) -> Batch:
        """The rows with other words; an array of a fixed width grows with them."""
        if isinstance(clean, dict):
            changed = {n: _like(worse[:, i], clean[n]) for i, n in enumerate(self.columns)}
            return {**clean, **changed}
        mixed = clean.reshape(len(clean), -1).astype(object)
        mixed[:, self.columns] = worse
        return _like(mixed, clean)

    def usual(self, values: Array) -> Usual:
        """Nothing is measured on text."""
        return NOTHING

    def noise(self, keys: Keys, values: Array) -> Noise:
        """Two numbers a word (n, words, columns, 2)."""
        words = max((len(str(cell).split()) for cell in values.reshape(-1)), default=0)
        # Words come first, so that a row's own do not depend on how long the others are.
        shape = (words, values.shape[1], 2)
        return Noise(np.zeros(0), np.stack([g.random(shape, dtype=np.float32) for g in _generators(keys)]))

    def size(self, values: Array) -> int:
        """The letters of the longest row."""
        return max(1, max(sum(len(str(cell)) for cell in row) for row in values))


@dataclass(frozen=True)
class TokenIds:
    """Ids of tokens with what is attended to of them, as two integers (N, L) of a mapping."""

    ids: str = "input_ids"
    attention: str = "attention_mask"
    kind: str = "tokens"
    corruptions: tuple[Corruption, ...] = TOKENS

    def take(self, batch: Batch) -> Array:
        """Ids and attention (n, 2, L)."""
        assert isinstance(batch, dict)  # noqa: S101 - told by `places_of`
        return np.stack([batch[self.ids], batch[self.attention]], axis=1)

    def put(self, clean: Batch, worse: Array, usual: Usual) -> Batch:
        """The rows with other ids and attention."""
        assert isinstance(clean, dict)  # noqa: S101 - told by `places_of`
        ids, attention = (
            worse[:, i].astype(clean[n].dtype) for i, n in enumerate((self.ids, self.attention))
        )
        return {**clean, self.ids: ids, self.attention: attention}

    def usual(self, values: Array) -> Usual:
        """Nothing is measured on ids."""
        return NOTHING

    def noise(self, keys: Keys, values: Array) -> Noise:
        """A number a token (n, L)."""
        length = values.shape[2]
        return Noise(np.zeros(0), np.stack([g.random(length, dtype=np.float32) for g in _generators(keys)]))

    def size(self, values: Array) -> int:
        """The tokens of a row, twice."""
        return int(values[0].size)


def places_of(inputs: Inputs) -> tuple[Place, ...]:
    """Where these inputs can be corrupted; none where no corruption means anything."""
    if isinstance(inputs, Mapping):
        return _in_columns(inputs)
    # A reader's first rows stand for all of them.
    values = (
        inputs
        if isinstance(inputs, np.ndarray)
        else np.asarray(read_inputs(inputs, np.arange(min(len(inputs), SAMPLE))))
    )
    if values.ndim in (3, 4):
        return (Numbers(True),) if values.dtype.kind in "iuf" else ()
    if values.dtype.kind in "OU":
        cells = values.reshape(len(values), -1)
        return _text([i for i in range(cells.shape[1]) if is_text(cells[:, i])])
    columns = [i for i in range(values.shape[1]) if is_numeric(values[:, i])] if values.ndim == 2 else []
    return _numbers(columns)


def corruption_names() -> tuple[str, ...]:
    """The names of all corruptions of pictures, columns, text and tokens."""
    return tuple(corruption.name for corruption in (*PICTURES, *COLUMNS, *TEXTS, *TOKENS))


def is_numeric(values: Array) -> bool:
    """Whether a column holds numbers, and not codes: a code that is changed a little is another code."""
    if values.dtype.kind not in "iuf":
        return False
    return len(np.unique(values)) > (FLOAT_LEVELS if values.dtype.kind == "f" else INTEGER_LEVELS)


def is_text(values: Array) -> bool:
    """Whether a column holds text: many different cells, of two words and more on average.

    Example:
        >>> is_text(np.array([f"patient {i} was seen" for i in range(20)])), is_text(np.array(["a b"] * 20))
        (True, False)
    """
    if values.dtype.kind not in "OU":
        return False
    sample = values.reshape(-1)[:: max(1, len(values) // SAMPLE)].tolist()
    texts = [cell for cell in sample if isinstance(cell, str)]
    return len(set(texts)) > TEXT_LEVELS and sum(len(t.split()) for t in texts) >= WORDS_OF_TEXT * len(texts)


def _in_columns(inputs: Mapping[str, Array]) -> tuple[Place, ...]:
    single = {name: values for name, values in inputs.items() if values.size == len(values)}
    numeric = [name for name, values in single.items() if is_numeric(values)]
    text = [name for name, values in single.items() if is_text(values)]
    return (*_numbers(numeric), *_text(text), *_tokens(inputs))


def _numbers(columns: Sequence[Any]) -> tuple[Place, ...]:
    return (Numbers(False, tuple(columns)),) if columns else ()


def _text(columns: Sequence[Any]) -> tuple[Place, ...]:
    return (Text(tuple(columns)),) if columns else ()


def _tokens(inputs: Mapping[str, Array]) -> tuple[Place, ...]:
    place = TokenIds()
    pair = [inputs.get(name) for name in (place.ids, place.attention)]
    fits = all(values is not None and values.ndim == 2 and values.dtype.kind in "iu" for values in pair)
    return (place,) if fits and pair[0].shape == pair[1].shape else ()  # type: ignore[union-attr]


def _generators(keys: Keys) -> list[np.random.Generator]:
    # A row's key has the 128 bits that this generator takes as its own.
    return [np.random.Generator(np.random.Philox(key=int(key, 16))) for key in keys]


def _as(values: Array, like: Array) -> Array:
    if like.dtype.kind not in "iu":
        return values.astype(like.dtype)
    limits = np.iinfo(like.dtype)
    return np.clip(np.round(values), limits.min, limits.max).astype(like.dtype)


def _like(cells: Array, like: Array) -> Array:
    return (cells if like.dtype.kind == "O" else cells.astype(str)).reshape(like.shape)
