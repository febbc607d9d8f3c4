"""What was found about the data, and may a model be judged on it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import DataCheckFailed

if TYPE_CHECKING:  # pandas takes a third of a second to import, and naming a type needs none of it
    import pandas as pd

Status = Literal["passed", "warned", "failed", "not applicable", "error"]


@dataclass(frozen=True)
class Finding:
    """The answer of one check.

    Args:
        code: the check's stable code, such as `DC110`.
        title: the check's name in a few words.
        status: `error` means that the check raised, which counts as failed.
        sentence: what was found, for a reader who is no specialist.
        rows: ids of the offending test rows; salted keys where the data are private.
        vouched_for: whether the check found the leaks that were planted; None where none can be planted.
        share_found: the share of the planted rows that it found, 0 to 1, in the disguise that it found least.
        shares: the share that it found, by the disguise.
        columns: names of the input columns that are to blame, where it is columns.
    """

    code: str
    title: str
    status: Status
    sentence: str
    rows: tuple[str, ...] = ()
    vouched_for: bool | None = None
    share_found: float | None = None
    shares: Mapping[str, float] = field(default_factory=dict)
    columns: tuple[str, ...] = ()

    @property
    def blocks(self) -> bool:
        """Whether the data may not be used because of this finding."""
        # A list of what lets pass, not of what blocks: a status that nobody thought of blocks.
        return self.status not in ("passed", "warned", "not applicable")

    def as_dict(self) -> dict[str, Any]:
        """The finding as plain values."""
        lists = {"rows": list(self.rows), "columns": list(self.columns), "shares": dict(self.shares)}
        return {**vars(self), **lists}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Finding:
        """The finding that `as_dict` made these values of."""
        return cls(**{**values, "rows": tuple(values["rows"]), "columns": tuple(values["columns"])})


@dataclass(frozen=True, eq=False)
class DataReport:
    """All findings about the splits, with the per-row evidence behind them.

    Args:
        findings: one a check.
        evidence: one row an example of every split.
        fingerprints: the fingerprint of each split by name.
        left_out: (N_test,) true where a test row is too near to a train row to judge a model on.
    """

    findings: tuple[Finding, ...]
    evidence: pd.DataFrame
    fingerprints: Mapping[str, str]
    left_out: NDArray[np.bool_]

    @property
    def passed(self) -> bool:
        """Whether something was asked and nothing blocks; a report that asked nothing has not passed."""
        asked = any(finding.status != "not applicable" for finding in self.findings)
        return asked and not any(finding.blocks for finding in self.findings)

    @property
    def sentence(self) -> str:
        """What stops the run, or that nothing does."""
        blocking = [finding for finding in self.findings if finding.blocks]
        if not self.passed and not blocking:
            return "No check of the data applied, so nothing is known about it."
        if blocking:
            return " ".join(f"{finding.title} ({finding.code}): {finding.sentence}" for finding in blocking)
        passed = sum(finding.status == "passed" for finding in self.findings)
        warned = [finding.code for finding in self.findings if finding.status == "warned"]
        unproven = [finding.code for finding in self.findings if finding.vouched_for is False]
        told = f", {len(warned)} warned ({', '.join(warned)})" if warned else ""
        doubt = f" Not vouched for: {', '.join(unproven)}." if unproven else ""
        return f"{passed} checks of the data passed{told}; none found a reason not to judge on it.{doubt}"

    def raise_if_failed(self) -> None:
        """Raise `DataCheckFailed` with the sentence, unless the report passed."""
        if not self.passed:
            raise DataCheckFailed(self.sentence)

    def as_dict(self) -> dict[str, Any]:
        """The report without its evidence, as plain values: what is recorded and printed as JSON."""
        return {
            "passed": self.passed,
            "sentence": self.sentence,
            "fingerprints": dict(self.fingerprints),
            "left_out": int(self.left_out.sum()),
            "findings": [finding.as_dict() for finding in self.findings],
        }
