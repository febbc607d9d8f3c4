"""Which rows are predicted by a training that has not seen them, so that every row can be?

Where rows are few, train and validation rows together are parted into folds: each is predicted by a training
on the others. Equal rows and rows of one group stay in one fold. Where rows have times, each fold comes after
all that it is predicted from, so that the first rows are only learned from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import DataError
from data_checks.evidence.spelling import canonical_ids
from data_checks.evidence.times import before, comparable, first_time, missing
from data_checks.splits import Array, Inputs, Reader, Split, Splits
from wd_train.shares import some_of

Positions = NDArray[np.intp]

FEW = 150
"""Validation rows below which a choice between points is mostly chance: a standard error of four points."""

FOLDS = 5
ORDER = 0
"""Seed of the order in which groups and rows of equal content are dealt to folds."""


@dataclass(frozen=True, eq=False)
class Material:
    """What a sweep trains and chooses on. There is no place for test rows.

    Args:
        train: the rows to fit on.
        validation: the rows to choose on.
        embargo: how much time must lie between what is learned from and what is predicted.
    """

    train: Split
    validation: Split
    embargo: Any = None

    @property
    def fingerprints(self) -> tuple[str, str]:
        """The fingerprints of both parts."""
        return self.train.fingerprint, self.validation.fingerprint


def material_of(splits: Splits) -> Material:
    """The rows of a pipeline that a sweep may see."""
    return Material(splits.train, splits.validation, splits.embargo)


def folds_for(material: Material, asked: int | None) -> int:
    """How many folds: those that were asked for, or 5 where fewer than 150 validation rows are there.

    Raises:
        DataError: there is no validation row to choose on, and no cross-validation was wanted.
    """
    if asked == 1 and not len(material.validation):
        raise DataError("a sweep chooses on validation rows, and there are none: leave out folds=1")
    return asked or (FOLDS if len(material.validation) < FEW else 1)


def parts_of_fold(material: Material, fold: int, folds: int, share: float = 1.0) -> tuple[Split, Split]:
    """The rows to fit on and the rows to predict of one fold; one fold is train and validation as they are.

    Args:
        material: all rows.
        fold: which one, from 0.
        folds: how many there are.
        share: of the rows to fit on; a smaller share is a part of a larger one.
    """
    if folds == 1:
        return some_of(material.train, share), material.validation
    together = joined(material.train, material.validation)
    fit, judged = folds_of(together, folds, material.embargo)[fold]
    return some_of(together.take(fit), share), together.take(judged)


def folds_of(rows: Split, folds: int, embargo: Any = None) -> list[tuple[Positions, Positions]]:
    """Positions of the rows to fit on and of the rows to predict, for each fold.

    Raises:
        DataError: fewer groups, moments or rows than folds, or a fold that leaves nothing to fit on.
    """
    found = _in_time(rows, folds, embargo) if rows.times is not None else _at_once(rows, folds)
    for number, (fit, _) in enumerate(found, 1):
        if not len(fit):
            taken = "its groups or the embargo take all of them"
            raise DataError(f"fold {number} of {folds} leaves no row to fit on: {taken}")
    return found


def joined(first: Split, second: Split) -> Split:
    """The rows of both, those of the first one first.

    Raises:
        DataError: rows of different kinds.
    """
    if not len(second):
        return first
    columns = {name: _both(name, first, second) for name in ("targets", "ids", "groups", "times", "weights")}
    shared = [name for name in first.attributes if name in second.attributes]
    attributes = {name: np.concatenate([first.attributes[name], second.attributes[name]]) for name in shared}
    inputs = _joined_inputs(first.inputs, second.inputs)
    stable = bool(first.stable_ids and second.stable_ids)
    return Split(inputs, attributes=attributes, stable_ids=stable, **columns)  # type: ignore[arg-type]


def _at_once(rows: Split, folds: int) -> list[tuple[Positions, Positions]]:
    """Folds of about as many rows, in all and of each class, that part no group and no equal rows."""
    units = rows.keys if rows.groups is None else canonical_ids(rows.groups)
    unique, codes, sizes = np.unique(units, return_inverse=True, return_counts=True)
    if len(unique) < folds:
        what = "different rows" if rows.groups is None else "groups"
        raise DataError(f"folds must be at most {len(unique):,}, the number of {what}, got {folds}")
    place = _dealt(codes.reshape(-1), sizes, _classes(rows), folds)[codes.reshape(-1)]
    return [(np.flatnonzero(place != fold), np.flatnonzero(place == fold)) for fold in range(folds)]


def _classes(rows: Split) -> NDArray[np.intp]:
    """Numbers of the classes (N,); all 0 where targets are values."""
    if rows.targets.dtype.kind not in "iub":
        return np.zeros(len(rows), np.intp)
    return np.unique(rows.targets, return_inverse=True)[1].reshape(-1).astype(np.intp)


def _dealt(
    codes: NDArray[np.intp], sizes: NDArray[np.intp], classes: NDArray[np.intp], folds: int
) -> NDArray[np.intp]:
    """The fold of each unit (U,): the largest first, each to where its class, then all rows, are fewest."""
    first = np.unique(codes, return_index=True)[1]
    # Within a size and a class by a fixed draw, for neighbours in a file are often alike.
    drawn = np.random.default_rng(ORDER).permutation(len(sizes))
    order = np.lexsort((drawn, classes[first], -sizes))
    held = np.zeros((folds, int(classes.max()) + 1), np.intp)
    place = np.zeros(len(sizes), np.intp)
    for unit in order.tolist():
        kind = classes[first[unit]]
        fold = int(np.lexsort((held.sum(axis=1), held[:, kind]))[0])
        place[unit], held[fold, kind] = fold, held[fold, kind] + sizes[unit]
    return place


def _in_time(rows: Split, folds: int, embargo: Any) -> list[tuple[Positions, Positions]]:
    """Blocks of moments, each predicted from all that was before; the first one is only learned from."""
    times = comparable(rows.times)  # type: ignore[arg-type]  # asked by the caller
    if missing(times).any():
        lost = f"{int(missing(times).sum()):,} of {len(times):,}"
        raise DataError(f"rows cannot be parted into folds by time where {lost} have none")
    moments, codes = np.unique(times, return_inverse=True)
    if len(moments) <= folds:
        raise DataError(f"folds must be below {len(moments):,}, the number of different moments, got {folds}")
    blocks = _blocks(codes.reshape(-1), folds + 1)
    groups = None if rows.groups is None else canonical_ids(rows.groups)
    return [_before_and_in(times, blocks, block, groups, embargo) for block in range(1, folds + 1)]


def _blocks(codes: NDArray[np.intp], blocks: int) -> NDArray[np.intp]:
    """The block of each row (N,): about as many rows in each, no moment in two, none of them empty."""
    counts = np.bincount(codes)
    wanted = np.minimum((np.cumsum(counts) - counts / 2) * blocks // len(codes), blocks - 1).astype(np.intp)
    # At least one moment in each: no later than one block a moment, and no sooner than what is left allows.
    steps = np.arange(len(counts))
    within = np.clip(wanted, np.maximum(0, blocks - (len(counts) - steps)), np.minimum(steps, blocks - 1))
    for moment in range(1, len(within)):
        within[moment] = np.clip(within[moment], within[moment - 1], within[moment - 1] + 1)
    return within[codes]


def _before_and_in(
    times: Array, blocks: NDArray[np.intp], block: int, groups: Array | None, embargo: Any
) -> tuple[Positions, Positions]:
    judged, fit = blocks == block, blocks < block
    if embargo is not None:
        fit &= np.asarray(times <= _earlier(first_time(times[judged]), embargo, times), bool)
    if groups is not None:
        fit &= ~np.isin(groups, groups[judged])
    return np.flatnonzero(fit), np.flatnonzero(judged)


def _earlier(moment: Any, embargo: Any, times: Array) -> Any:
    one = np.empty(1, times.dtype)
    one[0] = moment
    return before(one, embargo)[0]


def _both(name: str, first: Split, second: Split) -> Array | None:
    one, other = getattr(first, name), getattr(second, name)
    if (one is None) != (other is None):
        raise DataError(f"train and validation must both have {name}, or neither, to be parted into folds")
    return None if one is None else np.concatenate([one, other])


def _joined_inputs(first: Inputs, second: Inputs) -> Inputs:
    if isinstance(first, Mapping) and isinstance(second, Mapping) and first.keys() == second.keys():
        return {name: np.concatenate([first[name], second[name]]) for name in first}
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return np.concatenate([first, second])
    if isinstance(first, Reader) and isinstance(second, Reader):
        return OneAfterAnother(first, second)
    raise DataError("train and validation must hold inputs of one kind, to be parted into folds")


@dataclass(frozen=True, eq=False)
class OneAfterAnother:
    """The rows of two readers as those of one."""

    first: Reader
    second: Reader

    def __len__(self) -> int:
        return len(self.first) + len(self.second)

    def __getitem__(self, indices: NDArray[np.intp]) -> Array:
        later = indices >= len(self.first)
        parts = [self.first[indices[~later]]] if not later.all() else []
        parts += [self.second[indices[later] - len(self.first)]] if later.any() else []
        places = np.concatenate([np.flatnonzero(~later), np.flatnonzero(later)])
        return np.concatenate(parts)[np.argsort(places)]

    def key(self, index: int) -> bytes:
        """The key of the row in the reader that it comes from."""
        ahead = len(self.first)
        return self.first.key(index) if index < ahead else self.second.key(index - ahead)
