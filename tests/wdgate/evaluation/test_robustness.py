import numpy as np
import pytest

from data_checks.splits import Split
from wdgate.evaluation.corruptions import COLUMNS, PICTURES
from wdgate.evaluation.places import Numbers
from wdgate.evaluation.robustness import MOST_ROWS, corrupted, corruptions_for, rows_to_corrupt
from wdgate.evaluation.text_corruptions import TEXTS, TOKENS

GENERATOR = np.random.default_rng(0)
FLOATS = GENERATOR.normal(size=(300, 4))


class Decoded:
    """A reader that has its rows in memory, and counts how many it gave away."""

    def __init__(self, values):
        self.values, self.given = values, 0

    def __len__(self):
        return len(self.values)

    def __getitem__(self, indices):
        self.given += len(indices)
        return self.values[indices]

    def key(self, index):
        return self.values[index].tobytes()


def cells_of(split, rows=None, batch_size=64):
    """All corrupted rows, cell by cell, and the positions that they stand at."""
    rows = np.arange(len(split)) if rows is None else rows
    batches = [
        (p, list(cells)) for p, cells in corrupted(split, rows, corruptions_for(split.inputs), batch_size)
    ]
    positions = np.concatenate([p for p, _ in batches])
    return positions, [np.concatenate([cells[i] for _, cells in batches]) for i in range(len(batches[0][1]))]


def pictures(rows=20, kind=np.uint8, top=17):
    values = np.random.default_rng(1).integers(0, top, (rows, 8, 8)).astype(kind)
    return Split(values, np.zeros(rows, int))


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (np.zeros((5, 8, 8), np.uint8), PICTURES),
        (np.zeros((5, 8, 8, 3), np.float32), PICTURES),
        (np.zeros((5, 8, 8), bool), ()),
        (FLOATS, COLUMNS),
        (np.arange(2000).reshape(1000, 2), COLUMNS),
        (np.arange(2000).reshape(1000, 2) % 31, ()),
        (FLOATS.round(), ()),
        (np.array(["a", "b"]), ()),
        ({"size": FLOATS[:, 0], "kind": np.zeros(300, int)}, COLUMNS),
        ({"kind": np.zeros(300, int), "words": np.array(["a"] * 300)}, ()),
        ({"input_ids": np.zeros((300, 12), int)}, ()),
        (Decoded(np.zeros((5, 8, 8), np.uint8)), PICTURES),
    ],
)
def test_only_what_means_something_is_corrupted(inputs, expected):
    assert corruptions_for(inputs) == expected


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32, np.float64])
def test_pictures_keep_their_type_and_the_range_of_their_rows(kind):
    split = pictures(kind=kind)
    for cell in cells_of(split)[1]:
        assert cell.dtype == kind
        assert cell.shape == split.inputs.shape
        assert cell.min() >= split.inputs.min()
        assert cell.max() <= split.inputs.max()


def test_a_row_is_corrupted_alike_in_any_order_and_batch():
    split = pictures(40)
    order = np.random.default_rng(2).permutation(40)
    _, one = cells_of(split, batch_size=64)
    positions, other = cells_of(split, order, batch_size=7)
    assert positions.tolist() == order.tolist()
    assert all(np.array_equal(a[order], b) for a, b in zip(one, other, strict=True))


def test_rows_of_a_reader_are_corrupted_like_those_of_an_array():
    split = pictures(20)
    reader = Split(Decoded(split.inputs), split.targets)
    reader.__dict__["keys"] = split.keys  # what an own key of a reader would seed otherwise
    for ours, theirs in zip(cells_of(split)[1], cells_of(reader)[1], strict=True):
        assert np.array_equal(ours, theirs)


def test_categories_beside_numbers_stay_as_they_are():
    columns = {"size": FLOATS[:, 0], "kind": np.arange(300) % 5, "name": np.array(["x"] * 300)}
    split = Split(columns, np.zeros(300))
    (_, cells), *_ = corrupted(split, np.arange(300), COLUMNS, 512)
    for cell in cells:
        assert list(cell) == list(columns)
        assert np.array_equal(cell["kind"], columns["kind"])
        assert np.array_equal(cell["name"], columns["name"])
        assert not np.array_equal(cell["size"], columns["size"])
    mixed = np.column_stack([FLOATS, np.arange(300) % 2])
    assert all(np.array_equal(c[:, 4], mixed[:, 4]) for c in cells_of(Split(mixed, np.zeros(300)))[1])


