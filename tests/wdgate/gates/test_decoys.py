import hashlib
import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_checks.splits import Split
from wdgate.evaluation.evaluation import Evaluation
from wdgate.evaluation.evaluation import evaluation_of as predicted_on
from wdgate.evaluation.labels import Labels
from wdgate.evaluation.tasks import Classification, Regression
from wdgate.gates.also_gate import on
from wdgate.gates.bad import Bad, mean_of
from wdgate.gates.gates import Case, Limit, NoWorse, at_least, at_most, no_worse, robust, skill, within
from wdgate.gates.proving import flipped_bit, prove, voided
from wdgate.gates.results import GateResult
from wdgate.gates.slice_gate import slices

ALPHA = 0.05 / 20
GATES = (
    at_least("accuracy", 0.88),
    at_most("nll", 0.5),
    within("confidence_gap", 0.06),
    at_least("balanced_accuracy", 0.7),
    at_least("auc", 0.6),
    at_least("recall/left", 0.8),
    at_least("recall", 0.8),
    at_least("precision", 0.8),
    no_worse("recall", 0.05),
    at_most("ece", 0.2),
    robust(0.75),
    no_worse("accuracy", 0.03),
    no_worse("nll", 0.1),
    skill(),
)


def share(right, rows=700):
    return np.arange(rows) < round(right * rows)


@pytest.fixture
def case(evaluated, task):
    corrupted = np.linspace(0.6, 1.0, 200)
    more = {"corrupted_rows": np.arange(0, 700, 3)[:200]}
    candidate = evaluated(share(0.94), 0.93)
    candidate = replace(candidate, scores={**candidate.scores, "corrupted_accuracy": corrupted}, **more)
    return Case(candidate, evaluated(share(0.93), 0.93, "b"), evaluated(share(0.92), 0.92, "c"), task, ALPHA)


def statuses(gate, case):
    return {result.name: result.status for result in prove([gate], case)[:-1]}


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: str(gate.as_dict()))
def test_every_gate_refuses_its_own_decoys(gate, case):
    found = statuses(gate, case)
    assert "refused" in found.values()
    assert "passed" not in found.values()


@dataclass(frozen=True)
class OnTheWrongSide(Limit):
    """Compares the upper bound with the lower limit: a mistake that a good model never shows."""

    def answer(self, case):
        answer = super().answer(case)[0]
        if answer.upper is not None and answer.upper >= self.limit:
            return (replace(answer, status="passed"),)
        return (answer,)


@dataclass(frozen=True)
class NaNPasses(Limit):
    def answer(self, case):
        answer = super().answer(case)[0]
        return (replace(answer, status="passed"),) if answer.observed is None else (answer,)


@dataclass(frozen=True)
class AlwaysPasses(NoWorse):
    def answer(self, case):
        return (GateResult("WD205", "champion", "passed", "It is fine."),)


@pytest.mark.parametrize(
    ("gate", "decoy"),
    [
        (OnTheWrongSide("at_least", "accuracy", 0.88), "at_least: accuracy just below 0.88"),
        (NaNPasses("at_most", "nll", 0.5), "at_most: nll not a number"),
        (AlwaysPasses("accuracy", 0.03), "no_worse: accuracy just 0.03 worse than the anchor's"),
    ],
)
def test_a_gate_that_is_broken_is_found_out(gate, decoy, case):
    assert statuses(gate, case)[decoy] == "passed"
    (voiding,) = voided(prove([gate], case))
    assert (voiding.code, voiding.status, voiding.blocks) == ("WD213", "failed", True)
    assert "cannot be believed on these rows: The gate" in voiding.sentence


def test_without_a_champion_there_is_no_worse_model(case):
    found = prove([no_worse("accuracy", 0.03)], replace(case, champion=None, anchor=None))
    assert [result.status for result in found] == ["not applicable", "not applicable"]
    assert found[0].sentence == (
        "There is no such model for no_worse: there is no champion to be compared with."
    )


def test_guessing_that_keeps_to_the_limit_is_no_decoy(evaluated, task):
    case = Case(evaluated(share(0.94)), None, None, task, ALPHA)
    found = statuses(at_least("accuracy", 0.1), case)
    assert found["at_least: permuted predictions"] == "not applicable"
    assert found["at_least: accuracy just below 0.1"] == "refused"
    assert statuses(at_least("accuracy", 0.0), case)["at_least: accuracy just below 0"] == "not applicable"


def test_a_gate_of_the_pipelines_own_that_brings_none_is_said_so(case):
    class Own:
        def answer(self, case):
            return ()

        def as_dict(self):
            return {"gate": "own"}

    assert statuses(Own(), case) == {"own: its own decoy": "not applicable"}


