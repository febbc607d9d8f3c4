import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from PIL import Image

from data_checks.errors import DataError
from data_checks.readers import class_names, image_folder, read_table
from data_checks.splits import read_inputs
from data_checks.splitting import split


@pytest.fixture
def pictures(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(6):
            Image.fromarray(rng.integers(0, 256, (5, 4), np.uint8)).save(tmp_path / name / f"{number}.png")
    return tmp_path


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


def test_a_folder_of_pictures_is_read_on_demand(pictures):
    rows = image_folder(pictures)
    assert class_names(pictures) == ("cat", "dog")
    assert rows.targets.tolist() == [0] * 6 + [1] * 6
    assert rows.ids[0] == "cat/0.png"
    assert set(rows.attributes["class"].tolist()) == {"cat", "dog"}
    shown = read_inputs(rows.inputs, np.array([7, 0]))
    assert (shown.shape, shown.dtype) == ((2, 5, 4), np.uint8)
    assert (shown[1] == np.asarray(Image.open(pictures / "cat" / "0.png"))).all()


def test_one_coloured_picture_makes_all_rows_coloured(pictures):
    Image.new("RGB", (4, 5), (255, 0, 0)).save(pictures / "dog" / "red.png")
    rows = image_folder(pictures)
    assert read_inputs(rows.inputs, np.array([0, 12])).shape == (2, 5, 4, 3)


def test_pictures_are_resized_where_a_size_is_declared(pictures):
    Image.new("L", (9, 9)).save(pictures / "dog" / "large.png")
    with pytest.raises(DataError, match="9 x 9"):
        image_folder(pictures)
    rows = image_folder(pictures, size=(3, 2))
    assert read_inputs(rows.inputs, np.arange(13)).shape == (13, 3, 2)


def test_a_copied_file_has_the_key_of_its_original(pictures):
    (pictures / "dog" / "copy.png").write_bytes((pictures / "cat" / "0.png").read_bytes())
    rows = image_folder(pictures)
    copy = rows.ids.tolist().index("dog/copy.png")
    assert rows.keys[copy] == rows.keys[0]
    assert len(set(rows.keys.tolist())) == len(rows) - 1


def test_a_folder_of_pictures_can_be_split(pictures):
    parts = split(image_folder(pictures), test=0.3, validation=0.3)
    assert sum(len(part) for part in parts.named().values()) == 12


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(DataError, match="there is no folder"):
        image_folder(tmp_path / "absent")
    with pytest.raises(DataError, match="has no pictures"):
        image_folder(tmp_path)


def test_a_file_that_is_no_picture_is_named(pictures):
    (pictures / "cat" / "broken.png").write_bytes(b"not a picture")
    with pytest.raises(DataError, match=r"broken\.png cannot be read"):
        image_folder(pictures)


def test_a_truncated_picture_is_named_when_it_is_decoded(pictures):
    whole = (pictures / "cat" / "0.png").read_bytes()
    (pictures / "cat" / "0.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"0\.png cannot be read"):
        read_inputs(image_folder(pictures).inputs, np.array([0]))


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
