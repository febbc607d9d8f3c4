import csv

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_checks.errors import DataError
from data_checks.table_files import read_arrow
from data_checks.writing import write_all, write_rows

ROWS = np.array([2, 0])


def test_a_parquet_file_keeps_its_types(tmp_path):
    days, kinds = pa.array([1, 2, None], pa.date32()), pa.array(["a", "b", None]).dictionary_encode()
    table = pa.table({"day": days, "kind": kinds, "tags": [[1], [], None]})
    pa.parquet.write_table(table, tmp_path / "rows.parquet")
    write_rows({tmp_path / "some.parquet": ROWS}, tmp_path / "rows.parquet")
    assert pa.parquet.read_table(tmp_path / "some.parquet").equals(table.take(ROWS))


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=6)


@settings(deadline=None)
@given(st.lists(st.tuples(CELL, CELL), min_size=3, max_size=8))
def test_a_csv_file_keeps_every_cell_as_it_was_written(tmp_path_factory, cells):
    folder = tmp_path_factory.mktemp("csv")
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as stream:
        # A number a row, or else a line without cells would be none.
        csv.writer(stream).writerows([("id", "a", "b"), *((f"{i:03d}", *row) for i, row in enumerate(cells))])
    write_rows({folder / "some.csv": ROWS}, folder / "rows.csv")
    with (folder / "some.csv").open(newline="", encoding="utf-8") as stream:
        assert list(csv.reader(stream)) == [["id", "a", "b"], ["002", *cells[2]], ["000", *cells[0]]]


def test_an_empty_cell_and_a_quoted_one_stay_what_they_were(tmp_path):
    (tmp_path / "rows.csv").write_text('id,a,b\r\n01,"",1.50\r\n\r\n02,,2.0\r\n03,"x\ny",')
    write_rows({tmp_path / "some.csv": ROWS}, tmp_path / "rows.csv")
    assert (tmp_path / "some.csv").read_text() == 'id,a,b\n03,"x\ny",\n01,"",1.50\n'


def test_lines_that_quotes_do_not_tell_apart_are_refused(tmp_path):
    (tmp_path / "rows.csv").write_text('id,a\n1,5" pipe\n2,b\n3,c\n')
    with pytest.raises(DataError, match="quotes within cells"):
        write_rows({tmp_path / "some.csv": ROWS}, tmp_path / "rows.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_arrays_keep_their_shape_and_a_table_can_change_its_form(tmp_path):
    np.savez(tmp_path / "rows.npz", x=np.arange(12).reshape(3, 2, 2), y=np.arange(3))
    write_rows({tmp_path / "some.npz": ROWS}, tmp_path / "rows.npz")
    assert np.load(tmp_path / "some.npz")["x"].tolist() == np.arange(12).reshape(3, 2, 2)[ROWS].tolist()
    (tmp_path / "rows.csv").write_text("a,b\n1,x\n2,\n3,z\n")
    write_rows({tmp_path / "some.parquet": ROWS}, tmp_path / "rows.csv")
    assert read_arrow(tmp_path / "some.parquet").to_pydict() == {"a": [3, 1], "b": ["z", "x"]}


def test_other_content_is_never_replaced_and_then_nothing_is_written(tmp_path):
    (tmp_path / "rows.csv").write_text("a,b\n1,x\n2,y\n3,z\n")
    paths = {tmp_path / "one.csv": np.array([0]), tmp_path / "two.csv": np.array([1])}
    (tmp_path / "two.csv").write_text("mine\n")
    with pytest.raises(DataError, match=r"two\.csv is there already with other rows"):
        write_rows(paths, tmp_path / "rows.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.csv", "two.csv"]
    (tmp_path / "two.csv").unlink()
    for _ in range(2):  # the second time they are what would be written
        write_rows(paths, tmp_path / "rows.csv")
    assert (tmp_path / "two.csv").read_text() == "a,b\n2,y\n"


def test_what_fails_half_way_leaves_nothing_behind(tmp_path):
    def broken(made):
        made.write_text("half")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        write_all({tmp_path / "one": lambda made: made.write_text("whole"), tmp_path / "two": broken})
    assert list(tmp_path.iterdir()) == []
