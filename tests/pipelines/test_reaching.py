"""When does a training with decay have the best validation loss of the one without?"""

import math

import pytest

from pipelines.reaching import reaching
from wd_train.outcomes import Diverged, Outcome


def curve(*losses, seconds=1.0):
    return Outcome({}, None, tuple((n, loss, n * seconds) for n, loss in enumerate(losses, 1)), 0, 0.0, 1.0)


def test_the_first_epoch_at_least_as_good_as_the_best_without_counts():
    found = reaching([curve(0.9, 0.3, 0.1, seconds=2.0)], [curve(0.8, 0.4, 0.3, 0.5)])
    assert (found.pairs, found.reached) == (1, 1)
    assert (found.epochs, found.control_epochs) == (2, 3)
    assert (found.seconds, found.control_seconds) == (4.0, 3.0)
    assert found.sentence == (
        "Without decay the best validation loss comes after 3 epochs (3 s); with decay 1 of 1 trainings come "
        "down to it, after 2 epochs (4 s)."
    )


def test_what_was_never_reached_is_said_and_counts_for_no_median():
    found = reaching([curve(0.9, 0.8), curve(0.2)], [curve(0.5), curve(0.5)])
    assert (found.pairs, found.reached, found.epochs) == (2, 1, 1)
    none = reaching([curve(0.9)], [curve(0.5)])
    assert none.reached == 0
    assert math.isnan(none.epochs)
    assert "by no training" in none.sentence


@pytest.mark.parametrize("missing", [curve(), Diverged("nan")])
def test_where_nobody_measured_there_is_no_answer(missing):
    assert reaching([missing], [curve(0.5)]) is None
    assert reaching([curve(0.5)], [missing]) is None


def test_pairs_that_are_lost_are_not_counted():
    assert reaching([curve(0.1), Diverged("nan")], [curve(0.5), curve(0.5)]).pairs == 1
