"""Would the checks have found a leak in these very rows, had there been one?

Known leaks are planted into a copy of the splits: their test rows are replaced by rows that leak in one way,
and measured again. A measure that goes row by row is not fitted again, so that its plants cost next to
nothing. Judging is not repeated: a row offends by its evidence alone, which is all that the judgement counts.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.check import ANSWERABLE, Check
from data_checks.evidence.table import ByRows, Columns, Evidence, Part, first_rows
from data_checks.splits import Split, Splits

Shares = dict[str, tuple[bool, float]]


def vouch(
    splits: Splits, checks: Sequence[Check], facts: Mapping[Any, Any] | None = None, seed: int = 0
) -> dict[str, Shares]:
    """By code and by disguise: whether a check found enough of the planted rows, and the share that it found.

    Args:
        splits: the rows.
        checks: those that applied to these rows and were measured.
        facts: what their measures know of the rows, as far as they were fitted already.
        seed: chooses the rows that are planted.
    """
    known = dict(facts or {})
    tried = {check.code: _try_all(splits, check, known, seed) for check in checks if check.plants}
    return {code: shares for code, shares in tried.items() if shares}


def _try_all(splits: Splits, check: Check, facts: dict[Any, Any], seed: int) -> Shares:
    shares: Shares = {}
    for plant in check.plants:
        # Named, so that another disguise more or less changes nobody else's rows.
        rng = np.random.default_rng([seed, zlib.crc32(plant.name.encode())])
        try:
            planted = plant.make(splits, rng)
            share = None if planted is None else share_found(splits, check, planted, facts)
        except ANSWERABLE:
            # Rows that nobody can plant in, or that cannot be measured once planted: nothing was found.
            share = 0.0
        if share is not None:
            shares[plant.name] = (share >= plant.must_find, share)
    return shares


def share_found(splits: Splits, check: Check, planted: Split | Splits, facts: dict[Any, Any]) -> float:
    """The share of the planted test rows, 0 to 1, that a check complains of.

    A check that says one thing of all rows of a split has found all of them or none.
    """
    if isinstance(planted, Split) and isinstance(check.measure, ByRows):
        if check.measure not in facts:
            facts[check.measure] = check.measure.fit(splits)
        part = Part("test", first_rows(splits)["test"], planted)
        known = facts[check.measure]
        known = check.measure.planted(known) if check.measure.planted else known
        found = _offending(check.measure.rows(known, part), check)
    else:
        whole = planted if isinstance(planted, Splits) else replace(splits, test=planted, also={})
        found = _offending(_columns(check, whole), check)
        asked = check.asked_of or ("test" if check.per_row else "")
        if asked:
            start = first_rows(whole)[asked]
            found = found[start : start + len(whole.named()[asked])]
    return float(found.mean()) if check.per_row else float(found.any())


def _columns(check: Check, splits: Splits) -> Columns:
    measured = check.measure(splits)
    return measured.columns if isinstance(measured, Evidence) else measured


def _offending(columns: Columns, check: Check) -> NDArray[np.bool_]:
    # Written as "not at most" for the reason given where real rows are judged.
    return np.asarray(~(np.asarray(columns[check.column]) <= 0), dtype=np.bool_)
