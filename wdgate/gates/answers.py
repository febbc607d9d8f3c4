"""What do the bounds say about the limit, and how many rows would say more?"""

from __future__ import annotations

import math

import numpy as np

from wdgate.gates.bounds import Bounds
from wdgate.gates.results import GateResult, GateStatus
from wdgate.gates.sentences import Words

# A number of rows beyond this is no advice.
MOST_ROWS = 1e9


def result(
    code: str, name: str, bounds: Bounds, low: float, high: float, limit: float, words: Words
) -> GateResult:
    """The answer that bounds give to whether something lies between `low` and `high`."""
    if not np.isfinite([bounds.observed, bounds.lower, bounds.upper]).all():
        reason = bounds.remark or f"these {bounds.rows:,} test rows do not determine it"
        return not_measured(code, name, reason, limit)
    status, needed = settle(bounds, low, high)
    return GateResult(
        code,
        name,
        status,
        words.sentence(status, bounds, low, high, needed),
        observed=bounds.observed,
        lower=bounds.lower,
        upper=bounds.upper,
        limit=limit,
        rows_needed=needed,
    )


def settle(bounds: Bounds, low: float, high: float) -> tuple[GateStatus, int | None]:
    """Whether what is bounded lies between `low` and `high`; where these rows cannot tell, how many would.

    Example:
        >>> settle(Bounds(observed=0.90, lower=0.86, upper=0.93, rows=700), low=0.88, high=math.inf)
        ('inconclusive', 2800)
    """
    status = _status(bounds.lower, bounds.upper, low, high)
    return status, _rows_needed(bounds, low, high) if status == "inconclusive" else None


def _status(lower: float, upper: float, low: float, high: float) -> GateStatus:
    if lower >= low and upper <= high:
        return "passed"
    return "failed" if upper < low or lower > high else "inconclusive"


def _rows_needed(bounds: Bounds, low: float, high: float) -> int | None:
    def unsettled(times: float) -> bool:
        return _status(*bounds.on_times_the_rows(times), low, high) == "inconclusive"

    few, many = 1.0, 2.0
    while unsettled(many):
        few, many = many, 2 * many
        if not many * bounds.rows < MOST_ROWS:
            return None
    for _ in range(12):
        middle = (few + many) / 2
        few, many = (middle, many) if unsettled(middle) else (few, middle)
    return _round_up(many * bounds.rows)


def _round_up(rows: float) -> int:
    step: int = 10 ** max(0, math.floor(math.log10(max(rows, 1))) - 1)
    # Rounding first: 2800.0000001 rows are 2,800, not 2,900.
    return math.ceil(round(rows / step, 6)) * step


def not_measured(code: str, name: str, reason: str, limit: float) -> GateResult:
    """The answer of a gate that was asked and could not be measured: it blocks. `reason` is a clause."""
    sentence = f"It could not be judged whether {name} holds: {reason}."
    return GateResult(code, name, "not applicable", sentence, limit=limit, required=True)
