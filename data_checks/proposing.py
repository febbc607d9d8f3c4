"""How should the rows of one file be split, and why?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.cuts import Cut, cut_of
from data_checks.errors import DataError
from data_checks.evidence.index import NEIGHBOURS
from data_checks.evidence.schema import batches
from data_checks.evidence.space import numbers
from data_checks.looking import Group, find_group, find_ids, find_times
from data_checks.pictures import common_size
from data_checks.readers import Named
from data_checks.sources import read_rows
from data_checks.splits import Split, Splits
from data_checks.splitting import By, split

_SALTS = ("", *(str(number) for number in range(1, 20)))
_PLACE = "place in the file"
_LARGEST_CLUSTER = 0.7


@dataclass(frozen=True, eq=False)
class Proposal:
    """A split of the rows of one file.

    Args:
        by: what rows are kept together by.
        reasons: why, a sentence each.
        splits: the rows in their parts.
        places: by part, the positions of its rows in the file.
        call: the line of Python that makes the same split.
    """

    by: By
    reasons: tuple[str, ...]
    splits: Splits
    places: dict[str, NDArray[np.intp]]
    call: str


def propose(path: Path, named: Named | None, *, regression: bool = False) -> Proposal:
    """A split of the rows of a table or of a folder of pictures, so that nothing of test is in train.

    By the group or the time that is named; else by a column that looks like a group; else by a column of
    moments; else by clusters of nearly equal rows, where there are any; else by row.

    Args:
        path: the file or folder.
        named: the columns that are no inputs; None for pictures.
        regression: whether whole numbers in the target are values, however few they are.

    Raises:
        DataError: what cannot be read, or rows that are too few to be split.
    """
    (rows,) = read_rows([path], named, regression=regression)
    reasons: tuple[str, ...] = ()
    if named is not None:
        found, reasons = _with_keys(rows, named)
        if found != named:
            named = found
            (rows,) = read_rows([path], named, regression=regression)
    by, why = _choose(rows, named)
    splits, salt = _split(replace(rows, attributes={**rows.attributes, _PLACE: np.arange(len(rows))}), by)
    places = {name: np.asarray(part.attributes[_PLACE], np.intp) for name, part in splits.named().items()}
    parts = {name: rows.take(at) for name, at in places.items()}
    splits = Splits(parts["train"], parts["validation"], parts["test"], public=True, source=str(path))
    cut = cut_of(splits) if by == "time" else None
    call = f"split({_reading(path, named, regression)}, {_how(by, salt, cut)})"
    return Proposal(by, (*reasons, *why), splits, places, call)


def _with_keys(rows: Split, named: Named) -> tuple[Named, tuple[str, ...]]:
    """The columns that are no inputs, with those that look like keys, and why."""
    reasons: list[str] = []
    if named.ids is None:
        ids = find_ids(rows)
        if ids is not None:
            named = replace(named, ids=ids)
            reasons.append(f"{ids!r} has another value in every row: it names rows, and is no input.")
    if named.group is not None or named.time is not None:
        return named, tuple(reasons)
    moments = find_times(rows)
    group = find_group(rows)
    if group is not None:
        other = f" If what is judged must be later, split by time: --time {moments[0]}" if moments else ""
        return replace(named, group=group.name), (_say_group(group, len(rows)) + other, *reasons)
    if moments:
        others = f" ({', '.join(moments[1:])} may, too)" if moments[1:] else ""
        why = f"{moments[0]!r} says when rows happened{others}: judge on rows later than those learned from."
        return replace(named, time=moments[0]), (why, *reasons)
    return named, tuple(reasons)


def _say_group(group: Group, rows: int) -> str:
    told = f"{group.name!r} looks like a group: {group.values:,} values in {rows:,} rows"
    if group.likeness < 0.9:
        return f"{told}, and rows of one value differ by {group.likeness:.0%} of what others do."
    return f"{told}, and its name says that they may belong together."


def _choose(rows: Split, named: Named | None) -> tuple[By, tuple[str, ...]]:
    if named is not None and named.time is not None:
        beside = f" Rows of one {named.group!r} may be on both sides; DC130 tells." if named.group else ""
        return "time", (f"By time: rows are cut at two moments of {named.time!r}.{beside}",)
    if named is not None and named.group is not None:
        return "group", (f"By group: rows of one {named.group!r} stay together.",)
    near, why = _near(rows)
    if near:
        return "near", (f"By near copies: {why}.",)
    columns = "" if named is None else "no column looks like a group or a time, and "
    return "row", (f"By row: {columns}{why}.",)


def _near(rows: Split) -> tuple[bool, str]:
    """Whether any rows are nearly equal to others, in words."""
    from data_checks.evidence.clusters import clusters

    try:
        first = clusters(rows)
    except (DataError, LookupError, ArithmeticError, ValueError) as error:
        # As where checks are asked: rows without one number, or all equal, leave nothing to measure by, and
        # numpy's LinAlgError is a ValueError.
        return False, f"nearly equal rows cannot be looked for ({error})"
    sizes = np.bincount(first, minlength=len(rows))
    many = int(sizes[sizes > 1].sum())
    if many and sizes.max() > _LARGEST_CLUSTER * len(rows):
        told = f"{int(sizes.max()):,} of {len(rows):,} rows are nearly equal to each other"
        raise DataError(f"{told}, so that nothing new would be left to judge on; are the inputs constant?")
    if not many:
        return False, _say_none(rows)
    together = f"{int((sizes > 1).sum()):,} clusters that stay together"
    return True, f"{many:,} of {len(rows):,} rows are nearly equal to another, in {together}"


def _say_none(rows: Split) -> str:
    """That no row is nearly equal to another, as far as the search could tell."""
    from data_checks.evidence import near

    reason = near.why_not(Splits(rows, rows, rows))
    if reason:
        return f"no row is equal to another, and whether any are nearly equal cannot be told ({reason})"
    whole = _whole(rows)
    if whole <= NEIGHBOURS + 1:
        told = f"{whole:,} of {len(rows):,} rows have all of their numbers"
        return f"no row is equal to another, and whether any are nearly equal cannot be told (only {told})"
    if whole < len(rows):
        told = f"for {len(rows) - whole:,} of {len(rows):,} rows, which lack numbers, that cannot be told"
        return f"no row is nearly equal to another, but {told}"
    return "no row is nearly equal to another"


def _whole(rows: Split) -> int:
    """How many rows have all of their numbers: those that are searched."""
    read = (numbers(batch) for batch in batches(rows.inputs, len(rows)))
    return sum(int(np.isfinite(batch).all(1).sum()) for batch in read)


def _split(rows: Split, by: By) -> tuple[Splits, str]:
    """The split, by the first salt that leaves no part empty."""
    for salt in _SALTS[:1] if by == "time" else _SALTS:
        try:
            return split(rows, by=by, salt=salt, public=True), salt
        except DataError as error:
            reason = error
    raise reason


def _reading(path: Path, named: Named | None, regression: bool) -> str:
    if named is None:
        size = common_size([path])
        return f"image_folder({str(path)!r}{'' if size is None else f', size={size}'})"
    given: dict[str, Any] = {"group": named.group, "time": named.time, "ids": named.ids}
    given |= {"keys": named.keys or None, "regression": regression or None, "text": True}
    words = [f"{name}={value!r}" for name, value in given.items() if value is not None]
    return f"read_table({str(path)!r}, {named.target!r}, {', '.join(words)})"


def _how(by: By, salt: str, cut: Cut | None) -> str:
    words = [f"by={by!r}"]
    if salt:
        words.append(f"salt={salt!r}")
    if cut is not None:
        # Moments, not shares: a row stays on its side of them when later rows come.
        words.append(f"cut=({_moment(cut[0])}, {_moment(cut[1])})")
    return ", ".join(words)


def _moment(moment: Any) -> str:
    if isinstance(moment, np.datetime64):
        return repr(str(moment))
    return repr(moment.item() if isinstance(moment, np.generic) else moment)
