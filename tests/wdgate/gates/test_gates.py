import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_checks.errors import PipelineError
from wdgate.evaluation.evaluation import Incomparable
from wdgate.evaluation.tasks import Classification, Regression
from wdgate.gates.bounds import clopper_pearson
from wdgate.gates.gates import Case, at_least, at_most, check_gates, no_worse, robust, skill, within

ALPHA = 0.05 / 20


def share(right, rows=700):
    return np.arange(rows) < round(right * rows)


def asked(gate, evaluation, task, champion=None, anchor=None, alpha=ALPHA):
    """The one answer, or the answers, of a gate."""
    answers = gate.answer(Case(evaluation, champion, anchor, task, alpha))
    return answers[0] if len(answers) == 1 else answers


def test_the_digits_pipelines_accuracy_passes_by_its_exact_bound(evaluated, task):
    answer = asked(at_least("accuracy", 0.88), evaluated(share(0.934)), task)
    assert (answer.code, answer.status) == ("WD202", "passed")
    assert answer.lower == clopper_pearson(654, 700, ALPHA)[0] >= 0.90
    assert answer.sentence == (
        "Accuracy is 93.4 % on 700 test rows, with confidence at least 90.4 % - "
        "above the 88 % that was asked for."
    )


def test_a_ruined_model_fails_and_a_doubtful_one_is_inconclusive(evaluated, task):
    assert asked(at_least("accuracy", 0.88), evaluated(share(0.61)), task).status == "failed"
    doubtful = asked(at_least("accuracy", 0.88), evaluated(share(0.90)), task)
    assert doubtful.status == "inconclusive"
    assert doubtful.blocks
    assert f"about {doubtful.rows_needed:,} would" in doubtful.sentence


def test_confidence_is_held_to_accuracy_on_both_sides(evaluated, task):
    gate = within("confidence_gap", 0.06)
    assert asked(gate, evaluated(share(0.934), 0.93), task).status == "passed"
    assert asked(gate, evaluated(share(0.80), 0.99), task).status == "failed"
    assert asked(gate, evaluated(share(0.99), 0.80), task).status == "failed"
    answer = asked(gate, evaluated(share(0.934), 0.93), task)
    assert answer.code == "WD203"
    assert -0.06 <= answer.lower < answer.upper <= 0.06


def test_at_most_bounds_a_score_from_above(evaluated, task):
    assert asked(at_most("nll", 0.4), evaluated(share(0.9)), task).status == "inconclusive"
    answer = asked(at_most("nll", 0.5), evaluated(share(0.9)), task)
    assert (answer.status, answer.code) == ("passed", "WD202")
    assert answer.observed < answer.upper <= 0.5


def test_robustness_is_judged_on_the_rows_that_were_corrupted(evaluated, task):
    scores = {"corrupted_accuracy": np.full(200, 0.82) + np.linspace(-0.1, 0.1, 200)}
    evaluation = evaluated(share(0.9), scores=scores, corrupted_rows=np.arange(0, 700, 3)[:200])
    answer = asked(robust(0.75), evaluation, task)
    assert (answer.code, answer.status) == ("WD204", "passed")
    assert "on 200 test rows" in answer.sentence


def test_robustness_that_was_not_measured_blocks(evaluated, task):
    answer = asked(robust(0.75), evaluated(share(0.9)), task)
    assert (answer.status, answer.blocks) == ("not applicable", True)
    assert "no corruption is meaningful for these inputs" in answer.sentence


def test_the_first_champion_has_nothing_to_be_compared_with(evaluated, task):
    champion, anchor = asked(no_worse("accuracy", 0.03), evaluated(share(0.9)), task)
    assert (champion.code, anchor.code) == ("WD205", "WD206")
    assert not champion.blocks
    assert not anchor.blocks
    assert champion.sentence == "There is no champion yet, so accuracy was not compared with it."


def test_a_model_that_disagrees_on_two_percent_is_not_worse_by_three_points(evaluated, task):
    right = share(0.934)
    other = right.copy()
    other[[0, 1, 2, 3, 4, 5, 6, 693, 694, 695, 696, 697, 698, 699]] ^= True
    champion, anchor = asked(
        no_worse("accuracy", 0.03),
        evaluated(other),
        task,
        evaluated(right, name="b"),
        evaluated(right, name="c"),
    )
    assert (champion.status, anchor.status) == ("passed", "passed")
    assert champion.limit == -0.03 < champion.lower < 0
    assert "on the same 700 test rows" in champion.sentence


