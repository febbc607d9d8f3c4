"""What is one question about data, how is it measured, and what does an answer do?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from data_checks.errors import CannotProceed, DataError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from data_checks.evidence.table import Evidence
    from data_checks.splits import Array, Split, Splits

_LISTED = 3
# What data can do to a measurement that nobody expected. What is none of these travels up.
ANSWERABLE = (CannotProceed, ArithmeticError, LookupError, TypeError, ValueError)


@dataclass(frozen=True, eq=False)
class Offenders:
    """The rows that a check is about to complain of.

    Args:
        rows: their rows of the evidence table.
        table: the whole evidence table, for the rows that they are compared with.
        splits: the data.
        facts: what the measure told beside its columns.
    """

    rows: pd.DataFrame
    table: pd.DataFrame
    splits: Splits
    facts: Any = None

    def name(self, position: int) -> str:
        """What a person calls a row: `test row 4998`, or its split and salted key."""
        row = self.table.loc[position]
        return f"{row['split']} row {row['id']}"

    def listed(self, say: Callable[[int], str] | None = None) -> str:
        """The first few rows, each in the words of `say` (its name, if none), and how many more there are."""
        words = [(say or self.name)(position) for position in self.rows.index[:_LISTED].tolist()]
        more = len(self.rows) - len(words)
        return ", ".join(words) + (f" and {more:,} more" if more else "")

    def counted(self) -> str:
        """How many rows of which splits: `2 test rows, 1 validation row`."""
        counts = self.rows["split"].value_counts(sort=False)
        return ", ".join(f"{n:,} {name} row{'s' if n > 1 else ''}" for name, n in counts.items() if n)


def name_them(found: Offenders) -> str:
    """The sentence of a check that brings none of its own."""
    return f"{found.counted()}: {found.listed()}."


def always(splits: Splits) -> str:
    """No reason why a check should not be asked."""
    return ""


@dataclass(frozen=True)
class Plant:
    """A known leak, made of the user's own rows, to see whether a check finds it.

    Args:
        name: the disguise in a few words: `one cell changed`.
        make: gives test rows that all leak in this way, or whole splits that do; None where that cannot be
            made of these rows. It is handed the splits and a generator.
        must_find: the share of the planted rows, above 0 to 1, that a check must find to be vouched for.

    Raises:
        DataError: a must_find that is none.
    """

    name: str
    make: Callable[[Splits, np.random.Generator], Split | Splits | None]
    must_find: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.must_find <= 1:
            raise DataError(f"must_find of {self.name} must be above 0 and at most 1, got {self.must_find}")


@dataclass(frozen=True)
class Check:
    """A question about the data.

    Args:
        code: two to four capital letters and three digits; `DC` is ours.
        title: what is asked, in a few words.
        question: what is asked, in a sentence.
        column: the column of the evidence whose true values, or values above 0, are offending.
        measure: gives columns of evidence, each with a value a row of all splits, in their order.
            An `Evidence` may carry facts besides; a `ByRows` is measured part by part.
        explain: puts the offending rows in a sentence.
        clean: the sentence when there are none.
        severity: whether offending rows stop the run (`fail`) or are only told of (`warn`).
        applies: why the check cannot be asked of these splits; an empty text where it can.
        asked_of: the one split whose rows are judged; all of them, where empty.
        tolerated: the share of the rows asked of that may offend with a warning, from 0 to below 1.
        leaves_out: whether offending test rows are left out of judging.
        per_row: whether a row offends by itself; else its split does, and no row is listed.
        twin: the column of the evidence that has the position of the row that an offending row repeats.
        names: the names of the input columns that are to blame, if it is columns.
        plants: known leaks of this kind, in every disguise that must be found.

    Raises:
        DataError: a code, severity or tolerated that is none.

    Example:
        >>> from data_checks.evidence.table import by_split
        >>> def measure(splits):
        ...     return {"minor": by_split(splits, lambda name, split: split.inputs["age"] < 18)}
        >>> Check("OWN001", "Adults", "Is everybody of age?", "minor", measure).severity
        'fail'
    """

    code: str
    title: str
    question: str
    column: str
    measure: Callable[[Splits], Mapping[str, Array] | Evidence]
    explain: Callable[[Offenders], str] = name_them
    clean: str = "No row offends."
    severity: Literal["fail", "warn"] = "fail"
    applies: Callable[[Splits], str] = always
    asked_of: str = ""
    tolerated: float = 0.0
    leaves_out: bool = False
    per_row: bool = True
    twin: str = ""
    names: Callable[[Offenders], tuple[str, ...]] | None = None
    plants: tuple[Plant, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z]{2,4}\d{3}", self.code):
            raise DataError(f"code must be two to four capital letters and three digits, got {self.code!r}")
        if self.severity not in ("fail", "warn"):
            raise DataError(f"severity of {self.code} must be 'fail' or 'warn', got {self.severity!r}")
        if not 0 <= self.tolerated < 1:
            raise DataError(f"tolerated of {self.code} must be from 0 to below 1, got {self.tolerated}")

    def as_dict(self) -> dict[str, Any]:
        """What is asked, as plain values, so that it can be recorded and hashed."""
        names = ("code", "title", "question", "column", "severity", "asked_of", "tolerated", "leaves_out")
        return {name: getattr(self, name) for name in names}
