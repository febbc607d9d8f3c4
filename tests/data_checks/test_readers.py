from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_checks.errors import DataError
from data_checks.evidence.schema import form
from data_checks.readers import Named, read_table, read_tables


@pytest.fixture
def table():
    return {"age": [30, 40, 50], "weight": [1.5, 2.5, 3.5], "site": ["a", "b", "a"], "sick": [0, 1, 1]}


def write(folder, table, ending):
    path = folder / f"rows{ending}"
    if ending == ".npz":
        np.savez(path, **{name: np.array(column) for name, column in table.items()})
    elif ending == ".csv":
        pa.csv.write_csv(pa.table(table), path)
    else:
        pa.parquet.write_table(pa.table(table), path)
    return path


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".npz"])
def test_a_table_is_read_from_every_kind_of_file(tmp_path, table, ending):
    rows = read_table(write(tmp_path, table, ending), "sick", group="site")
    assert sorted(rows.inputs) == ["age", "weight"]
    assert rows.inputs["weight"].tolist() == [1.5, 2.5, 3.5]
    assert (rows.targets.tolist(), rows.groups.tolist()) == ([0, 1, 1], ["a", "b", "a"])


def test_a_target_of_text_needs_its_classes(tmp_path, table):
    path = write(tmp_path, {**table, "sick": ["no", "yes", "yes"]}, ".csv")
    with pytest.raises(DataError, match=r"'sick' .* holds text"):
        read_table(path, "sick", group="site")
    assert read_table(path, "sick", group="site", classes=("no", "yes")).targets.tolist() == [0, 1, 1]
    with pytest.raises(DataError, match="holds 'yes', which is not one of"):
        read_table(path, "sick", group="site", classes=("no", "maybe"))


def test_whole_numbers_can_be_values(tmp_path, table):
    path = write(tmp_path, table, ".parquet")
    assert read_table(path, "age", group="site", regression=True).targets.dtype == np.float64


def test_one_array_stays_an_array(tmp_path):
    np.savez(tmp_path / "rows.npz", pixels=np.zeros((3, 4, 4), np.uint8), label=np.arange(3))
    assert read_table(tmp_path / "rows.npz", "label").inputs.shape == (3, 4, 4)


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"target": "sikc"}, "did you mean 'sick'"),
        ({"target": "zzz"}, "it has age, weight, site, sick"),
        ({"target": "sick"}, "column 'site' .* must be numbers, got text"),
        ({"target": "sick", "columns": ("age", "sick")}, "'sick' .* cannot be an input"),
        ({"target": "sick", "columns": ()}, "at least one"),
    ],
)
@pytest.mark.parametrize("ending", [".parquet", ".csv", ".npz"])
def test_columns_that_cannot_be_used_are_named(tmp_path, table, ending, named, said):
    with pytest.raises(DataError, match=said):
        read_table(write(tmp_path, table, ending), **named)


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".npz"])
def test_files_that_cannot_be_read_are_one_sentence(tmp_path, table, ending):
    whole = write(tmp_path, table, ending)
    for name, content in {
        "empty": b"",
        "cut": whole.read_bytes()[:-30] if ending != ".csv" else b"a,b\n1\n",
    }.items():
        path = tmp_path / f"{name}{ending}"
        path.write_bytes(content)
        with pytest.raises(DataError, match=f"{name}{ending} cannot be read") as raised:
            read_table(path, "sick")
        assert "\n" not in str(raised.value)
    with pytest.raises(DataError, match="there is no file"):
        read_table(tmp_path / f"absent{ending}", "sick")


def test_other_endings_and_files_without_rows_are_refused(tmp_path, table):
    (tmp_path / "rows.txt").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="must end in"):
        read_table(tmp_path / "rows.txt", "a")
    (tmp_path / "none.csv").write_text("age,sick\n")
    with pytest.raises(DataError, match="has no rows"):
        read_table(tmp_path / "none.csv", "sick")


