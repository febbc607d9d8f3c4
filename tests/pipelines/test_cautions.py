"""Is a reader of a sweep warned of harm, of decays that do nothing, and of settings that nothing follows?"""

from tests.pipelines.test_conclusions import concluded


def said(result, word):
    return [note for note in result.notes if word in note]


def test_decays_that_do_harm_are_named(tiny):
    result = concluded(tiny, [(0.9,), (0.5,), (0.9,)], weight_decay="0,5,1")
    assert said(result, "worse") == ["Measurably worse than without decay: weight_decay=5."]


def test_a_decay_that_takes_next_to_nothing_is_named_inert(tiny):
    result = concluded(tiny, [(0.8,), (0.9,), (0.7,)], weight_decay="0,0.0001,20")
    assert said(result, "Inert") == [
        "Inert, for the decay takes below 2 % of a weight, all but none: weight_decay=0.0001."
    ]


def test_settings_that_change_no_training_are_told(tiny):
    same = concluded(tiny, [(0.8,), (0.9,), (0.9,)], weight_decay="0,1,2")
    assert said(same, "last digit") == [
        "Equal to the last digit in every training: weight_decay=1; weight_decay=2. "
        "Nothing follows what they differ in."
    ]
    assert not said(concluded(tiny, [(0.8,), (0.9,), (0.7,)], weight_decay="0,1,2"), "last digit")
