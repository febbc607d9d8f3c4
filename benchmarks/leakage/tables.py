"""Which tables are split, and which leaks are planted into their test rows?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd

from leakage import disguises
from leakage.case import GROUP, TARGET, Case, inputs_of
from leakage.mixed_table import mixed_table

Rng = np.random.Generator
PLANTED, PLANTED_SHARE, TEST_SHARE = 50, 0.3, 0.3
SETS = ("iris", "wine", "breast_cancer", "digits", "diabetes", "mixed")


@dataclass(frozen=True)
class Kind:
    """A way to leak.

    Args:
        name: in a few words.
        disguise: train rows as test would hold them; it may look at all train rows, and is given a generator.
        sets: the tables where it makes sense.
        stored: how the whole test table is stored afterwards, honest rows and leaked ones alike.
    """

    name: str
    disguise: Callable[[pd.DataFrame, pd.DataFrame, Rng], pd.DataFrame]
    sets: tuple[str, ...] = SETS
    stored: Callable[[pd.DataFrame], pd.DataFrame] = disguises.as_it_is


def _rounded(digits: int) -> Callable[[pd.DataFrame, pd.DataFrame, Rng], pd.DataFrame]:
    return lambda rows, train, rng: disguises.rounded(rows, digits)


def _noisy(deviations: float) -> Callable[[pd.DataFrame, pd.DataFrame, Rng], pd.DataFrame]:
    return lambda rows, train, rng: disguises.noisy(rows, train, deviations, rng)


def _plain(rows: pd.DataFrame, train: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    return rows


NUMBERS = SETS[:5]
FINE = ("breast_cancer", "diabetes", "mixed", "wine")
KINDS = (
    Kind("exact", _plain),
    Kind("cast to float32", _plain, stored=disguises.as_single),
    # Only where values are whole: cut off elsewhere, four to twelve columns of small numbers name no row.
    Kind("cast to int", _plain, ("digits", "wine", "diabetes", "mixed"), disguises.as_integers),
    Kind("numbers as text", _plain, stored=disguises.as_text),
    # Iris has two digits, and digits whole numbers up to 16: rounded, they are copies or no longer the row.
    Kind("rounded to 4 digits", _rounded(4), ("breast_cancer", "diabetes", "mixed")),
    Kind("rounded to 3 digits", _rounded(3), FINE),
    Kind("rounded to 2 digits", _rounded(2), FINE),
    Kind("column order", _plain, stored=disguises.reordered),
    Kind("respelt text", lambda rows, train, rng: disguises.respelt_cells(rows, rng), ("mixed",)),
    Kind("relabelled", lambda rows, train, rng: disguises.relabelled(rows, train, rng)),
    Kind("noise 1e-6", _noisy(1e-6)),
    Kind("noise 1e-4", _noisy(1e-4)),
    Kind("noise 1e-2", _noisy(1e-2)),
    Kind("one cell changed", disguises.one_cell_changed, SETS[1:]),
    # Apart, for nobody can tell it there: a sixth of the honest rows share three cells with a train row.
    Kind("one cell of four changed", disguises.one_cell_changed, ("iris",)),
    Kind("interpolated", disguises.interpolated, NUMBERS),
    Kind("interpolated, scaled", partial(disguises.interpolated, scaled=True), NUMBERS),
)


@cache
def load(name: str) -> pd.DataFrame:
    """All rows of a set with `target`; whole numbers are classes, others are values."""
    if name == "mixed":
        return mixed_table(1_000, np.random.default_rng(17))
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")(**({"scaled": False} if name == "diabetes" else {}))
    columns = [str(column).replace(" ", "_") for column in bunch.feature_names]
    return pd.DataFrame(bunch.data, columns=columns).assign(**{TARGET: bunch.target})


def split(name: str, rng: Rng) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Shuffled, 70 % to learn from."""
    rows = load(name).iloc[rng.permutation(len(load(name)))].reset_index(drop=True)
    cut = round(len(rows) * (1 - TEST_SHARE))
    return rows[:cut], rows[cut:].reset_index(drop=True)


