"""Honest documents that share boilerplate around prose of their own, and documents taken from train."""

from __future__ import annotations

import ast
import re
import sysconfig
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from leakage.case import TARGET, Case

Rng = np.random.Generator
TRAIN, HONEST, EACH, PARAGRAPHS = 600, 250, 40, 4
FRESH = 0.9

HEADS = (
    "Ticket {n}. Reported by {who} on {day}. Priority: {level}. Component: {part}. Please read the "
    "guidelines for contributors before you answer, and keep the discussion on topic. The report "
    "follows below this line.",
    "From: {who} Date: {day} Subject: notes on {part} ({n}) Dear all, please find below the notes that "
    "were agreed at our last meeting. If anything is missing or wrong, let me know before the end of "
    "the week.",
    "{part}, release {n}. This page was last changed on {day} by {who}. You are reading the "
    "documentation of a version that is under development; for the stable release, choose another "
    "version from the menu.",
)
FEET = (
    "This message and its attachments are confidential and intended only for the person to whom they "
    "are addressed. If you have received it by mistake, please tell {who} and delete it. Printed on "
    "{day}. Reference {n}.",
    "Distributed under the terms of the license, without warranty of any kind, express or implied, "
    "including but not limited to the warranties of merchantability and fitness for a particular "
    "purpose. Build {n}, {level}.",
    "Was this page helpful? Tell us how we can make it better. Questions are answered in the forum; "
    "errors are collected in the tracker under number {n}. Thank you, {who} and the team of {part}.",
)
WHO = ["Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Leslie", "Frances", "Tony", "Margaret"]
PARTS = ["storage", "parser", "network", "scheduler", "interface", "billing", "search", "archive"]


def text_case(seed: int) -> Case:
    """Train documents, honest test documents, and behind them some taken ones of each kind."""
    rng = np.random.default_rng([seed, 301])
    prose = [paragraphs()[i] for i in rng.permutation(len(paragraphs()))]
    bodies = [prose[i : i + PARAGRAPHS] for i in range(0, len(prose) - PARAGRAPHS + 1, PARAGRAPHS)]
    assert len(bodies) >= TRAIN + HONEST, f"{TRAIN + HONEST} documents need more prose than {len(bodies)}"
    documents = [_document(body, rng) for body in bodies[: TRAIN + HONEST]]
    originals = rng.permutation(TRAIN)[: EACH * len(KINDS)]
    rows = list(zip(np.repeat(list(KINDS), EACH), originals, strict=True))
    taken = [
        KINDS[kind](documents[row], bodies[row], documents[-1 - i % HONEST], rng)
        for i, (kind, row) in enumerate(rows)
    ]
    places = {kind: (HONEST + EACH * i + np.arange(EACH)).tolist() for i, kind in enumerate(KINDS)}
    targets = rng.integers(0, 3, TRAIN + HONEST)
    train = pd.DataFrame({"text": documents[:TRAIN], TARGET: targets[:TRAIN]})
    labels = [*targets[TRAIN:], *targets[originals]]
    test = pd.DataFrame({"text": [*documents[TRAIN:], *taken], TARGET: labels})
    return Case("text", "documents", train, test, planted=places)


def _document(body: list[str], rng: Rng) -> str:
    """Prose, in half of the documents below one of three heads, and in half above one of three feet."""
    facts = {
        "n": f"{rng.integers(1000, 99999)}",
        "who": str(rng.choice(WHO)),
        "day": f"{rng.integers(1, 29)}.{rng.integers(1, 13)}.20{rng.integers(10, 27)}",
        "level": str(rng.choice(["low", "normal", "high"])),
        "part": str(rng.choice(PARTS)),
    }
    head, foot = ([str(rng.choice(parts)).format(**facts)] * int(rng.integers(2)) for parts in (HEADS, FEET))
    return "\n\n".join([*head, *body, *foot])


def _respaced(text: str, rng: Rng) -> str:
    """Blanks doubled, broken into lines, or without a break."""
    blanks = np.array(["  ", "\n", "\t", "\N{NO-BREAK SPACE}", " "])
    return "".join(word + str(rng.choice(blanks)) for word in text.split())


def _repunctuated(text: str, rng: Rng) -> str:
    """Typographic signs for plain ones, or none at all."""
    if rng.random() < 0.5:
        return re.sub(r"[^\w\s]", "", text)
    return text.translate({ord("'"): "’", ord('"'): "“", ord("-"): "–", ord("."): " .", ord(","): ";"})


def _reworded(text: str, words: int, rng: Rng) -> str:
    """So many words of the text replaced by others of it."""
    parts = re.split(r"(\w+)", text)
    places = 1 + 2 * rng.permutation(len(parts) // 2)[:words]
    for place in places:
        others = [part for part in parts[1::2] if part.lower() != parts[place].lower()]
        parts[place] = str(rng.choice(others))
    return "".join(parts)


def _quoting(body: list[str], honest: str, rng: Rng) -> str:
    """Another honest document with 40 words of the body inside."""
    words, paragraphs_ = " ".join(body).split(), honest.split("\n\n")
    start = int(rng.integers(max(1, len(words) - 40)))
    quote = " ".join(words[start : start + 40])
    return "\n\n".join([*paragraphs_[:2], quote, *paragraphs_[2:]])


# Of the document, its prose, and an honest document.
KINDS: dict[str, Callable[[str, list[str], str, Rng], str]] = {
    "exact": lambda text, body, honest, rng: text,
    "case": lambda text, body, honest, rng: rng.choice([str.upper, str.lower, str.title])(text),
    "whitespace": lambda text, body, honest, rng: _respaced(text, rng),
    "punctuation": lambda text, body, honest, rng: _repunctuated(text, rng),
    "one word changed": lambda text, body, honest, rng: _reworded(text, 1, rng),
    "5 % of words changed": lambda text, body, honest, rng: _reworded(text, len(text.split()) // 20, rng),
    "boilerplate changed": lambda text, body, honest, rng: _document(body, rng),
    "40 words quoted": lambda text, body, honest, rng: _quoting(body, honest, rng),
}


@cache
def paragraphs() -> tuple[str, ...]:
    """Paragraphs of 12 to 120 words of the standard library's docstrings, that hardly share five words."""
    known: set[str] = set()
    kept = []
    for text in _docstrings():
        for words in (paragraph.split() for paragraph in re.split(r"\n\s*\n", text)):
            grams = [" ".join(words[i : i + 5]).lower() for i in range(len(words) - 4)]
            prose = 12 <= len(words) <= 120 and not any(word in (">>>", "...") for word in words)
            if prose and sum(gram not in known for gram in grams) >= FRESH * len(grams):
                kept.append(" ".join(words))
                known.update(grams)
    return tuple(kept)


def _docstrings() -> Iterator[str]:
    folder = Path(sysconfig.get_paths()["stdlib"])
    apart = {"site-packages", "test", "tests", "lib2to3", "ensurepip"}
    for file in sorted(folder.rglob("*.py")):
        if not apart & set(file.relative_to(folder).parts):
            tree = ast.parse(file.read_bytes())
            nodes = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
            yield from (ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, nodes))