def test_a_worse_model_fails_against_champion_and_anchor_each(evaluated, task):
    best, good, bad = (evaluated(share(s), name=n) for s, n in ((0.95, "a"), (0.94, "b"), (0.84, "c")))
    champion, anchor = asked(no_worse("accuracy", 0.03), bad, task, good, best)
    assert (champion.status, anchor.status) == ("failed", "failed")
    champion, anchor = asked(no_worse("accuracy", 0.03), good, task, bad, best)
    assert (champion.status, anchor.status) == ("passed", "passed")


def test_an_anchor_that_is_the_champion_is_not_asked_twice(evaluated, task):
    same = evaluated(share(0.9), name="b")
    champion, anchor = asked(no_worse("accuracy", 0.03), evaluated(share(0.9)), task, same, same)
    assert champion.status == "passed"
    assert (anchor.status, anchor.blocks) == ("not applicable", False)


def test_less_of_an_error_is_better(evaluated, task):
    sure, unsure = evaluated(share(0.99), 0.95), evaluated(share(0.99), 0.6, name="b")
    gate = no_worse("nll", 0.05)
    better = asked(gate, sure, task, unsure)[0]
    assert (better.status, better.observed > 0) == ("passed", True)
    assert asked(gate, unsure, task, sure)[0].status == "failed"


def test_metrics_are_judged_and_compared_by_resampling(evaluated, task):
    good, bad = evaluated(share(0.95)), evaluated(share(0.80), name="b")
    answer = asked(at_least("balanced_accuracy", 0.9), good, task)
    assert answer.status == "passed"
    assert abs(answer.lower - clopper_pearson(665, 700, ALPHA)[0]) < 0.01
    assert asked(no_worse("balanced_accuracy", 0.03), good, task, bad)[0].status == "passed"
    assert asked(no_worse("balanced_accuracy", 0.03), bad, task, good)[0].status == "failed"


def test_a_metric_that_these_rows_do_not_define_blocks(evaluated, task):
    one_class = dataclasses.replace(
        evaluated(share(0.9)), targets=np.zeros(700, int), metrics={"auc": math.nan}
    )
    answer = asked(at_least("auc", 0.8), one_class, task)
    assert (answer.status, answer.blocks) == ("not applicable", True)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"fingerprint": "others"}, "evaluated on other rows"),
        ({"predictions": {"probs": np.zeros((700, 3)), "predicted": np.zeros(700)}}, "such as other classes"),
        ({"scores": {}, "metrics": {}}, "accuracy was not measured for both"),
    ],
)
def test_a_champion_that_cannot_be_compared_with_blocks(evaluated, task, changes, reason):
    other = dataclasses.replace(evaluated(share(0.9), name="b"), **changes)
    champion, anchor = asked(no_worse("accuracy", 0.03), evaluated(share(0.9)), task, other)
    assert (champion.status, champion.blocks) == ("not applicable", True)
    assert reason in champion.sentence
    assert not anchor.blocks


def test_a_champion_that_could_not_be_run_blocks_and_says_why(evaluated, task):
    gone = Incomparable("it takes inputs named b")
    answers = asked(no_worse("accuracy", 0.03), evaluated(share(0.9)), task, gone, gone)
    assert all(answer.blocks and "it takes inputs named b" in answer.sentence for answer in answers)


def test_corrupted_scores_of_other_rows_are_not_compared(evaluated, task):
    scores = {"corrupted_accuracy": np.full(10, 0.8)}
    ours = evaluated(share(0.9), scores=scores, corrupted_rows=np.arange(10))
    theirs = evaluated(share(0.9), scores=scores, corrupted_rows=np.arange(10) + 1, name="b")
    champion, _ = asked(no_worse("corrupted_accuracy", 0.03), ours, task, theirs)
    assert (champion.status, champion.blocks) == ("not applicable", True)


def test_skill_is_more_than_a_constant_knows(evaluated, task):
    answer = asked(skill(), evaluated(share(0.9)), task)
    assert (answer.code, answer.status) == ("WD207", "passed")
    assert asked(skill(), evaluated(share(0.5), 0.51), task).status != "passed"
    assert asked(skill(), evaluated(share(0.5), 0.9), task).status == "failed"


def test_the_constant_predictor_has_no_skill(evaluated, task):
    constant = evaluated(share(0.9))
    constant = dataclasses.replace(constant, scores=dict(constant.baseline))
    assert asked(skill(), constant, task).status == "failed"
    assert asked(skill(), dataclasses.replace(constant, baseline={}), task).blocks


