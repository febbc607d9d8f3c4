"""The four benchmarks: make the cases, ask everybody, print what was found."""

from __future__ import annotations

import itertools
import math
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from leakage import pictures, scale, tables, texts
from leakage.case import Case, write_case
from leakage.print_tables import number, print_rows
from leakage.scores import Trial, average, errors, false_rows, found
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
    _print_found("Tables: the share of the leaks that is found, mean of the sets", told, tools, leak=True)
    _print_sets(told)
    _print_beside(told, tools)
    honest = _ask_all(clean, tools, settings)
    _print_clean(honest, tools)
    _print_alarms(honest, tools)
    _print_errors([*told, *honest], tools)


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
    _print_found("Text: the share of the taken documents that is found", trials, tools)
    _print_costs(trials, tools, [])


def run_scale(settings: Settings) -> None:
    sizes = [
        10_000,
        100_000,
        *([] if settings.quick else [1_000_000]),
        *([10_000_000] if settings.full else []),
    ]
    deepchecks = [tool for tool in settings.tools("tables") if tool.name == "deepchecks"]
    tools = [HASH, OURS, SELF_TEST, *deepchecks]
    rows = {size: _ask_all([("", scale.scale_case(size))], tools, settings)[0] for size in sizes}
    print(f"\nScale: tables of {scale.COLUMNS} columns, a fifth of the rows in test, 100 of them train rows")
    heads = ("rows", "tool", "seconds", "to hash", "exponent", "MB more", "of data", "found")
    print_rows(heads, [_scale_line(rows, size, tool.name) for size in sizes for tool in tools])
    _print_errors(list(rows.values()), tools)