def test_of_many_rows_a_fixed_part_is_corrupted_whatever_their_order():
    values = np.arange(3 * MOST_ROWS, dtype=np.float64)[:, None]
    order = np.random.default_rng(0).permutation(len(values))
    ours = rows_to_corrupt(Split(values, np.zeros(len(values))))
    theirs = rows_to_corrupt(Split(values[order], np.zeros(len(values))))
    assert len(ours) == MOST_ROWS
    assert set(values[ours, 0]) == set(values[order][theirs, 0])
    assert abs(values[ours].mean() / values.mean() - 1) < 0.05  # neither the first nor the last


SENTENCES = np.array([f"patient {i} was seen in ward {i % 7} and sent home" for i in range(300)], object)


@pytest.mark.parametrize("inputs", [SENTENCES, SENTENCES.astype(str), SENTENCES[:, None]])
def test_an_array_of_strings_is_corrupted_as_text_in_its_own_shape(inputs):
    assert corruptions_for(inputs) == TEXTS
    for cell in cells_of(Split(inputs, np.zeros(300, int)))[1]:
        assert cell.shape == inputs.shape
        assert cell.dtype.kind == inputs.dtype.kind
        assert (cell != inputs).mean() > 0.9


def test_numbers_and_text_of_one_mapping_are_corrupted_in_their_own_ways():
    columns = {"age": FLOATS[:, 0], "note": SENTENCES, "ward": np.array([f"ward{i}" for i in range(300)])}
    split = Split(columns, np.zeros(300))
    chosen = corruptions_for(columns)
    assert chosen == (*COLUMNS, *TEXTS)
    _, cells = next(corrupted(split, np.arange(300), chosen, 512))
    for corruption, cell in zip(np.repeat(np.array(chosen, object), 5), cells, strict=True):
        assert np.array_equal(cell["ward"], columns["ward"])
        assert np.array_equal(cell["age"], columns["age"]) == (corruption.kind == "text")
        assert np.array_equal(cell["note"], columns["note"]) == (corruption.kind == "numbers")


def test_text_and_tokens_of_a_row_are_corrupted_alike_in_any_order_and_batch():
    generator = np.random.default_rng(5)
    tokens = {
        "input_ids": generator.integers(0, 999, (300, 12)),
        "attention_mask": (np.arange(12) < generator.integers(4, 13, 300)[:, None]).astype(np.int64),
        "note": np.array([text * (1 + i % 3) for i, text in enumerate(SENTENCES)], object),
    }
    split, order = Split(tokens, np.zeros(300)), generator.permutation(300)
    chosen = corruptions_for(tokens)
    assert chosen == (*TEXTS, *TOKENS)
    (_, one), other = next(corrupted(split, np.arange(300), chosen, 300)), corrupted(split, order, chosen, 7)
    parts = [list(cells) for _, cells in other]
    for place, cell in enumerate(one):
        for name in tokens:
            assert np.array_equal(cell[name][order], np.concatenate([part[place][name] for part in parts]))


def test_missing_cells_stay_missing_and_say_nothing_of_what_is_usual():
    values = FLOATS.copy()
    values[::3, 1], values[5, 2] = np.nan, np.inf
    known = np.isfinite(values)
    for cell in cells_of(Split(values, np.zeros(300)))[1]:
        assert np.array_equal(np.isfinite(cell), known)
        assert not np.array_equal(cell[known], values[known])
        assert np.array_equal(cell[~known], values[~known], equal_nan=True)
    pictures = GENERATOR.random((20, 8, 8)).astype(np.float32)
    pictures[3, 4, 4] = np.nan
    for cell in cells_of(Split(pictures, np.zeros(20)))[1]:
        assert np.isnan(cell).sum() == 1


def test_a_column_that_is_missing_in_all_rows_of_the_sample_is_no_reason_to_stop():
    values = np.column_stack([FLOATS, np.full(300, np.nan)])
    nothing = Numbers(True).usual(np.full((5, 8, 8), np.nan, np.float32))
    assert np.isfinite([nothing.low, nothing.high]).all()
    usual = Numbers(False, (0, 1)).usual(values[:, 3:])
    assert (usual.center[1], usual.spread[1]) == (0.0, 0.0)
    assert usual.spread[0] == pytest.approx(FLOATS[:, 3].std())
