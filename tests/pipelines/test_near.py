"""Is a difference that chance makes told from one that it does not?"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from data_checks.splits import Split
from pipelines.near import primary_scores, within_one_error
from wd_train.outcomes import Diverged, Outcome
from wdgate.evaluation.tasks import Classification


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_scores_are_near_themselves_and_far_from_what_is_worse_everywhere(seed, seeds):
    best = np.random.default_rng(seed).normal(size=(seeds, 30))
    assert within_one_error(best, best)
    assert not within_one_error(best - 1, best)


def test_one_standard_error_is_where_it_turns():
    # Rows alone: the error of a mean over 100 rows with a spread of 1 is a tenth.
    change = np.tile([1.0, -1.0], 50)[None] * np.sqrt(99 / 100)
    best = np.zeros((1, 100))
    assert within_one_error(best + change - 0.0999, best)
    assert not within_one_error(best + change - 0.1001, best)


def test_seeds_that_disagree_widen_it():
    best = np.zeros((2, 100))
    assert not within_one_error(best - 0.1, best)
    assert within_one_error(best - np.array([[-0.05], [0.2]]), best)


def test_other_rows_are_not_near():
    assert not within_one_error(np.zeros((1, 3)), np.zeros((1, 4)))


def test_the_primary_score_of_each_seed_on_each_row():
    probs = np.array([[0.9, 0.1], [0.2, 0.8]])
    outcome = Outcome({"probs": probs, "predicted": np.array([0, 1])}, None, (), 1, 1.0, 1.0)
    split, task = Split(np.eye(2), np.array([0, 0])), Classification("ab")
    assert primary_scores(task, [outcome, outcome], split).tolist() == [[1, 0], [1, 0]]
    assert primary_scores(task, [outcome, Diverged("nan")], split) is None
