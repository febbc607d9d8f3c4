"""Can a person have meant this limit, and this name?"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from wdgate.evaluation.corruptions import clean_score
from wdgate.evaluation.out_of_distribution import is_ood
from wdgate.gates.sentences import SHARES

# Besides shares of rows: what is 0 at its smallest and 1 at its largest.
_UNIT = frozenset(
    {"error", "auc", "average_precision", "ece", "l2_ece", "smooth_ece", "classwise_ece", "confidence_gap"}
)
_HIGHEST = {"brier": 2.0, "coverage_gap": 1.0}
# Of a share a person may write 90 where .9 is meant.
_PERCENT = 100
_SHOWN = 12


def out_of_span(score: str, limit: float, what: str = "limit") -> str | None:
    """That no model is on both sides of such a limit, and the limit that may be meant; None where it can be.

    Example:
        >>> out_of_span("accuracy", 90)
        'accuracy, with a limit of 90, but it lies between 0 and 1; did you mean 0.9?'
        >>> out_of_span("nll", 90), out_of_span("r2", 0.5)
        (None, None)
    """
    plain = clean_score(score)
    highest = 1.0 if is_unit(score) or plain == "r2" else _HIGHEST.get(plain, float("inf"))
    lowest = 0.0 if is_unit(score) else float("-inf")
    if lowest <= limit <= highest:
        return None
    between = f"lies between {lowest:g} and {highest:g}" if is_unit(score) else f"is at most {highest:g}"
    meant = f"; did you mean {limit / _PERCENT:g}?" if 1 < limit <= _PERCENT else ""
    return f"{score}, with a {what} of {limit:g}, but it {between}{meant}"


def is_unit(score: str) -> bool:
    """Whether a score lies between 0 and 1, whatever the model."""
    plain = clean_score(score)
    return plain in _UNIT or is_ood(score) or SHARES.fullmatch(plain) is not None


def among(name: str, known: Iterable[str]) -> str:
    """The known names in one line, the nearest first where there are too many to read.

    Example:
        >>> among("c", ["a", "b"])
        'a, b'
        >>> told = among("n7x", [f"n{number}" for number in range(30)])
        >>> told.split(", ")[0], told[-11:]
        ('n7', 'and 18 more')
    """
    names = list(known)
    if len(names) <= _SHOWN:
        return ", ".join(names)
    nearest = difflib.get_close_matches(name, names, n=_SHOWN, cutoff=0.0)
    return f"{', '.join(nearest)} and {len(names) - _SHOWN} more"
