import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_checks.looking import find_group, find_ids, find_times
from data_checks.splits import Split

RNG = np.random.default_rng(0)
UNITS = np.repeat(np.arange(40), 5)


def table(alike=True, **columns):
    """200 rows of 40 units, which are alike in two columns, or in none."""
    level = np.repeat(RNG.normal(size=40), 5) * 3 if alike else 0
    inputs = {"weight": level + RNG.normal(size=200), "age": level + RNG.normal(size=200), **columns}
    return Split(inputs, RNG.integers(0, 2, 200))


@pytest.mark.parametrize(
    "name",
    ["patient", "patients", "patient_id", "patientId", "PATIENT-NO", "userid", "UserID", "subject nr", "mrn"],
)
@pytest.mark.parametrize("alike", [True, False])
def test_a_column_named_as_a_unit_that_comes_back_is_a_group(name, alike):
    found = find_group(table(alike, **{name: UNITS}))
    assert (found.name, found.values, found.unit) == (name, 40, True)
    assert (found.likeness < 0.9) == alike


@pytest.mark.parametrize("name", ["site", "session_id", "trip_id", "hospital", "batch_code", "id"])
def test_a_column_named_as_a_place_is_a_group_where_its_rows_are_alike(name):
    assert find_group(table(True, **{name: UNITS})).name == name
    assert find_group(table(False, **{name: UNITS})) is None


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("patient_age", UNITS),
        ("weight_kg", UNITS),
        ("patient", np.arange(200)),
        ("patient", np.arange(200) % 3),
        ("patient", RNG.normal(size=200)),
    ],
)
def test_other_columns_are_no_groups(name, values):
    assert find_group(table(True, **{name: values})) is None


def test_a_unit_goes_before_a_place_and_text_is_looked_at_too():
    sites = np.array([f"site {number // 2}" for number in UNITS], object)
    assert find_group(table(True, site=sites, patient=UNITS)).name == "patient"
    assert find_group(table(True, site=sites)).name == "site"


def test_a_name_for_every_row_is_found_and_a_measurement_is_none():
    assert find_ids(table(row_id=np.arange(200))) == "row_id"
    assert find_ids(table(uuid=np.array([f"u{i}" for i in range(200)], object))) == "uuid"
    assert find_ids(table(row_id=UNITS)) is None
    assert find_ids(table(height=np.arange(200))) is None
    assert find_ids(table(key=RNG.normal(size=200))) is None


def test_the_latest_column_of_moments_says_when_a_row_was_complete():
    days = np.datetime64("2024-01-01") + np.arange(200)
    gaps = np.where(np.arange(200) == 3, np.datetime64("NaT"), days)
    found = find_times(
        table(born=days + 900, begun=days, ended=days + 2, gone=gaps, fixed=days[np.zeros(200, int)])
    )
    assert found == ["ended", "begun"]


@given(st.text(max_size=12), st.sampled_from(["i", "f", "U", "O", "b"]))
def test_no_name_and_no_type_of_a_column_is_too_odd_to_look_at(name, kind):
    column = {"O": np.array([None, *["a"] * 199], object), "b": UNITS > 3}.get(kind)
    rows = table(**{name: UNITS.astype(kind) if column is None else column})
    group = find_group(rows)
    assert group is None or group.name in rows.inputs
    # Every value comes several times, and none is a moment.
    assert find_ids(rows) is None
    assert find_times(rows) == []
