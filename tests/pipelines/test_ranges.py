"""Which learning rates do about as well as the best, with decay and without?"""

import pytest

from pipelines.ranges import in_words
from tests.pipelines.test_conclusions import concluded

RATES = "0.001,0.003,0.01,0.03"


def ranges(tiny, settings, **words):
    accuracies = [None if each is None else (each,) for each in settings]
    return concluded(tiny, accuracies, **words).ranges


def test_rates_next_to_the_best_within_a_point_are_the_range(tiny):
    off, on = ranges(
        tiny, [0.5, 0.9, 0.7, 0.5, 0.6, 0.895, 0.9, 0.9], weight_decay="0,1", learning_rate=RATES
    )
    assert (off.weight_decay, off.best, off.lowest, off.highest, off.open) == (0, 0.003, 0.003, 0.003, False)
    assert (on.weight_decay, on.lowest, on.highest, on.open) == (1, 0.003, 0.03, True)
    assert on.factor == pytest.approx(10)
    assert on.control == 0
    assert "3.3 octaves wider than without" in on.sentence
    assert "the range may be wider" in on.sentence
    assert off.sentence == "Without decay, no other learning rate does about as well as 0.003."


def test_a_good_rate_beyond_a_bad_one_does_not_count(tiny):
    (off,) = ranges(tiny, [0.9, 0.5, 0.9, 0.9], weight_decay="0", learning_rate=RATES)
    assert off.factor in (1, pytest.approx(3))


def test_a_rate_that_diverged_ends_the_range(tiny):
    off, on = ranges(
        tiny, [0.9, 0.9, None, None, 0.9, 0.9, 0.9, None], weight_decay="0,1", learning_rate=RATES
    )
    assert (off.highest, on.highest) == (0.003, 0.01)


def test_two_rates_are_no_range(tiny):
    assert ranges(tiny, [0.9, 0.9, 0.9, 0.9], weight_decay="0,1", learning_rate="0.01,0.03") == ()


def test_each_setting_of_the_other_axes_has_its_own_range_and_its_own_control(tiny):
    found = ranges(tiny, [0.9] * 16, weight_decay="0,1", dropout="0,0.1", learning_rate=RATES)
    assert [each.control for each in found] == [0, 1, 0, 1]
    assert {each.values["dropout"] for each in found} == {"0", "0.1"}
    assert all("as wide as without" in each.sentence for each in found if each.weight_decay)


def test_decays_of_which_the_same_is_true_share_a_sentence(tiny):
    accuracies = [0.9, 0.9, 0.5, 0.5] * 3 + [0.9] * 4
    found = ranges(tiny, accuracies, weight_decay="0,0.1,1,3", learning_rate=RATES)
    words = in_words(found)
    assert len(words) == 3
    assert words[1].startswith("With weight decay 0.1 and 1, learning rates of 0.001 to 0.003")
    assert words[2].startswith("With weight decay 3, ")
