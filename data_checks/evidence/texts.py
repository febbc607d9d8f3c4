"""Which test documents are a train document in other words, or quote one?

Documents are cut into shingles of two or three words, and a shingle tells the more, the fewer documents have
it: mail headers, licences and templates, which many share, tell nothing. A document is reworded when most of
the weight of its shingles, or of the other's, is shared; it quotes when a passage of 25 words is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.documents import MINIMUM_WORDS, Size, batches_of, column_of, text_columns
from data_checks.evidence.shingles import (
    FULL_WEIGHT,
    WIDTH,
    Index,
    Manner,
    Places,
    Shingles,
    cut,
    index_texts,
    share_kept,
    words_of,
)
from data_checks.evidence.table import ByRows, Columns, Part
from data_checks.splits import Splits

# Below so many words at the median, a changed word leaves too few runs of three words.
SHORT_WORDS = 20
# Of the weight of a document's shingles, and how many shingles of full weight that must be.
REWORDED = 0.5
# Short texts share half of their words by chance.
REWORDED_SHORT = 0.6
_FEWEST = 5
# A passage of 25 words has 23 runs of three. So many of full weight are asked for that boilerplate which
# four train documents have is no quotation.
PASSAGE = 23
QUOTED = 0.8
_FEWEST_QUOTED = 14

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

    def offending(self, manner: Manner) -> NDArray[np.bool_]:
        """Which are reworded, or quote."""
        enough = self.overlap >= (REWORDED_SHORT if manner.short else REWORDED)
        return np.asarray((enough & (self.shared >= _FEWEST * FULL_WEIGHT * manner.share)) | self.quoted)


def fit(splits: Splits) -> Known:
    """An index of every text column of train."""
    train, indices = splits.train, {}
    for name, size in text_columns(splits.train).items():
        others = [column_of(split, name) for other, split in splits.named().items() if other != "train"]
        indices[name] = index_texts(column_of(train, name), others, manner_of(size))
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
            for start, texts in batches_of(column_of(part.rows, name)[asked]):
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
    offending = pairs.offending(index.manner)
    # By what is shared, then by content, so that the order of rows decides nothing.
    order = np.lexsort((known.keys[pairs.twins], -pairs.shared, -pairs.overlap, ~offending, pairs.docs))
    best = order[np.unique(pairs.docs[order], return_index=True)[1]]
    places, offends, share = asked[pairs.docs[best]], offending[best], pairs.overlap[best]
    before = twins[places] != NOWHERE
    better = (offends & ~before) | ((offends == before) & (share > overlap[places]))
    overlap[places[better]] = share[better]
    twins[places[better]] = np.where(offends, pairs.twins[best], NOWHERE)[better]


def compare(index: Index, ours: Shingles) -> Pairs:
    """The documents of train that share enough with some documents to be asked about."""
    found = index.find(ours.codes)
    weights = np.full(len(found), FULL_WEIGHT)
    weights[found >= 0] = index.weights[found[found >= 0]]
    entries, twins = _meetings(index, ours, np.where(weights > 0, found, NOWHERE))
    new = _changes(ours.docs[entries]) | _changes(twins)
    pair = np.cumsum(new) - 1
    shared = np.bincount(pair, weights[entries], int(new.sum())).astype(np.int64)
    kept = shared >= min(_FEWEST, _FEWEST_QUOTED) * FULL_WEIGHT * index.manner.share
    inside = kept[pair]
    return _judge(index, ours, weights, entries[inside], twins[inside], shared[kept])


def _meetings(index: Index, ours: Shingles, found: Places) -> tuple[Places, Places]:
    """The shingles (m,) that a train document has, and that document, by document, twin and place."""
    known = np.flatnonzero(found >= 0)
    starts = index.starts[found[known]]
    counts = index.starts[found[known] + 1] - starts
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    entries = np.repeat(known, counts)
    twins = index.docs[np.repeat(starts, counts) + offsets].astype(np.int64)
    # Entries are in the order of the text already, and stay so within a pair.
    order = np.argsort(ours.docs[entries] * len(index.totals) + twins, kind="stable")
    return entries[order], twins[order]


def _judge(
    index: Index, ours: Shingles, weights: Places, entries: Places, twins: Places, shared: Places
) -> Pairs:
    """How much the pairs share, and whether some passage is shared nearly whole."""
    docs = ours.docs[entries]
    new = _changes(docs) | _changes(twins)
    first, pair = np.flatnonzero(new), np.cumsum(new) - 1
    totals = np.bincount(ours.docs, weights)[docs[first]] if len(first) else np.empty(0)
    # Not all of them are 0, for then nothing of weight would be shared.
    overlap = shared / np.minimum(totals, index.totals[twins[first]])
    quoted = np.bincount(pair, _passages(ours, weights, entries, pair, index.manner.share), len(first)) > 0
    return Pairs(docs[first], twins[first], shared, overlap, quoted)


def _passages(
    ours: Shingles, weights: Places, entries: Places, pair: Places, share: float
) -> NDArray[np.bool_]:
    """Whether from each shared shingle (n,) on, a passage of 25 words is shared nearly whole."""
    spots = ours.docs * WIDTH + ours.places
    whole = _sums(weights, spots[entries], spots)
    ends = pair * WIDTH + ours.places[entries]
    part = _sums(weights[entries], ends, ends)
    return (part >= QUOTED * whole) & (part >= _FEWEST_QUOTED * FULL_WEIGHT * share)


def _sums(weights: Places, starts: Places, spots: Places) -> Places:
    """The weight of the spots (m,), rising, from each start (n,) to the end of a passage."""
    sums = np.concatenate([[0], np.cumsum(weights)])
    ends = np.searchsorted(spots, starts + PASSAGE)
    return np.asarray(sums[ends] - sums[np.searchsorted(spots, starts)])


def _changes(values: Places) -> NDArray[np.bool_]:
    return np.concatenate([[True] * bool(len(values)), values[1:] != values[:-1]]).astype(bool)


def manner_of(size: Size) -> Manner:
    """How to cut documents of a size."""
    return Manner(size.words < SHORT_WORDS, share_kept(size.letters))


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
