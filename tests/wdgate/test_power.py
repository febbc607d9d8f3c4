import dataclasses

import numpy as np
import pytest

from data_checks.errors import PipelineError
from data_checks.splits import Split
from wdgate.evaluation.tasks import Classification
from wdgate.gates.gates import at_least, check_gates, no_worse, skill
from wdgate.power import Plan, asked, independent_rows, needs, require_power

TASK = Classification(("left", "right"))


def rows(count, **more):
    return Split(np.arange(float(count))[:, None], np.arange(count) % 2, **more)


def test_a_margin_that_the_test_rows_cannot_decide_is_refused_before_training():
    gates = [at_least("accuracy", 0.9), no_worse("accuracy", 0.03, disagreement=0.06)]
    with pytest.raises(PipelineError) as refused:
        require_power(gates, rows(700), 0.05, 20)
    assert str(refused.value) == (
        "gate no_worse accuracy by 0.03 cannot be decided: to tell a loss of 3 points in accuracy from none, "
        "between two models that disagree on 6 % of rows, takes 987 test rows, and there are 700 "
        "(at alpha 0.05 over 20 looks, 80 % power)"
    )
    require_power(gates, rows(987), 0.05, 20)
    require_power(gates, rows(700), 0.05, 1)


def test_what_rows_of_groups_can_decide_at_most_is_not_refused():
    gates = [no_worse("accuracy", 0.03, disagreement=0.06)]
    require_power(gates, rows(2000, groups=np.arange(2000) // 20), 0.05, 20)
    with pytest.raises(PipelineError, match=r"takes 987 test rows, if those of a group are not alike, and"):
        require_power(gates, rows(900, groups=np.arange(900) // 20), 0.05, 20)


def test_few_groups_are_counted_instead_of_rows():
    gates = [no_worse("accuracy", 0.03, disagreement=0.06)]
    with pytest.raises(PipelineError, match=r"takes 987 groups of test rows, and there are 29 "):
        require_power(gates, rows(2900, groups=np.arange(2900) // 100), 0.05, 20)


def test_without_a_declared_disagreement_nothing_is_refused():
    assert require_power([no_worse("accuracy", 0.0001), skill()], rows(10), 0.05, 20) is None


def test_weights_and_times_leave_fewer_independent_rows():
    weights = np.where(np.arange(100) < 50, 1.0, 0.0)
    assert independent_rows(rows(100, weights=weights)) == (50, "test rows")
    said = (600, "test rows, if those of a block are not alike")
    assert independent_rows(rows(600, times=np.arange(600))) == said
    assert independent_rows(rows(20, times=np.arange(20))) == (20, "blocks of test rows in time")
    twice = Split(np.repeat(np.arange(50.0), 2)[:, None], np.repeat(np.arange(50) % 2, 2))
    assert independent_rows(twice) == (50, "test rows")


def test_a_pipelines_gates_are_told_what_their_rows_decide():
    told = needs([at_least("accuracy", 0.88), skill(), no_worse("accuracy", 0.03)], Plan(0.05, 20, 700))
    assert [need.enough for need in told] == [True, True]
    assert (
        "700 test rows let a model that is right on 92.3 % of rows pass a limit of 88 %" in told[0].sentence
    )
    assert "while the two models disagree on at most 3.8 % of them" in told[1].sentence
    assert "let no model pass" in needs([at_least("accuracy", 0.99)], Plan(0.05, 20, 30))[0].sentence


def test_numbers_alone_are_answered_too():
    margin, limit = asked(0.03, 0.06, 0.88, 0.93, Plan(0.05, 20, 900))
    assert (margin.rows, margin.enough) == (987, False)
    assert (limit.rows, limit.enough) == (480, True)
    assert not asked(None, None, 0.9, 0.901, Plan(0.05, 20, 10**3))[0].enough


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ((None, None, None, None), "name a pipeline"),
        ((0.03, None, None, None), "given together"),
        ((None, None, None, 0.9), "given together"),
        ((0.0, 0.06, None, None), "margin must be above 0"),
        ((0.03, 1.5, None, None), "disagreement must be a share of rows"),
        ((None, None, 0.8, 93.0), "expected accuracy must be between 0 and 1"),
        ((None, None, 0.93, 0.88), "right on 88 % of rows never surely passes a limit of 93 %"),
        ((None, None, 0.9, 0.9), "below the expected accuracy"),
        ((0.07, 0.06, None, None), "cannot be worse on more rows than those on which the two differ"),
    ],
)
def test_what_cannot_be_answered_is_said_in_a_sentence(numbers, reason):
    with pytest.raises(PipelineError, match=reason):
        asked(*numbers, Plan(0.05, 20))


@pytest.mark.parametrize("wrong", [{"alpha": 0.0}, {"alpha": np.nan}, {"looks": 0}, {"given": -1}])
def test_a_plan_that_is_none_is_refused(wrong):
    with pytest.raises(PipelineError):
        dataclasses.replace(Plan(0.05, 20), **wrong)


def test_a_disagreement_belongs_to_accuracy_and_changes_no_question():
    assert no_worse("accuracy", 0.03, 0.06).as_dict() == no_worse("accuracy", 0.03).as_dict()
    with pytest.raises(PipelineError, match="leave it out"):
        check_gates([no_worse("nll", 0.1, disagreement=0.06)], TASK)
