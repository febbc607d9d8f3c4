"""How much do corruptions cost a model, and which of them most?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wdgate.evaluation.corruptions import CORRUPTED, corruption_of
from wdgate.evaluation.evaluation import Evaluation
from wdgate.evaluation.scores import as_counts
from wdgate.evaluation.tasks import Task


@dataclass(frozen=True)
class CorruptionErrors:
    """Errors under corruptions: 1 minus the primary score where more of it is better, else the score itself.

    Hendrycks & Dietterich (2019) divide each corruption's error by AlexNet's before they take the mean. There
    is no AlexNet for everybody's rows: these are the plain errors, and what they are beside the clean one.

    Args:
        clean: the error on the same rows as they are.
        by_name: the error under each corruption, a mean over severities.
        severities: the mean primary score by corruption and severity.
    """

    clean: float
    by_name: Mapping[str, float]
    severities: Mapping[str, tuple[float, ...]]

    @property
    def mean(self) -> float:
        """The mean corruption error: over corruptions, each a mean over severities."""
        return float(np.mean(list(self.by_name.values())))

    @property
    def relative(self) -> float:
        """What corruptions add to the clean error: the numerator of the authors' relative mCE."""
        return self.mean - self.clean

    @property
    def ratio(self) -> float:
        """How many times the clean error it is; NaN for a model without any."""
        return self.mean / self.clean if self.clean > 0 else float("nan")

    @property
    def worst(self) -> str:
        """The corruption with the largest error."""
        return max(self.by_name, key=lambda name: self.by_name[name])

    def as_dict(self) -> dict[str, Any]:
        """As plain values, None in place of NaN."""
        return {
            "clean_error": self.clean,
            "corruption_error": self.mean,
            "relative_corruption_error": self.relative,
            "corruption_error_ratio": self.ratio if np.isfinite(self.ratio) else None,
            "worst_corruption": self.worst,
            "worst_corruption_error": self.by_name[self.worst],
            "by_severity": {name: list(values) for name, values in self.severities.items()},
        }


def corruption_errors(evaluation: Evaluation, task: Task) -> CorruptionErrors | None:
    """What corruptions cost on the rows that were corrupted; None where none was.

    Args:
        evaluation: of the model.
        task: its primary score is the one; rows count by their weights.
    """
    names = {corruption_of(name): name for name in evaluation.scores if corruption_of(name)}
    if not names:
        return None
    rows = evaluation.rows_of(f"{CORRUPTED}{task.primary}")
    better = task.higher_is_better.get(task.primary) is True

    def error(scores: NDArray[np.floating]) -> float:
        mean = float(np.average(scores, weights=as_counts(rows.weights, len(scores))))
        return 1 - mean if better else mean

    return CorruptionErrors(
        error(evaluation.scores[task.primary][rows.positions]),
        {short: error(evaluation.scores[name]) for short, name in names.items()},
        evaluation.robustness,
    )
