"""How is a gate's answer said to somebody who is no specialist?"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from wdgate.evaluation.corruptions import CORRUPTED, clean_score, corruption_of
from wdgate.evaluation.out_of_distribution import OOD, is_ood
from wdgate.gates.bounds import Bounds
from wdgate.gates.results import GateStatus

NAMES = {
    "nll": "negative log-likelihood",
    "brier": "Brier score",
    "confidence_gap": "mean confidence minus accuracy",
    "ece": "expected calibration error",
    "l2_ece": "debiased L2 calibration error",
    "smooth_ece": "smooth calibration error",
    "classwise_ece": "classwise calibration error",
    "coverage_gap": "covered share minus what it should be",
    "crossing": "share of rows whose quantiles cross",
    "pinball": "pinball loss",
    "auc": "area under the ROC curve",
    "ood_auroc": "area under the ROC curve of confidence against rows of permuted cells",
    "r2": "share of the variance explained (R2)",
}
# Shares of rows, which are said in percent, and their differences in points.
SHARES = re.compile(
    r"accuracy|balanced_accuracy|crossing|top\d+_accuracy|(recall|precision)(/.*)?", re.DOTALL
)
# Differences of shares, which are said in points.
GAPS = ("confidence_gap", "coverage_gap")


@dataclass(frozen=True)
class Words:
    """A way of saying an answer: `say(status, bounds, low, high)`, to which the rows needed are added."""

    say: Callable[[GateStatus, Bounds, float, float], str]

    def sentence(
        self, status: GateStatus, bounds: Bounds, low: float, high: float, needed: int | None
    ) -> str:
        """The whole sentence."""
        enough = "" if needed is None else f"; about {needed:,} would{_in_groups(needed, bounds)}"
        aside = f"; {bounds.remark}" if bounds.remark else ""
        return f"{self.say(status, bounds, low, high)}{enough}{aside}."


def _in_groups(needed: int, bounds: Bounds) -> str:
    """More rows of the same groups would not help: so many groups like these."""
    if bounds.groups is None or not bounds.groups < bounds.rows:
        return ""
    return f", in about {math.ceil(needed / bounds.rows * bounds.groups):,} groups like these"


def spoken(score: str) -> str:
    """A score's name in words.

    Example:
        >>> spoken("corrupted_accuracy"), spoken("nll")
        ('accuracy under corruptions', 'negative log-likelihood')
    """
    plain, corruption = clean_score(score), corruption_of(score)
    kind, of_class, label = plain.partition("/")
    if kind == OOD and of_class:
        return f"area under the ROC curve of confidence against {label}"
    words = f"{kind} of class {label}" if of_class else NAMES.get(plain, plain.replace("_", " "))
    if corruption:
        return f"{words} under {corruption.replace('_', ' ')}"
    return f"{words} under corruptions" if score != plain else words


def question(score: str, low: float, high: float) -> str:
    """What an absolute gate asks, in a few words.

    Example:
        >>> question("accuracy", 0.88, math.inf), question("confidence_gap", -0.06, 0.06)
        ('accuracy at least 0.88', 'confidence_gap within 0.06')
    """
    if math.isinf(high):
        return f"{score} at least {low:g}"
    return f"{score} at most {high:g}" if math.isinf(low) else f"{score} within {high:g}"


def no_measurement(score: str) -> str:
    """Why a score that the task has may still not be there."""
    if corruption_of(score):
        return f"{corruption_of(score)} is no corruption of these inputs"
    if score.startswith(CORRUPTED):
        return "no corruption is meaningful for these inputs, so robustness must not be asked for"
    if score == OOD:
        return "no rows can be made of the cells of these, or the model gives no probabilities for them"
    if is_ood(score):
        return f"there is no further test set {score.partition('/')[2]} with probabilities"
    return f"{score} was not measured"


def absolute(score: str) -> Words:
    """How a score is compared with a limit."""
    number = _number(score)
    if score in GAPS:
        return Words(lambda status, b, low, high: _within(score, _difference(score), status, b, high))

    def say(status: GateStatus, b: Bounds, low: float, high: float) -> str:
        if not math.isinf(low) and not math.isinf(high):
            return _within(score, number, status, b, high)
        return _one_sided(score, number, status, b, low, high)

    return Words(say)


def paired(score: str, whom: str) -> Words:
    """How a score is compared with another model's."""
    number = _difference(score)

    def say(status: GateStatus, b: Bounds, low: float, high: float) -> str:
        margin = number(-low)
        observed = (
            f"{_capital(spoken(score))} is {_better(b.observed, number)} than the {whom}'s "
            f"on the same {b.rows:,} test rows"
        )
        worst = f"at worst {_better(b.lower, number)}"
        if status == "passed":
            verdict = "no loss at all" if b.lower >= 0 else f"within the {margin} allowed"
            return f"{observed}, {worst} - {verdict}"
        if status == "failed":
            return f"{observed}, at best {_better(b.upper, number)} - beyond the {margin} allowed"
        doubt = worst if b.observed >= low else f"at best {_better(b.upper, number)}"
        return f"{observed}, {doubt}: these rows cannot tell if the loss is within the {margin} allowed"

    return Words(say)


