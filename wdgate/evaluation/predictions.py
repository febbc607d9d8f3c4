"""What did a model predict, given nothing but a table of its predictions?

Such predictions can be judged and never promoted: nothing says which model they are of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import ModelError
from data_checks.splits import Split
from data_checks.table_files import read_columns, require
from wdgate.evaluation.class_names import OtherClassesError, class_numbers
from wdgate.evaluation.labels import Labels
from wdgate.evaluation.quantiles import Quantiles
from wdgate.evaluation.slices import labels_of
from wdgate.evaluation.tasks import Classification, Task

Array = NDArray[Any]
_SHOWN = 3


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions by the ids of rows.

    Args:
        ids: of the rows, in words (M,).
        values: what was predicted, named as the task names it, each (M, ...).
        task: what the values can be scored in: `Labels` where there are no probabilities.
        sha256: hash of the file, or of the numbers.
        source: where they come from, in words.
    """

    ids: NDArray[np.str_]
    values: Mapping[str, Array]
    task: Task
    sha256: str
    source: str

    def of(self, split: Split) -> dict[str, Array]:
        """The predictions of each row of a split (N, ...), found by its id; others are left aside.

        Raises:
            ModelError: rows without a prediction, or with two, naming the first of them.
        """
        wanted = labels_of(split.ids)
        _refuse("the test rows have", "twice", _repeated(wanted))
        needed = np.isin(self.ids, wanted)
        _refuse(f"{self.source} has", "twice", _repeated(self.ids[needed]))
        _refuse(f"{self.source} lacks", "of the test set", wanted[~np.isin(wanted, self.ids)].tolist())
        order = np.argsort(self.ids, kind="stable")
        places = order[np.searchsorted(self.ids, wanted, sorter=order)]
        return {name: values[places] for name, values in self.values.items()}


def predictions_of(values: Mapping[str, Array], split: Split, task: Task) -> Predictions:
    """Predictions in memory, in the order of a split's rows: `probs` (N, C) and `predicted`, or one of them.

    Of `Quantiles`: `quantiles` (N, Q), from which `predicted` follows.

    Raises:
        ModelError: neither of them, or another number of rows.
    """
    arrays = {name: np.asarray(column) for name, column in values.items()}
    for name, column in arrays.items():
        if column.ndim == 0 or len(column) != len(split):
            raise ModelError(f"{name} has shape {column.shape}, expected a row for each of {len(split):,}")
    named, scored = _in_words_of(task, arrays, "the predictions")
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(named[name]).tobytes() for name in sorted(named)))
    return Predictions(labels_of(split.ids), named, scored, digest.hexdigest(), "the predictions")


def read_predictions(path: str | Path, ids: str, task: Task) -> Predictions:
    """Predictions in a Parquet, CSV or npz file.

    Args:
        path: a table with a column of ids, and `predicted`, or for classes a column of probability a class,
            called by the class's name, also after `prob_`, `probs_` or `probability_`; or both. For quantiles
            a column a level, called `0.05`, `q0.05` or `quantile_0.05`.
        ids: the column of ids.
        task: what is predicted.

    Raises:
        DataError: a file that cannot be read, or that lacks the column of ids.
        ModelError: columns that say nothing of the task.
    """
    file = Path(path)
    columns = read_columns(file, text=True)
    require(ids, columns, file)
    found = _named_values(file, columns, task)
    named, scored = _in_words_of(task, found, str(file))
    return Predictions(
        labels_of(_array(columns[ids])),
        named,
        scored,
        hashlib.sha256(file.read_bytes()).hexdigest(),
        str(file),
    )


