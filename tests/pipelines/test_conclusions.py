"""Does a sweep choose as it says, compare in pairs, and say what a reader must know?"""

import json
import math

import numpy as np
import pytest

from data_checks.splits import Split
from pipelines.conclusions import command_of, conclude
from pipelines.grid import grid_of, read_asked
from wd_train.effects import values_of
from wd_train.outcomes import Diverged, Outcome
from wdgate.evaluation.tasks import Classification

ROWS = 400
TARGETS = np.random.default_rng(1).integers(0, 2, ROWS)
VALIDATION = Split(np.arange(ROWS, dtype=float)[:, None], TARGETS)
TASK = Classification("ab")


def outcome(accuracy, confidence=0.9, shift=0, *, seed=0, losses=()):
    """Predictions of the given accuracy and confidence, wrong on rows that shift and seed move."""
    wrong = (np.arange(ROWS) + 3 * seed + shift) % ROWS >= round(accuracy * ROWS)
    predicted = np.where(wrong, 1 - TARGETS, TARGETS)
    probs = np.full((ROWS, 2), 1 - confidence)
    probs[np.arange(ROWS), predicted] = confidence
    return Outcome({"probs": probs, "predicted": predicted}, None, losses, 3, 1.5, 0.8)


def concluded(tiny, settings, *, seeds=3, **words):
    """A sweep whose points have these accuracies and confidences, in their order; None for diverged."""
    grid = grid_of(read_asked(tiny, {**words, "seeds": seeds}))
    outcomes = [
        [Diverged("its loss was nan") if each is None else outcome(*each, seed=seed) for seed in range(seeds)]
        for each in settings
    ]
    return conclude(grid, outcomes, [VALIDATION] * len(grid.points), folds=1, train_rows=80)


def test_the_clear_winner_is_chosen_with_the_command_that_trains_it(tiny):
    result = concluded(tiny, [(0.7,), (0.9,), (0.8,)], weight_decay="0,1,2", width="4")
    assert result.chosen == 1
    assert result.command == f"wdgate run {tiny} width=4 weight_decay=1"
    assert (
        "Chosen of 3 points: weight_decay=1 (accuracy 90.0% on validation, over 3 seeds)" in result.sentence
    )
    assert "raised accuracy by 20.0 points" in result.sentence
    assert any("optimistic" in note for note in result.notes)


@pytest.mark.parametrize(("seeds", "told"), [(1, True), (2, False)])
def test_of_one_seed_nothing_is_claimed_and_that_is_said(tiny, seeds, told):
    result = concluded(tiny, [(0.7,), (0.9,)], weight_decay="0,1", seeds=seeds)
    statuses = {effect.status for effect in result.points[1].effect.effects}
    assert (statuses == {"no measurable effect"}) == told
    assert any(note.startswith("One seed a point: ") for note in result.notes) == told


def test_points_that_cannot_be_chosen_are_counted_with_the_reason(tiny):
    settings = [(0.7,), (0.8,), (0.8,), (0.9,), None, None]
    result = concluded(tiny, settings, weight_decay="0,1,2", rows="0.5,1")
    left_out = "left out: 3 on fewer train rows, 1 of which a training diverged"
    assert result.sentence.startswith(f"Chosen of 2 of 6 points ({left_out}): weight_decay=1 rows=1 ")
    fewer = concluded(tiny, settings[:4], weight_decay="0,1", rows="0.5,1")
    assert fewer.sentence.startswith("Chosen of 2 of 4 points (left out: 2 on fewer train rows): ")


def test_among_equals_the_better_calibrated_is_chosen(tiny):
    result = concluded(tiny, [(0.9, 0.999), (0.905, 0.9999), (0.9, 0.9, 100)], weight_decay="0,1,2")
    assert result.best["accuracy"] == 1
    assert result.chosen == 2


def test_what_is_worse_by_more_than_an_error_is_not_chosen_though_the_rows_are_few(tiny):
    # Two rows more in every seed, and on no row less.
    result = concluded(tiny, [(0.9, 0.999), (0.905, 0.9999), (0.9, 0.9)], weight_decay="0,1,2")
    assert result.chosen == 1


def test_a_better_calibrated_but_clearly_worse_point_is_not_chosen(tiny):
    result = concluded(tiny, [(0.9, 0.99), (0.7, 0.7)], weight_decay="0,1")
    assert result.best["ece"] == 1
    assert result.chosen == 0
    assert "That is without weight decay" in result.sentence


