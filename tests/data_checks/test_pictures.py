import numpy as np
import pytest
from PIL import Image

from data_checks.errors import DataError
from data_checks.pictures import class_names, common_size, image_folder, image_folders
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


def test_train_and_test_folders_have_one_form_and_one_code_of_classes(pictures, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    for name in ("bird", "dog"):
        (other / name).mkdir()
        Image.new("RGB", (4, 5), (255, 0, 0)).save(other / name / "red.png")
    train, test = image_folders([pictures, other])
    assert (set(train.targets.tolist()), test.targets.tolist()) == ({1, 2}, [0, 2])
    assert {part.inputs[np.array([0])].shape for part in (train, test)} == {(1, 5, 4, 3)}


def test_a_size_for_pictures_of_many_sizes_is_their_median_and_not_large(pictures):
    assert common_size([pictures]) is None
    for number in range(20):
        Image.new("L", (1000, 2000)).save(pictures / "dog" / f"large{number}.png")
    assert common_size([pictures]) == (256, 128)


def test_a_picture_stays_where_it_is_when_it_is_put_into_another_class(pictures):
    parts = split(image_folder(pictures), test=0.3, validation=0.3).named()
    before = {name: set(part.keys.tolist()) for name, part in parts.items()}
    (pictures / "cat" / "0.png").rename(pictures / "dog" / "moved.png")
    after = split(image_folder(pictures), test=0.3, validation=0.3)
    assert before == {name: set(part.keys.tolist()) for name, part in after.named().items()}
