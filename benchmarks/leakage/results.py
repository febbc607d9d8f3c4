"""What was found, what was flagged besides, and what it took, as tables."""

from __future__ import annotations

import math
from collections.abc import Sequence

from leakage import tables
from leakage.print_tables import number, print_rows
from leakage.scores import Trial, average, errors, false_rows, found
from leakage.tools import OURS, Tool


def print_found(title: str, trials: Sequence[Trial], tools: Sequence[Tool], *, leak: bool = False) -> None:
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


def print_sets(trials: Sequence[Trial]) -> None:
    lines = []
    for kind in dict.fromkeys(trial.kind for trial in trials):
        own = [trial for trial in trials if trial.kind == kind]
        by_set = [average(found(t, OURS.name) for t in own if t.case.name == name) for name in tables.SETS]
        lines.append([kind, *map(number, by_set)])
    print("\nTables: ours, set by set")
    print_rows(["kind", *tables.SETS], lines)


def print_beside(trials: Sequence[Trial], tools: Sequence[Tool]) -> None:
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


def print_clean(trials: Sequence[Trial], tools: Sequence[Tool]) -> None:
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


def print_alarms(trials: Sequence[Trial], tools: Sequence[Tool]) -> None:
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


def print_costs(trials: Sequence[Trial], tools: Sequence[Tool], limits: Sequence[Tool]) -> None:
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
        lines.append([tool.name, per, number(seconds), number(seconds / ours), number(peak), number(before)])
    print(f"\nHonest rows flagged per 1,000 (of {honest:,}), and what a case costs")
    print_rows(["tool", "per 1,000", "seconds", "to ours", "peak MB", "before"], lines)
    print_errors(cases, tools)


def print_errors(trials: Sequence[Trial], tools: Sequence[Tool]) -> None:
    for line in errors(trials, tools):
        print(f"  {line}")