def test_of_equals_in_everything_the_one_with_less_decay_is_chosen(tiny):
    result = concluded(tiny, [(0.9,), (0.9,), (0.9,)], weight_decay="2,1")
    assert result.points[result.chosen].weight_decay == 0


def test_a_point_that_diverged_is_named_counted_and_not_chosen(tiny):
    grid = grid_of(read_asked(tiny, {"weight_decay": "0,1,2", "seeds": 3}))
    outcomes = [[outcome(accuracy, seed=seed) for seed in range(3)] for accuracy in (0.7, 0.8, 0.95)]
    outcomes[2][1] = Diverged("its loss was nan at step 7")
    result = conclude(grid, outcomes, [VALIDATION] * 3, folds=1, train_rows=80)
    assert result.chosen == 1
    assert [member.seed for member in result.points[2].diverged] == [1]
    assert result.points[2].effect.missing == 1
    assert "weight_decay=2: diverged with seed 1 (its loss was nan at step 7)." in result.notes
    assert "missing" in result.points[2].effect.sentence


def test_where_all_diverged_nothing_is_chosen(tiny):
    result = concluded(tiny, [None, None], weight_decay="0,1")
    assert (result.chosen, result.command, result.best) == (None, "", {})
    assert result.sentence.startswith("No point can be chosen")
    json.dumps(result.as_dict(), allow_nan=False)


def test_means_are_over_seeds_and_every_value_is_the_tasks_own(tiny):
    result = concluded(tiny, [(0.7,), (0.9,)], weight_decay="0,1")
    for point in result.points:
        for member in point.members:
            accuracy = 0.7 if point.weight_decay == 0 else 0.9
            assert member.values == values_of(TASK, outcome(accuracy, seed=member.seed), VALIDATION)
        found = [member.values["nll"] for member in point.members]
        assert point.means["nll"] == pytest.approx(np.mean(found))
        assert point.errors["nll"] == pytest.approx(np.std(found, ddof=1) / math.sqrt(3), abs=1e-12)


def test_every_effect_is_against_the_control_of_the_same_other_values(tiny):
    result = concluded(tiny, [(0.6,), (0.7,), (0.8,), (0.95,)], weight_decay="0,1", dropout="0,0.1")
    effects = {point.words: point.effect for point in result.points}
    assert effects["weight_decay=0 dropout=0"] is None
    found = {words: effect.effects[0].difference for words, effect in effects.items() if effect}
    assert found == pytest.approx({"weight_decay=1 dropout=0": 0.2, "weight_decay=1 dropout=0.1": 0.25})


def test_points_on_a_share_of_the_rows_are_measured_but_not_chosen(tiny):
    result = concluded(tiny, [(0.95,), (0.7,), (0.9,), (0.8,)], weight_decay="0,1", rows="0.5,1")
    assert result.points[0].rows == 0.5
    assert result.chosen == 3
    assert all(point.command for point in result.points)


def test_where_all_were_trained_on_a_share_of_the_rows_that_is_said(tiny):
    result = concluded(tiny, [(0.7,), (0.9,)], weight_decay="0,1", rows="0.5")
    assert (result.chosen, result.train_rows) == (1, 40)
    assert any("50% of the train rows; the command trains on all of them" in note for note in result.notes)


@pytest.mark.parametrize("stage", ["early", "late"])
def test_what_no_argument_leads_to_has_no_command_and_says_so(tiny, stage):
    result = concluded(tiny, [(0.9,), (0.7,)], weight_decay="1", stage=stage)
    assert result.chosen == 0
    assert result.command == ""
    assert any("No argument of the pipeline leads to the chosen point" in note for note in result.notes)


def test_commands_are_quoted_for_a_shell(tiny):
    grid = grid_of(read_asked(tiny, {"weight_decay": "0.5", "decay": "l2"}))
    assert command_of(grid.points[0]) == f"wdgate run {tiny} weight_decay=0.5 decay=l2"


def test_the_result_as_plain_values_has_no_number_that_is_none(tiny):
    result = concluded(tiny, [(0.7,), (0.9,)], weight_decay="0,1", seeds=1)
    document = json.loads(json.dumps(result.as_dict(), allow_nan=False))
    assert document["points"][1]["errors"]["nll"] is None
    assert document["points"][1]["effect"]["effects"][0]["score"] == "accuracy"
    assert set(document) >= {"outcome", "sentence", "points", "best", "chosen", "command", "axes", "notes"}
