"""Are rows that belong together on one side, and is what is judged later than what was learned?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from data_checks.check import Check, Offenders, Plant
from data_checks.evidence import groups, times
from data_checks.evidence.spelling import MISSING, canonical_ids
from data_checks.plants import some_rows
from data_checks.splits import Split, Splits


def shared_groups(splits: Splits, rng: np.random.Generator) -> Split:
    """Test rows that belong to train's groups, spelt in another way where that is text."""
    if splits.train.groups is None:
        raise ValueError("there are no groups to share")
    known = splits.train.groups[canonical_ids(splits.train.groups) != MISSING]
    if not len(known):
        raise ValueError("every row's group is missing")
    rows = some_rows(splits.test, rng)
    groups = rng.choice(np.unique(known.astype(str)), len(rows))
    respelt = np.array([f" {group.upper()} " for group in groups.tolist()])
    return replace(splits.test.take(rows), groups=respelt)


def early_rows(splits: Splits, rng: np.random.Generator) -> Split:
    """Test rows that happened when train rows did."""
    if splits.train.times is None:
        raise ValueError("there are no times to be early in")
    rows = some_rows(splits.test, rng)
    return replace(splits.test.take(rows), times=rng.choice(splits.train.times, len(rows)))


def hasty_rows(splits: Splits, rng: np.random.Generator) -> Split | None:
    """Test rows that come after train's last row, but within the embargo; None where it is none."""
    if splits.train.times is None:
        raise ValueError("there are no times to be hasty in")
    end = times.last_time(times.comparable(splits.train.times))
    soon = times.halfway(end, splits.embargo)
    if not times.before(soon, splits.embargo)[0] < end:
        return None
    rows = some_rows(splits.test, rng)
    return replace(splits.test.take(rows), times=np.repeat(soon, len(rows)))


def foresight(splits: Splits, rng: np.random.Generator) -> Split | None:
    """Test rows, a moment among whose inputs is a day after the row's own; None where nothing has a time."""
    rows = splits.test.take(some_rows(splits.test, rng))
    names = times.moment_columns(rows)
    if rows.times is None or not isinstance(rows.inputs, Mapping) or not names:
        return None
    moments = times.comparable(rows.times)
    later = (moments + np.timedelta64(1, "D")).astype("M8[us]")
    shape = np.shape(rows.inputs[names[0]])
    made = np.broadcast_to(later.reshape(-1, *[1] * (len(shape) - 1)), shape)
    planted = replace(rows, inputs={**rows.inputs, names[0]: made}).take(~times.missing(moments))
    return planted if len(planted) else None


def _no_embargo(splits: Splits) -> str:
    # With an embargo but without times the question is asked, and answered with an error.
    return "no embargo was promised" if splits.embargo is None else ""


def _no_moments(splits: Splits) -> str:
    missing = _why_without(splits, "times")
    if missing:
        return missing
    if not any(times.moment_columns(split) for split in splits.named().values()):
        return "no input is a moment"
    given = [split.times for split in splits.named().values() if split.times is not None]
    # Text that is no moment is an answer of its own, an error.
    moments = all(each.dtype.kind == "M" or times.is_text(each) for each in given)
    return "" if moments else "the rows' times are no moments"


def _say_hasty(found: Offenders) -> str:
    promised = times.in_words(found.splits.embargo)
    return (
        f"Less than the embargo of {promised} after an earlier split: {found.counted()} ({found.listed()})."
    )


def _say_foresight(found: Offenders) -> str:
    names = ", ".join(repr(name) for name in found.facts)
    return f"Inputs from after their row's time, in {names}: {found.counted()} ({found.listed()})."


def _say_groups(found: Offenders) -> str:
    twins = found.rows["shared_group_of"].to_dict()

    def say(row: int) -> str:
        return f"{found.name(row)} is of the group of {found.name(twins[row])}"

    return f"Of a group of an earlier split: {found.counted()} ({found.listed(say)})."


def _why_without(splits: Splits, name: str) -> str:
    given = any(getattr(split, name) is not None for split in splits.named().values())
    return "" if given else f"no {name} were given"


CHECKS = (
    Check(
        "DC130",
        "Groups stay together",
        "Does no group, such as a patient or a site, have rows on both sides?",
        column="shared_group",
        twin="shared_group_of",
        measure=groups.measure,
        explain=_say_groups,
        clean="No group has rows on both sides.",
        applies=lambda splits: _why_without(splits, "groups"),
        plants=(Plant("groups spelt otherwise", shared_groups),),
    ),
    Check(
        "DC140",
        "Judged after learned",
        "Did every test and validation row happen after the last train row?",
        column="not_after_train",
        measure=times.measure,
        explain=lambda found: f"No later than the last train row: {found.counted()} ({found.listed()}).",
        clean="Every test and validation row is later than the last train row.",
        applies=lambda splits: _why_without(splits, "times"),
        plants=(Plant("rows of earlier moments", early_rows),),
    ),
    Check(
        "DC141",
        "The embargo is kept",
        "Does the promised embargo lie between every two splits?",
        column="times_within_embargo",
        measure=times.measure_embargo,
        explain=_say_hasty,
        clean="Every validation and test row is later than what was learned from by the embargo or more.",
        applies=_no_embargo,
        plants=(Plant("rows within the embargo", hasty_rows),),
    ),
    Check(
        "DC142",
        "No input from the future",
        "Is no input a moment after its row's own time?",
        column="times_later_inputs",
        measure=times.measure_later_inputs,
        explain=_say_foresight,
        clean="No moment among the inputs is later than its row's time.",
        applies=_no_moments,
        names=lambda found: tuple(found.facts),
        plants=(Plant("a moment a day after its row", foresight),),
    ),
)
