"""Is a row judged on that was learned or chosen from already?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from data_checks.check import Check, Offenders, Plant
from data_checks.evidence import disguised, duplicates
from data_checks.evidence.schema import columns_of
from data_checks.plants import PLANTED_ROWS, some_rows
from data_checks.splits import Array, Split, Splits


def copies(splits: Splits, rng: np.random.Generator) -> Split:
    """Train rows, as they are."""
    return splits.train.take(some_rows(splits.train, rng))


def conflicts(splits: Splits, rng: np.random.Generator) -> Split:
    """Train rows whose targets are others."""
    planted = copies(splits, rng)
    other = planted.targets + 1 if planted.targets.dtype.kind in "iuf" else _negated(planted.targets)
    return replace(planted, targets=other)


def _negated(targets: Array) -> Array:
    return ~targets if targets.dtype.kind == "b" else np.char.add("not ", targets.astype(str))


def repeats(splits: Splits, rng: np.random.Generator) -> Split:
    """Test rows, each twice."""
    return splits.test.take(np.repeat(some_rows(splits.test, rng, PLANTED_ROWS // 2), 2))


_HOW = {1: "spelt or stored otherwise", 2: "rounded", 3: "its columns in another order"}


def respelt(splits: Splits, rng: np.random.Generator) -> Split | None:
    """Train rows whose numbers are text and whose words are spelt otherwise; None where there are none."""
    rows = copies(splits, rng)
    if not isinstance(rows.inputs, np.ndarray | Mapping):
        return None
    columns = columns_of(rows.inputs)
    if any(column.ndim > 2 for column in columns.values()) or not any(map(_is_spelt, columns.values())):
        return None
    spelt = {name: _respelt(column) if _is_spelt(column) else column for name, column in columns.items()}
    return replace(rows, inputs=spelt if isinstance(rows.inputs, Mapping) else spelt["inputs"])


def _is_spelt(column: Array) -> bool:
    return column.dtype.kind not in "bmM"


def _respelt(column: Array) -> Array:
    cells = [cell if cell is None else f" {str(cell).upper()} " for cell in column.reshape(-1).tolist()]
    return np.array(cells, object).reshape(column.shape)


def _say_disguised(found: Offenders) -> str:
    told = found.rows[["disguised_of", "disguised_how"]].to_dict("index")

    def say(row: int) -> str:
        twin, how = told[row]["disguised_of"], _HOW[told[row]["disguised_how"]]
        return f"{found.name(row)} is {found.name(twin)}, {how}"

    return f"Already in an earlier split: {found.counted()} ({found.listed(say)})."


def _say_copies(found: Offenders) -> str:
    twins = found.rows["copied_from"].to_dict()
    return found.listed(lambda row: f"{found.name(row)} is {found.name(twins[row])}")


CHECKS = (
    Check(
        "DC110",
        "No copies across splits",
        "Is no test or validation row equal to a row that was learned or chosen from?",
        column="copied",
        twin="copied_from",
        measure=duplicates.measure,
        explain=lambda found: f"Already in an earlier split: {found.counted()} ({_say_copies(found)}).",
        clean="No test row equals a train or validation row, and no validation row equals a train row.",
        plants=(Plant("copies", copies),),
    ),
    Check(
        "DC111",
        "Equal rows, equal targets",
        "Do rows with equal inputs have equal targets?",
        column="conflicting",
        measure=duplicates.measure,
        explain=lambda found: f"Of another target than an equal row: {found.counted()} ({found.listed()}).",
        clean="Rows with equal inputs have equal targets.",
        severity="warn",
        plants=(Plant("copies with other targets", conflicts),),
    ),
    Check(
        "DC112",
        "No copies inside a split",
        "Does every row stand in its split once?",
        column="repeated",
        measure=duplicates.measure,
        explain=lambda found: f"More than once in their split: {found.counted()} ({found.listed()}).",
        clean="Every row stands in its split once.",
        severity="warn",
        plants=(Plant("rows that stand twice", repeats),),
    ),
    Check(
        "DC113",
        "No disguised copies",
        "Is no test or validation row an earlier row spelt, stored or rounded otherwise?",
        column="disguised",
        twin="disguised_of",
        measure=disguised.measure,
        explain=_say_disguised,
        clean="No test or validation row is an earlier row in another spelling, precision or order.",
        applies=disguised.why_not,
        plants=(Plant("copies spelt and stored otherwise", respelt),),
    ),
)
