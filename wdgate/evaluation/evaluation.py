"""What does an exported model do on a split, row by row?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import DataError, ModelError
from data_checks.splits import Split, read_inputs
from wdgate.evaluation.corruptions import CORRUPTED, Corruption
from wdgate.evaluation.onnx_file import OnnxModel
from wdgate.evaluation.out_of_distribution import Permuted, permuted_confidence
from wdgate.evaluation.robustness import corrupted, corruptions_for, rows_to_corrupt
from wdgate.evaluation.tasks import Classification, Task
from wdgate.evaluation.usable import check_rows

Floats = NDArray[np.floating]
Rows = NDArray[np.intp]


# At least so many blocks of neighbours in time, which leave a bound enough degrees of freedom. Of more rows
# they grow longer with the cube root of their number, as is best for a variance (Hall, Horowitz & Jing 1995).
TIME_BLOCKS = 30


class Predictor(Protocol):
    """What predicts rows: an `OnnxModel`, or a file of somebody else's in the words of the task."""

    def predict(self, inputs: Any) -> dict[str, NDArray[Any]]:
        """The named predictions (n, ...) of some rows, as `read_inputs` gives them."""
        ...


@dataclass(frozen=True)
class Incomparable:
    """A version in use that cannot be run on these rows, and why: `it takes other columns`."""

    reason: str


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """The rows that a score was measured on.

    Args:
        positions: in the split (n,).
        groups: the unit that each belongs to (n,), or None.
        weights: what each counts (n,), or None.
    """

    positions: Rows
    groups: NDArray[Any] | None
    weights: Floats | None


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Predictions of one split, computed once from the exported bytes, and what follows from them.

    Args:
        onnx_sha256: hash of the bytes that predicted.
        fingerprint: fingerprint of the split.
        predictions: named outputs of the file, each (N, ...).
        targets: true classes or values (N,).
        scores: per-row scores by name, each (N,); those of the task, and `corrupted_<primary>`,
            which is averaged over all corruptions of the row first, and (M,) where only M rows
            were corrupted; `corrupted_<primary>/<corruption>` is averaged over its severities. They are
            absent where no corruption of these inputs is meaningful.
        metrics: numbers that are no mean of rows.
        robustness: mean primary score by corruption and severity, `{"blur": (s1, ..., s5)}`.
        groups: the unit that rows belong to (N,), as `units_of` gives it; None where each is its own.
        weights: how much each row counts (N,), or None.
        baseline: per-row scores of a constant predictor by name, each (N,): what skill is measured from.
        corrupted_rows: positions (M,) of the rows that were corrupted; None: all, or none.
        attributes: what the rows are broken down by, by name, each (N,).
        also: the evaluation of each further test set, by its name.
        unseen: positions of the rows on which others may be compared with it, because it was neither
            fitted nor chosen on them; None: all.
        permuted: how sure the model is of rows that are made of the cells of others; None where nobody asked,
            or no such rows can be made.
    """

    onnx_sha256: str
    fingerprint: str
    predictions: Mapping[str, NDArray[Any]]
    targets: NDArray[Any]
    scores: Mapping[str, NDArray[np.floating]]
    metrics: Mapping[str, float]
    robustness: Mapping[str, tuple[float, ...]]
    groups: NDArray[Any] | None = None
    weights: Floats | None = None
    baseline: Mapping[str, NDArray[np.floating]] = field(default_factory=dict)
    corrupted_rows: Rows | None = None
    attributes: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    also: Mapping[str, Evaluation] = field(default_factory=dict)
    unseen: Rows | None = None
    permuted: Permuted | None = None

    def __len__(self) -> int:
        return len(self.targets)

    def rows_of(self, score: str) -> ScoredRows:
        """The rows that a score of this evaluation was measured on."""
        some = self.corrupted_rows if score.startswith(CORRUPTED) else None
        positions = np.arange(len(self)) if some is None else some
        return ScoredRows(
            positions,
            None if self.groups is None else self.groups[positions],
            None if self.weights is None else self.weights[positions],
        )


def evaluate(
    onnx: bytes,
    split: Split,
    task: Task,
    *,
    batch_size: int = 512,
    reference: Split | NDArray[Any] | None = None,
    corruptions: Sequence[Corruption] | None = None,
    also: Mapping[str, Split] | None = None,
) -> Evaluation:
    """Predict a split with an exported file, and score it, row by row.

    On one thread, so that the same bytes give the same scores. An array or a reader is fed to the input
    named `inputs`, a mapping to inputs of its columns' names. Readers are decoded batch by batch.

    Args:
        onnx: the file's bytes.
        split: the rows; those that are left out of judging are taken out before.
        task: what is predicted, and how it is scored.
        batch_size: how many rows are predicted at once.
        reference: the train rows, whose targets the constant predictor may know, or those targets (K,). Where
            nothing is given it knows the targets of `split` itself, which makes it as good as a
            constant can be there, and so skill harder to show, never easier.
        corruptions: in place of those that `corruptions_for` the inputs; (): robustness is not measured.
        also: further test sets by name, which are evaluated without corruptions.

    Raises:
        ModelError: bytes that are no usable ONNX file, or that do not take these inputs or give this
            task's predictions.
        DataError: targets that are not the task's.
    """
    return evaluate_with(
        OnnxModel(onnx),
        hashlib.sha256(onnx).hexdigest(),
        split,
        task,
        batch_size=batch_size,
        reference=reference,
        corruptions=corruptions,
        also=also,
    )


def evaluate_with(
    model: Predictor,
    name: str,
    split: Split,
    task: Task,
    *,
    batch_size: int = 512,
    reference: Split | NDArray[Any] | None = None,
    corruptions: Sequence[Corruption] | None = None,
    also: Mapping[str, Split] | None = None,
) -> Evaluation:
    """`evaluate`, of anything that predicts; `name` stands for what predicted, as a hash of its bytes.

    Unless `corruptions` is (), classes are predicted for rows that are made of the cells of others, too.

    Raises:
        ModelError: predictions that are not this task's, naming the further test set where it is one.
        DataError: a test set without rows, or targets that are not the task's.
    """
    check_rows(len(split), split.weights)
    chosen = corruptions_for(split.inputs) if corruptions is None else tuple(corruptions)
    worse = _corrupted(model, split, task, chosen, batch_size) if chosen else {}
    asked = isinstance(task, Classification) and (corruptions is None or len(chosen) > 0)
    return evaluation_of(
        name,
        _predict(model, split, batch_size),
        split,
        task,
        reference=reference,
        **worse,
        permuted=permuted_confidence(model, split) if asked else None,
        also={
            other: _elsewhere(model, name, other, rows, task, batch_size, reference)
            for other, rows in (also or {}).items()
        },
    )


def evaluation_of(
    name: str,
    predictions: Mapping[str, NDArray[Any]],
    split: Split,
    task: Task,
    *,
    reference: Split | NDArray[Any] | None = None,
    worse: Mapping[str, Floats] | None = None,
    robustness: Mapping[str, tuple[float, ...]] | None = None,
    corrupted_rows: Rows | None = None,
    also: Mapping[str, Evaluation] | None = None,
    permuted: Permuted | None = None,
) -> Evaluation:
    """What follows from predictions (N, ...) of a split; `worse` and what follows it: on corrupted rows.

    Raises:
        ModelError: predictions that are not this task's.
        DataError: targets that are not this task's.
    """
    check_rows(len(split), split.weights)
    scores = task.scores(predictions, split.targets)
    constant = task.constant(*_known(reference, split))
    return Evaluation(
        onnx_sha256=name,
        fingerprint=split.fingerprint,
        predictions=predictions,
        targets=split.targets,
        scores={**scores, **(worse or {})},
        metrics=task.metrics(predictions, split.targets, split.weights),
        robustness=robustness or {},
        groups=units_of(split),
        weights=split.weights,
        baseline=task.scores(constant, split.targets),
        corrupted_rows=corrupted_rows,
        attributes=split.attributes,
        also=also or {},
        permuted=permuted,
    )


def _known(reference: Split | NDArray[Any] | None, split: Split) -> tuple[NDArray[Any], int, Floats | None]:
    """The targets that a constant is made of, for how many rows, and how much each counts.

    Where test rows have weights and train rows have none, a constant of the latter would be no match for one
    that knows the weights: then that of the test rows is taken.
    """
    weights = reference.weights if isinstance(reference, Split) else None
    if reference is None or (split.weights is not None and weights is None):
        return split.targets, len(split), split.weights
    targets = reference.targets if isinstance(reference, Split) else np.asarray(reference)
    return targets, len(split), weights


def units_of(split: Split) -> NDArray[Any] | None:
    """What is independent in a split: its groups, blocks of its times, equal rows as one; None: each row.

    Rows that follow one another are alike, and a row that stands in the test set ten times is one row.
    """
    if split.groups is not None:
        return split.groups
    if split.times is not None:
        order = np.argsort(split.times, kind="stable")
        blocks = np.empty(len(split), np.intp)
        count = max(TIME_BLOCKS, round(len(split) ** (2 / 3)))
        blocks[order] = np.arange(len(split)) * count // max(len(split), 1)
        return blocks
    _, first = np.unique(split.keys, return_inverse=True)
    return first if first.max(initial=-1) + 1 < len(split) else None


def _predict(model: Predictor, split: Split, batch_size: int) -> dict[str, NDArray[Any]]:
    batches = [
        model.predict(read_inputs(split.inputs, rows)) for rows in _batches(np.arange(len(split)), batch_size)
    ]
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def _elsewhere(
    model: Predictor,
    name: str,
    other: str,
    rows: Split,
    task: Task,
    batch_size: int,
    reference: Split | NDArray[Any] | None,
) -> Evaluation:
    try:
        return evaluate_with(
            model, name, rows, task, batch_size=batch_size, reference=reference, corruptions=()
        )
    except (ModelError, DataError) as error:
        raise type(error)(f"on the further test set {other}, {error}") from error


def _corrupted(
    model: Predictor, split: Split, task: Task, corruptions: Sequence[Corruption], batch_size: int
) -> dict[str, Any]:
    """What corruptions cost, as `evaluation_of` takes it."""
    rows = rows_to_corrupt(split)
    robustness, worse = _corrupted_scores(model, split, task, corruptions, rows, batch_size)
    some = rows if worse and len(rows) < len(split) else None
    return {"robustness": robustness, "worse": worse, "corrupted_rows": some}


def _corrupted_scores(
    model: Predictor, split: Split, task: Task, corruptions: Sequence[Corruption], rows: Rows, batch_size: int
) -> tuple[dict[str, tuple[float, ...]], dict[str, Floats]]:
    """Mean primary score by corruption and severity, and its means a row (M,): of all, and of each."""
    # (corruptions x severities, rows of a batch)
    batches = [
        np.stack([_primary(model, task, inputs, split.targets[positions]) for inputs in cells])
        for positions, cells in corrupted(split, rows, corruptions, batch_size)
    ]
    if not batches:
        return {}, {}
    scores = np.concatenate(batches, axis=1)
    means = scores.mean(axis=1).reshape(len(corruptions), -1)
    by_name = {c.name: tuple(float(v) for v in row) for c, row in zip(corruptions, means, strict=True)}
    name, each = f"{CORRUPTED}{task.primary}", scores.reshape(len(corruptions), -1, len(rows)).mean(axis=1)
    single = {f"{name}/{c.name}": values for c, values in zip(corruptions, each, strict=True)}
    return by_name, {name: scores.mean(axis=0), **single}


def _primary(model: Predictor, task: Task, inputs: Any, targets: NDArray[Any]) -> Floats:
    try:
        return task.scores(model.predict(inputs), targets)[task.primary]
    except ModelError as error:
        raise ModelError(f"on corrupted inputs, {error}") from error


def _batches(rows: Rows, size: int) -> list[Rows]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
