"""Which rows must go so that a model can be judged on the others, and what can no removal mend?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from data_checks.check import Check
from data_checks.checks import offends
from data_checks.evidence.table import first_rows
from data_checks.report import DataReport, Finding
from data_checks.splits import Splits

if TYPE_CHECKING:
    import pandas as pd

_PASSES = 3


@dataclass(frozen=True, eq=False)
class Removal:
    """The rows that leak.

    Args:
        rows: by split, true where a row (N,) leaks; train keeps all of its rows.
        counts: how many rows each finding complains of, by its code.
        unmended: the codes of the findings that no removal of rows would mend, with the reason.
    """

    rows: Mapping[str, NDArray[np.bool_]]
    counts: Mapping[str, int]
    unmended: Mapping[str, str]

    @property
    def total(self) -> int:
        """How many rows leak, in all splits."""
        return sum(int(rows.sum()) for rows in self.rows.values())

    def without(self, splits: Splits) -> Splits:
        """The splits without the rows that leak."""
        kept = {name: split.take(~self.rows[name]) for name, split in splits.named().items()}
        validation = kept.get("validation", splits.validation)
        also = {name: kept[name] for name in splits.also}
        return replace(splits, validation=validation, test=kept["test"], also=also)


def mend(
    splits: Splits, report: DataReport, checks: Sequence[Check], check: Callable[[Splits], DataReport]
) -> tuple[Removal, DataReport]:
    """The rows that leak, and the findings about what is left without them.

    Args:
        splits: the rows.
        report: the findings about them.
        checks: what was asked.
        check: asks the same of other splits.

    Returns:
        The removal, which may be of no rows, and the report on what is left.
    """
    removal = leaking_rows(report, checks, splits)
    # Without its nearest copies a row may be found to be near to others, whom they have hidden.
    for _ in range(_PASSES):
        gone = [name for name, rows in removal.rows.items() if len(rows) and rows.all()]
        if gone or not removal.total:
            return _nothing(removal, gone), report
        left = removal.without(splits)
        found = check(left)
        more = leaking_rows(found, checks, left)
        if not more.total:
            return replace(removal, unmended=more.unmended), found
        removal = _joined(removal, more)
    return removal, found


def _nothing(removal: Removal, gone: Sequence[str]) -> Removal:
    """No rows at all, where removing them would leave a split without any."""
    reasons = {code: f"nothing would be left of {gone[0]}" for code in removal.counts} if gone else {}
    rows = {name: np.zeros_like(rows) for name, rows in removal.rows.items()}
    return Removal(rows, {}, {**removal.unmended, **reasons})


def _joined(removal: Removal, more: Removal) -> Removal:
    """Both removals, of which the second counts its rows without those of the first."""
    rows = {name: leaking.copy() for name, leaking in removal.rows.items()}
    for name, leaking in rows.items():
        leaking[~removal.rows[name]] = more.rows[name]
    counts = {
        code: removal.counts.get(code, 0) + more.counts.get(code, 0)
        for code in {**removal.counts, **more.counts}
    }
    return Removal(rows, counts, more.unmended)


def leaking_rows(report: DataReport, checks: Sequence[Check], splits: Splits) -> Removal:
    """The rows outside train that a failed finding complains of, or that are left out of judging.

    Args:
        report: the findings about the splits.
        checks: what was asked.
        splits: the rows.
    """
    leaking = np.zeros(len(report.evidence), bool)
    counts: dict[str, int] = {}
    unmended: dict[str, str] = {}
    for finding, check, offending in complaints(report, checks):
        reason = _why_stays(finding, check, offending, report.evidence)
        if reason:
            unmended[finding.code] = reason
        else:
            counts[finding.code] = int(offending.sum())
            leaking |= offending
    unmended |= {f.code: "it could not be answered" for f in report.findings if f.status == "error"}
    starts = first_rows(splits)
    rows = {name: leaking[starts[name] : starts[name] + len(s)] for name, s in splits.named().items()}
    return Removal(rows, counts, unmended)


def complaints(report: DataReport, checks: Sequence[Check]) -> list[tuple[Finding, Check, NDArray[np.bool_]]]:
    """The findings that stop a run or leave rows out, each with its check and its rows (N_all,)."""
    asked = {check.code: check for check in checks}
    found = []
    for finding in report.findings:
        check = asked.get(finding.code)
        if check is None or finding.status not in ("failed", "warned"):
            continue
        if finding.status == "failed" or check.leaves_out:
            found.append((finding, check, offends(report.evidence, check)))
    return found


def _why_stays(finding: Finding, check: Check, offending: NDArray[np.bool_], table: pd.DataFrame) -> str:
    """Why removing the rows of a finding would not mend it; empty where it would."""
    if not check.per_row:
        return "it is about all rows"
    if finding.columns:
        shown = ", ".join(finding.columns[:3]) + (", ..." if len(finding.columns) > 3 else "")
        return f"it is about columns ({shown})"
    if (np.asarray(table["split"] == "train") & offending).any():
        return "rows of train are among those that it names, and train keeps its rows"
    return ""


def failing_rows(report: DataReport, checks: Sequence[Check]) -> pd.DataFrame:
    """The rows behind the findings that stop a run or leave rows out, with what each is equal or near to.

    Returns:
        A row a complaint: `split`, `row`, `code`, `title`, `equals`.
    """
    import pandas as pd

    table = report.evidence
    parts = []
    for finding, check, offending in complaints(report, checks):
        rows = table.loc[offending, ["split", "id"]].astype(str).rename(columns={"id": "row"})
        rows["code"], rows["title"], rows["equals"] = finding.code, finding.title, ""
        if check.twin in table and check.per_row:
            positions = table.loc[offending, check.twin].to_numpy(np.intp)
            theirs = table.iloc[np.maximum(positions, 0)]
            told = (
                theirs["split"].astype(str).to_numpy(object)
                + " row "
                + theirs["id"].astype(str).to_numpy(object)
            )
            rows["equals"] = np.where(positions >= 0, told, "")
        parts.append(rows if check.per_row else rows.iloc[:0])
    empty = pd.DataFrame(columns=["split", "row", "code", "title", "equals"])
    return pd.concat([part for part in parts if len(part)] or [empty], ignore_index=True)
