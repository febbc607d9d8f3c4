import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from data_checks.evidence.shortcuts import find_shortcuts, measure, why_not
from data_checks.readers import image_folder
from data_checks.splits import Split, Splits


def split(n=300, classes=3, side=28, seed=0):
    rng = np.random.default_rng(seed)
    return Split(rng.integers(0, 256, (n, side, side)).astype(np.uint8), np.arange(n) % classes)


def test_honest_pictures_have_none():
    assert not list(find_shortcuts(split()))


def test_honest_digits_have_none():
    digits = load_digits()
    large = np.kron(digits.images, np.ones((1, 3, 3))) * 255 / 16
    assert not list(find_shortcuts(Split(large, digits.target)))


def test_a_subject_that_leaves_the_background_free_is_none():
    part = split(classes=2)
    part.inputs[part.targets == 0, :10] = 0
    part.inputs[:, :, :6] = part.inputs[:, :, -6:] = 0
    assert not list(find_shortcuts(part))


@pytest.mark.parametrize(
    ("down", "right", "where"),
    [(1, 1, "top left"), (1, 22, "top right"), (22, 1, "bottom left"), (12, 22, "right"), (22, 12, "bottom")],
)
def test_a_mark_is_found_and_said_where(down, right, where):
    part = split()
    part.inputs[part.targets == 1, down : down + 4, right : right + 4] = 180
    (found,) = [shortcut for shortcut in find_shortcuts(part) if "mark" in shortcut.where]
    assert found.target == 1
    assert found.where == f"a mark of 16 pixels near the {where}"
    assert found.share == 1
    assert found.others < 0.1


def test_noise_over_a_mark_does_not_hide_it_and_a_mark_on_half_of_the_rows_tells_too_little():
    part = split()
    own = np.flatnonzero(part.targets == 1)
    noise = np.random.default_rng(1).integers(-5, 6, (len(own), 4, 4))
    part.inputs[own, 1:5, 1:5] = 180 + noise
    assert list(find_shortcuts(part))
    half = split()
    half.inputs[own[::2], 1:5, 1:5] = 180
    assert not list(find_shortcuts(half))


def test_the_order_of_the_rows_changes_nothing():
    part = split()
    part.inputs[part.targets == 1, 1:5, 1:5] = 180
    order = np.random.default_rng(0).permutation(len(part))
    assert list(find_shortcuts(part)) == list(find_shortcuts(part.take(order)))


def test_the_size_and_the_format_of_files_are_looked_at(tmp_path):
    rng = np.random.default_rng(0)
    for name, side, ending in (("cat", 40, "png"), ("dog", 50, "png"), ("fox", 40, "bmp")):
        (tmp_path / name).mkdir()
        for number in range(25):
            picture = Image.fromarray(rng.integers(0, 256, (side, side)).astype(np.uint8))
            picture.save(tmp_path / name / f"{number}.{ending}")
    rows = image_folder(tmp_path, size=(40, 40)).take(np.arange(75)[::-1])
    found = {(shortcut.target, shortcut.where) for shortcut in find_shortcuts(rows)}
    assert found >= {(1, "the width of files"), (1, "the height of files"), (2, "the format of files")}


def test_train_alone_offends():
    part = split()
    part.inputs[part.targets == 1, 1:5, 1:5] = 180
    evidence = measure(Splits(part, part, part))
    assert (evidence.columns["picture_shortcuts"][:300] == len(evidence.facts)).all()
    assert not evidence.columns["picture_shortcuts"][300:].any()


def test_it_is_said_why_shortcuts_are_not_looked_for():
    part, small = split(), split(n=30)
    values = Split(part.inputs, np.arange(300) / 2)
    assert "no classes" in why_not(Splits(values, values, values))
    assert "20 rows" in why_not(Splits(small, small, small))
    plain = Split(part.inputs.reshape(300, -1), part.targets)
    assert "no pictures" in why_not(Splits(plain, plain, plain))
    assert not why_not(Splits(part, part, part))
