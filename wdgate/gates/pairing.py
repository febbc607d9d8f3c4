"""On which rows may two models be compared?

Not on those that one of them has learned from: there it is better than it will ever be again. What is a test
row now may have been a train row of last year's champion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wdgate.evaluation.evaluation import Evaluation
from wdgate.evaluation.tasks import Task

Rows = NDArray[np.intp]


def pair(ours: Evaluation, theirs: Evaluation, task: Task) -> tuple[Evaluation, Evaluation]:
    """Both models on the rows that the second has not learned from; as they are where that is all rows."""
    if theirs.unseen is None:
        return ours, theirs
    return on_rows(ours, theirs.unseen, task), on_rows(replace(theirs, unseen=None), theirs.unseen, task)


def left_out(theirs: Evaluation) -> str:
    """How many rows leave the pair, as a clause; empty where none do.

    Example:
        >>> from wdgate.evaluation.evaluation import Evaluation
        >>> model = Evaluation("", "", {}, np.zeros(9), {}, {}, {}, unseen=np.arange(2, 9))
        >>> left_out(model)
        '2 test rows that it was trained or chosen on were left out'
    """
    gone = 0 if theirs.unseen is None else len(theirs) - len(theirs.unseen)
    if not gone:
        return ""
    rows = (
        "test row that it was trained or chosen on was"
        if gone == 1
        else "test rows that it was trained or chosen on were"
    )
    return f"{gone:,} {rows} left out"


def on_rows(evaluation: Evaluation, rows: Rows, task: Task) -> Evaluation:
    """An evaluation of some of its rows alone, with the metrics of those; `rows` (M,) in rising order."""
    corrupted = evaluation.corrupted_rows
    # Positions among the corrupted rows, and where those come to lie.
    kept = rows if corrupted is None else np.flatnonzero(np.isin(corrupted, rows))
    moved = None if corrupted is None else np.searchsorted(rows, corrupted[kept])
    predictions = _taken(evaluation.predictions, rows)
    targets, weights = evaluation.targets[rows], _some(evaluation.weights, rows)
    scores = {
        name: values[kept if name.startswith("corrupted_") else rows]
        for name, values in evaluation.scores.items()
    }
    return replace(
        evaluation,
        predictions=predictions,
        targets=targets,
        scores=scores,
        metrics=dict(task.metrics(predictions, targets, weights)) if len(rows) else {},
        groups=_some(evaluation.groups, rows),
        weights=weights,
        baseline=_taken(evaluation.baseline, rows),
        corrupted_rows=moved,
        attributes=_taken(evaluation.attributes, rows),
        permuted=None if evaluation.permuted is None else evaluation.permuted.of(rows),
    )


def _taken(columns: Mapping[str, NDArray[Any]], rows: Rows) -> dict[str, NDArray[Any]]:
    return {name: values[rows] for name, values in columns.items()}


def _some(column: NDArray[Any] | None, rows: Rows) -> NDArray[Any] | None:
    return None if column is None else column[rows]
