from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from data_checks import picture_plants
from data_checks.evidence import picture_copies
from data_checks.evidence.picture_copies import fit, measure, rows
from data_checks.evidence.picture_views import VIEWS
from data_checks.evidence.table import Part
from data_checks.splits import Split, Splits

MOVED = ("noisy", "brighter", "bent", "compressed", "shifted", "flipped", "inverted")
TURNED = ("rotated", "zoomed", "marked")


def pictures(n, seed=0, side=28):
    """Blobs, of which no two are alike."""
    rng = np.random.default_rng(seed)
    fields = gaussian_filter(rng.normal(size=(n, side, side)), (0, 1.5, 1.5))
    return np.rint(np.clip(128 + 60 * fields / fields.std(), 0, 255)).astype(np.uint8)


def as_split(inputs):
    return Split(inputs, np.zeros(len(inputs), int))


def as_splits(train, test):
    return Splits(as_split(train), as_split(train[:0]), as_split(test))


def of_test_rows(splits):
    start = len(splits.train)
    return {name: column[start:] for name, column in measure(splits).columns.items()}


@pytest.mark.parametrize("name", [*MOVED, *TURNED])
@pytest.mark.parametrize("shape", [(28, 28), (1, 28, 28), (28, 28, 3)])
def test_every_change_is_found_with_its_original(name, shape):
    train = pictures(200).reshape(200, *shape[:2], 1) if shape[-1] == 3 else pictures(200).reshape(-1, *shape)
    splits = as_splits(np.repeat(train, 3, 3) if shape[-1] == 3 else train, pictures(20, 1))
    order = np.random.default_rng(0).permutation(200)[:300]
    planted = picture_plants.changed(splits, np.random.default_rng(0), getattr(picture_plants, name))
    found = rows(fit(splits), Part("test", 200, planted))
    right = found["picture_twin"] == order[:100]
    assert (right & (found["picture_changed"] | found["picture_turned"])).mean() >= 0.9
    if name in MOVED:
        assert (right & found["picture_changed"]).mean() >= 0.9


@pytest.mark.parametrize("name", MOVED)
def test_changes_of_large_pictures_are_found_on_their_thumbnails(name):
    train = np.kron(pictures(60, side=24), np.ones((3, 3), np.uint8))
    splits = as_splits(train, train[:1])
    planted = picture_plants.changed(splits, np.random.default_rng(0), getattr(picture_plants, name))
    assert rows(fit(splits), Part("test", 60, planted))["picture_changed"].mean() >= 0.9


def test_it_is_told_what_was_done():
    train = pictures(100)
    shifted = np.roll(train[0], (1, -2), (0, 1))
    brighter = np.minimum(train[3].astype(int) + 12, 255).astype(np.uint8)
    test = np.stack([shifted, train[1, :, ::-1], 255 - train[2], brighter, train[4] ^ 1])
    found = of_test_rows(as_splits(train, test))
    assert found["picture_changed"].all()
    assert found["picture_twin"].tolist() == [0, 1, 2, 3, 4]
    said = [VIEWS[view].words() for view in found["picture_view"]]
    assert said == ["shifted 1 px down and 2 px to the left", "flipped", "inverted", "", ""]
    assert found["picture_difference"].tolist() == [0, 0, 0, 12, 1]
    assert found["picture_brighter"][3] > 10


def test_honest_pictures_are_not_found():
    found = of_test_rows(as_splits(pictures(500), pictures(500, 1)))
    assert not (found["picture_changed"] | found["picture_turned"]).any()


def test_pictures_that_all_look_alike_are_not_found():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:28, 0:28]
    slopes = rng.uniform(0.5, 4, (600, 2, 1, 1))
    ramps = np.clip(20 + slopes[:, 0] * y + slopes[:, 1] * x + rng.normal(0, 2, (600, 28, 28)), 0, 255)
    found = of_test_rows(as_splits(ramps[:400].astype(np.uint8), ramps[400:].astype(np.uint8)))
    assert (found["picture_changed"] | found["picture_turned"]).mean() <= 0.01


def test_equal_rows_are_copies_and_not_changed():
    train = pictures(100)
    found = of_test_rows(as_splits(train, train[:10]))
    assert not found["picture_changed"].any()


def test_a_copy_in_train_hides_nothing():
    train = pictures(100)
    found = of_test_rows(as_splits(np.concatenate([train, train, train]), train[:10, :, ::-1]))
    assert found["picture_changed"].all()
    assert found["picture_twin"].tolist() == list(range(10))


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 39))
def test_neither_the_order_of_rows_nor_the_parts_change_anything(seed, cut):
    train = pictures(60, seed)
    test = np.concatenate([np.roll(train[:20], 1, 1), pictures(20, seed + 1)])
    here, there = np.random.default_rng(seed).permutation(60), np.random.default_rng(seed + 1).permutation(40)
    whole = of_test_rows(as_splits(train, test))
    mixed = of_test_rows(as_splits(train[here], test[there]))
    known = fit(as_splits(train, test))
    parts = [rows(known, Part("test", 60, as_split(some))) for some in (test[:cut], test[cut:])]
    for name, column in whole.items():
        expected = column[there]
        if name == "picture_twin":
            mixed[name] = np.where(mixed[name] >= 0, here[mixed[name]], -1)
        assert (mixed[name] == expected).all(), name
        assert (np.concatenate([part[name] for part in parts]) == column).all(), name
    assert whole["picture_changed"].sum() >= 19


def test_rows_that_are_not_finite_are_nothing_again():
    train = pictures(60) / 255
    test = train[:4, :, ::-1].copy()
    test[0, 3, 3] = np.nan
    train[1, 0, 0] = np.inf
    assert of_test_rows(as_splits(train, test))["picture_changed"].tolist() == [False, False, True, True]


def test_further_test_sets_are_looked_at_and_validation_is_not():
    train = pictures(60)
    part = as_split(train[:5, ::-1])
    splits = replace(as_splits(train, pictures(5, 1)), validation=part, also={"camera": part})
    changed = measure(splits).columns["picture_changed"]
    assert changed.tolist() == [False] * 70 + [True] * 5


@pytest.mark.parametrize("flat", [0, 7, 255])
def test_constant_pictures_crash_nothing(flat):
    constant = np.full((30, 28, 28), flat, np.uint8)
    for train, test in ((constant, constant ^ 1), (pictures(30), constant), (constant, pictures(30))):
        assert not of_test_rows(as_splits(train, test))["picture_changed"].any()


def test_it_is_said_why_pictures_are_not_compared():
    assert "no pictures" in picture_copies.why_not(as_splits(np.zeros((50, 64)), np.zeros((5, 64))))
    assert "no more than 10" in picture_copies.why_not(as_splits(pictures(10), pictures(10)))
    assert not picture_copies.why_not(as_splits(pictures(11), pictures(10)))