def clean_case(name: str, seed: int) -> Case:
    train, test = split(name, np.random.default_rng([seed, 0]))
    return Case("tables", name, train, test, true=_copies(train, test))


def planted_cases(seed: int, sets: tuple[str, ...] = SETS) -> Iterator[tuple[str, Case]]:
    """Every kind in every set that it makes sense in."""
    for place, kind in enumerate(KINDS):
        yield from ((kind.name, _plant(name, kind, [seed, 1 + place])) for name in kind.sets if name in sets)


def _plant(name: str, kind: Kind, seed: list[int]) -> Case:
    rng = np.random.default_rng(seed)
    train, test = split(name, rng)
    planted = rng.permutation(len(test))[: min(PLANTED, int(len(test) * PLANTED_SHARE))]
    originals = rng.permutation(len(train))[: len(planted)]
    rows = kind.disguise(train.iloc[originals].reset_index(drop=True), train, rng)
    leak = _recognizable(kind, rows, train, originals)
    true = set(_copies(train, test)) - set(planted.tolist())
    kept = test.drop(index=planted).assign(place=np.setdiff1d(np.arange(len(test)), planted))
    both = pd.concat([kept, rows.assign(place=planted)]).sort_values("place").drop(columns="place")
    both = kind.stored(both.reset_index(drop=True))
    known: dict[str, Any] = {"planted": {kind.name: planted.tolist()}, "leak": {kind.name: leak}}
    return Case("tables", name, train, both, true=tuple(sorted(true)), **known)


def _recognizable(kind: Kind, rows: pd.DataFrame, train: pd.DataFrame, originals: np.ndarray) -> float:
    if kind.name.startswith("interpolated"):
        return math.nan  # it has two originals, and is like neither
    return disguises.recognizable(rows, train, originals, kind.disguise is disguises.one_cell_changed)


def _copies(train: pd.DataFrame, test: pd.DataFrame) -> tuple[int, ...]:
    """Test rows that are equal to a train row, although nobody planted them: iris has one such pair."""
    known = set(map(tuple, inputs_of(train).to_numpy().tolist()))
    rows = map(tuple, inputs_of(test).to_numpy().tolist())
    return tuple(place for place, row in enumerate(rows) if row in known)


def column_cases(seed: int, sets: tuple[str, ...] = NUMBERS) -> Iterator[tuple[str, Case]]:
    """Leaks that are none of single rows, a case a set: the name of the kind, and the case."""
    for name in sets:
        for place, (kind, make) in enumerate(disguises.OF_COLUMNS.items()):
            rng = np.random.default_rng([seed, 101 + place])
            train, test = make(*split(name, rng), rng)
            yield kind, Case("tables", name, train, test, planted={kind: []}, true=_copies(train, test))


def group_cases(seed: int, sets: tuple[str, ...] = SETS) -> Iterator[tuple[str, Case]]:
    """Rows of train's groups in test, their names spelt alike or otherwise; honest rows have their own."""
    for name in sets:
        for place, respell in enumerate((disguises.as_it_is, disguises.respelt_groups)):
            rng = np.random.default_rng([seed, 201 + place])
            train, test = split(name, rng)
            planted = rng.permutation(len(test))[: min(PLANTED, int(len(test) * PLANTED_SHARE))]
            train[GROUP] = [f"Clinic Zürich {i // 3:04}" for i in range(len(train))]
            names = pd.Series([f"Clinic Genève {i // 3:04}" for i in range(len(test))], dtype=object)
            shared = train[GROUP].sample(len(planted), random_state=int(rng.integers(1 << 31)))
            names[planted] = respell(shared.reset_index(drop=True)).to_numpy()
            kind = "respelt groups" if place else "shared groups"
            known: dict[str, Any] = {"planted": {kind: planted.tolist()}, "true": _copies(train, test)}
            yield kind, Case("tables", name, train, test.assign(**{GROUP: names}), **known)
