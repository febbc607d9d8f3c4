"""On which rows two models are compared."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_checks.splits import Split
from wdgate.evaluation.evaluation import evaluation_of
from wdgate.evaluation.tasks import Classification
from wdgate.gates.also_gate import on
from wdgate.gates.gates import Case, no_worse
from wdgate.gates.measuring import improvement, incomparable
from wdgate.gates.pairing import on_rows, pair
from wdgate.gates.proving import prove

TASK = Classification(("left", "right"))
# With weights of its own, so that the constant is that of these rows whatever test rows weigh.
TRAIN = Split(np.zeros((10, 1)), np.arange(10) % 2, weights=np.ones(10))


def predicted(rows, seed=0, **more):
    generator = np.random.default_rng(seed)
    probs = generator.dirichlet((1, 1), len(rows))
    predictions = {"probs": probs, "predicted": probs.argmax(axis=1)}
    return evaluation_of(str(seed), predictions, rows, TASK, reference=TRAIN, **more)


def split_of(n, **more):
    generator = np.random.default_rng(1)
    return Split(generator.normal(size=(n, 2)), generator.integers(0, 2, n), **more)


def listed(columns):
    return {name: values.tolist() for name, values in columns.items()}


@given(st.sets(st.integers(0, 39), min_size=1), st.booleans(), st.booleans())
def test_some_rows_of_an_evaluation_are_the_evaluation_of_those_rows(chosen, grouped, weighted):
    whole = split_of(
        40,
        groups=np.arange(40) // 3 if grouped else None,
        weights=np.linspace(1, 2, 40) if weighted else None,
        attributes={"site": np.arange(40) % 4},
    )
    rows = np.array(sorted(chosen))
    found = on_rows(predicted(whole), rows, TASK)
    alone = evaluation_of(
        "0", {n: v[rows] for n, v in predicted(whole).predictions.items()}, whole.take(rows), TASK,
        reference=TRAIN,
    )  # fmt: skip
    assert {n: v.tolist() for n, v in found.scores.items()} == {
        n: v.tolist() for n, v in alone.scores.items()
    }
    assert {n: v.tolist() for n, v in found.baseline.items()} == {
        n: v.tolist() for n, v in alone.baseline.items()
    }
    assert found.metrics == pytest.approx(alone.metrics, nan_ok=True)
    assert found.attributes["site"].tolist() == alone.attributes["site"].tolist()
    assert (found.groups is None) == (not grouped)
    assert len(found) == len(rows)


@given(st.sets(st.integers(0, 39)), st.sets(st.integers(0, 39), min_size=1))
def test_corrupted_scores_stay_with_their_rows(chosen, corrupted):
    rows, some = np.array(sorted(chosen), np.intp), np.array(sorted(corrupted))
    whole = predicted(split_of(40), worse={"corrupted_accuracy": some / 40}, corrupted_rows=some)
    found = on_rows(whole, rows, TASK)
    where = rows[found.rows_of("corrupted_accuracy").positions]
    assert (found.scores["corrupted_accuracy"] * 40).round().astype(int).tolist() == where.tolist()
    assert set(where) == chosen & corrupted


def test_rows_that_the_champion_has_learned_from_leave_the_pair_and_are_counted(evaluated, task):
    right = np.ones(300, bool)
    ours = evaluated(right & (np.arange(300) >= 40))  # wrong where the champion was trained
    champion = replace(evaluated(right, name="champion"), unseen=np.arange(40, 300))
    answer = no_worse("accuracy", 0.05).answer(Case(ours, champion, None, task, 0.05))[0]
    assert (answer.status, answer.observed) == ("passed", 0)
    assert "on the same 260 test rows" in answer.sentence
    assert "40 test rows that it was trained or chosen on were left out." in answer.sentence
    whole = no_worse("accuracy", 0.05).answer(Case(ours, replace(champion, unseen=None), None, task, 0.05))[0]
    assert whole.status == "failed"
    assert "left out" not in whole.sentence


def test_a_champion_that_has_learned_from_all_rows_lets_nothing_pass(evaluated, task):
    ours = evaluated(np.ones(100, bool))
    champion = replace(evaluated(np.ones(100, bool), name="champion"), unseen=np.arange(0))
    case = Case(ours, champion, None, task, 0.05)
    answer = no_worse("accuracy", 0.05).answer(case)[0]
    assert answer.blocks
    assert "it was trained or chosen on all 100 test rows" in answer.sentence
    assert {decoy.status for decoy in prove([no_worse("accuracy", 0.05)], case, None)} == {"not applicable"}


def test_a_further_test_set_has_rows_of_its_own_that_leave(evaluated, task):
    right = np.ones(200, bool)
    there = evaluated(right & (np.arange(200) >= 50))
    ours = replace(evaluated(right), also={"winter": there})
    seen = replace(evaluated(right, name="champion"), unseen=np.arange(50, 200))
    champion = replace(evaluated(right, name="champion"), also={"winter": seen})
    case = Case(ours, champion, None, task, 0.05)
    answer = on("winter", no_worse("accuracy", 0.05)).answer(case)[0]
    assert (answer.status, answer.observed) == ("passed", 0)


@pytest.mark.parametrize("score", ["accuracy", "nll", "auc"])
def test_decoys_are_made_of_the_rows_that_are_compared(score, task):
    rows = split_of(400)
    sure = np.where(np.arange(400) % 9 == 0, 1 - rows.targets, rows.targets)
    spread = np.linspace(0.55, 0.95, 400)
    probs = np.where(sure[:, None] == [0, 1], spread[:, None], 1 - spread[:, None])
    ours = evaluation_of("a", {"probs": probs, "predicted": probs.argmax(axis=1)}, rows, TASK)
    champion = replace(ours, onnx_sha256="b", unseen=np.arange(150, 400))
    case = Case(ours, champion, None, task, 0.05)
    found = prove([no_worse(score, 0.1)], case, None)
    assert "refused" in {decoy.status for decoy in found}
    assert "passed" not in {decoy.status for decoy in found}


def test_what_was_measured_of_all_rows_is_compared_on_all(evaluated, task):
    ours, theirs = evaluated(np.arange(90) % 7 > 0), evaluated(np.arange(90) % 5 > 0, name="champion")
    assert pair(ours, theirs, task) == (ours, theirs)
    assert incomparable("accuracy", ours, theirs) is None
    assert improvement("accuracy", ours, theirs, task, 0.05).remark == ""
