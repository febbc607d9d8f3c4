"""Which test documents are a train document in other words, or quote one?

Documents are cut into shingles of two or three words, and a shingle tells the more, the fewer documents have
it: mail headers, licences and templates, which many share, tell nothing. A document is reworded when most of
the weight of its shingles, or of the other's, is shared; it quotes when a passage of 25 words is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.schema import columns_of
from data_checks.evidence.shingles import (
    FULL_WEIGHT,
    Index,
    Manner,
    Places,
    Shingles,
    batches_of,
    cut,
    index_texts,
    share_kept,
    text_of,
    words_of,
)
from data_checks.evidence.table import ByRows, Columns, Part
from data_checks.splits import Array, Inputs, Split, Splits, read_inputs

MINIMUM_WORDS = 5
# Below so many words at the median, a changed word leaves too few runs of three words.
SHORT_WORDS = 20
# Columns of fewer different texts are categories, which test shares with train.
_DISTINCT = 0.5
# Of the weight of a document's shingles, and how many shingles of full weight that must be.
REWORDED = 0.5
_FEWEST = 5
# A passage of 25 words has 23 runs of three.
PASSAGE = 23
QUOTED = 0.8
_FEWEST_QUOTED = 12

NOWHERE = -1


@dataclass(frozen=True, eq=False)
class Known:
    """Train's documents: the keys of the rows, and an index by the name of the column."""

    keys: NDArray[np.bytes_]
    indices: Mapping[str, Index]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Documents that share shingles of weight with a train document.

    Args:
        docs: of the judged (n,), rising.
        twins: of train (n,).
        shared: the weight of what they share (n,).
        overlap: that, as a share of the one's or the other's whole weight, the larger (n,).
        quoted: whether a passage is shared nearly whole (n,).
    """

    docs: Places
    twins: Places
    shared: Places
    overlap: NDArray[np.float64]
    quoted: NDArray[np.bool_]

    def offending(self, share: float) -> NDArray[np.bool_]:
        """Which are reworded, or quote; `share` of all shingles was looked at."""
        reworded = (self.overlap >= REWORDED) & (self.shared >= _FEWEST * FULL_WEIGHT * share)
        return np.asarray(reworded | self.quoted)


def fit(splits: Splits) -> Known:
    """An index of every text column of train."""
    train, indices = splits.train, {}
    for name, manner in text_columns(splits.train).items():
        others = [_column(split, name) for other, split in splits.named().items() if other != "train"]
        indices[name] = index_texts(_column(train, name), others, manner)
    return Known(train.keys, indices)


def rows(known: Known, part: Part) -> Columns:
    """What one part's documents are, compared with train's; rows that equal a train row are left out.

    Returns:
        `text_quoted`: a document is a train document in other words, or one of the two quotes the other;
        `text_twin`: the position of that train row among all, or -1;
        `text_overlap`: the share, 0 to 1, of the rare passages of the one that the other has.
    """
    twins, overlap = np.full(len(part.rows), NOWHERE), np.zeros(len(part.rows))
    if part.name not in ("train", "validation") and known.indices:
        asked = np.flatnonzero(~np.isin(part.rows.keys, known.keys))
        for name, index in known.indices.items():
            for start, texts in batches_of(_column(part.rows, name)[asked]):
                _add(known, index, texts, asked[start : start + len(texts)], twins, overlap)
    return {"text_quoted": twins != NOWHERE, "text_twin": twins, "text_overlap": overlap}


measure = ByRows(fit, rows)


def _add(
    known: Known,
    index: Index,
    texts: list[str],
    asked: NDArray[np.intp],
    twins: NDArray[np.intp],
    overlap: NDArray[np.float64],
) -> None:
    """Note the best twin of each text, unless a column before named one that shares more."""
    pairs = compare(index, cut(texts, index.manner))
    offending = pairs.offending(index.manner.share)
    # By what is shared, then by content, so that the order of rows decides nothing.
    order = np.lexsort((known.keys[pairs.twins], -pairs.shared, -pairs.overlap, ~offending, pairs.docs))
    best = order[np.unique(pairs.docs[order], return_index=True)[1]]
    places = asked[pairs.docs[best]]
    better = (offending[best] & (twins[places] == NOWHERE)) | (
        (offending[best] == (twins[places] != NOWHERE)) & (pairs.overlap[best] > overlap[places])
    )
    overlap[places[better]] = pairs.overlap[best[better]]
    twins[places[better]] = np.where(offending[best], pairs.twins[best], NOWHERE)[better]


def compare(index: Index, ours: Shingles) -> Pairs:
    """The documents of train that share enough with some documents to be asked about."""
    found = index.find(ours.codes)
    weights = np.where(found >= 0, index.weights[found] if len(index.weights) else 0, FULL_WEIGHT)
    counts = np.where(
        (found >= 0) & (weights > 0), np.diff(index.starts)[found] if len(index.codes) else 0, 0
    )
    entries = np.repeat(np.arange(len(found)), counts)
    offsets = np.arange(len(entries)) - np.repeat(np.cumsum(counts) - counts, counts)
    twins = index.docs[index.starts[found[entries]] + offsets].astype(np.int64)
    order = np.lexsort((entries, twins, ours.docs[entries]))
    entries, twins = entries[order], twins[order]
    new = _changes(ours.docs[entries]) | _changes(twins)
    pair = np.cumsum(new) - 1
    shared = np.bincount(pair, weights[entries], int(new.sum())).astype(np.int64)
    kept = shared >= min(_FEWEST, _FEWEST_QUOTED) * FULL_WEIGHT * index.manner.share
    inside = kept[pair]
    return _judge(index, ours, weights, entries[inside], twins[inside], shared[kept])


def _judge(
    index: Index, ours: Shingles, weights: Places, entries: Places, twins: Places, shared: Places
) -> Pairs:
    """How much the pairs share, and whether some passage is shared nearly whole."""
    docs = ours.docs[entries]
    new = _changes(docs) | _changes(twins)
    totals = np.bincount(ours.docs, weights, int(ours.docs.max(initial=0)) + 1)
    first = np.flatnonzero(new)
    overlap = np.maximum(
        shared / np.maximum(totals[docs[first]], 1), shared / np.maximum(index.totals[twins[first]], 1)
    )
    passage = _passages(ours, weights, entries, np.cumsum(new) - 1, index.manner.share)
    quoted = np.bincount(np.cumsum(new) - 1, passage, len(first)) > 0
    return Pairs(docs[first], twins[first], shared, overlap, quoted)


def _passages(
    ours: Shingles, weights: Places, entries: Places, pair: Places, share: float
) -> NDArray[np.bool_]:
    """Whether from each shared shingle (n,) on, a passage of 25 words is shared nearly whole."""
    width = np.int64(1) << 32
    spots = ours.docs * width + ours.places
    whole = _sums(weights, spots[entries], spots)
    ends = pair * width + ours.places[entries]
    part = _sums(weights[entries], ends, ends)
    return (part >= QUOTED * whole) & (part >= _FEWEST_QUOTED * FULL_WEIGHT * share)


def _sums(weights: Places, starts: Places, spots: Places) -> Places:
    """The weight of the spots (m,), rising, from each start (n,) to the end of a passage."""
    sums = np.concatenate([[0], np.cumsum(weights)])
    ends = np.searchsorted(spots, starts + PASSAGE)
    return np.asarray(sums[ends] - sums[np.searchsorted(spots, starts)])


def _changes(values: Places) -> NDArray[np.bool_]:
    return np.concatenate([[True] * bool(len(values)), values[1:] != values[:-1]]).astype(bool)


def text_columns(split: Split) -> dict[str, Manner]:
    """The columns that hold texts of five or more words at the median, mostly different ones."""
    found = {}
    for name in _names(split.inputs):
        texts = [text for text in map(text_of, _column(split, name)) if text]
        lengths = np.array([text.count(" ") + 1 for text in texts])
        if not len(lengths) or not np.median(lengths) >= MINIMUM_WORDS:
            continue
        if len(set(texts)) >= _DISTINCT * len(texts):
            letters = sum(len(text) for text in texts)
            found[name] = Manner(bool(np.median(lengths) < SHORT_WORDS), share_kept(letters))
    return found


def _names(inputs: Inputs) -> Iterator[str]:
    """The columns of one text a row; a plain array of texts is one named `inputs`."""
    first = columns_of(read_inputs(inputs, np.arange(1)))
    yield from (
        name for name, column in sorted(first.items()) if column.dtype.kind in "OSU" and column.ndim == 1
    )


def _column(split: Split, name: str) -> Array:
    """The cells of a column (N,); none, where the split lacks it."""
    inputs = split.inputs
    if not isinstance(inputs, np.ndarray | Mapping):
        inputs = read_inputs(inputs, np.arange(len(split)))
    read = columns_of(inputs)
    return read[name] if name in read else np.full(len(split), None)


def why_not(splits: Splits) -> str:
    """Why there is nothing to read in these rows, or nothing."""
    return "" if text_columns(splits.train) else f"no column holds texts of {MINIMUM_WORDS} words or more"


def shared_passage(ours: str, theirs: str) -> list[str]:
    """The longest run of words that two texts share, told from their runs of three.

    Example:
        >>> shared_passage("I say: to be or not to be, here", "He said to be or not to be there")
        ['to', 'be', 'or', 'not', 'to', 'be']
    """
    left, right = words_of(ours), words_of(theirs)
    known = set(zip(right, right[1:], right[2:], strict=False))
    run, best = 0, (0, 0)
    for place, three in enumerate(zip(left, left[1:], left[2:], strict=False)):
        run = run + 1 if three in known else 0
        best = max(best, (run, place + 3), key=lambda found: found[0])
    length, stop = best
    return left[stop - length - 2 : stop] if length else []
