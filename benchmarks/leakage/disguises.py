"""How does a train row look when it stands in test under another form?"""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import pandas as pd

from leakage.case import TARGET, inputs_of

Frame, Rng = pd.DataFrame, np.random.Generator
NEIGHBOURS = 5
PROXY = "outcome_code"


def numeric(frame: Frame) -> list[str]:
    return [name for name in inputs_of(frame) if pd.api.types.is_numeric_dtype(frame[name])]


def as_it_is(rows: Any) -> Any:
    return rows


def as_single(frame: Frame) -> Frame:
    return frame.astype(dict.fromkeys(numeric(frame), np.float32))


def as_integers(frame: Frame) -> Frame:
    """Columns whose values are all whole as 32-bit integers."""
    whole = [name for name in numeric(frame) if (frame[name] % 1 == 0).all()]
    return frame.astype(dict.fromkeys(whole, np.int32))


def as_text(frame: Frame) -> Frame:
    """All numbers as the shortest text that reads back as the same number, as a CSV file has them."""
    return frame.assign(**{name: [repr(value) for value in frame[name].tolist()] for name in numeric(frame)})


def reordered(frame: Frame) -> Frame:
    return frame[list(frame)[::-1]]


def rounded(rows: Frame, digits: int) -> Frame:
    """Numbers to so many significant digits."""

    def shorten(values: pd.Series) -> np.ndarray:
        plain = values.to_numpy(float)
        steps = 10.0 ** (np.floor(np.log10(np.abs(np.where(plain == 0, 1, plain)))) - digits + 1)
        # Through text, so that 0.3 is the 0.3 that a person types.
        return np.array([float(f"{value:.12g}") for value in np.round(plain / steps) * steps])

    return rows.assign(**{name: shorten(rows[name]) for name in numeric(rows)})


def respelt_cells(rows: Frame, rng: Rng) -> Frame:
    """Every cell of text in another case, with other blanks, or in another Unicode form."""
    texts = [name for name in inputs_of(rows) if name not in numeric(rows)]
    return rows.assign(
        **{name: [_respell(text, int(rng.integers(6))) for text in rows[name]] for name in texts}
    )


def respelt_groups(names: pd.Series) -> pd.Series:
    return pd.Series([_respell(name, place) for place, name in enumerate(names)])


def _respell(text: str, way: int) -> str:
    """One of six ways that no reader would call another name."""
    ways = (
        text.upper(),
        text.lower(),
        f"  {text} ",
        text.replace(" ", "  "),
        unicodedata.normalize("NFD", text),
        text.replace(" ", "\N{NO-BREAK SPACE}").title(),
    )
    return ways[way % len(ways)]


def relabelled(rows: Frame, train: Frame, rng: Rng) -> Frame:
    """The same inputs with another target: the next class, or the value of another row."""
    if rows[TARGET].dtype.kind == "f":
        return rows.assign(**{TARGET: rng.permutation(train[TARGET])[: len(rows)]})
    classes = np.unique(train[TARGET])
    return rows.assign(**{TARGET: classes[(np.searchsorted(classes, rows[TARGET]) + 1) % len(classes)]})


def noisy(rows: Frame, train: Frame, deviations: float, rng: Rng) -> Frame:
    """Gaussian noise on every number, in train's standard deviations of its column."""
    spread = {name: deviations * train[name].std() for name in numeric(rows)}
    return rows.assign(**{name: rows[name] + rng.normal(0, 1, len(rows)) * s for name, s in spread.items()})


def one_cell_changed(rows: Frame, train: Frame, rng: Rng) -> Frame:
    """One cell a row holds another row's value instead, of a column that has several."""
    changed = rows.copy()
    names = [name for name in inputs_of(rows) if train[name].nunique() > 1]
    for row in range(len(rows)):
        name = names[rng.integers(len(names))]
        others = train[name][train[name] != rows.at[row, name]].to_numpy()
        changed.at[row, name] = others[rng.integers(len(others))]
    return changed


