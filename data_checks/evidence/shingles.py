"""Which short runs of words does a document have, and in how many others do they stand?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.documents import batches_of
from data_checks.evidence.spelling import plain
from data_checks.splits import Array

Codes = NDArray[np.uint64]
Places = NDArray[np.int64]

# What a shingle weighs that one document has; what many have weighs nothing. Whole numbers, because their
# sums are exact in any order.
FULL_WEIGHT = 1000
# In so many documents a shingle is boilerplate; in small data, in a tenth of the documents.
_COMMON = 20
_FEWEST_COMMON = 4
# Of longer data, a sample of the shingles is kept; the same one of every document.
_MOST_SHINGLES = 1 << 24
_LETTERS_OF_A_WORD = 5

# A sign of a script that is written without blanks is a word, and so is a smiley.
_WORD = re.compile("[぀-ヿ㐀-鿿\u2600-\u27bf\U0001f000-\U0001faff]|[^\\W぀-ヿ㐀-鿿]+")
# More than any document has words, so that a document and a place make one number.
WIDTH = np.int64(1) << 32
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)


@dataclass(frozen=True)
class Manner:
    """How documents are cut into shingles.

    Args:
        short: pairs of neighbouring words and of next but one neighbours, of which a changed word leaves
            half in a text of six words; else runs of three words, which are rarer.
        share: of all shingles that is kept, from 0 to 1.
    """

    short: bool
    share: float

    @property
    def spans(self) -> tuple[tuple[int, ...], ...]:
        """The places of a shingle's words, counted from its first."""
        return ((0, 1), (0, 2)) if self.short else ((0, 1, 2),)


@dataclass(frozen=True, eq=False)
class Shingles:
    """The different shingles of some documents, in the order of the text.

    Args:
        docs: the document of each (n,), counted from 0.
        places: the place of its first word in the document (n,).
        codes: equal where the words are (n,).
    """

    docs: Places
    places: Places
    codes: Codes


def share_kept(letters: int) -> float:
    """The share of the shingles of documents of so many letters in all that an index has room for."""
    return min(1.0, _MOST_SHINGLES * _LETTERS_OF_A_WORD / max(1, letters))


def words_of(text: str) -> list[str]:
    """The words of a text, in one spelling.

    Example:
        >>> words_of("It's  ＮＥＷ: 雨だ!")
        ['it', 's', 'new', '雨', 'だ']
    """
    return _WORD.findall(plain(text))


