import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_checks.errors import ModelError
from data_checks.splits import Split
from wdgate.evaluation.evaluation import evaluation_of
from wdgate.evaluation.predictions import read_predictions
from wdgate.evaluation.quantiles import Quantiles
from wdgate.gates.bounds import clopper_pearson
from wdgate.gates.gates import Case, at_least, check_gates, no_worse, within
from wdgate.gates.measuring import measured
from wdgate.gates.proving import prove
from wdgate.judge_any import judge

TASK = Quantiles((0.05, 0.5, 0.95))


def evaluated(inside, groups=None):
    """Of rows of which some lie between -1 and 1, and the others beyond."""
    targets = np.where(inside, 0.0, 5.0)
    split = Split(np.arange(len(targets)), targets, groups=groups)
    predictions = TASK.named(np.tile([-1.0, 0.0, 1.0], (len(targets), 1)))
    return evaluation_of("a" * 64, predictions, split, TASK)


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_bounds_are_the_exact_ones_of_the_covered_share(inside):
    found = measured("coverage_gap", evaluated(np.array(inside)), TASK, 0.05)
    lower, upper = clopper_pearson(sum(inside), len(inside), 0.05)
    assert (found.lower, found.upper) == pytest.approx((lower - 0.9, upper - 0.9), abs=1e-6)
    lower, upper = clopper_pearson(3 * sum(inside), 3 * len(inside), 0.05)
    assert found.on_times_the_rows(3) == pytest.approx((lower - 0.9, upper - 0.9), abs=1e-6)


def test_a_few_rows_that_are_all_inside_show_nothing():
    case = Case(evaluated(np.ones(20, bool)), None, None, TASK, 0.0025)
    assert within("coverage_gap", 0.11).answer(case)[0].status == "inconclusive"
    case = Case(evaluated(np.arange(2000) % 10 > 0), None, None, TASK, 0.0025)
    answer = within("coverage_gap", 0.05).answer(case)[0]
    assert answer.status == "passed"
    assert answer.sentence.startswith("Covered share minus what it should be is 0 points on 2,000 test rows")


@pytest.mark.parametrize("rows", [20, 2000])
@pytest.mark.parametrize("rare", [0, 1])
def test_its_decoys_are_refused(rows, rare):
    inside = np.arange(rows) % 10 >= rare
    gates = [within("coverage_gap", 0.05), within("pinball", 3.0), at_least("r2", 0.1)]
    found = prove(gates, Case(evaluated(inside), None, None, TASK, 0.0025))
    assert {one.status for one in found if "coverage_gap" in one.name} == {"refused"}
    assert "passed" not in {one.status for one in found}


def test_groups_are_the_unit():
    inside = np.arange(200) % 10 > 0
    alone, grouped = (
        measured("coverage_gap", evaluated(inside, groups), TASK, 0.05)
        for groups in (None, np.arange(200) // 10)
    )
    assert grouped.lower < alone.lower


def test_the_gap_has_no_better_side():
    with pytest.raises(Exception, match=r"ask within\('coverage_gap'"):
        check_gates([no_worse("coverage_gap", 0.1)], TASK)


def test_a_model_of_quantiles_is_judged_with_arrays():
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(800, 1))
    targets = inputs[:, 0] + 0.1 * generator.normal(size=800)
    quantiles = inputs + np.array([-0.16449, 0, 0.16449])
    found = judge({"quantiles": quantiles}, Split(inputs, targets), TASK, [within("coverage_gap", 0.06)])
    assert found.passed, found.sentence
    assert found.numbers["crossing"]["observed"] == 0


def test_a_table_of_quantiles_has_a_column_a_level(tmp_path):
    table = tmp_path / "predictions.csv"
    table.write_text("id,q0.05,0.5,quantile_0.95\nb,4,5,6\na,1,2,3\n")
    rows = Split(np.zeros((2, 1)), np.zeros(2), ids=np.array(["a", "b"]))
    found = read_predictions(table, "id", TASK).of(rows)
    assert found["quantiles"].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert found["predicted"].tolist() == [2, 5]
    table.write_text("id,q0.05,0.5\na,1,2\n")
    with pytest.raises(ModelError, match=r"expected quantile_0\.95 beside the ids"):
        read_predictions(table, "id", TASK)


def test_another_number_of_columns_is_refused():
    with pytest.raises(ModelError, match=r"quantiles has shape \(2, 1\), expected \(2, 3\)"):
        judge({"quantiles": np.zeros(2)}, Split(np.zeros((2, 1)), np.zeros(2)), TASK)
    with pytest.raises(ModelError, match="has predicted, expected quantiles"):
        judge({"predicted": np.zeros(2)}, Split(np.zeros((2, 1)), np.zeros(2)), TASK)
