import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_checks.errors import PipelineError
from wdgate.evaluation.tasks import Regression
from wdgate.gates.gates import Case, check_gates
from wdgate.gates.slice_gate import slices


def case(evaluated, task, right, sites, alpha=0.05):
    return Case(evaluated(right, attributes={"site": np.asarray(sites)}), None, None, task, alpha)


def rows(**shares):
    """Rows of sites, of which a share is right: right (N,) and sites (N,)."""
    right = [np.arange(count) < round(share * count) for count, share in shares.values()]
    return np.concatenate(right), np.repeat(list(shares), [count for count, _ in shares.values()])


def answer(gate, case):
    (found,) = gate.answer(case)
    return found


def test_a_model_that_is_good_everywhere_passes_and_the_weakest_slice_is_named(evaluated, task):
    asked = case(evaluated, task, *rows(A=(300, 0.97), B=(300, 0.93)))
    found = answer(slices("site", at_least=0.85), asked)
    assert (found.code, found.status, found.observed) == ("WD210", "passed", 0.93)
    assert found.sentence.startswith(
        "In the worst of 2 slices by site, site B, accuracy is 93 % on 300 test rows"
    )


def test_a_good_mean_does_not_hide_a_bad_slice(evaluated, task):
    asked = case(evaluated, task, *rows(A=(900, 1.0), B=(100, 0.5)))
    found = answer(slices("site", at_least=0.8), asked)
    assert (found.status, found.observed, found.blocks) == ("failed", 0.5, True)


def test_a_slice_of_a_few_rows_cannot_pass(evaluated, task):
    asked = case(evaluated, task, *rows(A=(900, 1.0), B=(5, 1.0)))
    found = answer(slices("site", at_least=0.8), asked)
    assert found.status == "inconclusive"
    assert "site B" in found.sentence


def test_alpha_is_shared_by_the_slices(evaluated, task):
    alone = answer(slices("site", at_least=0.5), case(evaluated, task, *rows(A=(100, 0.9))))
    beside = answer(
        slices("site", at_least=0.5), case(evaluated, task, *rows(A=(100, 0.9), B=(999, 1.0)), 0.1)
    )
    assert beside.lower == alone.lower


def test_a_declared_slice_without_rows_fails(evaluated, task):
    asked = case(evaluated, task, *rows(A=(300, 1.0)))
    found = answer(slices("site", at_least=0.8, values=("A", "C")), asked)
    assert found.status == "failed"
    assert "No test row is of the slice C of site" in found.sentence


def test_an_attribute_that_the_rows_lack_blocks(evaluated, task):
    found = answer(slices("age", at_least=0.8), case(evaluated, task, *rows(A=(300, 1.0))))
    assert (found.status, found.blocks) == ("not applicable", True)
    assert "have no attribute age (they have site)" in found.sentence


def test_an_attribute_that_names_rows_blocks(evaluated, task):
    found = answer(slices("site", at_least=0.8), case(evaluated, task, np.ones(200, bool), np.arange(200)))
    assert "site has 200 values, expected at most 100" in found.sentence
    assert found.blocks


def test_a_limit_on_the_worse_side_is_refused(task):
    with pytest.raises(PipelineError, match="better when higher: ask slices"):
        check_gates([slices("site", at_most=0.8)], task)
    with pytest.raises(PipelineError, match="better when lower: ask slices"):
        check_gates([slices("site", at_least=0.8)], Regression())
    check_gates([slices("site", at_least=0.8)], task)


@pytest.mark.parametrize("limit", [float("nan"), float("inf"), True, "0.8"])
def test_a_limit_that_is_no_number_is_refused(limit):
    with pytest.raises(PipelineError, match="at_least must be a finite number"):
        slices("site", at_least=limit)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cells=st.lists(st.tuples(st.booleans(), st.sampled_from("ABC")), min_size=1, max_size=40),
    limit=st.floats(0.01, 0.99),
)
def test_no_model_passes_that_is_not_above_the_limit_in_each_slice(evaluated, task, cells, limit):
    right, sites = np.array([c[0] for c in cells]), np.array([c[1] for c in cells])
    evaluation = evaluated(right, attributes={"site": sites})
    found = answer(slices("site", at_least=limit), Case(evaluation, None, None, task, 0.05))
    worst = min(right[sites == site].mean() for site in set(sites))
    assert found.status != "passed" or worst > limit
    assert found.status != "failed" or worst < limit