def skill(score: str) -> Words:
    """How a proper score is compared with a constant predictor's."""

    def say(status: GateStatus, b: Bounds, low: float, high: float) -> str:
        gain = f"{_capital(spoken(score))} is {_better(b.observed, _plain)} than that of a constant answer"
        rows = f"on {b.rows:,} test rows"
        return {
            "passed": f"{gain} {rows}, with confidence by {_plain(b.lower)} or more - the model has skill",
            "failed": f"{gain} {rows}, at best {_better(b.upper, _plain)} - the model has no skill",
        }.get(
            status,
            f"{gain} {rows}, but may be {_better(b.lower, _plain)}: these rows cannot tell if it has skill",
        )

    return Words(say)


def improved(score: str) -> Callable[[float], str]:
    """How a difference in a score is said: in points where it is a share of rows.

    Example:
        >>> improved("accuracy")(0.031), improved("nll")(0.25)
        ('3.1 points', '0.25')
    """
    return _difference(score)


def _one_sided(
    score: str, number: Callable[[float], str], status: GateStatus, b: Bounds, low: float, high: float
) -> str:
    least = math.isinf(high)
    limit, name = number(low if least else high), _capital(spoken(score))
    observed = f"{name} is {number(b.observed)} on {b.rows:,} test rows"
    least_it_is, most_it_is = f"at least {number(b.lower)}", f"at most {number(b.upper)}"
    good, bad = (least_it_is, most_it_is) if least else (most_it_is, least_it_is)
    side, other = ("above", "below") if least else ("below", "above")
    if status == "passed":
        return f"{observed}, with confidence {good} - {side} the {limit} that was asked for"
    if status == "failed":
        return f"{observed}, with confidence {bad} - {other} the {limit} that was asked for"
    right_side = b.observed >= low and b.observed <= high
    doubt = f"as low as {number(b.lower)}" if right_side == least else f"as high as {number(b.upper)}"
    return f"{observed} and may be {doubt}: these rows cannot tell if it is {side} the {limit} asked for"


def _within(score: str, number: Callable[[float], str], status: GateStatus, b: Bounds, high: float) -> str:
    observed = f"{_capital(spoken(score))} is {number(b.observed)} on {b.rows:,} test rows"
    between = f"between {number(b.lower)} and {number(b.upper)}"
    return {
        "passed": f"{observed}, with confidence {between} - within the {number(high)} allowed on either side",
        "failed": f"{observed}, with confidence {between} - beyond the {number(high)} allowed on either side",
    }.get(
        status,
        f"{observed} and may be anything {between}: these rows cannot tell if it is within {number(high)}",
    )


def _number(score: str) -> Callable[[float], str]:
    return _percent if SHARES.fullmatch(clean_score(score)) else _plain


def _difference(score: str) -> Callable[[float], str]:
    plain = clean_score(score)
    return _points if SHARES.fullmatch(plain) or plain in GAPS else _plain


def _better(improvement: float, number: Callable[[float], str]) -> str:
    return f"{number(abs(improvement))} {'worse' if improvement < 0 else 'better'}"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _percent(value: float) -> str:
    return f"{_trimmed(100 * value)} %"


def _points(value: float) -> str:
    return f"{_trimmed(100 * value)} points"


def _trimmed(value: float) -> str:
    # Adding zero after rounding: -0.0 is said as 0.
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def _plain(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
