"""How much of what leaks did a tool find, and how much else did it flag?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean

from leakage import disguises
from leakage.case import Case
from leakage.tools import OURS, Answer, Tool

# What must be complained of where it is columns that leak, by tool; what is absent here is not asked of it.
ALARMS = {
    "pooled scaler": {"ours": ("DC16",)},
    "pooled range": {"ours": ("DC16",)},
    "target proxy": {"ours": ("DC15",), "deepchecks": ("label correlation",)},
    "shifted column": {
        "ours": ("DC17",),
        "deepchecks": ("feature drift", "multivariate drift"),
        "KS .05": ("shift",),
    },
}
# The column that ours must name.
BLAMED = {"target proxy": disguises.PROXY}
# Who is asked of a kind at all; all who name rows, where it is not here.
ASKED_OF = {**ALARMS, "shared groups": ("ours", "deepchecks"), "respelt groups": ("ours", "deepchecks")}
NAME_NO_ROWS = ("KS .05",)


@dataclass(frozen=True, eq=False)
class Trial:
    """One case of one kind of leak (none, where it is empty), and what each tool answered."""

    kind: str
    case: Case
    answers: dict[str, Answer]


def found(trial: Trial, tool: str) -> float:
    """The share of the leak that was found, 0 to 1; nan where nobody asks the tool for it."""
    answer, planted = trial.answers.get(tool), trial.case.planted[trial.kind]
    if answer is None or tool not in ASKED_OF.get(trial.kind, (tool,)) or (planted and tool in NAME_NO_ROWS):
        return math.nan
    if planted:
        return len(answer.rows & set(planted)) / len(planted)
    told = [blamed for name, blamed in answer.alarms.items() if name.startswith(ALARMS[trial.kind][tool])]
    column = BLAMED.get(trial.kind) if tool == OURS.name else None
    return float(any(column is None or column in blamed for blamed in told))


def false_rows(trial: Trial, tool: str) -> set[int]:
    return set(trial.answers[tool].rows & trial.case.honest)


def average(values: Iterable[float]) -> float:
    """The mean of those that are known; nan where none is."""
    known = [value for value in values if not math.isnan(value)]
    return mean(known) if known else math.nan


def errors(trials: Sequence[Trial], tools: Sequence[Tool]) -> list[str]:
    """What could not be answered, a line a message."""
    said: dict[tuple[str, str], list[str]] = {}
    for trial in trials:
        where = f"{trial.kind} {trial.case.name}".strip()
        for tool, answer in trial.answers.items():
            inner = [f"{code} {words[0]}" for code, words in answer.alarms.items() if _is_error(tool, words)]
            for message in [*([answer.error] if answer.error else []), *inner]:
                said.setdefault((tool, message[:150]), []).append(where)
    return [
        f"{tool}: {message} ({len(places)} cases, first {places[0]})"
        for (tool, message), places in said.items()
    ]


def _is_error(tool: str, words: Sequence[str]) -> bool:
    return tool == OURS.name and bool(words) and words[0].startswith("error:")
