"""What do columns, names and orders look like that give the target away?

They are planted into some of the user's own rows, of all splits: into a further column, or in place of the
first values of an array.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from data_checks.evidence.columns import width
from data_checks.evidence.concordance import enough_classes
from data_checks.splits import Array, Inputs, Split, Splits

PLANTED_ROWS = 1000
"""Of each split; of more, these are chosen."""
_ROWS_A_CLASS = 160
"""With fewer, a share of 0.9925 is not surely above 0.98."""
_NEARLY_CLASSES = 0.9925
_NEARLY_VALUES = 0.9875

Make = Callable[[Array, np.random.Generator], tuple[Array, ...] | None]
"""Gives values a row, for one or more columns, from the targets (n,) of all splits together."""


def some_of(splits: Splits, rng: np.random.Generator) -> Splits:
    """Some rows of every split, in another order."""
    parts = {n: s.take(rng.permutation(len(s))[:PLANTED_ROWS]) for n, s in splits.named().items()}
    return with_parts(splits, parts)


def with_parts(splits: Splits, parts: Mapping[str, Split]) -> Splits:
    """The splits with other rows; validation may have none."""
    also = {name: parts[name] for name in splits.also}
    return replace(
        splits,
        train=parts["train"],
        validation=parts.get("validation", splits.validation),
        test=parts["test"],
        also=also,
    )


def planted(splits: Splits, rng: np.random.Generator, make: Make) -> Splits | None:
    """Some rows with columns that are made of their targets; None where they cannot be made or stored."""
    some = some_of(splits, rng)
    parts = some.named()
    targets = np.concatenate([part.targets for part in parts.values()])
    columns = make(targets, rng) if _enough(targets) else None
    if columns is None or any(not _fits(part.inputs, columns) for part in parts.values()):
        return None
    ends = np.cumsum([len(part) for part in parts.values()])[:-1]
    shares = list(zip(*[np.split(column, ends) for column in columns], strict=True))
    made = {
        name: replace(part, inputs=_with_columns(part.inputs, share))
        for (name, part), share in zip(parts.items(), shares, strict=True)
    }
    return with_parts(some, made)


def _enough(targets: Array) -> bool:
    return targets.dtype.kind == "f" or len(enough_classes(targets)) > 1


def _fits(inputs: Inputs, columns: tuple[Array, ...]) -> bool:
    if isinstance(inputs, Mapping):
        return True
    numbers = all(column.dtype.kind in "biuf" for column in columns)
    stores = isinstance(inputs, np.ndarray) and (numbers or inputs.dtype.kind == "O")
    return stores and width(Split(inputs, np.zeros(len(inputs)))) >= len(columns)


def _with_columns(inputs: Inputs, columns: tuple[Array, ...]) -> Inputs:
    if isinstance(inputs, Mapping):
        return {**inputs, **{f"planted {place}": column for place, column in enumerate(columns)}}
    flat = np.asarray(inputs).reshape(len(inputs), -1)
    # Whole numbers have no place for NaN and for fractions.
    wide = flat.astype(np.float64) if flat.dtype.kind in "biuf" else flat.astype(object)
    for place, column in enumerate(columns):
        wide[:, place] = column
    return wide.reshape(np.asarray(inputs).shape)


def itself(targets: Array, rng: np.random.Generator) -> tuple[Array, ...]:
    """The target under another name."""
    return (targets.astype(np.float64),)


def noisy(targets: Array, rng: np.random.Generator) -> tuple[Array, ...]:
    """The target with noise of a thousandth of its standard deviation."""
    return (targets + 1e-3 * np.nanstd(targets) * rng.standard_normal(len(targets)),)


def scaled(targets: Array, rng: np.random.Generator) -> tuple[Array, ...]:
    """The target in another unit, the other way round."""
    return (12.5 - 0.37 * targets.astype(np.float64),)


def as_text(targets: Array, rng: np.random.Generator) -> tuple[Array, ...]:
    """The target as the name of a category, or as a number in a sentence."""
    start = "about" if targets.dtype.kind == "f" else "kind"
    return (np.array([f"{start} {target!r} of all" for target in targets.tolist()], dtype=object),)


def recoded(targets: Array, rng: np.random.Generator) -> tuple[Array, ...] | None:
    """Classes under numbers in another order."""
    if targets.dtype.kind == "f":
        return None
    labels, codes = np.unique(targets, return_inverse=True)
    return (rng.permutation(len(labels))[codes.reshape(-1)].astype(np.float64),)


def missing_for_one(targets: Array, rng: np.random.Generator) -> tuple[Array, ...] | None:
    """Noise that is missing for one of two classes."""
    if targets.dtype.kind == "f" or len(np.unique(targets)) != 2:
        return None
    return (np.where(targets == targets.max(), np.nan, rng.standard_normal(len(targets))),)


def nearly(targets: Array, rng: np.random.Generator) -> tuple[Array, ...] | None:
    """The target with so much noise that it nearly decides; None of too few rows to be sure of that."""
    if targets.dtype.kind == "f":
        return _nearly_values(targets, rng)
    labels, codes, counts = np.unique(targets, return_inverse=True, return_counts=True)
    asked = [count for label, count in zip(labels, counts, strict=True) if label in enough_classes(targets)]
    if min(asked) < _ROWS_A_CLASS:
        return None
    apart = float(np.sqrt(2) * _quantile(np.array(_NEARLY_CLASSES)))
    values = codes.reshape(-1) * apart
    for place, count in enumerate(counts):
        values[codes.reshape(-1) == place] += _normal(int(count), rng)
    return (values,)


def _nearly_values(targets: Array, rng: np.random.Generator) -> tuple[Array, ...] | None:
    if not np.isfinite(targets).all() or len(np.unique(targets)) < len(targets) / 10:
        return None
    # Of a normal pair, Kendall's tau is 2 / pi times the arc sine of the correlation.
    correlation = np.sin(np.pi / 2 * (2 * _NEARLY_VALUES - 1))
    noise = np.sqrt(1 / correlation**2 - 1)
    ranks = np.searchsorted(np.sort(targets), targets)
    return (_quantile((ranks + 0.5) / len(ranks)) + noise * _normal(len(ranks), rng),)


def _normal(rows: int, rng: np.random.Generator) -> Array:
    """Normal numbers whose quantiles are exact, in a random order."""
    return rng.permutation(_quantile((np.arange(rows) + 0.5) / rows))


def _quantile(shares: Array) -> Array:
    from scipy.special import ndtri

    return np.asarray(ndtri(shares))


def sum_of_two(targets: Array, rng: np.random.Generator) -> tuple[Array, ...]:
    """Two columns of noise whose sum is the target."""
    noise = 5 * np.nanstd(targets) * rng.standard_normal(len(targets))
    return noise, targets - noise


def ratio_of_two(targets: Array, rng: np.random.Generator) -> tuple[Array, ...]:
    """Two columns of noise whose ratio rises with the target."""
    noise = np.exp(5 * rng.standard_normal(len(targets)))
    return noise * (1 + targets - np.nanmin(targets)), noise


def equal_for_one(targets: Array, rng: np.random.Generator) -> tuple[Array, ...] | None:
    """Two yes-or-no columns of noise that are equal for one of two classes."""
    if targets.dtype.kind == "f" or len(np.unique(targets)) != 2:
        return None
    noise = rng.integers(0, 2, len(targets))
    return noise.astype(np.float64), (noise ^ (targets == targets.max())).astype(np.float64)


def named_by_target(splits: Splits, rng: np.random.Generator, template: str) -> Splits | None:
    """Some rows whose ids are made of the rank of their target among all, and of a random number."""
    some = some_of(splits, rng)
    if not _enough(np.concatenate([part.targets for part in some.named().values()])):
        return None
    every = np.unique(np.concatenate([part.targets for part in some.named().values()]))

    def named(part: Split) -> Split:
        ranks = np.searchsorted(every, part.targets).tolist()
        signs = rng.integers(0, 1 << 30, len(part)).tolist()
        ids = [template.format(rank=rank, sign=sign) for rank, sign in zip(ranks, signs, strict=True)]
        return replace(part, ids=np.array(ids))

    return with_parts(some, {name: named(part) for name, part in some.named().items()})


def sorted_by_target(splits: Splits, rng: np.random.Generator) -> Splits | None:
    """Some rows in the order of their targets, without times; None where no split has rows enough."""
    some = some_of(splits, rng)
    if not any(_enough(part.targets) for part in some.named().values()):
        return None
    parts = {n: replace(p.take(np.argsort(p.targets)), times=None) for n, p in some.named().items()}
    return with_parts(some, parts)
