import math

import pytest

from wdgate.gates.bounds import Bounds
from wdgate.gates.sentences import absolute, no_measurement, paired, question, skill, spoken


def test_shares_are_said_in_percent_and_other_scores_as_they_are():
    bounds = Bounds(0.9342857, 0.90371, 0.9571, 700)
    assert "93.4 % on 700 test rows" in absolute("accuracy").sentence("passed", bounds, 0.88, math.inf, None)
    assert "0.934 on 700 test rows" in absolute("nll").sentence("passed", bounds, -math.inf, 1, None)
    assert "1,234 on" in absolute("squared_error").sentence(
        "failed", Bounds(1234.5, 1, 2, 9), 0, math.inf, None
    )


def test_nothing_is_minus_zero():
    bounds = Bounds(0.0, -0.0002, 0.03, 700)
    assert "-0 " not in absolute("confidence_gap").sentence("passed", bounds, -0.06, 0.06, None)


@pytest.mark.parametrize(
    "words", [absolute("accuracy"), absolute("confidence_gap"), paired("nll", "anchor"), skill("nll")]
)
def test_a_sentence_says_what_would_settle_it_and_ends_in_one_full_stop(words):
    for status in ("passed", "failed", "inconclusive"):
        needed = 1200 if status == "inconclusive" else None
        sentence = words.sentence(status, Bounds(0.01, -0.02, 0.04, 700), -0.03, 0.03, needed)
        assert sentence.endswith("about 1,200 would." if needed else ".")
        assert not sentence.endswith("..")
        assert sentence[0].isupper()


def test_what_is_needed_is_said_in_groups_where_there_are_groups():
    groups = Bounds(0.90, 0.86, 0.93, 700, groups=35)
    alone = Bounds(0.90, 0.86, 0.93, 700, groups=700)
    said = absolute("accuracy").sentence("inconclusive", groups, 0.88, math.inf, 2800)
    assert said.endswith("; about 2,800 would, in about 140 groups like these.")
    assert "groups" not in absolute("accuracy").sentence("inconclusive", alone, 0.88, math.inf, 2800)


def test_a_doubt_is_said_on_the_side_that_the_limit_is_on():
    near = absolute("accuracy").sentence("inconclusive", Bounds(0.90, 0.86, 0.93, 700), 0.88, math.inf, None)
    below = absolute("accuracy").sentence("inconclusive", Bounds(0.86, 0.82, 0.89, 700), 0.88, math.inf, None)
    above = absolute("nll").sentence("inconclusive", Bounds(0.86, 0.82, 0.89, 700), -math.inf, 0.84, None)
    assert "may be as low as 86 %" in near
    assert "may be as high as 89 %" in below
    assert "may be as low as 0.82" in above


def test_names_and_questions_are_readable():
    assert spoken("corrupted_absolute_error") == "absolute error under corruptions"
    assert question("nll", -math.inf, 0.5) == "nll at most 0.5"


def test_a_score_under_one_corruption_is_said_so_and_why_it_may_not_be_there():
    assert spoken("corrupted_accuracy/gaussian_noise") == "accuracy under gaussian noise"
    assert no_measurement("corrupted_accuracy/blur") == "blur is no corruption of these inputs"
