import numpy as np
import pytest

from data_checks.evidence.documents import batches_of, column_of, text_columns, text_of
from data_checks.splits import Split

TEXTS = [f"the text number {n} says nothing else" for n in range(20)]


def column(texts):
    cells = np.empty(len(texts), dtype=object)
    cells[:] = texts
    return cells


def test_cells_of_any_type_are_read():
    cells = column(["a b", None, float("nan"), 3, b"c\xff", ["x"], "😀 \ud800"])
    assert [text_of(cell) for cell in cells] == ["a b", "", "", "", "c�", "", "😀 \ud800"]


def test_batches_hold_all_rows_in_order(monkeypatch):
    monkeypatch.setattr("data_checks.evidence.documents._LETTERS_AT_ONCE", 3)
    cells = column(["aa", "bb", None, "cccc", "d"])
    assert list(batches_of(cells)) == [(0, ["aa", "bb"]), (2, ["", "cccc"]), (4, ["d"])]


@pytest.mark.parametrize(
    ("inputs", "holds"),
    [
        (np.zeros((20, 3)), False),
        (np.array(["one word"] * 20), False),
        (np.array(TEXTS[:20]), True),
        (np.array(TEXTS[:2] * 10), False),
        ({"a": np.array(TEXTS[:20], object), "b": np.arange(20)}, True),
        ({"a": np.array([None, np.nan, 3, ""] * 5, object)}, False),
        (np.array([[text, text] for text in TEXTS[:20]]), False),
        (np.array([text.encode() for text in TEXTS[:20]]), True),
    ],
)
def test_only_columns_of_different_texts_are_read(inputs, holds):
    split = Split(inputs, np.zeros(20, int))
    assert bool(text_columns(split)) == holds


def test_a_column_is_measured_by_its_median_text_and_all_letters():
    split = Split(column([*TEXTS, None, float("nan"), "", "x" * 1_000_000]), np.zeros(24))
    size = text_columns(split)["inputs"]
    assert size.words == 7
    assert size.letters == 1_000_000 + sum(map(len, TEXTS))


def test_a_column_that_a_split_lacks_is_empty():
    assert column_of(Split({"a": np.arange(3)}, np.zeros(3)), "text").tolist() == [None] * 3


def test_the_texts_of_a_reader_are_read():
    class Texts:
        def __len__(self):
            return len(TEXTS)

        def __getitem__(self, indices):
            return np.array(TEXTS, object)[indices]

        def key(self, index):
            return TEXTS[index].encode()

    split = Split(Texts(), np.zeros(20))
    assert list(text_columns(split)) == ["inputs"]
    assert column_of(split, "inputs").tolist() == TEXTS