def test_a_missing_target_is_counted(tmp_path, table):
    path = write(tmp_path, {**table, "sick": [0, None, 1]}, ".parquet")
    with pytest.raises(DataError, match="missing in 1 of 3"):
        read_table(path, "sick", group="site")


def test_pickles_are_never_opened(tmp_path):
    np.savez(tmp_path / "rows.npz", a=np.array([{"run": "me"}], dtype=object), y=np.array([1]))
    with pytest.raises(DataError, match="allow_pickle"):
        read_table(tmp_path / "rows.npz", "y")


def read(path, target="sick", **named):
    return read_table(path, target, text=True, **named)


def test_text_moments_and_missing_cells_stay_where_checks_are_to_compare_them(tmp_path):
    mixed = pa.table(
        {
            "city": ["Ulm", None, "Ulm"],
            "kind": pa.array(["a", "b", None]).dictionary_encode(),
            "code": pa.array([7, 8, 7]).dictionary_encode(),
            "count": pa.array([1, None, 3]),
            "price": pa.array(["1.50", None, "2.25"]).cast(pa.decimal128(8, 2)),
            "smokes": [True, None, False],
            "seen": pa.array([0, None, 86400], pa.timestamp("s", "Europe/Berlin")),
            "born": pa.array([0, 1, 2], pa.date32()),
            "hour": pa.array([0, 1, 2], pa.time64("us")),
            "nothing": pa.nulls(3),
            "sick": ["no", "yes", "no"],
        }
    )
    pa.parquet.write_table(mixed, tmp_path / "rows.parquet")
    rows = read(tmp_path / "rows.parquet")
    kinds = {name: column.dtype.kind for name, column in rows.inputs.items()}
    assert kinds == {
        "city": "O", "kind": "O", "code": "i", "count": "f", "price": "f", "smokes": "f", "seen": "M",
        "born": "M", "hour": "i", "nothing": "f",
    }  # fmt: skip
    assert rows.inputs["city"].tolist() == ["Ulm", None, "Ulm"]
    assert rows.inputs["city"][0] is rows.inputs["city"][2]
    assert rows.inputs["price"].tolist()[::2] == [1.5, 2.25]
    assert np.isnat(rows.inputs["seen"]).tolist() == [False, True, False]
    assert (rows.targets.tolist(), rows.attributes["class"].tolist()) == ([0, 1, 0], ["no", "yes", "no"])


def test_classes_of_text_are_counted_over_all_files(tmp_path):
    for name, values in {"a": ["no", "yes"], "b": ["maybe", "no"]}.items():
        pa.csv.write_csv(pa.table({"age": [1, 2], "sick": values}), tmp_path / f"{name}.csv")
    train, test = read_tables([tmp_path / "a.csv", tmp_path / "b.csv"], Named("sick"))
    assert (train.targets.tolist(), test.targets.tolist()) == ([1, 2], [0, 1])
    assert test.attributes["class"].tolist() == ["maybe", "no"]


def test_cells_that_one_file_misses_make_no_other_type(tmp_path):
    whole = {"age": pa.array([1, 2]), "smokes": [True, False], "city": ["Ulm", "Bonn"], "sick": [0, 1]}
    holes = {"age": pa.array([1, None]), "smokes": [True, None], "city": pa.nulls(2), "sick": [0, 1]}
    pa.parquet.write_table(pa.table(whole), tmp_path / "a.parquet")
    pa.parquet.write_table(pa.table(holes), tmp_path / "b.parquet")
    train, test = read_tables([tmp_path / "a.parquet", tmp_path / "b.parquet"], Named("sick"))
    assert form(train) == form(test)
    pa.parquet.write_table(pa.table({**whole, "age": pa.array([1.0, 2.0])}), tmp_path / "b.parquet")
    train, test = read_tables([tmp_path / "a.parquet", tmp_path / "b.parquet"], Named("sick"))
    assert form(train) != form(test)