def _scale_line(rows: dict[int, Trial], size: int, tool: str) -> list[str]:
    answer, hashed = rows[size].answers[tool], rows[size].answers[HASH.name]
    smaller = rows[size // 10].answers[tool] if size // 10 in rows else Answer()
    # The exponent of n log n: 1 where ten times the rows take ten times as long, and a little.
    growth = math.log(10) + math.log(math.log(size) / math.log(size / 10))
    exponent = math.log(answer.seconds / smaller.seconds) / growth
    more = answer.peak_mb - answer.before_mb
    share = len(answer.rows & set(rows[size].case.planted["exact"])) / scale.PLANTED
    return [
        f"{size:,}",
        tool,
        number(answer.seconds),
        number(answer.seconds / hashed.seconds),
        number(exponent),
        f"{more:.0f}",
        number(more / scale.megabytes(size)),
        answer.error or number(share),
    ]


def _ask_all(pairs: Iterable[tuple[str, Case]], tools: Sequence[Tool], settings: Settings) -> list[Trial]:
    """A trial a case, in which every tool that has answered has an answer."""
    pairs = list(pairs)
    with tempfile.TemporaryDirectory() as place:
        folders = [write_case(case, Path(place) / f"{i:05}") for i, (_, case) in enumerate(pairs)]
        answers: list[dict[str, Answer]] = [{} for _ in pairs]
        for tool in tools:
            asked = _asked_of(tool, pairs)
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
    _print_found("The share of the changed pictures that is found", trials, tools)
    _print_costs(trials, tools, [MATMUL])


def _print_found(title: str, trials: Sequence[Trial], tools: Sequence[Tool], *, leak: bool = False) -> None:
    """A line a kind, a column a tool."""
    lines = []
    for kind in dict.fromkeys(trial.kind for trial in trials):
        own = [trial for trial in trials if trial.kind == kind]
        shares = [average(found(trial, tool.name) for trial in own) for tool in tools]
        known = [number(average(trial.case.leak.get(kind, math.nan) for trial in own))] if leak else []
        lines.append([kind, *known, *map(number, shares)])
    print(f"\n{title}")
    print_rows(["kind", *(["leak"] if leak else []), *(tool.name for tool in tools)], lines)
    if leak:
        print("leak: the share of the planted rows whose original is the train row most like them")


def _print_sets(trials: Sequence[Trial]) -> None:
    lines = []
    for kind in dict.fromkeys(trial.kind for trial in trials):
        own = [trial for trial in trials if trial.kind == kind]
        by_set = [average(found(t, OURS.name) for t in own if t.case.name == name) for name in tables.SETS]
        lines.append([kind, *map(number, by_set)])
    print("\nTables: ours, set by set")
    print_rows(["kind", *tables.SETS], lines)


def _print_beside(trials: Sequence[Trial], tools: Sequence[Tool]) -> None:
    """How many honest rows were flagged where others leaked, by tool, with the kinds that ours did it at."""
    print("\nHonest test rows flagged where others leaked")
    for tool in tools:
        by_kind = [
            (t.kind, t.case.name, len(false_rows(t, tool.name))) for t in trials if tool.name in t.answers
        ]
        asked = sum(len(trial.case.honest) for trial in trials if tool.name in trial.answers)
        worst = sorted((x for x in by_kind if x[2]), key=lambda x: -x[2])[:4]
        where = ", ".join(f"{kind} {name} {count}" for kind, name, count in worst)
        print(f"{tool.name:14}{sum(x[2] for x in by_kind):8,} of {asked:,}  {where}")


def _print_clean(trials: Sequence[Trial], tools: Sequence[Tool]) -> None:
    lines = []
    for name in tables.SETS:
        own = [trial for trial in trials if trial.case.name == name]
        lines.append([name, *(_false_and_all(own, tool) for tool in tools), _seconds(own)])
    print("\nClean splits: honest test rows flagged, of how many splits; and ours in seconds a split")
    print_rows(["set", *(tool.name for tool in tools), "seconds"], lines)


def _false_and_all(trials: Sequence[Trial], tool: Tool) -> str:
    asked = [trial for trial in trials if tool.name in trial.answers]
    return f"{sum(len(false_rows(trial, tool.name)) for trial in asked)} / {len(asked)}"


def _seconds(trials: Sequence[Trial]) -> str:
    return number(average(trial.answers[OURS.name].seconds for trial in trials))


def _print_alarms(trials: Sequence[Trial], tools: Sequence[Tool]) -> None:
    """The share of clean splits at which a tool complains of columns, by complaint and set."""
    lines = []
    for tool in tools:
        own = [trial for trial in trials if tool.name in trial.answers]
        for name in sorted({name for trial in own for name in trial.answers[tool.name].alarms}):
            if tool is OURS and name < "DC110":
                continue  # constant columns and the like, which are there
            lines.append([tool.name, name, *(_share_of(own, tool, name, where) for where in tables.SETS)])
    print("\nClean splits: the share of the splits at which there is a complaint")
    print_rows(["tool", "complaint", *tables.SETS], lines)


def _share_of(trials: Sequence[Trial], tool: Tool, name: str, where: str) -> str:
    asked = [trial for trial in trials if trial.case.name == where]
    return number(average(float(name in trial.answers[tool.name].alarms) for trial in asked))


def _print_costs(trials: Sequence[Trial], tools: Sequence[Tool], limits: Sequence[Tool]) -> None:
    """Honest rows flagged, seconds and memory of cases that all kinds share."""
    cases = list({id(trial.case): trial for trial in trials}.values())
    lines = []
    for tool in [*tools, *limits]:
        flagged = [len(false_rows(trial, tool.name)) for trial in cases]
        honest = sum(len(trial.case.honest) for trial in cases)
        answers = [trial.answers[tool.name] for trial in cases]
        seconds, ours = (
            average(a.seconds for a in answers),
            average(t.answers[OURS.name].seconds for t in cases),
        )
        peak, before = max(a.peak_mb for a in answers), max(a.before_mb for a in answers)
        per = number(1000 * sum(flagged) / honest) if tool not in limits else ""
        lines.append(
            [tool.name, per, number(seconds), number(seconds / ours), f"{peak:.0f}", f"{before:.0f}"]
        )
    print(f"\nHonest rows flagged per 1,000 (of {honest:,}), and what a case costs")
    print_rows(["tool", "per 1,000", "seconds", "to ours", "peak MB", "before"], lines)
    _print_errors(cases, tools)


def _print_errors(trials: Sequence[Trial], tools: Sequence[Tool]) -> None:
    for line in errors(trials, tools):
        print(f"  {line}")
