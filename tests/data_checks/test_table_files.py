import gc
import warnings

import numpy as np
import pytest

from data_checks.errors import DataError
from data_checks.table_files import read_columns


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_broken_file_of_arrays_is_closed_again(tmp_path, share):
    np.savez(tmp_path / "rows.npz", a=np.arange(1000))
    whole = (tmp_path / "rows.npz").read_bytes()
    (tmp_path / "rows.npz").write_bytes(whole[: int(share * len(whole))])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(DataError, match="cannot be read as npz"):
            read_columns(tmp_path / "rows.npz")
        gc.collect()
    assert [str(warning.message) for warning in caught] == []


def test_endings_may_be_written_in_capitals(tmp_path):
    (tmp_path / "ROWS.CSV").write_text("a,b\n1,2\n")
    assert list(read_columns(tmp_path / "ROWS.CSV")) == ["a", "b"]


def test_a_long_reason_is_cut(tmp_path):
    (tmp_path / "rows.csv").write_text("a,b\n" + "x" * 5000 + "\n")
    with pytest.raises(DataError) as raised:
        read_columns(tmp_path / "rows.csv")
    assert len(str(raised.value)) < 400


def test_a_quoted_cell_may_hold_a_line_break(tmp_path):
    (tmp_path / "rows.csv").write_text('a,b\n"x\ny",1\nz,2\n')
    columns = read_columns(tmp_path / "rows.csv", text=True)
    assert columns["a"].to_pylist() == ["x\ny", "z"]
