"""Were categories replaced by the mean target of rows that include test?

Every value of such a column is the mean target of the rows that have it, over the splits that it was made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np

from data_checks.evidence.columns import pool, why_no_columns
from data_checks.evidence.concordance import why_no_order
from data_checks.evidence.preparation import (
    DOUBLE,
    Floats,
    Prepared,
    exactness,
    flagged,
    numbers_by_split,
    one_each,
    poolings,
)
from data_checks.evidence.table import Evidence
from data_checks.splits import Array, Splits

_CLASSES = 20
_FAR = 6.0


def measure(splits: Splits) -> Evidence:
    """`encoded_on_more`: how many columns were encoded on more than train; facts: a `Prepared` each."""
    rows, over = pool(splits), poolings(splits)
    few = {column.name: column.numbers for column in rows.columns() if column.numbers is not None}
    means = codings(rows.targets)
    told: list[Prepared] = []
    for name, values in numbers_by_split(splits):
        for how, code in means.items():
            if name in few and could_be(few[name], code(rows.targets)):
                coded = {part: code(split.targets) for part, split in splits.named().items()}
                told += _encoded(Prepared(name, how, ()), values, coded, over)
    facts = one_each(told)
    return Evidence(flagged(splits, "encoded_on_more", facts), facts)


def codings(targets: Array) -> dict[str, Callable[[Array], Floats]]:
    """What a category may be replaced by the mean of: the target, or whether it is one class."""
    whole: dict[str, Callable[[Array], Floats]] = {"the mean target of each category": _as_number}
    if targets.dtype.kind == "f" or len(np.unique(targets)) > _CLASSES:
        return whole
    labels = np.unique(targets).tolist()
    return whole | {f"the share of class {int(c)} in each category": partial(_is_class, c) for c in labels}


def _as_number(targets: Array) -> Floats:
    return targets.astype(np.float64)


def _is_class(label: int, targets: Array) -> Floats:
    return np.asarray(targets == label, np.float64)


def could_be(values: Floats, targets: Floats) -> bool:
    """Whether numbers (n,) are few, and about the mean of the targets (n,) that they would stand for."""
    known = np.isfinite(values) & np.isfinite(targets)
    if known.sum() < 2:
        return False
    values, targets = values[known], targets[known]
    if not 2 <= len(np.unique(values)) <= len(values) / 2:
        return False
    if values.min() < targets.min() - DOUBLE or values.max() > targets.max() + DOUBLE:
        return False
    apart = targets - values
    return bool(abs(apart.mean()) <= _FAR * apart.std() / len(apart) ** 0.5 + DOUBLE)


def _encoded(
    prepared: Prepared,
    values: Mapping[str, Array],
    targets: Mapping[str, Floats],
    over: list[tuple[str, ...]],
) -> Iterator[Prepared]:
    exact = exactness(values)
    on_train = _missed(values, targets, ("train",), exact)
    if not exact or not on_train:
        return
    for splits in over:
        if _missed(values, targets, splits, exact) == 0:
            yield Prepared(prepared.name, prepared.how, splits)


def _missed(
    values: Mapping[str, Array], targets: Mapping[str, Floats], over: tuple[str, ...], exact: float
) -> int:
    """How many of the values are not the mean target of their rows."""
    cells = np.concatenate([values[name] for name in over]).astype(np.float64)
    coded = np.concatenate([targets[name] for name in over])
    known = np.isfinite(cells) & np.isfinite(coded)
    unique, inverse = np.unique(cells[known], return_inverse=True)
    places = inverse.reshape(-1)
    means = np.bincount(places, coded[known]) / np.maximum(np.bincount(places), 1)
    return int((np.abs(means - unique) > exact * max(float(coded[known].std()), 1e-300)).sum())


def why_not(splits: Splits) -> str:
    """Why encodings cannot be told from these columns, or nothing."""
    reason = why_no_columns(splits) or why_no_order(splits)
    return reason or ("" if any(numbers_by_split(splits)) else "no column holds fractions")
