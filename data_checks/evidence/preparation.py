"""Over which rows may a column have been prepared, and how exactly is that seen in its numbers?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.columns import common_names, named_values
from data_checks.evidence.table import by_split
from data_checks.splits import Array, Splits

Floats = NDArray[np.float64]
ByName = Mapping[str, Floats]

# In standard deviations of a column: what is left of a difference that is zero but for rounding. A mean that
# is 30 deviations from zero is taken away with an error of 30 units in the last place.
DOUBLE, SINGLE = 1e-9, 2e-6
_DECIMALS = 6
_FEW_STEPS = 10
_LARGEST_WHOLE = 2.0**53


@dataclass(frozen=True)
class Prepared:
    """A column whose numbers fit rows beside those of train.

    Args:
        name: of the column.
        how: what was done: `mean 0 and deviation 1`.
        over: the splits that it was done over.
    """

    name: str
    how: str
    over: tuple[str, ...]


def poolings(splits: Splits) -> list[tuple[str, ...]]:
    """The sets of splits that a column may have been prepared over, beside train alone."""
    every = tuple(splits.named())
    three = tuple(name for name in ("train", "validation", "test") if name in every)
    return list(dict.fromkeys([("train", "test"), three, every]))


def numbers_by_split(splits: Splits, kinds: str = "f") -> Iterator[tuple[str, dict[str, Array]]]:
    """The columns that hold numbers in all splits, one at a time: their values (N,) by split."""
    columns = {name: dict(named_values(split)) for name, split in splits.named().items()}
    for column in common_names(splits):
        values = {name: parts[column] for name, parts in columns.items()}
        if all(part.dtype.kind in kinds for part in values.values()):
            yield column, values


def finite(values: Mapping[str, Array]) -> dict[str, Floats]:
    """The finite values of each split, as 64-bit floats."""
    as_doubles = {name: np.ascontiguousarray(part, np.float64) for name, part in values.items()}
    return {name: part[np.isfinite(part)] for name, part in as_doubles.items()}


def exactness(values: Mapping[str, Array]) -> float:
    """How far from zero, in standard deviations, what should be zero may be in this column; 0: unknown."""
    narrowest = min(part.dtype.itemsize for part in values.values())
    if narrowest < 4:
        return 0.0
    with np.errstate(over="ignore"):
        single = narrowest == 4 or all((part == part.astype(np.float32)).all() for part in values.values())
    return SINGLE if single else DOUBLE


def is_round(values: Floats, decimals: int = _DECIMALS) -> bool:
    """Whether all values (n,) are whole numbers of 10 to the power of -decimals."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.allclose(np.round(values, decimals), values, rtol=1e-14, atol=1e-13))


def is_written(values: Floats) -> bool:
    """Whether values (n,) are as people write them: in steps of a power of ten, or in few steps.

    Example:
        >>> is_written(np.array([0.25, 0.5, 1.0])), is_written(np.array([0.1, 0.7, 0.93]))
        (True, True)
        >>> is_written(np.arange(26) * 0.04), is_written(np.array([1 / 3, 1.0]))
        (False, False)
    """
    if not is_round(values):
        return False
    whole = np.abs(np.round(values * 10.0**_DECIMALS))
    if not len(whole) or whole.max() > _LARGEST_WHOLE:
        return True
    step = int(np.gcd.reduce(whole.astype(np.int64)))
    powers = [10**digits for digits in range(19)]
    return step in powers or bool(np.ptp(values) * 10**_DECIMALS < _FEW_STEPS * step)


def one_each(told: list[Prepared]) -> tuple[Prepared, ...]:
    """The first that is told of each column, by name."""
    first = {prepared.name: prepared for prepared in reversed(told)}
    return tuple(first[name] for name in sorted(first))


def flagged(splits: Splits, name: str, told: tuple[Prepared, ...]) -> dict[str, Array]:
    """A column of evidence that says of train's rows how many columns were prepared on more than them."""
    return {name: by_split(splits, lambda split, _: len(told) * (split == "train"))}