def interpolated(rows: Frame, train: Frame, rng: Rng, scaled: bool = False) -> Frame:
    """SMOTE (Chawla et al. 2002) as if run before the split: between a row and one of five neighbours.

    Neighbours are of the row's class, by the numbers as they are, or in standard deviations; values are
    interpolated like inputs (Torgo et al. 2013).
    """
    names, classes = inputs_of(rows).columns, rows[TARGET].dtype.kind != "f"
    pool, made, targets = train[names].to_numpy(float), [], []
    units = np.where(scaled & (pool.std(0) > 0), pool.std(0), 1)
    for row, target in zip(rows[names].to_numpy(float), rows[TARGET], strict=True):
        distances = np.square((pool - row) / units).sum(1)
        distances[(distances == 0) | (classes & (train[TARGET] != target).to_numpy())] = np.inf
        other, share = rng.choice(np.argsort(distances)[:NEIGHBOURS]), rng.random()
        made.append(row + share * (pool[other] - row))
        targets.append(target if classes else target + share * (train[TARGET].iloc[other] - target))
    return pd.DataFrame(made, columns=names).assign(**{TARGET: targets})


def _pooled_scaler(train: Frame, test: Frame, rng: Rng) -> tuple[Frame, Frame]:
    """Both standardized by the mean and deviation of train and test together."""
    both = pd.concat([train, test])
    names = [name for name in numeric(train) if both[name].nunique() > 1]
    mean, spread = both[names].mean(), both[names].std(ddof=0)
    return tuple(part.assign(**(part[names] - mean) / spread) for part in (train, test))  # type: ignore[return-value]


def _pooled_range(train: Frame, test: Frame, rng: Rng) -> tuple[Frame, Frame]:
    """Both brought between 0 and 1 by the range of train and test together."""
    both = pd.concat([train, test])
    names = [name for name in numeric(train) if both[name].nunique() > 1]
    low, span = both[names].min(), both[names].max() - both[names].min()
    return tuple(part.assign(**(part[names] - low) / span) for part in (train, test))  # type: ignore[return-value]


def _target_proxy(train: Frame, test: Frame, rng: Rng) -> tuple[Frame, Frame]:
    """One more column that is the target with a hundredth of its deviation as noise."""
    spread = train[TARGET].std() / 100
    return tuple(  # type: ignore[return-value]
        part.assign(**{PROXY: part[TARGET] + rng.normal(0, spread, len(part))}) for part in (train, test)
    )


def _shifted(train: Frame, test: Frame, rng: Rng) -> tuple[Frame, Frame]:
    """The column with most values is a standard deviation higher in test."""
    name = max(numeric(train), key=lambda column: train[column].nunique())
    return train, test.assign(**{name: test[name] + train[name].std()})


OF_COLUMNS = {
    "pooled scaler": _pooled_scaler,
    "pooled range": _pooled_range,
    "target proxy": _target_proxy,
    "shifted column": _shifted,
}


def recognizable(rows: Frame, train: Frame, originals: np.ndarray, cells: bool) -> float:
    """The share of rows whose original, and no other train row, is the train row most like them.

    What falls short of 1 is no longer a leak of that row that anybody could tell from an honest row.

    Alike is the most equal cells where cells were changed, else the least distance in standard deviations,
    texts being told apart without case, blanks and Unicode forms.
    """
    left, right = _codes(rows, train), _codes(train, train)
    scale = np.ones(right.shape[1]) if cells else np.where(right.std(0) > 0, right.std(0), 1)
    best = []
    for row, original in zip(left, originals, strict=True):
        apart = (right != row).sum(1) if cells else np.square((right - row) / scale).sum(1)
        # Train rows that are equal to the original are the original.
        best.append((right[apart <= apart.min()] == right[original]).all())
    return float(np.mean(best))


def _codes(frame: Frame, train: Frame) -> np.ndarray:
    columns = []
    for name in inputs_of(train):
        if name in numeric(train):
            columns.append(frame[name].to_numpy(float))
            continue
        known = {text: code for code, text in enumerate(sorted({_plain(text) for text in train[name]}))}
        columns.append(np.array([known.get(_plain(text), -1) for text in frame[name]], float))
    return np.stack(columns, axis=1)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
