"""The four benchmarks: make the cases, ask everybody, print the answers."""

from __future__ import annotations

import itertools
import math
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from leakage import pictures, scale, tables, texts
from leakage.case import Case, write_case
from leakage.print_tables import number, print_rows
from leakage.results import (
    print_alarms,
    print_beside,
    print_clean,
    print_costs,
    print_errors,
    print_found,
    print_sets,
)
from leakage.scores import Trial, found
from leakage.tools import OURS, TOOLS, Answer, Tool, ask

HASH = Tool("hash, lookup", "run_hash", ("scale",))
MATMUL = Tool("matmul", "run_matmul", ("pictures",))
SELF_TEST = replace(OURS, name="ours, self-test", words=("self-test",))


@dataclass(frozen=True)
class Settings:
    """How much is asked, of whom, and how long an answer may take.

    Args:
        quick: few cases.
        full: ten million rows too.
        peers: where the peers' environments are, or None without them.
        threads: of each tool.
        limit: seconds for one answer.
    """

    quick: bool
    full: bool
    peers: Path | None
    threads: int
    limit: float

    def tools(self, area: str) -> list[Tool]:
        return [tool for tool in TOOLS if area in tool.areas and (self.peers or not tool.environment)]


def run_tables(settings: Settings) -> None:
    tools, splits, seeds = settings.tools("tables"), 10 if settings.quick else 200, 1 if settings.quick else 5
    clean = [("", tables.clean_case(name, seed)) for name in tables.SETS for seed in range(splits)]
    planted = [
        pair
        for make in (tables.planted_cases, tables.group_cases, tables.column_cases)
        for seed in range(seeds)
        for pair in make(seed)
    ]
    told = _ask_all(planted, tools, settings)
    print_found("Tables: the share of the leaks that is found, mean of the sets", told, tools, leak=True)
    print_sets(told)
    print_beside(told, tools)
    honest = _ask_all(clean, tools, settings)
    print_clean(honest, tools)
    print_alarms(honest, tools)
    print_errors([*told, *honest], tools)


def run_pictures(settings: Settings) -> None:
    if not pictures.FOLDER.is_dir():
        print(f"Pictures: not measured, {pictures.FOLDER} is not here (Debian: dataset-fashion-mnist)")
        return
    tools = settings.tools("pictures")
    _print_one("Pictures", pictures.picture_case(settings.quick), tools, [*tools, MATMUL], settings)


def run_text(settings: Settings) -> None:
    tools = settings.tools("text")
    trials = []
    for seed in range(1 if settings.quick else 5):
        case = texts.text_case(seed)
        trials += _by_kind(case, _ask_all([("", case)], tools, settings)[0].answers)
    print_found("Text: the share of the taken documents that is found", trials, tools)
    print_costs(trials, tools, [])


def run_scale(settings: Settings) -> None:
    sizes = [
        10_000,
        100_000,
        *([] if settings.quick else [1_000_000]),
        *([10_000_000] if settings.full else []),
    ]
    deepchecks = [tool for tool in settings.tools("tables") if tool.name == "deepchecks"]
    tools = [HASH, OURS, SELF_TEST, *deepchecks]
    # A million rows take deepchecks 4 GB.
    asked = {size: tools if size <= 1_000_000 else tools[:3] for size in sizes}
    rows = {size: _ask_all([("exact", scale.scale_case(size))], asked[size], settings)[0] for size in sizes}
    print(f"\nScale: tables of {scale.COLUMNS} columns, a fifth of the rows in test, 100 of them train rows")
    heads = ("rows", "tool", "seconds", "to hash", "exponent", "MB more", "of data", "found")
    print_rows(heads, [_scale_line(rows, size, tool.name) for size in sizes for tool in asked[size]])
    print_errors(list(rows.values()), tools)


def _scale_line(rows: dict[int, Trial], size: int, tool: str) -> list[str]:
    answer, hashed = rows[size].answers[tool], rows[size].answers[HASH.name]
    smaller = rows[size // 10].answers[tool] if size // 10 in rows else Answer()
    # The exponent of n log n: 1 where ten times the rows take ten times as long, and a little.
    growth = math.log(10) + math.log(math.log(size) / math.log(size / 10))
    exponent = math.log(answer.seconds / smaller.seconds) / growth
    more = answer.peak_mb - answer.before_mb
    return [
        f"{size:,}",
        tool,
        number(answer.seconds),
        number(answer.seconds / hashed.seconds),
        number(exponent),
        number(more),
        number(more / scale.megabytes(size)),
        answer.error or number(found(rows[size], tool)),
    ]


def _ask_all(pairs: Iterable[tuple[str, Case]], tools: Sequence[Tool], settings: Settings) -> list[Trial]:
    """A trial a case, in which every tool that has answered has an answer."""
    pairs = list(pairs)
    with tempfile.TemporaryDirectory() as place:
        folders = [write_case(case, Path(place) / f"{i:05}") for i, (_, case) in enumerate(pairs)]
        answers: list[dict[str, Answer]] = [{} for _ in pairs]
        for tool in tools:
            asked = _asked_of(tool, pairs)
            print(f"asking {tool.name} of {len(asked):,} cases", file=sys.stderr)
            told = ask(
                tool, [folders[i] for i in asked], settings.peers or Path(), settings.threads, settings.limit
            )
            for i, answer in zip(asked, told, strict=True):
                answers[i][tool.name] = answer
    return [Trial(kind, case, known) for (kind, case), known in zip(pairs, answers, strict=True)]


def _asked_of(tool: Tool, pairs: Sequence[tuple[str, Case]]) -> list[int]:
    """The places of the cases that a tool is asked of: all, but of clean splits no more than it takes."""
    seen: dict[str, itertools.count[int]] = {}
    clean = {
        i: next(seen.setdefault(c.name, itertools.count())) for i, (kind, c) in enumerate(pairs) if not kind
    }
    return [i for i in range(len(pairs)) if clean.get(i, 0) < tool.clean_splits]


def _by_kind(case: Case, answers: dict[str, Answer]) -> list[Trial]:
    """One trial a kind of a case that has several, so that each is counted by itself."""
    return [Trial(kind, case, answers) for kind in case.planted]


def _print_one(
    title: str, case: Case, tools: Sequence[Tool], asked: Sequence[Tool], settings: Settings
) -> None:
    trials = _by_kind(case, _ask_all([("", case)], asked, settings)[0].answers)
    print(f"\n{title}: {case.name}, {len(case.train):,} train and {len(case.test):,} test rows")
    print_found("The share of the changed pictures that is found", trials, tools)
    print_costs(trials, tools, [MATMUL])
