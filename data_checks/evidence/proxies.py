"""Does a single column give the target away?

Every column is read in each of the ways in which it could: as a number, as a category, by whether it is
missing at all, by the numbers and the words in its text. What is learned of categories and words on one half
of the rows is tried on the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.columns import Column, Pool, pool, sample_rows, why_no_columns
from data_checks.evidence.concordance import (
    NEARLY,
    NOTHING,
    Floats,
    Reading,
    enough_classes,
    order_by,
    order_values,
    surely_at_least,
    why_no_order,
)
from data_checks.evidence.table import Evidence, by_split
from data_checks.splits import Array, Splits

_NUMBERS_IN_TEXT = 3
_TEXT_ROWS = 4000
_WORDS = 2000
_NUMBER = re.compile(r"\d+\.?\d*")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Proxy:
    """A column, and how well it orders rows by their targets in the way in which it does so best."""

    name: str
    how: str
    reading: Reading


def measure(splits: Splits) -> Evidence:
    """What the columns give away, as a property of the rows of all splits.

    Returns:
        `proxies`: how many columns give the target away; `near_proxies`: how many nearly do; of train's
        rows, which stand for all. The facts are a `Proxy` for each of them, the best first.
    """
    rows = pool(splits, sample_rows(splits))
    read = [best(column, rows) for column in rows.columns()]
    told = sorted((p for p in read if p.reading.fully or p.reading.nearly), key=lambda p: -p.reading.share)
    fully = sum(proxy.reading.fully for proxy in told)
    train = by_split(splits, lambda name, split: name == "train")
    return Evidence({"proxies": fully * train, "near_proxies": (len(told) - fully) * train}, tuple(told))


def why_not(splits: Splits) -> str:
    """Why no column can be said to give the target away, or nothing."""
    return why_no_columns(splits) or why_no_order(splits)


def best(column: Column, rows: Pool) -> Proxy:
    """The column in the way in which it says most about the targets."""
    read = [Proxy(column.name, how, reading) for how, reading in readings(column, rows)]
    return max(read, key=lambda p: p.reading, default=Proxy(column.name, "", NOTHING))


def readings(column: Column, rows: Pool) -> Iterator[tuple[str, Reading]]:
    """How well a column orders rows by their targets, in each way in which it can be read."""
    if column.missing.any() and not column.missing.all():
        yield "by whether it is missing", order_by(column.missing.astype(float), rows.targets)
    if column.numbers is not None:
        yield "", order_by(column.numbers, rows.targets)
        codes = _codes(column.numbers)
        if codes.max() < len(codes) // 10:
            yield "by its categories", order_categories(codes, rows)
    if column.texts is not None:
        codes = _codes(column.texts)
        if codes.max() < len(codes) - 1:
            yield "by its categories", order_categories(codes, rows)
        yield from text_readings(column.texts, rows)


def _codes(values: Array) -> NDArray[np.intp]:
    import pandas as pd

    codes, _ = pd.factorize(values, use_na_sentinel=False)
    return np.asarray(codes, np.intp)


def text_readings(texts: Array, rows: Pool) -> Iterator[tuple[str, Reading]]:
    """How well the numbers and the words in texts (n,) order rows by their targets."""
    short = texts[:_TEXT_ROWS].tolist()
    targets = rows.targets[: len(short)]
    numbers = [[float(n) for n in _NUMBER.findall(text)[:_NUMBERS_IN_TEXT]] for text in short]
    for place in range(_NUMBERS_IN_TEXT):
        values = np.array([found[place] if place < len(found) else np.nan for found in numbers])
        yield "by a number in its text", order_by(values, targets)
    if targets.dtype.kind != "f":
        yield "by a word in its text", order_words(short, targets, rows.halves[: len(short)])


def order_categories(codes: NDArray[np.intp], rows: Pool) -> Reading:
    """How well the categories (n,) order rows, by what the targets of the other half of the rows are."""
    if rows.targets.dtype.kind == "f":
        return order_values(_mean_of_others(codes, rows), rows.targets)
    labels = enough_classes(rows.targets)
    counts = _counts(codes, rows, labels)
    worst = Reading(1.0, 1.0) if len(labels) > 1 else NOTHING
    for left in range(len(labels)):
        for right in range(left + 1, len(labels)):
            worst = min(worst, _tell_apart(counts[..., left], counts[..., right]))
            if worst.share < NEARLY:
                return worst
    return worst


def _mean_of_others(codes: NDArray[np.intp], rows: Pool) -> Floats:
    """The mean target (n,) of rows of the same category in the other half; of all, where there is none."""
    finite = np.isfinite(rows.targets)
    means = np.full(len(codes), rows.targets[finite].mean() if finite.any() else 0.0)
    for half in (rows.halves, ~rows.halves):
        learned = ~half & finite
        total = np.bincount(codes[learned], rows.targets[learned], codes.max() + 1)
        count = np.bincount(codes[learned], minlength=codes.max() + 1)
        known = half & (count[codes] > 0)
        means[known] = total[codes[known]] / count[codes[known]]
    return means


def _counts(codes: NDArray[np.intp], rows: Pool, labels: list[int]) -> Floats:
    """How many rows (2, categories, classes) of each half have a category and a class."""
    categories = int(codes.max()) + 1
    counts = np.zeros((2, categories, len(labels)))
    for place, label in enumerate(labels):
        of_label = rows.targets == label
        for half, chosen in enumerate((~rows.halves, rows.halves)):
            counts[half, :, place] = np.bincount(codes[of_label & chosen], minlength=categories)
    return counts


def _tell_apart(left: Floats, right: Floats) -> Reading:
    """How well categories tell two classes apart, from their counts (2, categories) in both halves."""
    pairs = left.sum(1) * right.sum(1)
    if not pairs.all():
        return NOTHING
    scores = (left[::-1] + 0.5) / (left[::-1] + right[::-1] + 1)
    shares = [_weighted_area(scores[half], left[half], right[half]) for half in (0, 1)]
    share = float(np.average(shares, weights=pairs))
    return surely_at_least(share, int(left.sum()), int(right.sum()))


def _weighted_area(scores: Floats, left: Floats, right: Floats) -> float:
    """The share of pairs of a left and a right row whose left one has the higher score; equal ones half."""
    places = np.unique(scores, return_inverse=True)[1].reshape(-1)
    ours, theirs = np.bincount(places, left), np.bincount(places, right)
    below = np.cumsum(theirs) - theirs / 2
    return float((ours * below).sum() / (ours.sum() * theirs.sum()))


def order_words(texts: list[str], targets: Array, halves: NDArray[np.bool_]) -> Reading:
    """How well one word, there or not, tells the two classes apart that words tell apart worst."""
    labels = enough_classes(targets)
    words = [set(_WORD.findall(text)) for text in texts]
    known = _common_words(words)
    if len(labels) < 2 or not known:
        return NOTHING
    shares, sizes = _word_shares(words, known, targets, halves, labels)
    worst = Reading(1.0, 1.0)
    for left in range(len(labels)):
        for right in range(left + 1, len(labels)):
            apart = shares[:, :, left] - shares[:, :, right]
            worst = min(worst, _by_best_word(apart, sizes[:, left].sum(), sizes[:, right].sum()))
            if worst.share < NEARLY:
                return worst
    return worst


def _by_best_word(apart: Floats, left: int, right: int) -> Reading:
    """The word that tells two classes apart best in one half, tried on the other; `apart` (2, words)."""
    chosen = np.abs(apart).argmax(1)
    tried = [np.sign(apart[half, chosen[half]]) * apart[1 - half, chosen[half]] for half in (0, 1)]
    return surely_at_least(0.5 + float(np.mean(tried)) / 2, int(left), int(right))


def _common_words(words: list[set[str]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in words:
        for word in row:
            counts[word] = counts.get(word, 0) + 1
    most = sorted(counts, key=lambda word: (-counts[word], word))[:_WORDS]
    return {word: place for place, word in enumerate(most)}


def _word_shares(
    words: list[set[str]],
    known: dict[str, int],
    targets: Array,
    halves: NDArray[np.bool_],
    labels: list[int],
) -> tuple[Floats, Array]:
    """The share of rows (2, words, classes) of each half that have a word, and how many rows there are."""
    shares = np.zeros((2, len(known), len(labels)))
    sizes = np.zeros((2, len(labels)), int)
    for place, label in enumerate(labels):
        for half in (0, 1):
            rows = np.flatnonzero((targets == label) & (halves == bool(half)))
            found = [known[word] for row in rows for word in words[row] if word in known]
            sizes[half, place] = len(rows)
            shares[half, :, place] = np.bincount(found, minlength=len(known)) / max(1, len(rows))
    return shares, sizes
