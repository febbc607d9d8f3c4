"""Which columns of a table look like the unit of its rows, their moment, or their name?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.times import missing, moment_columns
from data_checks.splits import Array, Split

# Names of who or what is looked at more than once: such a column is a group, however its rows look.
_UNIT_NAMES = """
    account animal author child client customer device donor driver employee family household member mouse mrn
    participant patient person player respondent speaker student subject user worker writer
"""
# Names of where and when rows are taken together: such a column is a group where its rows are alike.
_PLACE_NAMES = """
    batch camera case center centre clinic cluster company episode event experiment farm field hospital
    location machine plate plot product record recording region run sample scanner scene school sensor
    sequence series session shop site slide source station store study track trip uid vehicle video visit
"""
_UNITS, _PLACES = frozenset(_UNIT_NAMES.split()), frozenset(_PLACE_NAMES.split())
_IDS = frozenset(("id", "ids", "nr", "key", "uid", "uuid", "guid", "ref"))
_NUMBERS = _IDS | {"no", "num", "number", "code"}
_BIRTHS = frozenset(("birth", "birthday", "birthdate", "born", "dob"))
_FEWEST_GROUPS = 10
_ALIKE = 0.9
_PAIRS = 5000


@dataclass(frozen=True)
class Group:
    """A column that looks like the unit of rows.

    Args:
        name: the column.
        values: how many different ones it has.
        likeness: how much rows of one value differ, where any two differ by 1; NaN where none compare.
        unit: whether it is named as somebody who is looked at more than once.
    """

    name: str
    values: int
    likeness: float
    unit: bool


def find_group(rows: Split) -> Group | None:
    """The column of the inputs that looks most like a group, if one does.

    It is named like one, has at least 10 values, most of which come more than once, and rows of one value are
    alike; a column that is named as a person or a device need not have that shown.
    """
    if not isinstance(rows.inputs, Mapping):
        return None
    likely = []
    for name, column in rows.inputs.items():
        rank = _rank(name)
        codes = _repeated(column) if rank else None
        if codes is not None:
            group = Group(name, int(codes.max()) + 1, _likeness(rows, name, codes), rank == 2)
            likely += [group] if group.unit or group.likeness < _ALIKE else []
    return min(
        likely, key=lambda group: (not group.unit, np.nan_to_num(group.likeness, nan=1.0)), default=None
    )


def find_ids(rows: Split) -> str | None:
    """The column of the inputs that names each row: called an id, text or whole numbers, no two alike."""
    if not isinstance(rows.inputs, Mapping):
        return None
    for name, column in rows.inputs.items():
        named = _words(name)[-1:] and _words(name)[-1] in _IDS
        if named and _is_name(column) and not missing(column).any() and _all_differ(column):
            return name
    return None


def find_times(rows: Split) -> list[str]:
    """The columns of moments that may say when rows happened; the latest first, when all of a row was known.

    Not those of birthdays, those with gaps, and those with fewer than 10 moments.
    """
    if not isinstance(rows.inputs, Mapping):
        return []
    names = [name for name in moment_columns(rows) if not _BIRTHS & set(_words(name))]
    columns = {name: rows.inputs[name] for name in names if rows.inputs[name].ndim == 1}
    whole = {name: c for name, c in columns.items() if not np.isnat(c).any() and len(np.unique(c)) >= 10}
    return sorted(whole, key=lambda name: whole[name].astype("M8[us]").astype(float).mean(), reverse=True)


def _words(name: str) -> list[str]:
    """The words of a column's name: `patientId`, `patient_id` and `PATIENT-ID` are two."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = [word for word in re.split(r"[^a-z]+", apart.lower()) if word]
    last = re.fullmatch(r"([a-z]{3,}?)s?(id|nr)", words[-1]) if words else None
    return [*words[:-1], *last.groups()] if last and last.group(1) in _UNITS | _PLACES else words


def _rank(name: str) -> int:
    """2 for the name of a unit, 1 for another hint at a group, 0 for none: `patient_age` is none."""
    words = [
        word.removesuffix("s") if word.removesuffix("s") in _UNITS | _PLACES else word
        for word in _words(name)
    ]
    if not words or not (words[-1] in _NUMBERS or len(words) == 1):
        return 0
    if _UNITS & set(words):
        return 2
    return 1 if (_PLACES | _NUMBERS) & set(words) else 0


def _is_name(column: Array) -> bool:
    if column.ndim != 1 or column.dtype.kind not in "OUiuf":
        return False
    known = column[np.isfinite(column)] if column.dtype.kind == "f" else column[:0]
    return column.dtype.kind != "f" or (len(known) > 0 and bool((known == np.floor(known)).all()))


def _all_differ(column: Array) -> bool:
    import pandas as pd

    return bool(pd.Series(column).is_unique)


def _repeated(column: Array) -> NDArray[np.intp] | None:
    """A number a value (N,), -1 where it is missing; None where values are few, or most come once."""
    import pandas as pd

    if not _is_name(column):
        return None
    codes, values = pd.factorize(column)
    counts = np.bincount(codes[codes >= 0], minlength=len(values))
    repeated = counts[counts > 1].sum() >= 0.5 * len(codes)
    return np.asarray(codes, np.intp) if len(values) >= _FEWEST_GROUPS and repeated else None


def _likeness(rows: Split, name: str, codes: NDArray[np.intp]) -> float:
    """How much rows of one value differ in the other columns and the target, where any two differ by 1."""
    order = np.argsort(codes, kind="stable")
    same = np.flatnonzero((codes[order][1:] == codes[order][:-1]) & (codes[order][1:] >= 0))
    same = same[:: max(1, len(same) // _PAIRS)]
    first, second = order[same], order[same + 1]
    other = second[np.random.default_rng(0).permutation(len(second))]
    inputs = rows.inputs if isinstance(rows.inputs, Mapping) else {}
    columns = [column for column_name, column in inputs.items() if column_name != name and column.ndim == 1]
    near = np.array([_distance(column, first, second) for column in [*columns, rows.targets]])
    far = np.array([_distance(column, first, other) for column in [*columns, rows.targets]])
    known = far > 0  # NaN, which is said of a column without cells to compare, is not
    return float(np.mean(near[known] / far[known])) if known.any() else float("nan")


def _distance(column: Array, left: NDArray[np.intp], right: NDArray[np.intp]) -> float:
    """How far rows (n,) are apart in one column: by rank; by the share that differ where it is text."""
    import pandas as pd

    if column.dtype.kind in "iufmM":
        ranks = pd.Series(column).rank().to_numpy()
        apart = np.abs(ranks[left] - ranks[right])
        known = apart[np.isfinite(apart)]
        return float(known.mean()) if len(known) else float("nan")
    codes = pd.factorize(column)[0]
    return float(np.mean(codes[left] != codes[right])) if len(left) else float("nan")
