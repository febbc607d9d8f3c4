"""Is a row judged on that is a train row but for small changes?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from data_checks.check import Check, Offenders, Plant
from data_checks.evidence import index, interpolated, near, one_cell
from data_checks.evidence.schema import form
from data_checks.evidence.table import ByRows, Columns, Part
from data_checks.plants import between_rows, noisy, one_cell_changed
from data_checks.splits import Splits

LEFT_OUT = 0.005


@dataclass(frozen=True, eq=False)
class _Known:
    index: index.Index
    lines: interpolated.Lines


def _fit(splits: Splits) -> _Known:
    known = index.fit(splits)
    return _Known(known, interpolated.fit(known, splits))


def _rows(known: _Known, part: Part) -> Columns:
    return {**near.rows(known.index, part), **interpolated.rows(known.lines, part)}


def _of_planted(known: _Known) -> _Known:
    return replace(known, lines=replace(known.lines, share=1.0))


# One search tree serves both questions.
measure = ByRows(_fit, _rows, _of_planted)


def _say_near(found: Offenders, row: int) -> str:
    evidence = found.rows.loc[[row]].to_dict("records")[0]
    how = f"differs by {evidence['near_distance']:.2g} standard deviations a value"
    if form(found.splits.train).get("inputs", ("", ()))[0] == "whole numbers":
        how = f"values differ by at most {evidence['near_difference']:.3g}"
    return f"{found.name(row)} is {found.name(evidence['near_to'])} re-encoded ({how})"


def _say_twin(found: Offenders, row: int, column: str, how: str) -> str:
    return f"{found.name(row)} {how} {found.name(found.rows.at[row, column])}"


def _say_lines(found: Offenders) -> str:
    said = partial(_say_twin, found, column="interpolated_from", how="lies on a line with another row and")
    share = found.facts.lines.share
    partly = f" (of the {share:.0%} of rows that were looked at)" if share < 1 else ""
    return f"Made between rows{partly}: {found.counted()} ({found.listed(said)}); left out of judging."


def _say_one_cell(found: Offenders) -> str:
    said = partial(_say_twin, found, column="one_cell_of", how="differs in one cell from")
    return f"{found.listed(said)}; left out of judging."


CHECKS = (
    Check(
        "DC120",
        "No near copies in test",
        "Is no test row a train row again but for small changes, such as noise or another encoding?",
        column="near",
        twin="near_to",
        measure=measure,
        explain=lambda found: f"{found.listed(partial(_say_near, found))}; left out of judging.",
        clean="No test row is a slightly changed train row.",
        applies=near.why_not,
        asked_of="test",
        tolerated=LEFT_OUT,
        leaves_out=True,
        # A change that is small beside the typical row is not small beside a row with near neighbours.
        plants=tuple(
            Plant(f"noise of {noise:g} standard deviations", partial(noisy, noise=noise), must_find=0.95)
            for noise in (1e-6, 1e-4, 5e-3)
        ),
    ),
    Check(
        "DC121",
        "No test row with one cell changed",
        "Is no test row a train row in which a single cell was changed?",
        column="one_cell",
        twin="one_cell_of",
        measure=one_cell.measure,
        explain=_say_one_cell,
        clean="No test row differs from a train row in a single cell, where that is unusual.",
        applies=one_cell.why_not,
        asked_of="test",
        tolerated=LEFT_OUT,
        leaves_out=True,
        plants=(Plant("one cell changed", one_cell_changed, must_find=0.9),),
    ),
    Check(
        "DC122",
        "No test row made from train rows",
        "Does no test row lie exactly between train rows, or a train row between it and another?",
        column="interpolated",
        twin="interpolated_from",
        measure=measure,
        explain=_say_lines,
        clean="No test row lies on a straight line with two of its nearest train rows.",
        applies=interpolated.why_not,
        asked_of="test",
        tolerated=LEFT_OUT,
        leaves_out=True,
        plants=(Plant("rows between two train rows", between_rows, must_find=0.9),),
    ),
)
