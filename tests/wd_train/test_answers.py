"""Is the sentence about the decay honest, and clear to a reader who is no specialist?"""

import json
import re

import numpy as np

from data_checks.splits import Split
from wd_train.answers import not_measured, nothing_to_measure, own_loop, summarize, too_dear
from wd_train.outcomes import Diverged, Outcome
from wdgate.evaluation.tasks import Classification, Regression

TASK = Classification(("a", "b"))
LOST = Diverged("its loss was nan at step 3")
ROWS = Split(np.random.default_rng(5).normal(size=(1000, 3)), np.zeros(1000, int))


def outcome(accuracy, seed=0):
    right = np.random.default_rng(seed).permutation(1000) < round(accuracy * 1000)
    predictions = {"probs": np.stack([right, ~right], axis=1) * 1.0, "predicted": (~right).astype(int)}
    return Outcome(predictions, None, (), 1, 1.0, 0.9)


def summary(with_decay, without, **more):
    return summarize(TASK, 0.3, with_decay, without, ROWS, rows=60, seconds=1.0, **more)


def test_an_effect_is_said_with_its_size_its_side_and_both_means():
    effect = summary([outcome(0.95), outcome(0.85)], [outcome(0.85), outcome(0.75)])
    first = "Weight decay 0.3 raised accuracy by 10.0 points, which is better: 90.0% with it, 80.0% without"
    assert effect.sentence.startswith(f"{first} (95 % interval of the difference +8")
    assert re.search(r"of the difference \+8\.\d to \+1[12]\.\d points, over 2 pairs", effect.sentence)
    assert "over 2 pairs of trainings and 1,000 validation rows)" in effect.sentence
    assert "It also lowered log-loss by" in effect.sentence
    assert "lowered the calibration error (ECE) by 0.1, which is better" in effect.sentence
    assert (effect.status, effect.seeds, effect.rows, effect.missing) == ("measured", 2, 60, 0)


def test_an_interval_that_holds_0_is_no_measurable_effect():
    effect = summary([outcome(0.9), outcome(0.8)], [outcome(0.8), outcome(0.9)])
    assert effect.sentence.startswith(
        "Weight decay 0.3 had no measurable effect on accuracy: 85.0% with it, 85.0% without"
    )
    assert "It also" not in effect.sentence


def test_one_pair_says_that_another_seed_may_differ():
    effect = summary([outcome(0.9)], [outcome(0.8)])
    assert effect.sentence.startswith("Weight decay 0.3 had no measurable effect on accuracy: 90.0% with it")
    assert "It also" not in effect.sentence
    assert "over one pair of trainings and 1,000 validation rows: another seed may differ" in effect.sentence


def test_a_score_that_is_the_same_on_every_row_is_said_to_be_the_same():
    split = Split(np.arange(30.0)[:, None], np.linspace(0, 1, 30))
    same = Outcome({"predicted": np.zeros(30)}, None, (), 1, 1.0, 1.0)
    effect = summarize(Regression(), 0.3, [same] * 2, [same] * 2, split, rows=60, seconds=1.0)
    assert "the same on each of 30 validation rows, in 2 pairs of trainings" in effect.sentence


def test_who_diverged_is_named_with_the_reason():
    effect = summary([outcome(0.9), outcome(0.9), LOST], [outcome(0.8), outcome(0.7), outcome(0.1)])
    assert (effect.seeds, effect.missing) == (2, 1)
    assert effect.sentence.endswith(
        "1 of 3 pairs is missing: 1 training with decay diverged (its loss was nan at step 3)."
    )


def test_nothing_is_claimed_where_all_pairs_diverged():
    effect = summary([LOST, outcome(0.5)], [LOST, LOST])
    assert (effect.status, effect.effects, effect.missing) == ("not measured", (), 2)
    assert "no pair is left, 1 training with decay diverged" in effect.sentence
    assert "2 trainings without decay diverged" in effect.sentence


def test_controls_of_earlier_are_told_with_their_age():
    beside = summary([outcome(0.9)], [outcome(0.8)], controls="fleet")
    kept = summary([outcome(0.9)], [outcome(0.8)], controls="kept from 3 days ago")
    assert "control" not in beside.sentence
    assert kept.sentence.endswith("The control was trained 3 days ago.")
    some = summary([outcome(0.9)], [outcome(0.8)], controls="trained beside, in part kept from 2 hours ago")
    assert some.sentence.endswith("The oldest control was trained 2 hours ago.")
    assert (beside.controls, kept.controls) == ("fleet", "kept from 3 days ago")


def test_a_single_row_is_too_few():
    one = Split(np.ones((1, 2)), np.zeros(1, int))
    predictions = {"probs": np.array([[1.0, 0.0]]), "predicted": np.array([0])}
    sure = Outcome(predictions, None, (), 1, 1.0, 1.0)
    effect = summarize(TASK, 0.3, [sure], [sure], one, rows=60, seconds=1.0)
    assert effect.status == "not measured"
    assert "no more than one row, and an interval takes two" in effect.sentence


def test_every_answer_is_plain_values_that_json_takes():
    for effect in (
        summary([outcome(0.9)], [outcome(0.8)]),
        summary([LOST], [outcome(0.8)]),
        nothing_to_measure(),
        own_loop(),
        not_measured("no pairs of trainings were asked for"),
        too_dear(0.25, 2, 1.0, 60.0),
    ):
        back = json.loads(json.dumps(effect.as_dict(), allow_nan=False))
        assert back["sentence"].endswith(".")


def test_what_was_too_dear_says_what_it_would_have_taken():
    sentence = too_dear(0.25, 2, 0.5, 60.0).sentence
    assert "the control takes about 60 s, and 25% of the training's 60 s were allowed" in sentence
