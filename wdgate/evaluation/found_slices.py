"""How bad is a model on the region of the columns in which it errs most, though nobody has named it?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_checks.splits import Split, Splits
from wdgate.evaluation.evaluation import Evaluation, evaluate
from wdgate.evaluation.found import Floats, numeric_columns, worst_region
from wdgate.evaluation.slices import Slice, part
from wdgate.evaluation.tasks import Task
from wdgate.gates.measuring import direction, measured

# What slices are called by that nobody has declared.
FOUND = "found on validation"


def found_slices(
    chosen_on: Evaluation, validation: Split, evaluation: Evaluation, rows: Split, task: Task, alpha: float
) -> dict[str, tuple[Slice, ...]]:
    """The region in which the model errs most on validation rows, bounded on test rows; {}: there is none.

    The test rows had no part in choosing it, so that its bounds need no correction for having been chosen.

    Args:
        chosen_on: what the model did on `validation`.
        validation: rows whose columns and attributes of numbers are cut.
        evaluation: what it did on `rows`, row by row.
        rows: the test rows.
        task: its primary score tells errors.
        alpha: the error probability of either bound.
    """
    sign = -1.0 if direction(task.primary, task) else 1.0
    region = worst_region(_columns(validation), sign * chosen_on.scores[task.primary])
    if region is None:
        return {}
    bounds = measured(task.primary, part(evaluation, region.mask(_columns(rows))), task, alpha)
    assert bounds is not None  # noqa: S101 - the primary score is always there
    return {FOUND: (Slice(FOUND, region.words, bounds),)}


def found_by(
    onnx: bytes,
    splits: Splits,
    left_out: NDArray[np.bool_],
    evaluation: Evaluation,
    task: Task,
    alpha: float,
) -> dict[str, tuple[Slice, ...]]:
    """`found_slices` of an exported file, which predicts the validation rows for it.

    Args:
        onnx: the file's bytes.
        splits: with the validation rows; {} where there are none.
        left_out: which test rows (N,) `evaluation` is not of.
        evaluation: of the other test rows.
        task: what is predicted.
        alpha: the error probability of either bound.
    """
    validation = splits.validation
    # Without numbers to cut nothing has to be predicted.
    if not len(validation) or not _columns(validation):
        return {}
    chosen_on = evaluate(onnx, validation, task, corruptions=())
    return found_slices(chosen_on, validation, evaluation, splits.test.take(~left_out), task, alpha)


def _columns(split: Split) -> dict[str, Floats]:
    return {**numeric_columns(dict(split.attributes)), **numeric_columns(split.inputs)}
