"""What do columns look like that were scaled, filled or encoded on more rows than train's?

They are made of some of the user's own rows, of all splits, as the usual preprocessing would be by mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from data_checks.errors import DataError
from data_checks.evidence.filling import is_exact
from data_checks.evidence.preparation import is_written, numbers_by_split
from data_checks.evidence.schema import columns_of
from data_checks.planted_columns import itself, planted, some_of, with_parts
from data_checks.splits import Array, Inputs, Splits

Scale = Callable[[Array], tuple[float, float]]
"""Gives what to take away of values (n,), and what to divide by."""
Statistic = Callable[[Array], Any]
"""Gives what gaps among values (n,) are filled with."""
_CATEGORIES = 8
_GAPS = 10
_NEARLY = 6


def standardize(values: Array) -> tuple[float, float]:
    """To mean 0 and deviation 1."""
    return float(values.mean()), float(values.std())


def centre(values: Array) -> tuple[float, float]:
    """To mean 0."""
    return float(values.mean()), 1.0


def to_range(values: Array) -> tuple[float, float]:
    """To a range from 0 to 1."""
    return float(values.min()), float(np.ptp(values))


def to_largest(values: Array) -> tuple[float, float]:
    """To a largest value of 1."""
    return 0.0, float(np.abs(values).max())


def by_quartiles(values: Array) -> tuple[float, float]:
    """To median 0 and interquartile range 1."""
    low, middle, high = np.percentile(values, (25, 50, 75))
    return float(middle), float(high - low)


def scaled_on_all(splits: Splits, rng: np.random.Generator, scale: Scale) -> Splits | None:
    """Some rows, scaled by all of them; None where nobody could tell that from train's."""
    some = some_of(splits, rng)
    made: dict[str, dict[str, Array]] = {name: {} for name in some.named()}
    differ = False
    for column, values in _varied(some).items():
        pooled, alone = scale(np.concatenate(list(values.values()))), scale(values["train"])
        if pooled[1] > 0:
            for name, part in values.items():
                made[name][column] = (part - pooled[0]) / pooled[1]
            # Steps that people write may be there without a scaler.
            differ |= pooled != alone and not is_written(np.concatenate([m[column] for m in made.values()]))
    return _with_made(some, made) if differ else None


def filled_on_all(splits: Splits, rng: np.random.Generator, statistic: Statistic) -> Splits | None:
    """Some rows, a tenth of whose values of one column are the mean or the median of all others."""
    some = some_of(splits, rng)
    for column, values in sorted(_varied(some).items(), key=_most_different):
        gaps = {name: rng.permutation(len(part)) < len(part) // _GAPS for name, part in values.items()}
        kept = {name: part[~gaps[name]] for name, part in values.items()}
        filling = statistic(np.concatenate(list(kept.values())))
        varied = len(np.unique(np.concatenate(list(kept.values())))) > sum(map(len, kept.values())) / 2
        if (
            not _as_alone(kept, filling, statistic)
            and varied
            and sum(g.sum() for g in gaps.values()) >= _GAPS
        ):
            made = {n: {column: np.where(gaps[n], filling, part)} for n, part in values.items()}
            return _with_made(some, made)
    return None


def _as_alone(kept: Mapping[str, Array], filling: float, statistic: Statistic) -> bool:
    """Whether train alone would have been filled so, or nearly; or with a value that is round by chance."""
    train = kept["train"]
    if statistic is np.median:
        if not is_exact(filling, kept):
            return True
        return abs(int((train < filling).sum()) - int((train > filling).sum())) <= _NEARLY
    return bool(statistic(train) == filling)


def _most_different(column: tuple[str, Mapping[str, Array]]) -> int:
    return -len(np.unique(np.concatenate(list(column[1].values()))))


def encoded_on_all(splits: Splits, rng: np.random.Generator) -> Splits | None:
    """Some rows with a column of the mean target of random categories, over all of them."""
    return planted(splits, rng, _encoded)


def _encoded(targets: Array, rng: np.random.Generator) -> tuple[Array, ...] | None:
    numbers = itself(targets, rng)[0]
    if not np.isfinite(numbers).all() or len(numbers) < 4 * _CATEGORIES:
        return None
    categories = rng.integers(0, _CATEGORIES, len(numbers))
    totals = np.bincount(categories, numbers, _CATEGORIES)
    return ((totals / np.maximum(np.bincount(categories, minlength=_CATEGORIES), 1))[categories],)


def _varied(splits: Splits) -> dict[str, dict[str, Array]]:
    """The columns that hold finite, varied numbers: their values as floats, by split."""
    found = {}
    for column, values in numbers_by_split(splits, "fiu"):
        doubles = {name: part.astype(np.float64) for name, part in values.items()}
        if all(np.isfinite(part).all() for part in doubles.values()) and np.ptp(doubles["train"]) > 0:
            found[column] = doubles
    return found


def _with_made(splits: Splits, made: Mapping[str, Mapping[str, Array]]) -> Splits:
    parts = {n: replace(p, inputs=with_values(p.inputs, made[n])) for n, p in splits.named().items()}
    return with_parts(splits, parts)


def with_values(inputs: Inputs, made: Mapping[str, Array]) -> Inputs:
    """Inputs with other values of some single columns, by their names.

    Example:
        >>> with_values(np.array([[1, 2], [3, 4]]), {"inputs[1]": np.array([0.5, 0.6])}).tolist()
        [[1.0, 0.5], [3.0, 0.6]]
    """
    if not isinstance(inputs, np.ndarray | Mapping):
        raise DataError("values of a reader cannot be replaced")
    columns = {name: _replaced(name, column, made) for name, column in columns_of(inputs).items()}
    return columns if isinstance(inputs, Mapping) else columns["inputs"]


def _replaced(name: str, column: Array, made: Mapping[str, Array]) -> Array:
    if column.ndim == 1:
        return made.get(name, column)
    flat = column.reshape(len(column), -1)
    places = [place for place in range(flat.shape[1]) if f"{name}[{place}]" in made]
    if not places:
        return column
    changed = flat.astype(np.float64)
    for place in places:
        changed[:, place] = made[f"{name}[{place}]"]
    return changed.reshape(column.shape)
