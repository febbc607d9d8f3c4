"""Is it said how the effect depends on the number of rows, and on the stage?"""

from pipelines.dependence import effects_over
from tests.pipelines.test_conclusions import concluded


def test_the_effect_at_each_share_of_the_rows_is_one_sentence_a_setting(tiny):
    result = concluded(tiny, [(0.5,), (0.8,), (0.7,), (0.85,)], weight_decay="0,1", rows="0.5,1", seeds=1)
    (words,) = effects_over("rows", result.points, "accuracy")
    assert words.startswith("The effect on accuracy of weight_decay=1: +20.0 (")
    assert " at rows=0.5, +5.0 (" in words
    assert words.endswith(" at rows=1.")
    assert words in result.notes


def test_stages_share_a_control_and_are_told_beside_one_another(tiny):
    result = concluded(tiny, [(0.9,), (0.8,), (0.7,), (0.6,)], weight_decay="1", stage="all,early,late")
    (words,) = effects_over("stage", result.points, "accuracy")
    assert [part in words for part in ("+30.0", "+20.0", "+10.0")] == [True] * 3


def test_one_share_or_no_effect_is_no_sentence(tiny):
    result = concluded(tiny, [(0.9,), (0.8,)], weight_decay="0,1", rows="0.5")
    assert effects_over("rows", result.points, "accuracy") == []
    result = concluded(tiny, [(0.9,), None, (0.9,), None], weight_decay="0,1", rows="0.5,1")
    assert effects_over("rows", result.points, "accuracy") == []
