"""Between which numbers does a row's value probably lie?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import PipelineError
from wdgate.evaluation import scores, usable
from wdgate.evaluation.tasks import Floats, Predictions


@dataclass(frozen=True)
class Quantiles:
    """Several quantiles of one number a row, by quantile regression (Koenker & Bassett 1978).

    The file gives `quantiles` (N, Q) as the network gives them, never sorted, and `predicted` (N,): the
    median, or where there is none the middle between the two levels around one half.

    Scores: `pinball`, the mean over the levels; `squared_error` and `absolute_error` of `predicted`;
    `crossing`, 1 on rows whose quantiles are in the wrong order; and, of two levels or more, `coverage_gap`,
    1 or 0 for a value between the outermost quantiles or not, minus the share that should be: its mean is
    best at 0. Metric: `r2` of `predicted`.

    Args:
        levels: of the quantiles, above 0 and below 1, ascending.

    Raises:
        PipelineError: no level, one that is no probability, or levels that do not ascend.

    Example:
        >>> task = Quantiles((0.1, 0.5, 0.9))
        >>> rows = {"quantiles": np.array([[1.0, 2.0, 3.0]]), "predicted": np.array([2.0])}
        >>> {name: round(float(score[0]), 3) for name, score in task.scores(rows, np.array([3.0])).items()}
        {'pinball': 0.233, 'squared_error': 1.0, 'absolute_error': 1.0, 'crossing': 0.0, 'coverage_gap': 0.2}
    """

    levels: tuple[float, ...]

    def __post_init__(self) -> None:
        given = tuple(self.levels) if isinstance(self.levels, list | tuple | np.ndarray) else ()
        numbers = [one for one in given if isinstance(one, int | float | np.number)]
        between = all(0 < one < 1 for one in numbers)
        rising = all(low < high for low, high in pairwise(numbers))
        if not numbers or len(numbers) < len(given) or not between or not rising:
            raise PipelineError(
                f"levels must be ascending numbers above 0 and below 1, such as (.05, .5, .95), got "
                f"{self.levels!r}"
            )
        object.__setattr__(self, "levels", tuple(float(one) for one in numbers))

    @property
    def outputs(self) -> int:
        """A number a level."""
        return len(self.levels)

    @property
    def primary(self) -> str:
        """Robustness is measured in pinball loss, which has the targets' unit."""
        return "pinball"

    @property
    def proper(self) -> str:
        """Skill is measured in pinball loss, which the true quantiles minimize."""
        return "pinball"

    @property
    def nominal(self) -> float:
        """The share of values that should lie between the outermost quantiles."""
        return self.levels[-1] - self.levels[0]

    @property
    def higher_is_better(self) -> Mapping[str, bool | None]:
        """The direction of each score and metric; None: best at 0."""
        gap: dict[str, bool | None] = {"coverage_gap": None} if len(self.levels) > 1 else {}
        errors = dict.fromkeys(("pinball", "squared_error", "absolute_error", "crossing"), False)
        return {**errors, **gap, "r2": True}

    def loss(self, outputs: Any, targets: Any) -> Any:
        """The mean pinball loss of outputs (N, Q), a row (N,)."""
        truth = targets.to(outputs.dtype)
        errors = [truth - outputs[:, place] for place in range(len(self.levels))]
        each = [level * e + (-e).clamp(min=0) for level, e in zip(self.levels, errors, strict=True)]
        return sum(each[1:], each[0]) / len(each)

    def predictions(self, outputs: Any) -> dict[str, Any]:
        """`quantiles` (N, Q) and `predicted` (N,) in single precision, from outputs (N, Q)."""
        return self.named(outputs.float())

    def named(self, quantiles: Any) -> dict[str, Any]:
        """`quantiles` (N, Q) as they are, arrays or tensors, and what `predicted` (N,) follows from them."""
        below, above = self._middle
        middle = quantiles[:, below]
        return {
            "quantiles": quantiles,
            "predicted": middle if below == above else (middle + quantiles[:, above]) / 2,
        }

    def all_from(self, quantiles: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """`named`, of what somebody else's file or table gives.

        Raises:
            ModelError: not a column a level.
        """
        count = len(self.levels)
        values = quantiles[:, None] if quantiles.ndim == 1 else quantiles
        usable.check_shape("quantiles", values, (len(values), count), "a row an input, and a column a level")
        return self.named(values)

    def scores(self, predictions: Predictions, targets: NDArray[Any]) -> dict[str, Floats]:
        """The scores, one a row (N,).

        Raises:
            ModelError: outputs of another shape, or that are no finite numbers.
            DataError: targets that are no finite numbers.
        """
        usable.check_values(targets)
        rows, count = len(targets), len(self.levels)
        for name, shape in (("quantiles", (rows, count)), ("predicted", (rows,))):
            values = usable.output(predictions, name)
            usable.check_shape(name, values, shape, "a row an input, and a column a level")
            usable.check_finite(name, values)
        quantiles = predictions["quantiles"].astype(np.float64)
        error = predictions["predicted"].astype(np.float64) - targets
        found = {
            "pinball": scores.pinball(quantiles, np.asarray(targets, np.float64), self.levels),
            "squared_error": scores.squared(error),
            "absolute_error": np.abs(error),
            "crossing": np.asarray((np.diff(quantiles, axis=1) < 0).any(axis=1), np.float64),
        }
        if count > 1:
            inside = (quantiles[:, 0] <= targets) & (targets <= quantiles[:, -1])
            found["coverage_gap"] = inside - self.nominal
        return found

    def metrics(
        self, predictions: Predictions, targets: NDArray[Any], weights: Floats | None
    ) -> dict[str, float]:
        """The share of the variance that `predicted` explains."""
        return {"r2": scores.r2(predictions["predicted"].astype(np.float64), targets, weights)}

    def constant(
        self, targets: NDArray[Any], rows: int, weights: NDArray[np.floating] | None = None
    ) -> dict[str, NDArray[Any]]:
        """The quantiles of `targets`, for every row: the constant of least pinball loss there."""
        order = np.argsort(targets, kind="stable")
        mass = np.cumsum(scores.as_counts(weights, len(targets))[order])
        # The first value that has so large a share at and below it; a hair less, for sums are rounded.
        places = np.searchsorted(mass, np.asarray(self.levels) * mass[-1] * (1 - 1e-12))
        of_all = np.asarray(targets, np.float64)[order][np.minimum(places, len(targets) - 1)]
        return self.named(np.tile(of_all, (rows, 1)))

    @property
    def _middle(self) -> tuple[int, int]:
        """The places of the levels around one half: twice the same where one is it, or none is on a side."""
        places = range(len(self.levels))
        below = [place for place in places if self.levels[place] <= 0.5]
        above = [place for place in places if self.levels[place] >= 0.5]
        return (below or above[:1])[-1], (above or below[-1:])[0]
