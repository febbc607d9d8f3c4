"""wdgate's own checks, through the public call alone."""

from __future__ import annotations

import sys
from typing import Any

# Imported with the first call otherwise: everybody's imports are left out of the seconds.
import great_expectations  # noqa: F401
import numpy as np
import pandas as pd

from data_checks.checks import check_splits
from data_checks.report import Finding
from data_checks.splits import Split, Splits
from leakage.case import GROUP, TARGET, Case, answer_cases, inputs_of

# They name rows, but not because a row was learned from: form, targets that differ, copies inside a split,
# neighbours that disagree.
NOT_LEAKS = ("DC10", "DC111", "DC112", "DC180")


def answer(case: Case) -> dict[str, Any]:
    train, test = (_split(case, name) for name in ("train", "test"))
    none = train.take(np.empty(0, np.intp))
    splits = Splits(train, none, test, public=True)
    report = check_splits(splits, self_test="self-test" in sys.argv, needs_validation=False)
    told = [finding for finding in report.findings if finding.status in ("failed", "warned", "error")]
    rows = {int(row) for finding in told if not finding.code.startswith(NOT_LEAKS) for row in finding.rows}
    return {"rows": rows, "alarms": {finding.code: _blamed(finding) for finding in told}}


def _blamed(finding: Finding) -> list[str]:
    """The columns to blame, or how many rows, or why there is no answer."""
    if finding.status == "error":
        return [f"error: {finding.sentence}"]
    return list(finding.columns) or ([f"{len(finding.rows)} rows"] if finding.rows else [])


def _split(case: Case, name: str) -> Split:
    rows = getattr(case, name)
    if not isinstance(rows, pd.DataFrame):
        columns = {f"x{i:02}": column for i, column in enumerate(rows)} if case.area == "scale" else rows
        return Split(columns, case.targets[name])
    inputs = {column: _array(rows[column]) for column in inputs_of(rows)}
    return Split(inputs, _array(rows[TARGET]), groups=_array(rows[GROUP]) if GROUP in rows else None)


def _array(column: pd.Series) -> Any:
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy()
    return np.array(column.tolist(), dtype=str)


if __name__ == "__main__":
    answer_cases(answer)
