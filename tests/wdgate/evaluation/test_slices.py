import numpy as np
import pytest

from data_checks.splits import Split
from wdgate.evaluation.evaluation import evaluation_of
from wdgate.evaluation.slices import all_slices, labels_of, slices_by
from wdgate.evaluation.tasks import Regression
from wdgate.gates.bounds import mean_bounds

ERROR = np.repeat([1.0, 3.0, 2.0], [40, 30, 20]) + np.linspace(0, 0.1, 90)
SITE = np.repeat(["A", "B", "C"], [40, 30, 20])


@pytest.fixture
def evaluation():
    """Errors of three sites, the second being the worst."""
    split = Split(np.arange(90.0)[:, None], np.zeros(90), attributes={"site": SITE, "row": np.arange(90)})
    return evaluation_of("by hand", {"predicted": ERROR}, split, Regression())


def test_each_slice_is_bounded_as_its_rows_alone_would_be(evaluation):
    found = {one.value: one.bounds for one in slices_by("site", evaluation, Regression(), 0.06)}
    for site in "ABC":
        alone = mean_bounds(ERROR[site == SITE], 0.02)
        assert (found[site].observed, found[site].upper) == (alone.observed, alone.upper)


def test_the_worst_slice_comes_first(evaluation):
    assert [one.value for one in slices_by("site", evaluation, Regression(), 0.05)] == ["B", "C", "A"]


def test_a_declared_slice_without_rows_comes_before_all_others(evaluation):
    first, *_ = slices_by("site", evaluation, Regression(), 0.05, ["D"])
    assert first.as_dict() == {
        "attribute": "site", "value": "D", "rows": 0, "observed": None, "lower": None, "upper": None
    }  # fmt: skip


def test_an_attribute_that_is_not_there_has_no_slices(evaluation):
    assert slices_by("age", evaluation, Regression(), 0.05) == ()


def test_an_attribute_may_have_no_more_than_a_hundred_slices(evaluation):
    assert len(all_slices(evaluation, Regression(), 0.05)["row"]) == 90
    split = Split(np.arange(101.0)[:, None], np.zeros(101), attributes={"row": np.arange(101)})
    many = evaluation_of("by hand", {"predicted": np.ones(101)}, split, Regression())
    assert all_slices(many, Regression(), 0.05) == {}


@pytest.mark.parametrize(
    ("column", "labels"),
    [
        (np.array([1.0, 2.5, np.nan]), ["1", "2.5", "missing"]),
        (np.array(["a", None, float("nan")], object), ["a", "missing", "missing"]),
        (np.array([True, False]), ["True", "False"]),
        (np.array(["2020-01-01", "NaT"], "datetime64[D]"), ["2020-01-01", "missing"]),
    ],
)
def test_values_are_said_in_words(column, labels):
    assert labels_of(column).tolist() == labels
