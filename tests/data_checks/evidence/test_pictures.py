import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from data_checks.errors import DataError
from data_checks.evidence.pictures import Form, fit_form, is_pictures, picture_axes, thumbnails
from data_checks.readers import image_folder
from data_checks.splits import Split, Splits


def as_split(inputs):
    return Split(inputs, np.zeros(len(inputs), int))


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((28, 28), (0, 1)),
        ((1, 12, 40), (1, 2)),
        ((3, 32, 32), (1, 2)),
        ((32, 48, 3), (0, 1)),
        ((12, 12, 1), (0, 1)),
        ((8, 8), None),
        ((1, 8, 8), None),
        ((11, 28), None),
        ((784,), None),
        ((16, 16, 5), None),
        ((2, 1, 28, 28), None),
    ],
)
def test_pictures_are_told_by_their_shape(shape, axes):
    part = as_split(np.zeros((2, *shape), np.uint8))
    assert picture_axes(part) == axes
    assert is_pictures(Splits(part, part, part)) == (axes is not None)


def test_columns_and_texts_are_no_pictures():
    assert picture_axes(Split({"a": np.zeros((2, 28, 28))}, np.zeros(2, int))) is None
    assert picture_axes(as_split(np.full((2, 28, 28), "x"))) is None


def test_a_small_grey_picture_is_its_own_thumbnail():
    rows = np.random.default_rng(0).integers(0, 256, (5, 28, 28)).astype(np.uint8)
    for shape in ((5, 28, 28), (5, 1, 28, 28), (5, 28, 28, 1)):
        part = as_split(rows.reshape(shape))
        assert (thumbnails(fit_form(part), part).levels == rows).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(12, 90), st.integers(12, 90), st.integers(0, 1000))
def test_a_thumbnail_is_the_mean_of_areas(height, width, seed):
    rows = np.random.default_rng(seed).integers(0, 256, (2, height, width)).astype(np.uint8)
    form = fit_form(as_split(rows))
    small = thumbnails(form, as_split(rows)).levels
    # Repeated until the sides divide, the area of a cell is a plain block.
    large = rows.repeat(form.size[0], 1).repeat(form.size[1], 2).astype(float)
    expected = large.reshape(2, form.size[0], height, form.size[1], width).mean((2, 4))
    assert max(form.size) <= 32
    assert np.abs(small - expected).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("axis", [1, 3])
def test_colours_are_seen_as_the_eye_sees_them(axis):
    colours = np.zeros((3, 16, 16, 3), np.uint8)
    colours[[0, 1, 2], :, :, [0, 1, 2]] = 255
    part = as_split(np.moveaxis(colours, 3, axis))
    assert thumbnails(fit_form(part), part).levels[:, 0, 0].tolist() == [76, 150, 29]


@pytest.mark.parametrize(
    ("scale", "dtype"), [(1 / 255, np.float32), (1.0, np.float64), (1.0, np.int64), (1 / 255, np.float64)]
)
def test_units_change_nothing(scale, dtype):
    rows = np.random.default_rng(0).integers(0, 256, (20, 16, 16))
    rows[0, 0, :2] = 0, 255
    part = as_split((rows * scale).astype(dtype))
    assert (thumbnails(fit_form(part), part).levels == rows).all()


def test_standardized_levels_span_black_to_white():
    rows = np.random.default_rng(0).normal(size=(20, 16, 16))
    levels = thumbnails(fit_form(as_split(rows)), as_split(rows)).levels
    assert levels.min() == 0
    assert levels.max() == 255


def test_rows_that_are_not_finite_are_told():
    rows = np.random.default_rng(0).uniform(size=(4, 16, 16))
    rows[1, 3, 3], rows[2, 0, 0] = np.nan, np.inf
    assert thumbnails(Form(0, 1, (16, 16)), as_split(rows)).finite.tolist() == [True, False, False, True]


def test_test_pictures_of_another_size_are_compared_and_other_rows_are_refused():
    form = fit_form(as_split(np.zeros((2, 28, 28), np.uint8)))
    assert thumbnails(form, as_split(np.zeros((2, 56, 56, 3), np.uint8))).levels.shape == (2, 28, 28)
    with pytest.raises(DataError, match="cannot be compared with train's pictures"):
        thumbnails(form, as_split(np.zeros((2, 784), np.uint8)))
    with pytest.raises(DataError, match="no pictures of at least 12 x 12"):
        fit_form(as_split(np.zeros((2, 784), np.uint8)))


def test_files_are_decoded_once(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    for number in range(5):
        Image.fromarray(np.full((40, 40), number * 10, np.uint8)).save(tmp_path / "a" / f"{number}.png")
    split = image_folder(tmp_path)
    form, decoded = fit_form(split), []
    reader = type(split.inputs)
    decode = reader._decode
    monkeypatch.setattr(reader, "_decode", lambda self, file: decoded.append(file) or decode(self, file))
    assert thumbnails(form, split).levels[:, 0, 0].tolist() == [0, 10, 20, 30, 40]
    # The first row is also looked at to see how many fit into memory at once.
    assert len(decoded) == 6
