from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from data_checks.checks import check_splits
from data_checks.kinds import units
from data_checks.splits import Split, Splits
from data_checks.splitting import split

CHECKS = {check.code: check for check in units.CHECKS}
DAYS = np.datetime64("2024-01-01") + np.arange(300)


def visits(times=DAYS, late=0):
    """A visit a day with the admission on the day before; on the day after for the last `late` of them."""
    admitted = DAYS - np.timedelta64(1, "D")
    admitted[300 - late :] += np.timedelta64(2, "D")
    inputs = {"age": np.arange(300.0), "admitted": admitted}
    return Split(inputs, np.arange(300) % 2, times=times)


def finding(code, splits):
    return check_splits(splits, [CHECKS[code]]).findings[0]


@pytest.mark.parametrize(
    ("times", "embargo"),
    [
        (DAYS, timedelta(days=7)),
        (DAYS, np.timedelta64(1, "D")),
        (np.arange(300), 7),
        (np.arange(300) / 7, 0.5),
    ],
)
def test_a_kept_embargo_passes_and_is_vouched_for(times, embargo):
    found = finding("DC141", split(visits(times), by="time", embargo=embargo))
    assert (found.status, found.vouched_for) == ("passed", True)


def test_a_broken_embargo_fails_with_the_rows():
    broken = replace(split(visits(), by="time"), embargo=timedelta(days=7))
    found = finding("DC141", broken)
    assert (found.status, len(found.rows)) == ("failed", 6)
    assert (
        "Less than the embargo of 7 days after an earlier split: 6 validation rows, 6 test" in found.sentence
    )


def test_an_embargo_that_cannot_be_kept_is_an_error_and_none_at_all_is_not_asked():
    assert finding("DC141", split(visits(), by="time")).status == "not applicable"
    untimed = replace(split(visits()), embargo=timedelta(days=7))
    timeless = [replace(part, times=None) for part in untimed.named().values()]
    assert finding("DC141", Splits(*timeless, embargo=timedelta(days=7))).status == "error"
    assert finding("DC141", replace(split(visits(), by="time"), embargo=-3)).status == "error"


def test_an_input_from_the_future_fails_and_its_column_is_named():
    found = finding("DC142", split(visits(late=2), by="time"))
    assert (found.status, found.columns, len(found.rows)) == ("failed", ("admitted",), 2)
    assert "in 'admitted': 2 test rows" in found.sentence
    clean = finding("DC142", split(visits(), by="time"))
    assert (clean.status, clean.vouched_for, clean.columns) == ("passed", True, ())


def test_the_future_is_not_asked_for_where_nothing_is_a_moment():
    assert finding("DC142", split(visits(np.arange(300)), by="time")).status == "not applicable"
    ages = replace(visits(), inputs={"age": np.arange(300.0)})
    assert finding("DC142", split(ages, by="time")).status == "not applicable"
    assert finding("DC142", split(replace(visits(), times=None))).status == "not applicable"


@pytest.mark.parametrize("code", ["DC140", "DC141", "DC142"])
def test_times_in_text_are_asked_and_vouched_for_as_moments(code):
    parts = split(visits(DAYS.astype(str)), by="time", embargo=timedelta(days=7))
    assert (finding(code, parts).status, finding(code, parts).vouched_for) == ("passed", True)


@pytest.mark.parametrize("code", ["DC140", "DC141", "DC142"])
def test_times_in_other_text_are_an_error(code):
    american = np.array([f"{day[5:7]}/{day[8:]}/{day[:4]}" for day in DAYS.astype(str)])
    parts = replace(split(visits()), embargo=timedelta(days=7))
    train, validation, test = (replace(part, times=american[part.ids]) for part in parts.named().values())
    found = finding(code, replace(parts, train=train, validation=validation, test=test))
    assert found.status == "error"
    assert "ISO 8601" in found.sentence


def test_groups_that_are_missing_are_not_planted():
    rows = replace(visits(), groups=np.array([f"p{i}" if i % 2 else None for i in range(300)], object))
    known = rows.take(np.arange(1, 300, 2))
    parts = split(known, by="group")
    found = finding("DC130", replace(parts, train=replace(rows.take(np.r_[parts.train.ids, 0]))))
    assert (found.status, found.vouched_for) == ("passed", True)
