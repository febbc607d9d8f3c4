import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_checks.evidence.shingles import FULL_WEIGHT, Manner, cut, index_texts, words_of

RUNS = Manner(short=False, share=1.0)
PAIRS = Manner(short=True, share=1.0)
TEXTS = st.lists(st.text(alphabet="ab c.", max_size=30), min_size=1, max_size=6)


def column(texts):
    cells = np.empty(len(texts), dtype=object)
    cells[:] = texts
    return cells


def expected(text, manner):
    words = words_of(text)
    spans = [
        tuple(words[start + step] for step in span)
        for span in manner.spans
        for start in range(len(words) - span[-1])
    ]
    return len(set(spans))


@pytest.mark.parametrize("manner", [RUNS, PAIRS])
@given(texts=TEXTS)
def test_every_different_shingle_is_counted_once(manner, texts):
    shingles = cut(texts, manner)
    counts = np.bincount(shingles.docs, minlength=len(texts)).tolist()
    assert counts == [expected(text, manner) for text in texts]


@given(TEXTS)
def test_a_text_is_cut_alone_as_among_others(texts):
    together = cut(texts, PAIRS)
    for place, text in enumerate(texts):
        alone = cut([text], PAIRS)
        mine = together.docs == place
        assert together.codes[mine].tolist() == alone.codes.tolist()
        assert together.places[mine].tolist() == alone.places.tolist()


def test_a_shingle_is_named_at_its_first_place_and_the_order_of_words_counts():
    shingles = cut(["a b c a b c b a"], RUNS)
    assert shingles.places.tolist() == [0, 1, 2, 4, 5]
    assert len(set(cut(["a b c", "c b a", "b a c"], RUNS).codes.tolist())) == 3


def test_a_word_put_between_two_leaves_their_pair():
    left, right = cut(["red fox"], PAIRS), cut(["red quick fox"], PAIRS)
    assert set(left.codes.tolist()) < set(right.codes.tolist())


def test_what_few_documents_have_weighs_most_and_what_many_have_nothing():
    texts = [
        f"same old boilerplate {'pair of few' if n < 2 else ''} own{n} text{n} here{n}" for n in range(60)
    ]
    index = index_texts(column(texts), [], RUNS)

    def weight(text):
        return index.weights[index.find(cut([text], RUNS).codes)].tolist()

    assert weight("same old boilerplate") == [0]
    assert weight("own7 text7 here7") == [FULL_WEIGHT]
    assert 0 < weight("pair of few")[0] < FULL_WEIGHT
    assert index.totals[7] == index.weights[index.find(cut([texts[7]], RUNS).codes)].sum()


def test_boilerplate_of_another_split_is_boilerplate():
    train = column([f"own{n} text{n} here{n}" for n in range(60)])
    test = column(["own7 text7 here7"] * 30)
    assert index_texts(train, [test], RUNS).weights.min() == 0
    assert index_texts(train, [test[:1]], RUNS).weights.min() == FULL_WEIGHT


def test_a_sample_of_the_shingles_is_the_same_one_of_every_document():
    text = " ".join(f"w{n}" for n in range(4000))
    whole, sample = cut([text], RUNS), cut([text], Manner(short=False, share=0.25))
    assert set(sample.codes.tolist()) < set(whole.codes.tolist())
    assert 0.2 < len(sample.codes) / len(whole.codes) < 0.3


def test_smileys_are_words():
    assert words_of("so 😀🎉 new") == ["so", "😀", "🎉", "new"]
