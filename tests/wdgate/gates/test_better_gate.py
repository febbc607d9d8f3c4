import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_checks.errors import PipelineError
from wdgate.evaluation.evaluation import Incomparable
from wdgate.gates.better_gate import better, gain, gain_in_common
from wdgate.gates.gates import Case, check_gates
from wdgate.gates.paired import mcnemar_mid_p, tango
from wdgate.gates.proving import prove

ALPHA = 0.05 / 20
ROWS = np.arange(700)


def superior(ours, theirs, task, alpha):
    """Whether the anchor moves."""
    found = gain_in_common(ours, theirs, task, alpha)
    return found is not None and bool(found[1].lower > 0)


@pytest.fixture
def ask(evaluated, task):
    def asked(gate, ours, theirs, **more):
        champion = theirs if isinstance(theirs, Incomparable | None) else evaluated(theirs, name="b", **more)
        case = Case(evaluated(ours, **more), champion, None, task, ALPHA)
        return gate.answer(case)[0], {decoy.name: decoy.status for decoy in prove([gate], case)[:-1]}

    return asked


def test_a_better_model_passes_and_says_by_how_much_at_least(ask):
    answer, _ = ask(better("accuracy"), ROWS < 660, ROWS < 630)
    assert (answer.code, answer.status) == ("WD211", "passed")
    assert answer.sentence == (
        "Accuracy is 4.3 points better than the champion's on the same 700 test rows, with confidence by "
        "2.6 points or more - better, as was asked for."
    )


def test_an_equal_model_is_not_better_and_a_worse_one_fails(ask):
    assert ask(better("accuracy"), ROWS < 630, ROWS < 630)[0].status == "inconclusive"
    worse = ask(better("accuracy"), ROWS < 600, ROWS < 630)[0]
    assert (worse.status, worse.blocks) == ("failed", True)
    assert "at best" in worse.sentence


def test_more_than_some_improvement_can_be_asked_for(ask):
    answer, _ = ask(better("accuracy", by=0.03), ROWS < 660, ROWS < 630)
    assert answer.status == "inconclusive"
    assert answer.rows_needed > 700
    assert "better by more than 3 points; about" in answer.sentence
    assert ask(better("accuracy", by=0.02), ROWS < 660, ROWS < 630)[0].status == "passed"


def test_less_of_an_error_is_better(ask):
    assert ask(better("nll"), ROWS < 660, ROWS < 600)[0].status == "passed"
    assert ask(better("nll"), ROWS < 600, ROWS < 660)[0].status == "failed"


def test_the_first_model_has_no_champion_to_surpass(ask):
    answer, decoys = ask(better("accuracy"), ROWS < 660, None)
    assert (answer.status, answer.blocks) == ("not applicable", False)
    assert answer.sentence == "There is no champion yet, so accuracy was not compared with it."
    assert set(decoys.values()) == {"not applicable"}


def test_a_champion_that_cannot_be_compared_with_blocks(ask):
    answer, _ = ask(better("accuracy"), ROWS < 660, Incomparable("it takes other columns"))
    assert (answer.status, answer.blocks) == ("not applicable", True)
    assert "because it takes other columns" in answer.sentence


def test_scores_that_are_no_numbers_do_not_pass(evaluated, task):
    good = evaluated(ROWS < 660)
    nothing = replace(good, scores={"accuracy": np.full(700, np.nan)})
    for ours, theirs in ((good, nothing), (nothing, good)):
        assert better("accuracy").answer(Case(ours, theirs, None, task, ALPHA))[0].blocks
        assert not superior(ours, theirs, task, ALPHA)


@pytest.mark.parametrize(
    "gate", [better("accuracy"), better("accuracy", 0.01), better("nll", 0.1), better("auc")]
)
def test_it_refuses_its_decoys(ask, gate):
    found = ask(gate, ROWS < 660, ROWS < 630)[1]
    assert "refused" in found.values()
    assert "passed" not in found.values()


