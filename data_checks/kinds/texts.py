"""Is a document judged on that is a train document in other words, or that quotes one?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from data_checks.check import Check, Offenders, Plant
from data_checks.evidence import texts
from data_checks.evidence.documents import text_columns, text_of
from data_checks.evidence.schema import columns_of
from data_checks.evidence.shingles import Manner, cut
from data_checks.evidence.table import first_rows
from data_checks.plants import PLANTED_ROWS, bare, some_rows
from data_checks.splits import Array, Inputs, Split, Splits, read_inputs

_SAMPLE_ROWS = 2000
# Of fewer words, a changed one may have been all that there was to tell a text by.
_FEWEST_WORDS = 10
_CHANGED_SHARE = 0.05
_QUOTED_WORDS = 30
_OWN = 0.8
_SHOWN_WORDS = 10


@dataclass(frozen=True, eq=False)
class Documents:
    """Some documents of train.

    Args:
        column: its name.
        rows: of train (n,).
        texts: what they hold (n,).
    """

    column: str
    rows: NDArray[np.intp]
    texts: list[str]

    def kept(self, places: list[int]) -> Documents:
        """Some of them."""
        return Documents(
            self.column, self.rows[np.array(places, np.intp)], [self.texts[place] for place in places]
        )


def _documents(train: Split, rng: np.random.Generator, words: int) -> Documents | None:
    """A sample of train's longest texts, each of so many words at least."""
    some = some_rows(train, rng, _SAMPLE_ROWS)
    held = {name: _cells(train, name, some) for name in text_columns(train.take(some))}
    if not held:
        return None
    column = max(held, key=lambda name: sum(map(len, held[name])))
    long = [place for place, text in enumerate(held[column]) if len(text.split()) >= words]
    return Documents(column, some, held[column]).kept(long) if long else None


def _cells(split: Split, name: str, rows: NDArray[np.intp]) -> list[str]:
    return [text_of(cell) for cell in columns_of(read_inputs(split.inputs, rows))[name]]


def _with_texts(split: Split, name: str, rows: NDArray[np.intp], changed: list[str]) -> Split:
    """The rows with other texts in one column."""
    column = np.empty(len(changed), dtype=object)
    column[:] = changed
    read = read_inputs(split.inputs, rows)
    inputs: Inputs = column if isinstance(read, np.ndarray) else {**read, name: column}
    return bare(split, rows, inputs)


def reworded(splits: Splits, rng: np.random.Generator, share: float, words: int) -> Split | None:
    """Train documents, a share of whose words, or one, are words of other documents.

    Args:
        splits: the rows.
        rng: chooses the documents and the words.
        share: of the words; one at least.
        words: that a document has at least.
    """
    found = _documents(splits.train, rng, words)
    if found is None:
        return None
    vocabulary = " ".join(found.texts[:PLANTED_ROWS]).split()
    found = found.kept(list(range(min(PLANTED_ROWS, len(found.texts)))))
    changed = [_change(text, rng, share, vocabulary) for text in found.texts]
    return _with_texts(splits.train, found.column, found.rows, changed)


def _change(text: str, rng: np.random.Generator, share: float, vocabulary: list[str]) -> str:
    words = text.split()
    for place in rng.choice(len(words), max(1, round(share * len(words))), replace=False):
        words[place] = vocabulary[rng.integers(len(vocabulary))]
    return " ".join(words)


def quoting(splits: Splits, rng: np.random.Generator) -> Split | None:
    """Test documents into which a passage of a train document was put that no other document has."""
    found = _documents(splits.train, rng, _QUOTED_WORDS)
    if found is None:
        return None
    passages = list(_own_passages(found, rng))[:PLANTED_ROWS]
    rows = some_rows(splits.test, rng)[: len(passages)]
    if not len(rows):
        return None
    plain = _cells(splits.test, found.column, rows)
    quoted = [_put_in(text, passage, rng) for text, passage in zip(plain, passages, strict=False)]
    return _with_texts(splits.test, found.column, rows, quoted)


def _own_passages(found: Documents, rng: np.random.Generator) -> Iterator[str]:
    """A passage of each document of nearly all of whose runs of three words no other has one."""
    passages = [_passage(text.split(), rng) for text in found.texts]
    shingles, whole = cut(passages, Manner(short=False, share=1)), cut(found.texts, Manner(False, 1))
    codes, counts = np.unique(whole.codes, return_counts=True)
    own = counts[np.minimum(np.searchsorted(codes, shingles.codes), len(codes) - 1)] == 1
    shares = np.bincount(shingles.docs, own, len(passages)) / (_QUOTED_WORDS - 2)
    yield from (passage for passage, share in zip(passages, shares, strict=True) if share >= _OWN)


def _passage(words: list[str], rng: np.random.Generator) -> str:
    start = rng.integers(len(words) - _QUOTED_WORDS + 1)
    return " ".join(words[start : start + _QUOTED_WORDS])


def _put_in(text: str, passage: str, rng: np.random.Generator) -> str:
    words = text.split()
    place = rng.integers(len(words) + 1)
    return " ".join([*words[:place], passage, *words[place:]])


def _say_twin(found: Offenders, row: int) -> str:
    evidence = found.rows.loc[[row]].to_dict("records")[0]
    share = f"{found.name(row)} shares {evidence['text_overlap']:.0%} of the rare passages"
    said = f"{share} with {found.name(evidence['text_twin'])}"
    # The words of private data stay where they are.
    return said + _shown(found.splits, row, evidence["text_twin"]) if found.splits.public else said


def _shown(splits: Splits, row: int, twin: int) -> str:
    """The first words of the longest passage that two rows share."""
    ours, theirs = _texts_at(splits, row), _texts_at(splits, twin)
    shared = [texts.shared_passage(ours[name], theirs[name]) for name in ours if name in theirs]
    longest: list[str] = max(shared, key=len, default=[])
    more = " ..." if len(longest) > _SHOWN_WORDS else ""
    return f' ("{" ".join(longest[:_SHOWN_WORDS])}{more}")' if longest else ""


def _texts_at(splits: Splits, position: int) -> dict[str, str]:
    name, start = max((s, n) for n, s in first_rows(splits).items() if s <= position)[::-1]
    read = columns_of(read_inputs(splits.named()[name].inputs, np.array([position - start])))
    cells: dict[str, Array] = {name: column for name, column in read.items() if column.ndim == 1}
    return {name: text_of(cell[0]) for name, cell in cells.items() if text_of(cell[0])}


CHECKS = (
    Check(
        "DC127",
        "No reworded or quoted texts in test",
        "Is no test document a train document in other words, and does neither quote the other?",
        column="text_quoted",
        twin="text_twin",
        measure=texts.measure,
        explain=lambda found: (
            f"Known from train in part or in other words: {found.counted()} "
            f"({found.listed(partial(_say_twin, found))})."
        ),
        clean="No test document is a reworded train document or quotes one.",
        severity="warn",
        applies=texts.why_not,
        asked_of="test",
        plants=(
            # Not all: the changed word may be the one that only this document has.
            Plant("a word changed", partial(reworded, share=0, words=_FEWEST_WORDS), must_find=0.9),
            Plant("5 % of words changed", partial(reworded, share=_CHANGED_SHARE, words=20), must_find=0.9),
            Plant("a quoted passage", quoting, must_find=0.9),
        ),
    ),
)
