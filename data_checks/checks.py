"""Can these splits be trusted to judge a model?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data_checks.check import ANSWERABLE, Check, Offenders
from data_checks.errors import CannotProceed, DataError
from data_checks.evidence.table import Evidence, name_rows
from data_checks.report import DataReport, Finding, Status
from data_checks.splits import Array, Splits

if TYPE_CHECKING:
    import pandas as pd

    from data_checks.expectations import Judgement

__all__ = ["Check", "Offenders", "check_splits"]


def check_splits(
    splits: Splits,
    checks: Sequence[Check] = (),
    *,
    salt: str = "",
    docs: Path | None = None,
    self_test: bool = True,
    classes: int | None = None,
    needs_validation: bool = True,
) -> DataReport:
    """Ask every check of the splits, and what each of them would have found.

    Args:
        splits: the rows.
        checks: the questions; those of `default_checks` where none are given.
        salt: what the keys of private rows are salted with.
        docs: the folder that Data Docs and `report.html` are written to; None writes nothing.
        self_test: whether known leaks are planted into a copy of the rows to see which are found.
        classes: how many classes the task has, for the default checks; None where that is not known.
        needs_validation: whether validation must have rows; if not, and it has none, nothing is asked of it.

    Returns:
        A finding a check, in their order, and the evidence behind them.

    Raises:
        DataError: two checks of one code, or a split without rows.
    """
    from data_checks.default_checks import default_checks
    from data_checks.expectations import judge_evidence
    from data_checks.page import write_page
    from data_checks.self_test import vouch
    from data_checks.side_by_side import write_pairs

    checks = tuple(checks) or default_checks(classes)
    _refuse_twins(checks)
    _refuse_empty(splits, needs_validation)
    reasons = {check.code: check.applies(splits) for check in checks}
    asked = [check for check in checks if not reasons[check.code]]
    known = _measure(splits, asked, salt)
    judged = [check for check in asked if check.code not in known.raised]
    told = {check.code: _tell(check, known, splits) for check in judged}
    vouched = vouch(splits, judged, known.facts) if self_test else {}
    # What is known of many rows is as large as they are, and no longer needed.
    known.facts.clear()
    judgements = judge_evidence(known.table, judged, public=splits.public, docs=docs)
    findings = [
        _with_word(_find(check, reasons[check.code], known, told, judgements), vouched) for check in checks
    ]
    report = DataReport(tuple(findings), known.table, splits.fingerprints, _left_out(known.table, judged))
    if docs is not None:
        beside = write_pairs(judged, findings, known.table, splits, docs)
        # The page goes where people review runs; of private data, the rows stay here.
        write_page(report, docs / "report.html", splits, beside if splits.public else "")
    return report


def _refuse_twins(checks: Sequence[Check]) -> None:
    codes = [check.code for check in checks]
    twins = sorted({code for code in codes if codes.count(code) > 1})
    if twins:
        raise DataError(f"every check needs a code of its own, got {', '.join(twins)} more than once")


def _refuse_empty(splits: Splits, needs_validation: bool) -> None:
    # Nothing offends where there are no rows, so that every check would pass.
    needed = {"validation": splits.validation} if needs_validation else {}
    empty = [name for name, split in {**splits.named(), **needed}.items() if not len(split)]
    if empty:
        raise DataError(f"{' and '.join(empty)} must have at least one row, got none")


@dataclass(frozen=True, eq=False)
class _Known:
    """The evidence table (a row each of all splits), facts by measure, what went wrong by code."""

    table: pd.DataFrame
    facts: dict[Any, Any]
    raised: dict[str, str]


def _measure(splits: Splits, checks: Sequence[Check], salt: str) -> _Known:
    table = name_rows(splits, salt)
    messages: dict[Any, str] = {}
    facts: dict[Any, Any] = {}
    for check in checks:
        if check.measure not in messages:
            messages[check.measure] = _add_columns(table, facts, check, splits)
    told = {check.code: messages[check.measure] or _unfit(table, check.column) for check in checks}
    return _Known(table, facts, {code: message for code, message in told.items() if message})


def _add_columns(table: pd.DataFrame, facts: dict[Any, Any], check: Check, splits: Splits) -> str:
    """Add what a check measures; the message, if it cannot be measured."""
    try:
        measured = check.measure(splits)
        evidence = measured if isinstance(measured, Evidence) else Evidence(measured)
        columns = {name: np.asarray(column) for name, column in evidence.columns.items()}
    except ANSWERABLE as error:
        return _what_went_wrong(error, public=splits.public)
    facts[check.measure] = evidence.facts
    for name, column in columns.items():
        if name in table or column.shape != (len(table),):
            return f"column {name} must be new and of shape ({len(table)},), got {column.shape}"
        table[name] = _narrow(column)
    return ""


def _what_went_wrong(error: Exception, *, public: bool) -> str:
    """An error in words; of private rows no words of others, who may quote a cell."""
    if isinstance(error, CannotProceed):
        return f"{error}"
    kind = type(error).__name__
    return f"{kind}: {error}" if public else f"{kind}, whose message may hold values of rows"


def _narrow(column: Array) -> Array:
    """Whole numbers (N,) in as few bits as hold them: the evidence of many rows has many columns."""
    if column.dtype.kind not in "iu" or not len(column):
        return column
    return column.astype(np.promote_types(np.min_scalar_type(column.min()), np.min_scalar_type(column.max())))


def _unfit(table: pd.DataFrame, column: str) -> str:
    """Why a column cannot be judged, or nothing."""
    if column not in table:
        return f"nothing measured the column {column}"
    return "" if table[column].dtype.kind in "biuf" else f"column {column} must be true or false, or numbers"


def _find(
    check: Check,
    reason: str,
    known: _Known,
    told: Mapping[str, tuple[int, Finding]],
    judgements: Mapping[str, Judgement],
) -> Finding:
    finding = Finding(check.code, check.title, "error", "It was not judged.")
    if reason:
        return replace(finding, status="not applicable", sentence=f"Not asked: {reason}.")
    if check.code in known.raised:
        return replace(finding, sentence=f"It could not be answered: {known.raised[check.code]}.")
    judgement = judgements.get(check.code)
    if judgement is None or judgement.error:
        return replace(
            finding, sentence=f"It was not judged: {judgement.error if judgement else 'no result'}."
        )
    count, answer = told[check.code]
    if count != judgement.offending:
        counts = f"{judgement.offending:,} rows were counted, and the evidence has {count:,}"
        return replace(finding, sentence=f"It was not judged: {counts}.")
    return replace(answer, status=_status(check, judgement))


def _tell(check: Check, known: _Known, splits: Splits) -> tuple[int, Finding]:
    """How many rows offend, and that in words, with the test rows and the columns that are to blame."""
    rows = known.table[offends(known.table, check)]
    finding = Finding(check.code, check.title, "error", check.clean)
    # Where the evidence is missing, there is nothing to tell; that is found when it is judged.
    if not len(rows) or rows[check.column].isna().any():
        return len(rows), finding
    found = Offenders(rows, known.table, splits, known.facts[check.measure])
    test_rows = rows.loc[rows["split"] == "test", "id"].astype(str) if check.per_row else ()
    names = check.names(found) if check.names else ()
    return len(rows), replace(
        finding, sentence=check.explain(found), rows=tuple(test_rows), columns=tuple(names)
    )


def offends(table: pd.DataFrame, check: Check) -> NDArray[np.bool_]:
    """The rows (N_all,) that a check complains of: asked of, and not "false" or "at most 0"."""
    asked = np.asarray(table["split"] == check.asked_of) if check.asked_of else np.ones(len(table), bool)
    # Written as "not at most" so that NaN, which compares false, offends.
    return np.asarray(asked & ~(np.asarray(table[check.column]) <= 0), dtype=np.bool_)


def _status(check: Check, judgement: Judgement) -> Status:
    if judgement.met and not judgement.offending:
        return "passed"
    if judgement.met or check.severity == "warn":
        return "warned"
    return "failed"


def _with_word(finding: Finding, shares: Mapping[str, Mapping[str, tuple[bool, float]]]) -> Finding:
    tried = shares.get(finding.code)
    if not tried:
        return finding
    return replace(
        finding,
        vouched_for=all(enough for enough, _ in tried.values()),
        share_found=min(share for _, share in tried.values()),
        shares={name: share for name, (_, share) in tried.items()},
    )


def _left_out(table: pd.DataFrame, judged: Sequence[Check]) -> NDArray[np.bool_]:
    test = np.asarray(table["split"] == "test")
    flags = [offends(table, check)[test] for check in judged if check.leaves_out]
    return np.asarray(np.logical_or.reduce([np.zeros(int(test.sum()), bool), *flags]), dtype=np.bool_)
