import dataclasses
import json
import math

import numpy as np
import pandas as pd
import pytest

from data_checks.errors import PipelineError
from data_checks.report import DataReport, Finding
from wdgate.evaluation.evaluation import Evaluation
from wdgate.evaluation.tasks import Classification
from wdgate.gates.bounds import clopper_pearson
from wdgate.gates.effect_gate import decay_helps
from wdgate.gates.gates import at_least, no_worse, skill
from wdgate.judging import judge

TASK = Classification(("left", "right"))


def evaluation(right=0.95, rows=700, fingerprint="rows", name="candidate"):
    targets = np.arange(rows) % 2
    predicted = np.where(np.arange(rows) < right * rows, targets, 1 - targets)
    predictions = {"probs": np.where(predicted[:, None] == [0, 1], 0.9, 0.1), "predicted": predicted}
    constant = TASK.scores(TASK.constant(targets, rows), targets)
    scores = TASK.scores(predictions, targets)
    return Evaluation(name, fingerprint, predictions, targets, scores, {}, {}, baseline=constant)


def report(status="passed", rows=700, left_out=0, findings=1):
    found = (Finding("DC110", "duplicates", status, "Two rows are copies."),) * findings
    return DataReport(found, pd.DataFrame(), {"test": "rows"}, np.arange(rows) < left_out)


def judged(gates=None, data=None, candidate=None, **changes):
    asked = {"champion": None, "anchor": None, "task": TASK, "alpha": 0.05, "looks": 20, "look": 1} | changes
    gates = [at_least("accuracy", 0.88)] if gates is None else gates
    return judge(gates, data or report(), candidate or evaluation(), **asked)


def blocking(decision):
    return [result.code for result in decision.results if result.blocks]


def test_a_good_model_on_clean_data_passes():
    decision = judged()
    assert decision.passed
    assert [result.code for result in decision.results] == ["WD201", "WD202"]
    assert json.loads(json.dumps(decision.as_dict()))["passed"] is True


@pytest.mark.parametrize("looks", [1, 20])
def test_each_look_is_bounded_at_its_share_of_alpha(looks):
    answer = judged(looks=looks).results[1]
    assert answer.lower == clopper_pearson(665, 700, 0.05 / looks)[0]


def test_no_gates_are_refused():
    decision = judged(gates=[])
    assert not decision.passed
    assert blocking(decision) == ["WD200"]


@pytest.mark.parametrize("status", ["failed", "error"])
def test_unclean_data_are_refused_whatever_the_gates_say(status):
    decision = judged(data=report(status))
    assert blocking(decision) == ["WD201"]
    assert "Two rows are copies" in decision.sentence


def test_a_report_without_findings_is_not_clean():
    assert blocking(judged(data=report(findings=0))) == ["WD201"]


def test_only_the_rows_that_were_checked_may_be_judged_on():
    assert blocking(judged(candidate=evaluation(fingerprint="others"))) == ["WD201"]
    assert blocking(judged(data=report(rows=701))) == ["WD201"]


def test_rows_that_are_left_out_are_said_and_not_judged_on():
    decision = judged(data=report(rows=703, left_out=3), candidate=evaluation(fingerprint="fewer"))
    assert decision.passed
    assert "3 test rows that are nearly train rows were left out" in decision.results[0].sentence
    assert not judged(data=report(rows=700, left_out=3)).passed


@pytest.mark.parametrize(
    "change", [{"look": 21}, {"look": 0}, {"looks": 0}, {"alpha": math.nan}, {"alpha": 1.0}]
)
def test_a_look_beyond_the_last_or_without_an_error_rate_is_refused(change):
    assert "WD208" in blocking(judged(**change))


def test_one_gate_that_does_not_pass_stops_the_model():
    gates = [at_least("accuracy", 0.88), at_least("accuracy", 0.94), skill()]
    decision = judged(gates=gates)
    assert [result.status for result in decision.results] == ["passed", "passed", "inconclusive", "passed"]
    assert not decision.passed


def test_a_champion_is_compared_with_on_the_same_rows():
    gates = [at_least("accuracy", 0.88), no_worse("accuracy", 0.03)]
    better = judged(gates=gates, champion=evaluation(0.94, name="b"), anchor=evaluation(0.93, name="c"))
    assert better.passed
    worse = judged(gates=gates, champion=evaluation(0.99, name="b"), anchor=evaluation(0.94, name="c"))
    assert blocking(worse) == ["WD205"]


def test_scores_that_are_nan_do_not_pass():
    spoilt = evaluation()
    spoilt.scores["accuracy"][3] = math.nan
    assert blocking(judged(candidate=spoilt)) == ["WD202"]


def test_a_gate_that_the_task_cannot_answer_is_an_error():
    with pytest.raises(PipelineError, match="did you mean"):
        judged(gates=[at_least("acuracy", 0.9)])


def test_clean_data_alone_promotes_nothing():
    decision = judged(gates=[no_worse("accuracy", 0.03)])
    assert [result.status for result in decision.results] == ["passed", "not applicable", "not applicable"]
    assert not decision.passed


def test_a_decision_says_what_became_of_the_decoys_and_spends_no_more_results_on_them():
    decision = judged(gates=[at_least("accuracy", 0.88), skill()])
    assert decision.passed
    assert {decoy.status for decoy in decision.decoys} == {"refused", "not applicable"}
    assert decision.as_dict()["decoys"][0] == {
        "name": "at_least: accuracy just below 0.88",
        "status": "refused",
        "sentence": "The gate at_least refused a model with accuracy just below 0.88.",
    }


def test_a_decoy_that_passes_voids_the_decision():
    class Generous(type(at_least("accuracy", 0.88))):
        def answer(self, case):
            return tuple(dataclasses.replace(answer, status="passed") for answer in super().answer(case))

    decision = judged(gates=[Generous("at_least", "accuracy", 0.88)])
    assert not decision.passed
    assert blocking(decision) == ["WD213"]
    assert "cannot be believed" in decision.sentence


def test_the_file_that_was_judged_must_be_the_one_that_is_handed_over():
    assert blocking(judged(onnx=b"another file")) == ["WD213"]


def test_what_the_trainer_measured_is_told_as_that():
    one = {"score": "accuracy", "difference": 0.02, "lower": 0.01, "upper": 0.03, "pairs": 3}
    effect = {"status": "measured", "effects": [one]}
    decision = judged(gates=[at_least("accuracy", 0.88), decay_helps("accuracy")], effect=effect)
    assert decision.passed
    assert "0.25% of cases, but for the trainer's own measurement." in decision.sentence
    assert not judged(gates=[decay_helps("accuracy")], effect=effect).passed