def test_where_too_few_rows_are_wrong_there_is_no_such_decoy(ask):
    found = ask(better("accuracy", 0.2), ROWS < 660, ROWS < 700)[1]
    assert found["better: accuracy 0.2 better than the champion's"] == "not applicable"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60), st.sampled_from([0.05, 0.01, 0.0025]))
def test_on_independent_rows_mcnemars_test_decides(better_rows, worse_rows, alpha):
    from tests.wdgate.gates.conftest import TASK, evaluation_of

    ours = (ROWS < 500) | (700 - better_rows <= ROWS)
    theirs = (500 + worse_rows > ROWS) & (ROWS >= 0)
    ours[500 : 500 + worse_rows], theirs[700 - better_rows :] = False, False
    ours, theirs = evaluation_of(ours), evaluation_of(theirs, name="b")
    bounds = gain("accuracy", ours, theirs, TASK, alpha)
    assert (bounds.lower > 0) == (mcnemar_mid_p(better_rows, worse_rows) <= alpha)
    assert abs(bounds.lower - tango(better_rows, worse_rows, 700, alpha)[0]) < 0.01
    assert superior(ours, theirs, TASK, alpha) == (bounds.lower > 0)


def test_groups_are_the_units(evaluated, task):
    ours, theirs = (ROWS < 660), (ROWS < 630)
    patients = ROWS // 70
    found = superior(
        evaluated(ours, groups=patients), evaluated(theirs, name="b", groups=patients), task, 0.0025
    )
    assert superior(evaluated(ours), evaluated(theirs, name="b"), task, 0.0025)
    assert not found  # all of the improvement is one patient's


def test_groups_that_are_lost_and_were_not_drawn_have_room(evaluated, task):
    """70 groups of 10: those of which a sample holds none with probability 4 alpha are 6.4 points."""
    groups, found = ROWS // 10, {}
    for won in (20, 140):
        theirs = np.argsort(np.argsort(ROWS % 10, kind="stable")) >= won
        ours = evaluated(np.ones(700, bool), groups=groups)
        found[won] = gain("accuracy", ours, evaluated(theirs, name="b", groups=groups), task, ALPHA)
    room = 1 - (4 * ALPHA) ** (1 / 70)
    assert found[20].lower <= 20 / 700 - (1 + 20 / 700) * room + 1e-12
    assert found[140].lower > 0
    assert found[140].on_times_the_rows(4.0)[0] > found[140].lower


def test_a_model_that_cannot_be_compared_leaves_the_anchor_where_it_is(evaluated, task):
    assert not superior(evaluated(ROWS < 700), Incomparable("other classes"), task, ALPHA)
    assert not superior(evaluated(ROWS < 700), evaluated(np.arange(600) < 300), task, ALPHA)


def test_without_the_primary_score_the_proper_one_decides(evaluated, task):
    ours, theirs = (evaluated(right > ROWS, confidence=0.8) for right in (660, 630))
    kept = {name: values for name, values in theirs.scores.items() if name != "accuracy"}
    hidden = replace(theirs, scores=kept, predictions=theirs.predictions)
    assert superior(ours, hidden, task, ALPHA)


def test_equal_models_are_called_superior_about_as_often_as_promised(evaluated, task):
    draw, called = np.random.default_rng(0), 0
    for _ in range(300):
        ours, theirs = (evaluated(draw.random(360) < 0.85, name=name) for name in "ab")
        called += superior(ours, theirs, task, 0.2)
    assert 0.13 < called / 300 <= 0.2 + 2.5 * (0.2 * 0.8 / 300) ** 0.5


@pytest.mark.parametrize("score", ["confidence_gap", "acuracy"])
def test_a_score_without_a_better_side_cannot_be_asked(task, score):
    with pytest.raises(PipelineError):
        check_gates([better(score)], task)


@pytest.mark.parametrize("wrong", [("", 0), ("accuracy", -0.1), ("accuracy", math.nan), ("accuracy", True)])
def test_a_question_that_is_none_is_refused(wrong):
    with pytest.raises(PipelineError):
        better(*wrong)
