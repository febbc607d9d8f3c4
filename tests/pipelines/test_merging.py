"""Do the outcomes of folds add up to one about all rows?"""

import numpy as np
import pytest

from data_checks.splits import Split
from pipelines.folds import Material
from pipelines.merging import merged, predicted_rows
from wd_train.outcomes import Diverged, Outcome, corrupted_positions


def pictures(count, start=0):
    generator = np.random.default_rng(start)
    return Split(generator.normal(size=(count, 4, 4)), np.arange(start, start + count) % 2)


def outcome(rows, losses=(), corrupted=True, seconds=2.0):
    marks = rows.targets * 1.0
    worse = np.asarray(rows.inputs)[corrupted_positions(rows), 0, 0] if corrupted else None
    return Outcome({"marks": marks}, worse, losses, 4, seconds, 0.5)


def parted(count=40, folds=4):
    return predicted_rows(Material(pictures(count), pictures(count, 1000)), folds)


def test_one_fold_is_itself():
    judged, together = parted(folds=1)
    only = outcome(judged[0])
    assert merged([only], judged, together) is only


def test_predictions_and_corrupted_scores_stand_beside_their_rows():
    judged, together = parted()
    found = merged([outcome(rows) for rows in judged], judged, together)
    assert len(together) == 80
    assert np.array_equal(found.predictions["marks"], together.targets)
    assert np.array_equal(found.corrupted, np.asarray(together.inputs)[corrupted_positions(together), 0, 0])
    assert found.seconds == 8.0


def test_of_many_rows_those_are_corrupted_that_would_be_of_all_together():
    judged, together = parted(count=600)
    found = merged([outcome(rows) for rows in judged], judged, together)
    assert len(found.corrupted) == 500 < sum(len(corrupted_positions(rows)) for rows in judged)
    assert np.array_equal(found.corrupted, np.asarray(together.inputs)[corrupted_positions(together), 0, 0])


def test_without_corrupted_rows_in_a_fold_there_are_none():
    judged, together = parted()
    parts = [outcome(rows, corrupted=place > 0) for place, rows in enumerate(judged)]
    assert merged(parts, judged, together).corrupted is None


def test_losses_are_means_over_rows_at_epochs_that_all_folds_have():
    judged, together = parted(count=6, folds=2)
    weights = [len(rows) for rows in judged]
    parts = [
        outcome(judged[0], ((1, 1.0, 0.5), (2, 3.0, 1.0))),
        outcome(judged[1], ((1, 2.0, 0.25), (2, 5.0, 0.5), (3, 9.0, 0.75))),
    ]
    found = merged(parts, judged, together).losses
    expected = np.average([[1.0, 3.0], [2.0, 5.0]], axis=0, weights=weights)
    assert [(epoch, at) for epoch, _, at in found] == [(1, 0.75), (2, 1.5)]
    assert [loss for _, loss, _ in found] == pytest.approx(expected)


def test_one_fold_that_diverged_is_a_training_that_diverged():
    judged, together = parted()
    parts = [outcome(judged[0]), Diverged("its loss was nan"), *(outcome(rows) for rows in judged[2:])]
    assert merged(parts, judged, together) == Diverged("its loss was nan")
