import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_checks.evidence import texts
from data_checks.evidence.table import Part, merge, parts_of
from data_checks.splits import Split, Splits

RNG = np.random.default_rng(0)
# As in a language, a few words are in every text, and most are rare.
WORDS = np.array([f"word{n}" for n in range(3000)])
ODDS = 1 / np.arange(10, 3010)


def document(length):
    return " ".join(RNG.choice(WORDS, length, p=ODDS / ODDS.sum()))


LONG = [document(80) for _ in range(150)]
SHORT = [document(9) for _ in range(150)]


def part(documents, **columns):
    cells = np.empty(len(documents), dtype=object)
    cells[:] = documents
    return Split({"text": cells, **columns} if columns else cells, np.zeros(len(documents), int))


def measured(train, test):
    empty = part([])
    splits = Splits(part(train), empty, part(test))
    columns = texts.measure(splits).columns
    return {name: column[len(train) :].tolist() for name, column in columns.items()}


def changed(text, *places):
    words = text.split()
    for place in places:
        words[place] = "other"
    return " ".join(words)


def test_honest_documents_are_not_flagged():
    assert not any(measured(LONG[:100], LONG[100:])["text_quoted"])
    assert not any(measured(SHORT[:100], SHORT[100:])["text_quoted"])


@pytest.mark.parametrize(
    "disguise",
    [
        lambda text: changed(text, 40),
        lambda text: changed(text, 3, 20, 41, 60),
        lambda text: changed(text, *range(2, 80, 10)),
        lambda text: f"{document(40)} {text}",
        lambda text: f"{text} {document(300)}",
        lambda text: " ".join(text.split()[40:] + text.split()[:40]),
        lambda text: " ".join(text.split()[20:50]),
        lambda text: f"{document(50)} {' '.join(text.split()[20:46])} {document(900)}",
        lambda text: text.upper().replace(" ", ",\t"),
    ],
    ids=["a word", "5 %", "10 %", "prefix", "suffix", "reordered", "a piece", "quoted", "respelt"],
)
def test_a_train_document_is_found_behind_a_disguise(disguise):
    found = measured(LONG[:100], [LONG[120], disguise(LONG[33])])
    assert found["text_quoted"] == [False, True]
    assert found["text_twin"] == [-1, 33]
    assert 0 < found["text_overlap"][1] <= 1


@pytest.mark.parametrize("place", range(9))
def test_a_changed_word_of_a_short_text_is_found(place):
    found = measured(SHORT[:100], [SHORT[120], changed(SHORT[33], place)])
    assert found["text_twin"] == [-1, 33]


def test_a_train_document_inside_of_a_test_document_is_found_and_the_reverse():
    assert measured([*LONG[:99], " ".join(LONG[120].split()[:30])], [LONG[120]])["text_twin"] == [99]


def test_boilerplate_is_no_quotation():
    header = " ".join(f"header{n}" for n in range(60))
    with_header = [f"{header} {text}" for text in LONG]
    assert not any(measured(with_header[:100], with_header[100:])["text_quoted"])


def test_boilerplate_of_test_alone_is_no_quotation():
    header = " ".join(f"header{n}" for n in range(60))
    train = [f"{header} {LONG[0]}", *LONG[1:100]]
    assert not any(measured(train, [f"{header} {text}" for text in LONG[100:]])["text_quoted"])


def test_rows_that_are_equal_are_named_by_another_check():
    assert measured(LONG[:100], [LONG[3]])["text_quoted"] == [False]


def test_an_equal_text_beside_another_cell_is_found():
    train, test = part(LONG[:50], age=np.arange(50)), part([LONG[3], LONG[60]], age=np.array([90, 91]))
    columns = texts.measure(Splits(train, part([], age=np.arange(0)), test)).columns
    assert columns["text_twin"][50:].tolist() == [3, -1]
    assert columns["text_overlap"][50] == 1


def test_a_document_of_ten_thousand_words_is_searched_for_one_passage():
    book = document(10_000)
    found = measured(
        [*LONG[:50], book], [f"{document(20)} {' '.join(book.split()[7000:7030])}", document(9000)]
    )
    assert found["text_twin"] == [50, -1]


@given(st.lists(st.integers(0, 149), min_size=3, max_size=12), st.integers(1, 5), st.randoms())
@settings(deadline=None, max_examples=20)
def test_parts_and_the_order_of_rows_change_no_bit(chosen, at_once, random):
    train = LONG[:40]
    test = [changed(LONG[place], place % 80, place % 7) for place in chosen]
    splits = Splits(part(train), part([]), part(test))
    known = texts.fit(splits)
    whole = merge([texts.rows(known, p) for p in parts_of(splits)])
    pieces = merge([texts.rows(known, p) for p in parts_of(splits, at_once)])
    assert all(whole[name].tobytes() == pieces[name].tobytes() for name in whole)
    order = list(range(40))
    random.shuffle(order)
    again = texts.measure(Splits(part([train[place] for place in order]), part([]), part(test))).columns
    assert again["text_overlap"][40:].tobytes() == whole["text_overlap"][40:].tobytes()
    twins = [order[twin] if twin >= 0 else -1 for twin in again["text_twin"][40:]]
    assert twins == whole["text_twin"][40:].tolist()


CELLS = st.one_of(
    st.none(),
    st.floats(),
    st.booleans(),
    st.binary(max_size=9),
    st.text(max_size=40),
    st.just("😀 a b c d e f g"),
)


@given(st.lists(CELLS, min_size=1, max_size=8), st.lists(CELLS, min_size=1, max_size=8))
@settings(deadline=None)
def test_cells_of_any_type_are_measured(train, test):
    found = measured([*SHORT[:5], *train], test)
    assert len(found["text_quoted"]) == len(test)
    assert all(0 <= share <= 1 for share in found["text_overlap"])


def test_one_row_or_a_column_without_a_text_in_test_is_measured():
    assert measured([LONG[0]], [changed(LONG[0], 5)])["text_quoted"] == [True]
    assert measured(LONG[:20], [None])["text_twin"] == [-1]
    splits = Splits(
        part(LONG[:20], a=np.arange(20)), part([], a=np.arange(0)), Split({"a": np.arange(3)}, np.zeros(3))
    )
    assert not texts.measure(splits).columns["text_quoted"].any()


def test_a_row_names_the_twin_of_the_column_that_shares_more():
    train = Split({"a": np.array(LONG[:50], object), "b": np.array(LONG[50:100], object)}, np.zeros(50, int))
    test = Split(
        {
            "a": np.array([changed(LONG[3], *range(0, 80, 7))], object),
            "b": np.array([changed(LONG[57], 4)], object),
        },
        np.zeros(1, int),
    )
    known = texts.fit(Splits(train, train.take(np.arange(0)), test))
    assert texts.rows(known, Part("test", 50, test))["text_twin"].tolist() == [7]


def test_train_rows_are_not_asked():
    splits = Splits(part([LONG[0], changed(LONG[0], 3)]), part([LONG[0] + " x"]), part([LONG[1]]))
    assert not texts.measure(splits).columns["text_quoted"].any()