def test_columns_that_are_named_as_keys_are_no_inputs_and_need_not_be_comparable(tmp_path):
    table = pa.table(
        {"id": [7, None], "site": ["a", "b"], "when": ["2024-01-01", "2024-01-02T10:00"], "tags": [[1], [2]],
         "age": [1, 2], "y": [0, 1]}
    )  # fmt: skip
    pa.parquet.write_table(table, tmp_path / "rows.parquet")
    rows = read(tmp_path / "rows.parquet", "y", group="site", time="when", ids="id", keys=("tags",))
    assert list(rows.inputs) == ["age"]
    assert (rows.ids.tolist(), rows.stable_ids) == (["7", None], True)
    assert rows.times.astype("M8[m]").astype(str).tolist() == ["2024-01-01T00:00", "2024-01-02T10:00"]
    with pytest.raises(DataError, match=r"'tags' .* holds lists"):
        read(tmp_path / "rows.parquet", "y")


def test_the_column_without_a_name_that_pandas_writes_is_no_input(tmp_path):
    (tmp_path / "rows.csv").write_text(",age,sick\n0,1,0\n1,2,1\n")
    assert list(read(tmp_path / "rows.csv").inputs) == ["age"]


ZONES = ["2024-01-01T10:00:00+01:00", "2024-07-01T10:00:00+02:00"]


def test_moments_of_several_offsets_are_those_of_greenwich(tmp_path):
    for name, column in {"text": pa.array(ZONES), "csv": pa.array(ZONES)}.items():
        table = pa.table({"when": column, "age": [1, 2], "y": [0, 1]})
        path = tmp_path / (f"{name}.csv" if name == "csv" else f"{name}.parquet")
        (pa.csv.write_csv if name == "csv" else pa.parquet.write_table)(table, path)
        times = read(path, "y", time="when").times
        assert times.astype("M8[h]").astype(str).tolist() == ["2024-01-01T09", "2024-07-01T08"]


@pytest.mark.parametrize(
    ("columns", "named", "said"),
    [
        ({"when": [*ZONES[:1], "2024-01-01 10:00"]}, {"time": "when"}, "mixes moments with a time zone"),
        ({"when": ["2024-01-01", "31.01.2024"]}, {"time": "when"}, "'31.01.2024', which is no moment"),
        ({"when": [True, False]}, {"time": "when"}, "as moments or numbers"),
        ({"parts": [{"x": 1}, {"x": 2}]}, {}, "'parts' .* holds cells of type struct"),
        ({"parts": [b"1", b"2"]}, {}, "'parts' .* holds bytes"),
        ({"sick": pa.nulls(2)}, {}, "is missing in all 2 rows"),
        ({"sick": ["yes", None]}, {}, "is missing in 1 of 2 rows"),
        ({"sick": pa.array([0, 1], pa.date32())}, {}, "holds moments"),
        ({"sick": [[0], [1]]}, {}, "'sick' .* holds lists"),
        ({"sick": ["yes", "no"]}, {"regression": True}, "holds no numbers"),
    ],
)
def test_columns_that_cannot_be_compared_are_one_sentence(tmp_path, columns, named, said):
    pa.parquet.write_table(pa.table({"age": [1, 2], "sick": [0, 1], **columns}), tmp_path / "rows.parquet")
    with pytest.raises(DataError, match=said) as raised:
        read(tmp_path / "rows.parquet", **named)
    assert "\n" not in str(raised.value)


def test_a_time_zone_in_one_file_alone_is_one_sentence(tmp_path):
    for name, zone in {"a": "UTC", "b": None}.items():
        seen = pa.array([0, 1], pa.timestamp("s", zone))
        pa.parquet.write_table(
            pa.table({"seen": seen, "age": [1, 2], "y": [0, 1]}), tmp_path / f"{name}.parquet"
        )
    with pytest.raises(DataError, match="'seen' has a time zone in one file and none in the other"):
        read_tables([tmp_path / "a.parquet", tmp_path / "b.parquet"], Named("y", time="seen"))


