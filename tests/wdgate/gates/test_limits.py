"""Limits that nobody can have meant, and names among too many."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_checks.errors import PipelineError
from wdgate import Classification, Regression, at_least, at_most, no_worse, robust, slices, within
from wdgate.gates.gates import check_gates
from wdgate.gates.limits import among, out_of_span

TASK = Classification(("cat", "dog"))


@pytest.mark.parametrize(
    ("gate", "sentence"),
    [
        (at_least("accuracy", 90), "accuracy, with a limit of 90, .* between 0 and 1; did you mean 0.9"),
        (at_least("recall/cat", 80), "did you mean 0.8"),
        (at_least("accuracy", -0.1), "lies between 0 and 1$"),
        (at_least("auc", 1.5), "did you mean 0.015"),
        (at_least("balanced_accuracy", 500), "lies between 0 and 1$"),
        (at_most("ece", 5), "did you mean 0.05"),
        (within("confidence_gap", 6), "did you mean 0.06"),
        (robust(70), "corrupted_accuracy, with a limit of 70"),
        (no_worse("accuracy", 3), "with a margin of 3, .* did you mean 0.03"),
        (slices("site", at_least=80), "did you mean 0.8"),
    ],
)
def test_a_limit_outside_the_span_of_a_score_is_refused(gate, sentence):
    with pytest.raises(PipelineError, match=sentence):
        check_gates([gate], TASK)


def test_other_scores_have_other_spans():
    check_gates([at_most("nll", 5), at_least("accuracy", 1), at_most("brier", 1.5)], TASK)
    check_gates([at_least("r2", -3), at_most("squared_error", 900), robust(50)], Regression())
    with pytest.raises(PipelineError, match="r2, with a limit of 2, but it is at most 1"):
        check_gates([at_least("r2", 2)], Regression())


@given(st.floats(0, 1))
def test_every_share_can_be_asked_for(limit):
    assert out_of_span("accuracy", limit) is None


def test_of_many_names_the_nearest_dozen_is_listed():
    told = among("recall/c7", [f"recall/c{number}" for number in range(100)])
    assert told.startswith("recall/c7, ")
    assert told.endswith(" and 88 more")
    assert told.count(",") == 11
    many = Classification(tuple(f"c{number}" for number in range(100)))
    with pytest.raises(PipelineError) as caught:
        check_gates([at_least("acuracy", 0.5)], many)
    assert len(str(caught.value)) < 400
    assert str(caught.value).endswith("did you mean accuracy?")