def cut(texts: list[str], manner: Manner) -> Shingles:
    """The different shingles of some texts; one that comes again in a text is named at its first place."""
    words = [words_of(text) for text in texts]
    lengths = np.array([len(document) for document in words], np.int64)
    codes = _hash_words(list(chain.from_iterable(words)))
    docs = np.repeat(np.arange(len(texts)), lengths)
    places = np.arange(len(codes)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    left = np.repeat(lengths, lengths) - places
    parts = [_span(docs, places, codes, left, span, manner.share) for span in manner.spans]
    return _first_of_each(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _hash_words(words: list[str]) -> Codes:
    from pandas.util import hash_array

    flat = np.empty(len(words), dtype=object)
    flat[:] = words
    return np.asarray(hash_array(flat), np.uint64) if len(words) else np.empty(0, np.uint64)


def _span(
    docs: Places, places: Places, words: Codes, left: Places, span: tuple[int, ...], share: float
) -> tuple[Places, Places, Codes]:
    """The shingles of one span; `left` counts the words from a place to the end of its document."""
    starts = np.flatnonzero(left > span[-1])
    codes = np.zeros(len(starts), np.uint64)
    for factor, step in zip(_FACTORS, span, strict=False):
        # Equal words one and two places apart make equal shingles: a word put in between changes no pair.
        codes = (codes ^ (codes >> np.uint64(29))) * _FACTORS[0] + words[starts + step] * factor
    codes ^= codes >> np.uint64(32)
    if share < 1:
        kept = codes < np.uint64(int(share * 2**64))
        starts, codes = starts[kept], codes[kept]
    return docs[starts], places[starts], codes


def _first_of_each(docs: Places, places: Places, codes: Codes) -> Shingles:
    """In the order of the text, and one that comes again in a document only at its first place."""
    order = np.argsort(docs * WIDTH + places, kind="stable")
    docs, places, codes = docs[order], places[order], codes[order]
    # One number a document and code, to sort by one instead of by two.
    both = codes + docs.astype(np.uint64) * _FACTORS[1]
    kept = np.sort(np.unique(both, return_index=True)[1])
    return Shingles(docs[kept], places[kept], codes[kept])


@dataclass(frozen=True, eq=False)
class Index:
    """The documents that have each shingle.

    Args:
        manner: how they were cut.
        codes: of the different shingles (U,), rising.
        starts: where the documents of each begin among `docs` (U + 1,).
        docs: rows of documents (n,), shingle by shingle.
        weights: how much each shingle tells (U,), from 0 to `FULL_WEIGHT`.
        totals: the weight of all shingles of each document (N,).
    """

    manner: Manner
    codes: Codes
    starts: Places
    docs: NDArray[np.int32]
    weights: Places
    totals: Places

    def find(self, codes: Codes) -> Places:
        """The place of each code (n,) among the index's, or -1."""
        if not len(self.codes):
            return np.full(len(codes), -1)
        # What is looked up in order is found in less than half of the time.
        order = np.argsort(codes)
        places = np.empty(len(codes), np.int64)
        places[order] = np.minimum(np.searchsorted(self.codes, codes[order]), len(self.codes) - 1)
        return np.where(self.codes[places] == codes, places, -1)


def index_texts(column: Array, others: list[Array], manner: Manner) -> Index:
    """The shingles of a column (N,) of documents, weighed by how few documents have them.

    A shingle that `d` documents have weighs `1 - ln d / ln c` of the full weight, and nothing from `c` on.

    Args:
        column: the documents.
        others: of other splits: what is boilerplate among them is boilerplate too.
        manner: how to cut them.
    """
    codes, docs = _postings(column, manner)
    new = np.concatenate([[True] * bool(len(codes)), codes[1:] != codes[:-1]]).astype(bool)
    starts = np.append(np.flatnonzero(new), len(codes))
    known, counts = codes[new], np.diff(starts)
    index = Index(manner, known, starts, docs, np.empty(0, np.int64), np.empty(0, np.int64))
    for other in others:
        counts = np.maximum(counts, _count(index, other))
    common = min(_COMMON, max(_FEWEST_COMMON, len(column) // 10))
    weights = np.round(FULL_WEIGHT * (1 - np.log(np.maximum(counts, 1)) / np.log(common)))
    weights = np.maximum(weights, 0).astype(np.int64)
    totals = np.bincount(docs, np.repeat(weights, np.diff(starts)), len(column)).astype(np.int64)
    return Index(manner, known, starts, docs, weights, totals)


def _postings(column: Array, manner: Manner) -> tuple[Codes, NDArray[np.int32]]:
    """The code and the row of every shingle of every document, by code, then by row."""
    codes, docs = [np.empty(0, np.uint64)], [np.empty(0, np.int32)]
    for start, texts in batches_of(column):
        shingles = cut(texts, manner)
        codes.append(shingles.codes)
        docs.append((shingles.docs + start).astype(np.int32))
    flat = np.concatenate(codes)
    codes.clear()
    order = np.argsort(flat, kind="stable")
    return flat[order], np.concatenate(docs)[order]


def _count(index: Index, column: Array) -> Places:
    """How many documents of another column have each of the index's shingles (U,)."""
    counts = np.zeros(len(index.codes), np.int64)
    for _, texts in batches_of(column):
        found = index.find(cut(texts, index.manner).codes)
        counts += np.bincount(found[found >= 0], minlength=len(counts))
    return counts