def _named_values(file: Path, columns: Mapping[str, Any], task: Task) -> dict[str, Array]:
    if isinstance(task, Quantiles):
        return {"quantiles": _quantiles(file, columns, task)}
    found = {"predicted": _array(columns["predicted"])} if "predicted" in columns else {}
    classes: Sequence[str] = task.classes if isinstance(task, Classification) else ()
    places = _probability_columns(columns, classes)
    missing = [name for name in classes if name not in places]
    if places and missing:
        raise OtherClassesError(f"{file} has no column of the probability of {missing[0]!r}")
    if places:
        found["probs"] = np.stack([_floats(str(file), p, columns[p]) for p in places.values()], axis=1)
    if not found:
        wanted = f"predicted, or {', '.join(classes)}" if classes else "predicted"
        raise OtherClassesError(
            f"{file} has the columns {', '.join(columns)}, expected {wanted} beside the ids"
        )
    return found


def _quantiles(file: Path, columns: Mapping[str, Any], task: Quantiles) -> Array:
    """The column of each level, side by side (M, Q)."""
    forms = ("{}", "q{}", "quantile_{}")
    found = []
    for level in task.levels:
        place = _called(f"{level:g}", forms, columns)
        if place is None:
            raise ModelError(
                f"{file} has the columns {', '.join(columns)}, expected quantile_{level:g} beside the ids"
            )
        found.append(_floats(str(file), place, columns[place]))
    return np.stack(found, axis=1)


def _called(name: str, forms: Sequence[str], columns: Mapping[str, Any]) -> str | None:
    return next((form.format(name) for form in forms if form.format(name) in columns), None)


def _probability_columns(columns: Mapping[str, Any], classes: Sequence[str]) -> dict[str, str]:
    """The column of each class that has one, in the order of the classes."""
    forms = ("{}", "prob_{}", "probs_{}", "probability_{}")
    found = {name: _called(name, forms, columns) for name in classes}
    return {name: column for name, column in found.items() if column is not None}


def _in_words_of(task: Task, found: Mapping[str, Array], source: str) -> tuple[dict[str, Array], Task]:
    """The predictions as the task names them, and what they can be scored in."""
    if isinstance(task, Classification):
        return _of_classes(task, found, source)
    wanted = "quantiles" if isinstance(task, Quantiles) else "predicted"
    if wanted not in found:
        raise ModelError(f"{source} has {', '.join(found) or 'nothing'}, expected {wanted}")
    values = _floats(source, wanted, found[wanted])
    return (task.all_from(values) if isinstance(task, Quantiles) else {wanted: values}), task


def _of_classes(
    task: Classification, found: Mapping[str, Array], source: str
) -> tuple[dict[str, Array], Task]:
    known = {name: values for name, values in found.items() if name in ("probs", "predicted")}
    if not known:
        raise ModelError(f"{source} has {', '.join(found) or 'nothing'}, expected probs or predicted")
    if "predicted" in known:
        known["predicted"] = class_numbers(known["predicted"], task)
    if "probs" not in known:
        return known, Labels(task.classes)
    known["probs"] = _floats(source, "probs", known["probs"])
    if "predicted" not in known:
        known["predicted"] = task.called(known["probs"])
    return known, task


def _floats(source: Any, name: str, column: Any) -> Array:
    values = _array(column)
    if values.dtype == object:
        flat = [np.nan if value is None else value for value in values.reshape(-1).tolist()]
        values = np.array(flat).reshape(values.shape)
    if values.dtype.kind not in "biuf":
        raise ModelError(f"column {name} of {source} holds text or moments, expected numbers")
    return values.astype(np.float64)


def _array(column: Any) -> Array:
    return column if isinstance(column, np.ndarray) else np.array([*column.to_pylist(), None], object)[:-1]


def _repeated(ids: NDArray[np.str_]) -> list[str]:
    names, counts = np.unique(ids, return_counts=True)
    return [str(name) for name in names[counts > 1].tolist()]


def _refuse(who: str, what: str, ids: Sequence[str]) -> None:
    """Raise with the number of rows and the first ids, unless there are none."""
    if ids:
        shown = ", ".join(ids[:_SHOWN]) + (", ..." if len(ids) > _SHOWN else "")
        raise ModelError(f"{who} {len(ids):,} {'id' if len(ids) == 1 else 'ids'} {what}: {shown}")
