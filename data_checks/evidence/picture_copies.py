"""Which test pictures are train pictures again, and what was done to them?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.picture_match import (
    LEFT,
    MARKED,
    MOVED,
    NUDGED,
    TURNED,
    Album,
    Matches,
    as_album,
    match,
)
from data_checks.evidence.picture_views import VIEWS, Levels, see, window
from data_checks.evidence.pictures import WHITE, Form, fit_form, thumbnails, why_no_pictures
from data_checks.evidence.table import ByRows, Columns, Part
from data_checks.splits import Array, Split, Splits

FEWEST = 10
_PICTURES_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class Known:
    """The train pictures, ready to be searched.

    Args:
        form: how inputs become thumbnails.
        album: thumbnails of finite rows, each content once.
        keys: of their rows (n,).
        positions: of their rows in train (n,).
    """

    form: Form
    album: Album
    keys: NDArray[np.bytes_]
    positions: NDArray[np.intp]


def fit(splits: Splits) -> Known:
    """The train pictures, each content once, in the order of their keys."""
    form = fit_form(splits.train)
    small = thumbnails(form, splits.train)
    keys, first = np.unique(splits.train.keys, return_index=True)
    finite = small.finite[first]
    keys, first = keys[finite], first[finite]
    return Known(form, as_album(small.levels[first]), keys, first)


def rows(known: Known, part: Part) -> Columns:
    """What was found of one part.

    Returns:
        `picture_changed`: the row is a train picture of other grey levels, re-encoded, flipped or shifted;
        `picture_turned`: it is none of these, but one that was rotated, zoomed, or marked;
        `picture_twin`: the position of that train row among all, or -1;
        `picture_view`: what was done, as a place in `VIEWS`;
        `picture_marked`: whether a mark is all that differs;
        `picture_difference`: the largest difference in grey levels of 255, seen in that view;
        `picture_brighter`: the mean difference, above 0 where the test picture is brighter.
    """
    columns = _nothing(len(part.rows))
    if part.name in ("train", "validation") or len(known.keys) <= FEWEST:
        return columns
    for start in range(0, len(part.rows), _PICTURES_AT_ONCE):
        some = np.arange(start, min(start + _PICTURES_AT_ONCE, len(part.rows)))
        split = part.rows if len(some) == len(part.rows) else part.rows.take(some)
        _look_at(known, split, {name: column[some[0] : some[-1] + 1] for name, column in columns.items()})
    return columns


measure = ByRows(fit, rows)


def _nothing(n: int) -> dict[str, Array]:
    flags = {f"picture_{name}": np.zeros(n, bool) for name in ("changed", "turned", "marked")}
    numbers = {"picture_view": np.zeros(n, np.intp), "picture_brighter": np.zeros(n)}
    return {
        **flags,
        **numbers,
        "picture_twin": np.full(n, -1),
        "picture_difference": np.full(n, -1),
    }


def _look_at(known: Known, split: Split, columns: dict[str, Array]) -> None:
    """Write what is found of a split's rows into columns (n,)."""
    small = thumbnails(known.form, split)
    unknown = np.flatnonzero(small.finite)
    searches = [("changed", MOVED), ("turned", TURNED), ("marked", MARKED)]
    searches[1:1] = [("changed", NUDGED)] if known.form.shrunk else []
    for name, search in searches:
        found = _found(known, split, unknown, match(known.album, small.levels[unknown], search))
        _write(known, small.levels, found, columns)
        columns[f"picture_{name}"][found.rows] = True
        unknown = np.setdiff1d(unknown, found.rows)
    columns["picture_turned"] |= columns["picture_marked"]


def _found(known: Known, split: Split, asked: NDArray[np.intp], matches: Matches) -> Matches:
    """Those that are near enough, by their rows in the split; equal rows are no changed ones."""
    near = np.flatnonzero(matches.scores <= LEFT)
    rows, twins = asked[matches.rows[near]], matches.twins[near]
    near, rows = (kept[split.take(rows).keys != known.keys[twins]] for kept in (near, rows))
    return Matches(rows, matches.twins[near], matches.views[near], matches.scores[near])


def _write(known: Known, levels: Levels, found: Matches, columns: dict[str, Array]) -> None:
    columns["picture_twin"][found.rows] = known.positions[found.twins]
    columns["picture_view"][found.rows] = found.views
    for row, twin, view in zip(found.rows, found.twins, found.views, strict=True):
        apart = _apart(levels[row], known.album.levels[twin], int(view))
        columns["picture_difference"][row] = np.abs(apart).max()
        columns["picture_brighter"][row] = apart.mean()


def _apart(test: Levels, train: Levels, view: int) -> NDArray[np.int64]:
    """Differences of grey levels, seen in a view; but for the border, which may have been shifted in."""
    seen = see(test[None], VIEWS[view])[0].astype(int)
    seen = WHITE - seen if VIEWS[view].inverted else seen
    middle = window((len(test), test.shape[1])) if view else (slice(None), slice(None))
    return np.asarray((seen - train)[middle])


def why_not(splits: Splits) -> str:
    """Why the rows cannot be compared as pictures, or nothing."""
    if len(splits.train) <= FEWEST:
        return f"train has no more than {FEWEST} rows to compare with"
    return why_no_pictures(splits)
