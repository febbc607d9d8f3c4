import numpy as np
import pytest

from data_checks.checks import check_splits
from data_checks.splits import Split, Splits


def splits_of(inputs, rows=60, **named):
    whole = Split(inputs, np.arange(rows) % 2)
    return Splits(*[whole.take(np.arange(start, rows, 3)) for start in range(3)], **named)


def page(splits, folder):
    check_splits(splits, docs=folder, self_test=False)
    return (folder / "rows.html").read_text()


def test_values_stand_side_by_side_and_those_that_differ_come_first(tmp_path):
    rng = np.random.default_rng(0)
    columns = {name: rng.normal(size=60) for name in ("a", "b", "c", "d", "<e>")}
    splits = splits_of(columns)
    for name in columns:
        splits.test.inputs[name][4] = splits.train.inputs[name][7]
    splits.test.inputs["c"][4] = 99.5
    text = page(splits, tmp_path)
    assert "DC121" in text
    assert text.index("<mark>99.5</mark>") < text.index("<th>a</th>")
    assert "&lt;e&gt;" in text
    assert "http" not in text


@pytest.mark.parametrize("shape", [(8, 8), (1, 8, 8), (3, 8, 8), (8, 8, 3)])
def test_pictures_stand_side_by_side(tmp_path, shape):
    pictures = np.random.default_rng(0).integers(0, 256, (60, *shape)).astype(np.uint8)
    splits = splits_of(pictures)
    splits.test.inputs[4] = splits.train.inputs[7]
    text = page(splits, tmp_path)
    assert text.count("data:image/png;base64,") == 2


def test_nothing_is_written_where_nothing_was_found_and_old_pairs_are_removed(tmp_path):
    (tmp_path / "rows.html").write_text("old")
    check_splits(splits_of(np.random.default_rng(0).normal(size=(60, 5))), docs=tmp_path, self_test=False)
    assert not (tmp_path / "rows.html").exists()


def test_many_pairs_and_wide_rows_are_cut_and_that_is_said(tmp_path):
    table = np.random.default_rng(0).normal(size=(150, 40))
    splits = splits_of(table, rows=150)
    splits.test.inputs[:30] = splits.train.inputs[:30]
    text = page(splits, tmp_path)
    assert "and 10 more" in text
    assert text.count("<table>") == 20
