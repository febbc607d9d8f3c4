"""Texts: MinHash (datasketch) of three-word shingles at its usual threshold of .8, or any shared 13 words."""

from __future__ import annotations

import re
import sys
from typing import Any

from datasketch import MinHash, MinHashLSH

from leakage.case import Case, answer_cases, inputs_of

PERMUTATIONS, THRESHOLD, WORDS, GRAM = 256, 0.8, 3, 13


def answer(case: Case) -> dict[str, Any]:
    train, test = (inputs_of(rows).iloc[:, 0].tolist() for rows in (case.train, case.test))
    return {"rows": _by_minhash(train, test) if "minhash" in sys.argv else _by_grams(train, test)}


def _by_minhash(train: list[str], test: list[str]) -> list[int]:
    index, sketches = MinHashLSH(THRESHOLD, PERMUTATIONS), [_sketch(text) for text in train]
    for row, sketch in enumerate(sketches):
        index.insert(row, sketch)
    return [row for row, text in enumerate(test) if _has_twin(index, sketches, _sketch(text))]


def _has_twin(index: MinHashLSH, sketches: list[MinHash], sketch: MinHash) -> bool:
    """Buckets are shared by chance too, so that candidates are compared, as the usual scripts do."""
    return any(sketches[row].jaccard(sketch) >= THRESHOLD for row in index.query(sketch))


def _sketch(text: str) -> MinHash:
    sketch = MinHash(PERMUTATIONS)
    sketch.update_batch([gram.encode() for gram in _grams(text, WORDS)])
    return sketch


def _by_grams(train: list[str], test: list[str]) -> list[int]:
    known = {gram for text in train for gram in _grams(text, GRAM)}
    return [row for row, text in enumerate(test) if known & _grams(text, GRAM)]


def _grams(text: str, words: int) -> set[str]:
    found = re.findall(r"\w+", text.lower())
    return {" ".join(found[i : i + words]) for i in range(max(1, len(found) - words + 1))}


if __name__ == "__main__":
    answer_cases(answer)
