"""What did a training leave that was done fold by fold?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from data_checks.splits import Split
from pipelines.folds import Material, joined, parts_of_fold
from wd_train.outcomes import Diverged, Outcome, corrupted_positions


def predicted_rows(material: Material, folds: int) -> tuple[list[Split], Split]:
    """The rows that each fold predicts, and all of them one after another: each row once."""
    judged = [parts_of_fold(material, fold, folds)[1] for fold in range(folds)]
    together = judged[0]
    for more in judged[1:]:
        together = joined(together, more)
    return judged, together


def merged(
    parts: Sequence[Outcome | Diverged], judged: Sequence[Split], together: Split
) -> Outcome | Diverged:
    """The outcomes of all folds as one, about the rows of all folds one after another.

    Args:
        parts: one a fold.
        judged: the rows that each fold predicts.
        together: all of them.
    """
    lost = next((part for part in parts if isinstance(part, Diverged)), None)
    if lost is not None:
        return lost
    found = [part for part in parts if isinstance(part, Outcome)]
    if len(found) == 1:
        return found[0]
    return Outcome(
        predictions={
            name: np.concatenate([part.predictions[name] for part in found]) for name in found[0].predictions
        },
        corrupted=_corrupted(found, judged, together),
        losses=_losses(found, [len(rows) for rows in judged]),
        best_epoch=round(float(np.mean([part.best_epoch for part in found]))),
        seconds=sum(part.seconds for part in found),
        norm_ratio=float(np.mean([part.norm_ratio for part in found])),
    )


def _corrupted(
    parts: Sequence[Outcome], judged: Sequence[Split], together: Split
) -> NDArray[np.floating] | None:
    """The scores of the corrupted rows of all folds: those that would be corrupted of all rows together."""
    if any(part.corrupted is None for part in parts):
        return None
    scores = np.full(len(together), np.nan)
    begin = 0
    for part, rows in zip(parts, judged, strict=True):
        scores[begin + corrupted_positions(rows)] = part.corrupted
        begin += len(rows)
    some = scores[corrupted_positions(together)]
    return some if np.isfinite(some).all() else None


def _losses(parts: Sequence[Outcome], rows: Sequence[int]) -> tuple[tuple[int, float, float], ...]:
    """The mean loss over the rows of all folds, and the sum of seconds, at epochs that all of them have."""
    curves = [{epoch: (loss, at) for epoch, loss, at in part.losses} for part in parts]
    shared = [epoch for epoch in curves[0] if all(epoch in curve for curve in curves)]
    return tuple(
        (
            epoch,
            float(np.average([curve[epoch][0] for curve in curves], weights=rows)),
            float(sum(curve[epoch][1] for curve in curves)),
        )
        for epoch in shared
    )
