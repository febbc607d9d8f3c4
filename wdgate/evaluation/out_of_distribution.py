"""Is a model less sure of rows that are unlike those that it was made for?

Other rows are those of further test sets, and rows that are made of the test rows: each cell, or pixel, of
another row. They have the cells that are usual, and go together as no row's do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import ModelError
from data_checks.splits import Inputs, Split, read_inputs
from wdgate.evaluation.calibration import confidence
from wdgate.evaluation.places import Batch, places_of
from wdgate.evaluation.ranking import Ranking, roc
from wdgate.evaluation.robustness import AT_ONCE, rows_to_corrupt

if TYPE_CHECKING:  # which holds what is measured here
    from wdgate.evaluation.evaluation import Evaluation, Predictor

Floats = NDArray[np.floating]
Rows = NDArray[np.intp]

OOD = "ood_auroc"
"""Of the rows that are made; `ood_auroc/NAME` is of a further test set."""
MIXED_AT_ONCE = 512


@dataclass(frozen=True, eq=False)
class Permuted:
    """How sure a model is of rows that are made of the cells of others.

    Args:
        confidence: the largest probability (M,).
        positions: the test rows in whose place they stand (M,).
    """

    confidence: Floats
    positions: Rows

    def of(self, rows: Rows) -> Permuted:
        """Those in the place of some test rows (K,), in rising order, as if there were no others."""
        kept = np.isin(self.positions, rows)
        return Permuted(self.confidence[kept], np.searchsorted(rows, self.positions[kept]))


@dataclass(frozen=True, eq=False)
class Apart:
    """How well the confidence of a model tells test rows from others.

    Args:
        ranking: its area under the ROC curve, and what each row adds to it.
        is_test: which rows are test rows (N + M,); they come first.
        groups: the unit of each row (N + M,); None where each is its own.
        weights: what each counts (N + M,), or None.
    """

    ranking: Ranking
    is_test: NDArray[np.bool_]
    groups: NDArray[Any] | None
    weights: Floats | None


def is_ood(name: str) -> bool:
    """Whether a name is of such a number.

    Example:
        >>> is_ood("ood_auroc"), is_ood("ood_auroc/street signs"), is_ood("auc")
        (True, True, False)
    """
    return name == OOD or name.startswith(f"{OOD}/")


def permuted_confidence(model: Predictor, split: Split) -> Permuted | None:
    """How sure a model is of at most 2,000 rows that are made of the cells of the rows of a split.

    The cells of a column, or a pixel, change places between the rows, each column for itself; what changes
    with what depends on the content of the rows alone, not on their order. None where rows have but one cell,
    as text has, or are tokens, which mean nothing without their neighbours; or where the model gives no
    probabilities for such rows.
    """
    if not _can_be_mixed(split.inputs):
        return None
    found = [(positions, _sure(model, batch)) for positions, batch in _mixed(split)]
    sure = [values for _, values in found if values is not None]
    if not found or len(sure) < len(found):
        return None
    return Permuted(np.concatenate(sure), np.concatenate([positions for positions, _ in found]))


def apart(name: str, evaluation: Evaluation) -> Apart | None:
    """How well test rows are told from the rows that a name is of; None where nobody predicted those.

    A row counts for its test rows as they are counted elsewhere; a row that is made belongs to the unit of
    the row in whose place it stands.
    """
    test, further = _confidence_of(evaluation.predictions), name.partition("/")[2]
    if test is None:
        return None
    if not further:
        return None if evaluation.permuted is None else _from_permuted(test, evaluation.permuted, evaluation)
    there = evaluation.also.get(further)
    other = None if there is None else _confidence_of(there.predictions)
    return None if there is None or other is None else _from_further(test, other, evaluation, there)


def _from_permuted(test: Floats, made: Permuted, evaluation: Evaluation) -> Apart:
    unit = np.arange(len(test)) if evaluation.groups is None else evaluation.groups
    weights = evaluation.weights
    return _apart(
        test,
        made.confidence,
        np.concatenate([unit, unit[made.positions]]),
        None if weights is None else np.concatenate([weights, weights[made.positions]]),
    )


def _from_further(test: Floats, other: Floats, evaluation: Evaluation, there: Evaluation) -> Apart:
    units = [_units(evaluation), _units(there)]
    # A name that both sets use for a unit is taken for two units only if it is one in truth: they share it.
    shared = evaluation.groups is not None and there.groups is not None
    groups = np.concatenate([units[0], units[1]]) if shared else _distinct(*units)
    alone = evaluation.groups is None and there.groups is None
    weighted = evaluation.weights is not None or there.weights is not None
    mass = [np.ones(len(one)) if one.weights is None else one.weights for one in (evaluation, there)]
    return _apart(test, other, None if alone else groups, np.concatenate(mass) if weighted else None)


def _apart(test: Floats, other: Floats, groups: NDArray[Any] | None, weights: Floats | None) -> Apart:
    is_test = np.arange(len(test) + len(other)) < len(test)
    return Apart(roc(np.concatenate([test, other]), is_test, weights), is_test, groups, weights)


def _units(evaluation: Evaluation) -> NDArray[Any]:
    return np.arange(len(evaluation)) if evaluation.groups is None else evaluation.groups


def _distinct(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.intp]:
    one, other = (np.unique(units, return_inverse=True)[1].ravel() for units in (first, second))
    return np.concatenate([one, other + one.max(initial=-1) + 1])


def _confidence_of(predictions: Mapping[str, NDArray[Any]]) -> Floats | None:
    return confidence(predictions["probs"]) if "probs" in predictions else None


def _can_be_mixed(inputs: Inputs) -> bool:
    if any(place.kind == "tokens" for place in places_of(inputs)):
        return False
    sample = read_inputs(inputs, np.arange(min(1, len(inputs) if not isinstance(inputs, Mapping) else 1)))
    columns = list(sample.values()) if isinstance(sample, dict) else [np.asarray(sample)]
    return sum(column.size for column in columns) > 1


def _mixed(split: Split) -> Iterator[tuple[Rows, Batch]]:
    rows = rows_to_corrupt(split)
    if len(rows) < 2:
        return
    rows = rows[np.argsort(split.keys[rows], kind="stable")]
    one = read_inputs(split.inputs, rows[:1])
    each = sum(column.size for column in one.values()) if isinstance(one, dict) else one.size
    size = max(2, min(MIXED_AT_ONCE, AT_ONCE // max(1, each)))
    # In parts of like size, so that none is left alone, whose cells had nobody to change places with.
    parts = np.array_split(rows, max(1, len(rows) // size))
    for number, positions in enumerate(parts):
        generator = np.random.default_rng([number])
        clean = read_inputs(split.inputs, positions)
        if isinstance(clean, dict):
            yield positions, {name: _shuffled(clean[name], generator) for name in sorted(clean)}
        else:
            yield positions, _shuffled(clean, generator)


def _shuffled(values: NDArray[Any], generator: np.random.Generator) -> NDArray[Any]:
    """Every cell of a row from another row, each place in a row for itself."""
    flat = values.reshape(len(values), -1)
    order = generator.permuted(np.broadcast_to(np.arange(len(flat))[:, None], flat.shape), axis=0)
    return np.take_along_axis(flat, order, axis=0).reshape(values.shape)


def _sure(model: Predictor, batch: Batch) -> Floats | None:
    try:
        probs = model.predict(batch).get("probs")
    except ModelError:
        # Rows that are none may be refused; then there is nothing that confidence must tell apart.
        return None
    usable = probs is not None and probs.ndim == 2 and np.isfinite(probs).all()
    return confidence(probs) if usable and probs is not None else None