def test_groups_and_weights_are_judged_like_those_of_the_candidate(case):
    more = {"groups": np.arange(700) // 7, "weights": np.linspace(0.5, 2, 700)}
    weighed = [replace(each, **more) for each in (case.evaluation, case.champion, case.anchor)]
    other = Case(*weighed, case.task, ALPHA)
    found = [r.status for r in prove(GATES, other)[:-1]]
    assert "passed" not in found
    assert found.count("refused") > 20


@pytest.mark.parametrize("gate", [at_least("accuracy", 0.9), no_worse("accuracy", 0.03), skill()])
def test_decoys_are_made_on_the_further_test_set_that_a_gate_is_asked_on(gate, case, evaluated):
    also = {"winter": evaluated(share(0.95, 500))}
    both = [replace(each, also=also) for each in (case.evaluation, case.champion, case.anchor)]
    there = statuses(on("winter", gate), Case(*both, case.task, ALPHA))
    assert "refused" in there.values()
    assert "passed" not in there.values()
    assert statuses(on("winter", gate), case) == {"on: its own decoy": "not applicable"}


def test_slices_refuse_what_is_beyond_the_limit_on_all_rows(case):
    sites = replace(case.evaluation, attributes={"site": np.arange(700) % 3})
    found = statuses(slices("site", at_least=0.8), replace(case, evaluation=sites))
    assert found["slices: accuracy just below 0.8"] == "refused"
    assert "passed" not in found.values()


def test_a_regression_has_its_decoys_too():
    draw = np.random.default_rng(0)
    targets = draw.normal(size=500)
    task, predicted = Regression(), {"predicted": targets + draw.normal(size=500) / 3}
    parts = (task.scores(predicted, targets), task.metrics(predicted, targets, None), {})
    constant = task.scores(task.constant(targets, 500), targets)
    evaluation = Evaluation("a", "rows", predicted, targets, *parts, baseline=constant)
    gates = [at_most("absolute_error", 0.4), at_least("r2", 0.5), skill(), no_worse("absolute_error", 0.1)]
    found = prove(gates, Case(evaluation, evaluation, None, task, ALPHA))
    assert {result.status for result in found[:-1]} == {"refused"}


@given(
    st.lists(st.floats(0.1, 3), min_size=2, max_size=50),
    st.floats(0.05, 0.95),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=50, deadline=None)
def test_a_mean_just_beyond_is_beyond_by_less_than_a_row(weights, mean, above, proportion):
    weights = np.array(weights)
    values = np.ones(len(weights)) if proportion else np.linspace(0, 1, len(weights)) + 0.01
    evaluation = Evaluation("a", "r", {}, values, {"x": values}, {}, {}, weights=weights)
    made = Bad(evaluation, Classification(("a", "b"))).with_mean("x", mean, above=above)
    reached = mean_of(made.scores["x"], weights) - mean
    assert reached > 0 if above else reached < 0
    assert abs(reached) <= (weights.max() / weights.sum() + 1e-9 if proportion else 1e-5)


def test_a_bit_that_is_flipped_changes_the_hash():
    onnx = b"a model of a few bytes"
    right = hashlib.sha256(onnx).hexdigest()
    assert flipped_bit(onnx, right).status == "refused"
    assert flipped_bit(None, right).status == flipped_bit(b"", right).status == "not applicable"
    assert flipped_bit(onnx + b"!", right).status == "passed"
    flipped = bytearray(onnx)
    flipped[len(onnx) // 2] ^= 1
    assert flipped_bit(onnx, hashlib.sha256(flipped).hexdigest()).status == "passed"


def test_decoys_are_made_once_and_leave_the_candidate_as_it_is(case):
    before = {name: values.copy() for name, values in case.evaluation.scores.items()}
    prove(GATES, case)
    assert all(np.array_equal(before[name], case.evaluation.scores[name]) for name in before)
    assert case.bad.permuted is case.bad.permuted
    assert math.isclose(case.bad.permuted.scores["accuracy"].mean(), 0.5, abs_tol=0.1)


@given(st.floats(0.01, 0.99), st.integers(0, 100), st.booleans())
def test_a_recall_just_below_the_limit_is_just_below_it(limit, seed, weighed):
    from tests.wdgate.gates.conftest import TASK, evaluation_of

    generator = np.random.default_rng(seed)
    right = generator.random(60) < 0.7
    weights = generator.uniform(0.5, 2, 60) if weighed else None
    bad = Bad(evaluation_of(right, weights=weights), TASK)
    made = bad.recalling("recall/left", limit)
    assert made is None or limit - 0.2 < bad.reached(made, "recall/left") < limit
    assert bad.recalling("precision/left", limit) is None
    # The other class is as it was.
    assert made is None or bad.reached(made, "recall/right") == bad.reached(bad.evaluation, "recall/right")


def test_models_that_name_classes_alone_have_decoys_too():
    targets = np.arange(200) % 2
    task, predicted = Labels(("left", "right")), {"predicted": np.where(np.arange(200) < 190, targets, 0)}
    rows = Split(np.arange(200), targets)
    case = Case(predicted_on("a" * 64, predicted, rows, task), None, None, task, ALPHA)
    found = prove([at_least("recall/right", 0.8)], case)
    assert {one.status for one in found[:-1]} == {"refused"}
