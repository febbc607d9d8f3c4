"""Does one point of a sweep do as well as another, but for chance?"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from data_checks.splits import Split
from wd_train.outcomes import Diverged, Outcome
from wdgate.evaluation.tasks import Task


def primary_scores(
    task: Task, members: Sequence[Outcome | Diverged], validation: Split
) -> NDArray[np.floating] | None:
    """The primary score of each seed on each row (S, N); None where a member diverged."""
    if any(isinstance(member, Diverged) for member in members):
        return None
    found = [member for member in members if isinstance(member, Outcome)]
    return np.stack([task.scores(each.predictions, validation.targets)[task.primary] for each in found])


def within_one_error(score: NDArray[np.floating], best: NDArray[np.floating]) -> bool:
    """Whether scores (S, N) differ from the best (S, N) by no more than a standard error of the difference.

    Its variance has a part of the seeds and a part of the rows.

    Example:
        >>> best = np.eye(4)
        >>> within_one_error(best, best), within_one_error(best - 1, best)
        (True, False)
    """
    if score.shape != best.shape:
        return False
    change = score - best
    variance = change.mean(axis=0).var(ddof=1) / change.shape[1] if change.shape[1] > 1 else 0.0
    if len(change) > 1:
        variance += change.mean(axis=1).var(ddof=1) / len(change)
    return bool(abs(change.mean()) <= math.sqrt(variance))
