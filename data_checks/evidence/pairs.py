"""Do two columns together give the target away, of which neither does alone?

Their sum, difference, product and ratio, whether they are equal, and which pair of categories they are. A few
rows suffice to see that nearly all pairs of columns do not; what is left is read as a column is.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.columns import Column, Pool, pool, why_no_columns, width
from data_checks.evidence.concordance import NEARLY, Floats, enough_classes, order_by, why_no_order
from data_checks.evidence.proxies import Proxy, best, order_categories
from data_checks.evidence.table import Evidence, by_split
from data_checks.splits import Array, Splits

FEWEST, MOST = 3, 40
_ROWS = 2000
_FIRST_ROWS = 80
_FIRST_SHARE = 0.95
_CATEGORIES = 20
_PAIRS_AT_ONCE = 128

_TOGETHER: dict[str, Callable[[Floats, Floats], Floats]] = {
    "the sum of {} and {}": np.add,
    "the difference of {} and {}": np.subtract,
    "the product of {} and {}": np.multiply,
    "the ratio of {} to {}": np.divide,
    "whether {} equals {}": lambda left, right: (left == right).astype(float),
}


@dataclass(frozen=True, eq=False)
class Coded:
    """A column as numbers (n,), hashes where it is text, and as categories (n,) where they are few."""

    name: str
    numbers: Floats
    is_text: bool
    categories: NDArray[np.intp] | None


def measure(splits: Splits) -> Evidence:
    """`proxy_pairs`: how many pairs of columns give the target away, of train's rows; the facts name them."""
    rows = pool(splits, _ROWS)
    columns = [coded(column) for column in rows.columns() if best(column, rows).reading.share < NEARLY]
    read = [*_by_numbers(columns, rows), *_by_categories(columns, rows)]
    told = sorted((proxy for proxy in read if proxy.reading.fully), key=lambda p: -p.reading.share)
    flags = by_split(splits, lambda name, split: len(told) * (name == "train"))
    return Evidence({"proxy_pairs": flags}, tuple(told))


def why_not(splits: Splits) -> str:
    """Why pairs of columns are not looked at, or nothing."""
    reason = why_no_columns(splits) or why_no_order(splits)
    if not reason and width(splits.train) < FEWEST:
        return "the only pair of columns is the whole input, from which the target should follow"
    if not reason and width(splits.train) > MOST:
        return f"of more than {MOST} columns there are too many pairs"
    return reason


def coded(column: Column) -> Coded:
    """The column as numbers and as categories."""
    import pandas as pd

    values = column.numbers if column.texts is None else column.texts
    codes, unique = pd.factorize(np.asarray(values), use_na_sentinel=False)
    categories = np.asarray(codes, np.intp) if len(unique) <= _CATEGORIES else None
    if column.texts is None:
        return Coded(column.name, np.asarray(values, np.float64), is_text=False, categories=categories)
    hashes = pd.util.hash_array(column.texts, categorize=False).astype(np.float64)
    return Coded(column.name, np.where(column.missing, np.nan, hashes), is_text=True, categories=categories)


def _by_numbers(columns: list[Coded], rows: Pool) -> Iterator[Proxy]:
    first = _first_rows(rows.targets)
    if first is None:
        return
    table = np.stack([column.numbers for column in columns], axis=1) if columns else np.empty((0, 0))
    for how, together in _TOGETHER.items():
        pairs = [p for p in itertools.combinations(range(len(columns)), 2) if _makes_sense(how, columns, p)]
        for left, right in _promising(table, pairs, together, first):
            with np.errstate(all="ignore"):
                values = together(table[:, left], table[:, right])
            said = how.format(columns[left].name, columns[right].name)
            yield Proxy(said, "", order_by(values, rows.targets))


def _makes_sense(how: str, columns: list[Coded], pair: tuple[int, int]) -> bool:
    """Texts can be equal, and that is all."""
    texts = sum(columns[place].is_text for place in pair)
    return texts == 0 or (texts == 2 and "equals" in how)


def _first_rows(targets: Array) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats] | None:
    """Two sets of a few rows (n,), and which way each pair of them is ordered by its targets (n, n)."""
    if targets.dtype.kind == "f":
        finite = np.flatnonzero(np.isfinite(targets))[: 2 * _FIRST_ROWS]
        left, right = finite[::2], finite[1::2]
    else:
        # The worst two classes decide, so that any two may rule a pair of columns out.
        labels = enough_classes(targets)[:2]
        left, right = (np.flatnonzero(targets == label)[:_FIRST_ROWS] for label in (labels * 2)[:2])
    higher = np.sign(targets[left].astype(float)[:, None] - targets[right].astype(float)[None])
    return (left, right, higher) if higher.any() else None


def _promising(
    table: Floats,
    pairs: list[tuple[int, int]],
    together: Callable[[Floats, Floats], Floats],
    first: tuple[NDArray[np.intp], NDArray[np.intp], Floats],
) -> Iterator[tuple[int, int]]:
    """The pairs of columns that order the first few rows well."""
    left, right, higher = first
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        places = np.array(pairs[start : start + _PAIRS_AT_ONCE])
        with np.errstate(all="ignore"):
            ours = together(table[np.ix_(left, places[:, 0])], table[np.ix_(left, places[:, 1])])
            theirs = together(table[np.ix_(right, places[:, 0])], table[np.ix_(right, places[:, 1])])
            signs = np.sign(ours[:, None] - theirs[None])
        known = np.isfinite(signs) & (higher != 0)[:, :, None]
        agreed = np.where(known, signs * higher[:, :, None], 0).sum((0, 1)) / np.maximum(1, known.sum((0, 1)))
        for place in np.flatnonzero(np.abs(agreed) >= 2 * _FIRST_SHARE - 1):
            yield int(places[place, 0]), int(places[place, 1])


def _by_categories(columns: list[Coded], rows: Pool) -> Iterator[Proxy]:
    few = [(column.name, column.categories) for column in columns if column.categories is not None]
    for (left, ours), (right, theirs) in itertools.combinations(few, 2):
        joint = _joint(ours, theirs)
        if joint.max() < len(joint) // 10:
            yield Proxy(f"the categories of {left} and {right}", "", order_categories(joint, rows))


def _joint(ours: NDArray[np.intp], theirs: NDArray[np.intp]) -> NDArray[np.intp]:
    return np.asarray(np.unique(ours * (_CATEGORIES + 1) + theirs, return_inverse=True)[1].reshape(-1))