def test_two_columns_of_one_name_are_one_sentence(tmp_path):
    twins = pa.table([[1], [2], [0]], names=["age", "age", "sick"])
    pa.parquet.write_table(twins, tmp_path / "rows.parquet")
    pa.csv.write_csv(twins, tmp_path / "rows.csv")
    for path in (tmp_path / "rows.parquet", tmp_path / "rows.csv"):
        for text in (True, False):
            with pytest.raises(DataError, match="has 2 columns named 'age'"):
                read_table(path, "sick", text=text)


@pytest.mark.parametrize(
    ("content", "said"), [("k\xf6ln,sick\n1,0\n", "first line"), ("city,sick\nk\xf6ln,0\n", "'city'")]
)
def test_a_file_in_another_encoding_is_one_sentence(tmp_path, content, said):
    (tmp_path / "rows.csv").write_text(content, encoding="latin-1")
    with pytest.raises(DataError, match=f"{said}.* is not UTF-8 text; save it as UTF-8"):
        read(tmp_path / "rows.csv")


def test_cells_that_are_parted_otherwise_are_one_sentence(tmp_path):
    (tmp_path / "rows.csv").write_text("age;sick\n1;0\n2;1\n")
    with pytest.raises(DataError, match="parted by ';'; save it with commas"):
        read_table(tmp_path / "rows.csv", "sick")


def test_names_with_slashes_and_html_are_names_like_any_other(tmp_path):
    odd = {"../a/b": [1.0, 2.0], "<script>alert(1)</script>": [1, 2], "it's 5 %": [0, 1]}
    rows = read(write(tmp_path, odd, ".parquet"), "it's 5 %")
    assert list(rows.inputs) == list(odd)[:2]


def test_a_file_of_one_array_without_a_name_is_one_sentence(tmp_path):
    with (tmp_path / "rows.npz").open("wb") as stream:
        np.save(stream, np.eye(3))
    with pytest.raises(DataError, match="one array without a name"):
        read_table(tmp_path / "rows.npz", "y")


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".npz"])
@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_damaged_file_is_rows_or_one_sentence(tmp_path_factory, ending, data):
    table = {"age": [30, 40, 50], "city": ["Ulm", "Bonn", "Ulm"], "sick": [0, 1, 1]}
    path = write(tmp_path_factory.mktemp("damaged"), table, ending)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    for text in (True, False):
        try:
            assert len(read_table(path, "sick", text=text)) > 0
        except DataError as error:
            assert "\n" not in str(error)  # noqa: PT017 - rows are right as well; a traceback is not


CELLS = {
    "whole": st.one_of(st.none(), st.integers(-(2**62), 2**62)),
    "number": st.one_of(st.none(), st.floats()),
    "text": st.one_of(st.none(), st.text(max_size=5)),
    "truth": st.one_of(st.none(), st.booleans()),
    "moment": st.one_of(st.none(), st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))),
}


@settings(deadline=None)
@given(st.data(), st.integers(1, 12))
def test_any_table_is_read_with_a_cell_a_row(tmp_path_factory, data, rows):
    types = [pa.int64(), pa.float64(), pa.string(), pa.bool_(), pa.timestamp("us")]
    columns = {
        name: pa.array(data.draw(st.lists(cells, min_size=rows, max_size=rows)), kind)
        for (name, cells), kind in zip(CELLS.items(), types, strict=True)
    }
    path = tmp_path_factory.mktemp("any") / "rows.parquet"
    pa.parquet.write_table(pa.table({**columns, "y": pa.array([0] * rows)}), path)
    split_rows = read(path, "y")
    assert set(split_rows.inputs) == set(columns)
    assert len(split_rows.keys) == rows
    for name, column in columns.items():
        lost = [cell is None or cell != cell for cell in column.to_pylist()]
        cells = split_rows.inputs[name]
        assert [cell is None or cell != cell for cell in cells] == lost