def test_rows_of_groups_are_judged_by_the_group(evaluated, task):
    generator = np.random.default_rng(0)
    right = np.repeat(generator.random(70) < 0.93, 10)
    rows = asked(at_least("accuracy", 0.85), evaluated(right), task)
    groups = asked(at_least("accuracy", 0.85), evaluated(right, groups=np.repeat(np.arange(70), 10)), task)
    assert groups.lower < rows.lower - 0.05


TASK = Classification(("a", "b"))
GATES = [at_least("auc", 0.8), at_most("ece", 0.1), within("confidence_gap", 0.06), robust(0.7), skill()]
GATES += [no_worse("corrupted_accuracy", 0.03), no_worse("nll", 0.1)]


def test_every_gate_is_plain_values_and_equal_ones_are_equal():
    described = [json.dumps(gate.as_dict(), sort_keys=True) for gate in GATES]
    assert len(set(described)) == len(GATES)
    assert at_least("accuracy", 1) == at_least("accuracy", 1.0)
    assert no_worse("accuracy", 0.03).as_dict() == {"gate": "no_worse", "score": "accuracy", "margin": 0.03}
    check_gates(GATES, TASK)


@pytest.mark.parametrize(
    ("gate", "task", "sentence"),
    [
        (at_least("acuracy", 0.9), TASK, "acuracy, which is none of .* did you mean accuracy"),
        (no_worse("rr2", 0.1), Regression(), "did you mean r2"),
        (
            at_least("top3_accuracy", 0.9),
            Classification(("a", "b", "c")),
            "top3_accuracy, which is none of .* did you mean top2_accuracy",
        ),
        (at_least("corrupted_nll", 0.9), TASK, "did you mean corrupted_accuracy"),
        (at_most("accuracy", 0.9), TASK, r"better when higher: ask at_least\('accuracy'"),
        (within("accuracy", 0.9), TASK, "ask at_least"),
        (at_least("nll", 0.9), TASK, "better when lower: ask at_most"),
        (no_worse("confidence_gap", 0.9), TASK, "ask within"),
        ("accuracy", TASK, "must be made by at_least"),
        (at_least, TASK, "must be made by at_least"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(gate, task, sentence):
    with pytest.raises(PipelineError, match=sentence):
        check_gates([gate], task)


@pytest.mark.parametrize("value", [math.nan, math.inf, "0.9", None, True])
@pytest.mark.parametrize("make", [at_least, at_most, within, no_worse])
def test_a_limit_is_a_finite_number(make, value):
    with pytest.raises(PipelineError, match="must be a finite number, got"):
        make("accuracy", value)
    with pytest.raises(PipelineError, match="limit must be a finite number, got"):
        robust(value)


@pytest.mark.parametrize("make", [within, no_worse])
@pytest.mark.parametrize("value", [0, -0.1])
def test_a_margin_is_above_zero(make, value):
    with pytest.raises(PipelineError, match="must be above 0, got"):
        make("accuracy", value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 60), st.floats(0.01, 0.99))
def test_a_pass_always_means_a_bound_beyond_the_limit(evaluated, task, right, limit):
    answer = asked(at_least("accuracy", limit), evaluated(np.arange(60) < right), task)
    assert (answer.status == "passed") == (clopper_pearson(right, 60, ALPHA)[0] >= limit)


def test_a_gate_can_name_one_corruption_and_a_misspelt_one_is_refused(evaluated, task):
    gate = at_least("corrupted_accuracy/blur", 0.7)
    check_gates([gate, no_worse("corrupted_accuracy/shift", 0.1)], task)
    with pytest.raises(PipelineError, match=r"did you mean corrupted_accuracy/blur\?"):
        check_gates([at_least("corrupted_accuracy/blurr", 0.7)], task)
    with pytest.raises(PipelineError, match="better when higher"):
        check_gates([at_most("corrupted_accuracy/blur", 0.7)], task)
    plain = evaluated(share(0.9))
    measured = dataclasses.replace(
        plain, scores={**plain.scores, "corrupted_accuracy/blur": share(0.8).astype(float)}
    )
    answer = asked(gate, measured, task)
    assert answer.status == "passed"
    assert answer.sentence.startswith("Accuracy under blur is 80 % on 700 test rows")
    assert "blur is no corruption of these inputs" in asked(gate, plain, task).sentence
