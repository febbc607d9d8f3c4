"""Have these test rows a chance to decide the gates, before anything is trained?

A gate that cannot tell a loss beyond its margin from none, however good the model is, only spends a look.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import PipelineError
from data_checks.splits import Split
from wdgate.evaluation.evaluation import units_of
from wdgate.gates.bounds import FEW_GROUPS, linearized
from wdgate.gates.chances import (
    MOST_ROWS,
    POWER,
    chance_of_limit,
    chance_of_no_worse,
    fewest,
    rows_for_limit,
    rows_for_no_worse,
)
from wdgate.gates.gates import Gate, Limit, NoWorse, at_least, no_worse
from wdgate.gates.results import LARGEST_ALPHA


@dataclass(frozen=True)
class Plan:
    """The rows and looks that gates have.

    Args:
        alpha: the probability of a wrong promotion over all planned looks.
        looks: how many are planned.
        given: how many independent test rows, or groups of them, there are; None where nobody said.
        unit: what these are.

    Raises:
        PipelineError: a value out of its range.
    """

    alpha: float
    looks: int
    given: int | None = None
    unit: str = "test rows"

    def __post_init__(self) -> None:
        if not 0 < self.alpha <= LARGEST_ALPHA:
            raise PipelineError(f"alpha must be above 0 and at most {LARGEST_ALPHA}, got {self.alpha!r}")
        if not self.looks >= 1:
            raise PipelineError(f"looks must be at least 1, got {self.looks!r}")
        if self.given is not None and not self.given >= 0:
            raise PipelineError(f"rows must be at least 0, got {self.given!r}")

    @property
    def share(self) -> float:
        """The error probability of one look."""
        return self.alpha / self.looks

    @property
    def words(self) -> str:
        """Alpha and looks, in words."""
        return f"at alpha {self.alpha:g} over {self.looks} {'look' if self.looks == 1 else 'looks'}"

    def takes(self, rows: int | None) -> str:
        """So many rows beside those that there are, in words."""
        many = f"more than {MOST_ROWS:,}" if rows is None else f"{rows:,}"
        return f"{many} {self.unit}" + ("" if self.given is None else f", and there are {self.given:,}")


@dataclass(frozen=True)
class Need:
    """What one gate needs to decide its own limit.

    Args:
        gate: what it asks, in a few words.
        sentence: the answer for a reader who is no specialist.
        rows: how many independent test rows, or groups of them, it needs; None where it does not say.
        given: how many there are; None where nobody said.
    """

    gate: str
    sentence: str
    rows: int | None = None
    given: int | None = None

    @property
    def enough(self) -> bool:
        """Whether nothing is known to be missing."""
        return self.rows is None or self.given is None or self.given >= self.rows


def need_of_no_worse(score: str, margin: float, disagreement: float, plan: Plan) -> Need:
    """How many rows `no_worse` needs at the first look, where two models disagree on a share of them."""
    rows = rows_for_no_worse(margin, disagreement, plan.share)
    sentence = (
        f"To tell a loss of {_points(margin)} in {score} from none, between two models that disagree on "
        f"{_percent(disagreement)} of rows, takes {plan.takes(rows)} ({plan.words}, 80 % power)."
    )
    return Need(f"no_worse {score} by {margin:g}", sentence, rows or MOST_ROWS, plan.given)


def need_of_limit(limit: float, share: float, plan: Plan) -> Need:
    """How many rows `at_least` needs at the first look, for a model that is right on a `share` of rows."""
    rows = rows_for_limit(limit, share, plan.share)
    sentence = (
        f"To tell that a model which is right on {_percent(share)} of rows is above {_percent(limit)} takes "
        f"{plan.takes(rows)} ({plan.words}, 80 % power)."
    )
    return Need(f"at_least accuracy {limit:g}", sentence, rows or MOST_ROWS, plan.given)


def asked(
    margin: float | None, disagreement: float | None, limit: float | None, expected: float | None, plan: Plan
) -> list[Need]:
    """What is needed by a margin at a disagreement, and by a limit for a model of an expected accuracy.

    Raises:
        PipelineError: neither is given whole, or a value is out of its range.
    """
    if (margin is None) != (disagreement is None) or (limit is None) != (expected is None):
        raise PipelineError("margin and disagreement are given together, and so are limit and expected")
    found = []
    if margin is not None:
        gate = no_worse("accuracy", margin, disagreement)
        found.append(need_of_no_worse(gate.score, gate.margin, gate.disagreement or 0.0, plan))
    if limit is not None and expected is not None:
        if not 0 <= expected <= 1:
            raise PipelineError(f"the expected accuracy must be between 0 and 1, got {expected!r}")
        if not 0 <= at_least("accuracy", limit).limit < expected:
            raise PipelineError(
                f"a model that is right on {_percent(expected)} of rows never surely passes a limit of "
                f"{_percent(limit)}: the limit must be at least 0 and below the expected accuracy"
            )
        found.append(need_of_limit(limit, expected, plan))
    if not found:
        raise PipelineError("name a pipeline, or give margin and disagreement, or limit and expected")
    return found


def needs(gates: Iterable[Gate], plan: Plan) -> list[Need]:
    """What each gate needs of the rows that there are; one whose score has no plan of rows is left out."""
    found = [_need(gate, plan) for gate in gates]
    return [need for need in found if need is not None]


def require_power(gates: Iterable[Gate], test: Split, alpha: float, looks: int) -> None:
    """Refuse gates that could not decide their own margin on these test rows at the first look.

    Only those are asked that say how often two models disagree (`no_worse(..., disagreement=.06)`).

    Raises:
        PipelineError: naming the gate, and the rows that it needs.
    """
    declared = [gate for gate in gates if isinstance(gate, NoWorse) and gate.disagreement is not None]
    if not declared:  # counting units reads every row
        return
    for need in needs(declared, Plan(alpha, looks, *independent_rows(test))):
        if not need.enough:
            told = need.sentence[0].lower() + need.sentence[1:-1]
            raise PipelineError(f"gate {need.gate} cannot be decided: {told}")


def independent_rows(test: Split) -> tuple[int, str]:
    """How many independent rows a split counts as at most, and what these are.

    As many as Kish (1965) counts where rows weigh differently, equal rows as one. Rows of a group count for
    less the more alike they are, which is not known before a model has predicted them; only of fewer than 30
    groups, or blocks of time, a bound never counts more than there are.

    Example:
        >>> split = Split(np.arange(6.0)[:, None], np.arange(6) % 2, groups=np.array([0, 0, 1, 1, 2, 2]))
        >>> independent_rows(split)
        (3, 'groups of test rows')
    """
    units = _kish(linearized(np.zeros(len(test)), units_of(test), test.weights).weights)
    if test.groups is None and test.times is None:
        return units, "test rows"
    name = "group" if test.groups is not None else "block"
    if units < FEW_GROUPS:
        return units, "groups of test rows" if name == "group" else "blocks of test rows in time"
    rows = _kish(np.ones(len(test)) if test.weights is None else np.asarray(test.weights, np.float64))
    return rows, f"test rows, if those of a {name} are not alike"


def _kish(weights: NDArray[np.floating]) -> int:
    squares = float((weights**2).sum())
    # 700 equal rows are 700, not 699, and 30 blocks that differ by a row are 30.
    return int(float(weights.sum()) ** 2 / squares + 0.01) if squares > 0 else 0


def _need(gate: Gate, plan: Plan) -> Need | None:
    if isinstance(gate, NoWorse) and gate.score == "accuracy":
        if gate.disagreement is not None:
            return need_of_no_worse(gate.score, gate.margin, gate.disagreement, plan)
        return _most_disagreement(gate.margin, plan)
    if isinstance(gate, Limit) and (gate.kind, gate.score) == ("at_least", "accuracy"):
        return _least_share(gate.limit, plan)
    return None


def _most_disagreement(margin: float, plan: Plan) -> Need:
    """The largest share of disagreement, in steps of .001, at which these rows decide the margin."""
    rows = plan.given or 0
    too_much = fewest(lambda n: chance_of_no_worse(rows, margin, n / 1000, plan.share) < POWER, 999) or 1000
    sentence = (
        f"{rows:,} {plan.unit} tell a loss of {_points(margin)} in accuracy from none while the two models "
        f"disagree on at most {_percent((too_much - 1) / 1000)} of them ({plan.words}, 80 % power)."
    )
    return Need(f"no_worse accuracy by {margin:g}", sentence, None, plan.given)


def _least_share(limit: float, plan: Plan) -> Need:
    """The least true share, in steps of .001, that the rows that there are let pass."""
    rows = plan.given or 0
    least = fewest(lambda n: chance_of_limit(rows, limit, n / 1000, plan.share) >= POWER, 1000)
    model = "no model" if least is None else f"a model that is right on {_percent(least / 1000)} of rows"
    sentence = (
        f"{rows:,} {plan.unit} let {model} pass a limit of {_percent(limit)} ({plan.words}, 80 % power)."
    )
    return Need(f"at_least accuracy {limit:g}", sentence, None, plan.given)


def _points(share: float) -> str:
    points = f"{100 * share:.3g}"
    return f"{points} point" if points == "1" else f"{points} points"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
