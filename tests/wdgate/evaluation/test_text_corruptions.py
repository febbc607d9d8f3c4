import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wdgate.evaluation.corruptions import SEVERITIES, Noise
from wdgate.evaluation.places import NOTHING
from wdgate.evaluation.text_corruptions import BESIDE, TEXTS, TOKENS, mistaken, swapped

SENTENCE = "The patient was seen twice because nothing had changed since the last visit in spring"


def noise_of(texts, seed=0):
    words = max(len(str(text).split()) for text in texts.reshape(-1))
    return Noise(np.zeros(0), np.random.default_rng(seed).random((len(texts), words, texts.shape[1], 2)))


def cells(*texts):
    return np.array([[text] for text in texts], object)


def changed_words(before, after):
    return sum(a != b for a, b in zip(before.split(), after.split(), strict=True))


@pytest.mark.parametrize("corruption", TEXTS, ids=lambda c: c.name)
def test_more_words_are_hit_at_a_higher_severity_and_those_of_the_lower_stay_hit(corruption):
    texts = cells(*[SENTENCE] * 20)
    worse = [corruption.change(texts, NOTHING, noise_of(texts), severity) for severity in SEVERITIES]
    assert all((each != texts).all() for each in worse)
    if corruption.name == "lost_spaces":
        kept = [sum(text.count(" ") for text in each[:, 0]) for each in worse]
        assert kept == sorted(kept, reverse=True)
        return
    hit = [[changed_words(SENTENCE, text) for text in each[:, 0]] for each in worse]
    # 15 words: 5 % are one, half are eight.
    assert [set(counts) for counts in hit] == [{1}, {2}, {3}, {5}, {8}]


@given(st.lists(st.text(max_size=40), min_size=1, max_size=4), st.integers(0, 9))
@pytest.mark.parametrize("corruption", TEXTS, ids=lambda c: c.name)
def test_any_text_is_taken_and_stays_text(corruption, texts, seed):
    rows = cells(*texts)
    for severity in (1, 5):
        worse = corruption.change(rows, NOTHING, noise_of(rows, seed), severity)
        assert worse.shape == rows.shape
        assert all(isinstance(text, str) for text in worse[:, 0])


def test_cells_that_hold_no_text_stay_as_they_are():
    texts = np.array([[None], [float("nan")], [3], [""], ["   "]], object)
    for corruption in TEXTS:
        worse = corruption.change(texts, NOTHING, noise_of(texts), 5)
        assert all(a is b or a == b for a, b in zip(worse[:, 0], texts[:, 0], strict=True))


@given(st.text(string.ascii_letters, min_size=4, max_size=12), st.floats(0, 0.999))
def test_a_swap_keeps_the_letters_and_the_ends_and_a_mistake_is_one_key_away(word, chance):
    other = swapped(word, chance)
    if other is not None:
        assert sorted(other) == sorted(word)
        assert (other[0], other[-1]) == (word[0], word[-1])
        assert sum(a != b for a, b in zip(other, word, strict=True)) == 2
    ((old, new),) = [(a, b) for a, b in zip(word, mistaken(word, chance), strict=True) if a != b]
    assert new.lower() in BESIDE[old.lower()]
    assert new.isupper() == old.isupper()


def test_keys_are_beside_one_another():
    assert set(BESIDE["g"]) == set("fhtyvb")
    assert set(BESIDE["q"]) == set("wa")
    assert all(key in BESIDE[near] for key in BESIDE for near in BESIDE[key])
    assert set(BESIDE) == set(string.ascii_lowercase)


def tokens(rows=30, length=16):
    generator = np.random.default_rng(3)
    attention = np.arange(length) < generator.integers(2, length + 1, rows)[:, None]
    return np.stack(
        [generator.permuted(np.tile(np.arange(100, 100 + length), (rows, 1)), axis=1), attention], 1
    )


@pytest.mark.parametrize("severity", SEVERITIES)
def test_tokens_are_hidden_or_swapped_between_the_first_and_the_last_and_none_is_invented(severity):
    before = tokens()
    noise = Noise(np.zeros(0), np.random.default_rng(0).random((30, 16)))
    hidden, exchanged = (corruption.change(before, NOTHING, noise, severity) for corruption in TOKENS)
    assert np.array_equal(hidden[:, 0], before[:, 0])
    assert np.array_equal(exchanged[:, 1], before[:, 1])
    assert np.array_equal(np.sort(exchanged[:, 0]), np.sort(before[:, 0]))
    for row in range(30):
        attended = np.flatnonzero(before[row, 1])
        ends, inner = attended[[0, -1]], attended[1:-1]
        assert hidden[row, 1, ends].all()
        assert np.array_equal(exchanged[row, 0, ends], before[row, 0, ends])
        lost = len(inner) - hidden[row, 1, inner].sum()
        assert lost == (
            0 if not len(inner) else max(1, round((0.02, 0.05, 0.1, 0.2, 0.3)[severity - 1] * len(inner)))
        )
        assert (exchanged[row, 0] != before[row, 0]).sum() >= (2 if len(inner) > 1 else 0)
