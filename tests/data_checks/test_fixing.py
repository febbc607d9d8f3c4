from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_checks.check import Check
from data_checks.checks import check_splits
from data_checks.evidence.table import Evidence, by_split
from data_checks.fixing import failing_rows, mend
from data_checks.kinds import copies, form, units
from data_checks.splits import Split, Splits

CHECKS = (*form.checks(None), *copies.CHECKS, *units.CHECKS)


def splits_of(copied=0, late=0, seed=0):
    """Three parts; the first `copied` test rows are train's, the last `late` happened when train's did."""
    rng = np.random.default_rng(seed)
    parts = [
        Split(
            {"a": rng.normal(size=n), "b": rng.normal(size=n)},
            np.arange(n) % 2,
            times=np.full(n, float(place)),
        )
        for place, n in enumerate((60, 20, 30))
    ]
    test = parts[2]
    inputs = {name: column.copy() for name, column in test.inputs.items()}
    for name, column in inputs.items():
        column[:copied] = parts[0].inputs[name][:copied]
    times = test.times.copy()
    times[len(times) - late :] = 0
    return Splits(parts[0], parts[1], replace(test, inputs=inputs, times=times), public=True)


def ask(splits):
    return check_splits(splits, CHECKS, self_test=False)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10), st.integers(0, 10), st.integers(0, 9))
def test_what_is_left_checks_clean_and_no_row_too_many_is_removed(copied, late, seed):
    splits = splits_of(copied, late, seed)
    removal, left = mend(splits, ask(splits), CHECKS, ask)
    assert left.passed
    expected = [place < copied or place >= 30 - late for place in range(30)]
    assert removal.rows["test"].tolist() == expected
    assert not removal.rows["train"].any()
    counts = {"DC110": copied, "DC140": late}
    assert removal.counts == {code: count for code, count in counts.items() if count}
    assert removal.unmended == {}


def test_too_few_rows_that_are_left_are_said_to_be_too_few():
    splits = splits_of(copied=12, late=12)
    _, left = mend(splits, ask(splits), CHECKS, ask)
    assert [finding.code for finding in left.findings if finding.blocks] == ["DC105"]


def test_rows_are_named_with_what_they_equal():
    splits = splits_of(copied=2, late=1)
    rows = failing_rows(ask(splits), CHECKS)
    assert list(rows) == ["split", "row", "code", "title", "equals"]
    assert rows.to_numpy().tolist() == [
        ["test", "0", "DC110", "No copies across splits", "train row 0"],
        ["test", "1", "DC110", "No copies across splits", "train row 1"],
        ["test", "29", "DC140", "Judged after learned", ""],
    ]
    assert len(failing_rows(ask(splits_of()), CHECKS)) == 0


def _about(**more):
    def measure(splits):
        return Evidence({"odd": by_split(splits, lambda name, split: name == more.get("asked", "test"))})

    options = {name: value for name, value in more.items() if name != "asked"}
    return Check("OWN001", "Odd", "Is it odd?", "odd", measure, **options)


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (_about(names=lambda found: ("a", "b")), "it is about columns (a, b)"),
        (_about(per_row=False), "it is about all rows"),
        (_about(asked="train"), "rows of train are among those that it names, and train keeps its rows"),
        (_about(), "nothing would be left of test"),
        (replace(_about(), measure=lambda splits: {"odd": np.zeros(1)}), "it could not be answered"),
    ],
)
def test_what_no_removal_mends_is_said(check, reason):
    splits = splits_of()

    def asked(splits):
        return check_splits(splits, [check], self_test=False)

    removal, left = mend(splits, asked(splits), [check], asked)
    assert (removal.total, removal.counts, removal.unmended) == (0, {}, {"OWN001": reason})
    assert not left.passed
