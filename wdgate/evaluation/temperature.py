"""By what should logits be divided so that a model is as sure as it is right, and does that surely help?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from wdgate.gates.paired import difference_bounds

Floats = NDArray[np.floating]

FOLDS = 5
# Beyond them a model is as good as certain, or as good as ignorant, whatever the rows say.
LEAST, MOST = 0.05, 20.0


@dataclass(frozen=True)
class Temperature:
    """What logits are divided by, and what that gained on rows that it was not fitted on.

    Args:
        value: the temperature; 1 where no gain was shown, so that nothing is changed.
        fitted: the one that all rows would have, used or not.
        gain: how much lower the negative log-likelihood is, in nats a row, cross-fitted.
        lower, upper: the bounds of the gain; NaN with too few rows.
        rows: how many rows there were.
    """

    value: float
    fitted: float
    gain: float
    lower: float
    upper: float
    rows: int

    @property
    def sentence(self) -> str:
        """What was done, and why, of a network whose logits of validation rows these were.

        Example:
            >>> print(Temperature(1.314, 1.314, 0.02, 0.01, 0.03, 360).sentence)
            The outputs are divided by 1.314, which makes validation log-loss 0.020 better (0.010 to 0.030).
        """
        if self.value == 1:
            return f"No temperature: its gain could not be shown on {self.rows:,} validation rows."
        bounds = f"{self.gain:.3f} better ({self.lower:.3f} to {self.upper:.3f})"
        return f"The outputs are divided by {self.value:.4g}, which makes validation log-loss {bounds}."

    def as_dict(self) -> dict[str, Any]:
        """As plain values, None in place of NaN."""
        return {
            name: None if isinstance(value, float) and not np.isfinite(value) else value
            for name, value in asdict(self).items()
        }


def temperature(
    logits: Floats,
    targets: NDArray[np.integer],
    alpha: float = 0.05,
    groups: NDArray[Any] | None = None,
    weights: Floats | None = None,
) -> Temperature:
    """The temperature of Guo et al. (2017), if its gain on rows that it was not fitted on is surely above 0.

    Fitted on four of five folds and scored on the fifth, in turn; whole groups are dealt to folds, by a fixed
    seed. The gain is paired, row by row, and bounded as scores are, a group being a unit. Dividing all logits
    by one number leaves the most probable class as it is.

    Args:
        logits: of validation rows (N, C); logarithms of probabilities will do.
        targets: true classes (N,).
        alpha: the error probability of each bound.
        groups: the unit of each row (N,), or None.
        weights: of the rows (N,), or None.

    Example:
        >>> logits = np.tile([[3.0, 0.0]], (400, 1))
        >>> found = temperature(logits, np.repeat([0, 1], [300, 100]))
        >>> round(found.value, 2), found.lower > 0
        (2.73, True)
    """
    mass = np.ones(len(targets)) if weights is None else np.asarray(weights, np.float64)
    fold = _folds(len(targets), groups)
    if len(targets) == 0 or fold.max() < 1:
        return Temperature(1.0, 1.0, *3 * (float("nan"),), len(targets))
    before, after = nll_at(logits, targets, 1.0), np.empty(len(targets))
    for one in range(int(fold.max()) + 1):
        inside, outside = fold == one, fold != one
        value = fit_temperature(logits[outside], targets[outside], mass[outside])
        after[inside] = nll_at(logits[inside], targets[inside], value)
    bounds = difference_bounds(before, after, alpha, groups, weights)
    fitted = fit_temperature(logits, targets, mass)
    value = fitted if bounds.lower > 0 else 1.0
    return Temperature(value, fitted, bounds.observed, bounds.lower, bounds.upper, len(targets))


def fit_temperature(logits: Floats, targets: NDArray[np.integer], weights: Floats | None = None) -> float:
    """The temperature from .05 to 20 of the least mean negative log-likelihood, of logits (N, C)."""
    mass = np.ones(len(targets)) if weights is None else weights
    # In its inverse, by which logits are multiplied, the likelihood is convex: there is one minimum.
    found = optimize.minimize_scalar(
        lambda inverse: float((mass * nll_at(logits, targets, 1 / inverse)).sum()),
        bounds=(1 / MOST, 1 / LEAST),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(1 / found.x)


def nll_at(logits: Floats, targets: NDArray[np.integer], temperature: float) -> NDArray[np.float64]:
    """Negative log-likelihood in nats, a row (N,), of logits (N, C) divided by a temperature."""
    # Logarithms of probabilities that are 0 in single precision are no numbers to divide.
    cooled = np.maximum(np.asarray(logits, np.float64), -1e4) / temperature
    true = cooled[np.arange(len(targets)), targets]
    return np.asarray(special.logsumexp(cooled, axis=1) - true, np.float64)


def _folds(rows: int, groups: NDArray[Any] | None) -> NDArray[np.intp]:
    """The fold of each row (N,), from 0; whole groups in one, and no more folds than units."""
    _, unit = np.unique(np.arange(rows) if groups is None else groups, return_inverse=True)
    units = int(unit.max(initial=-1)) + 1
    dealt = np.random.default_rng(0).permutation(units) % FOLDS
    return np.asarray(dealt[unit.ravel()], np.intp)
