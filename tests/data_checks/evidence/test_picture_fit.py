import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from data_checks.evidence.picture_fit import blur, curved, free, outside_a_square
from data_checks.evidence.picture_views import View, see, window


def smooth(n, seed=0, side=28):
    rng = np.random.default_rng(seed)
    fields = gaussian_filter(rng.normal(size=(n, side, side)), (0, 2, 2))
    fields -= fields.min((1, 2), keepdims=True)
    return np.rint(255 * fields / fields.max((1, 2), keepdims=True)).astype(np.uint8)


def test_a_picture_fits_itself_and_not_another():
    rows = smooth(10)
    for misfit in (curved, free, outside_a_square):
        assert (misfit(rows, rows).levels < 0.05).all()
        assert (misfit(rows, rows[::-1]).levels > 5).all()
        assert (misfit(rows, rows[::-1]).share > 0.05).all()


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x * 0.7,
        lambda x: x / 2 + 90,
        lambda x: 255 - x,
        lambda x: np.clip(x * 1.3, 0, 255),
        lambda x: 255 * (x / 255) ** 0.6,
        lambda x: 255 * (x / 255) ** 1.6,
    ],
)
def test_grey_levels_may_be_other_ones(change):
    rows = smooth(10)
    assert (curved(np.rint(change(rows.astype(float))).astype(np.uint8), rows).levels < 1.5).all()


def test_the_fit_is_least_squares():
    test, train = smooth(1, 1), smooth(1, 2)
    down, right = window((28, 28), more=1)
    levels = train.astype(np.int32)
    columns = [
        np.ones_like(levels),
        levels,
        *(np.maximum(levels - bend, 0) for bend in (12, 40, 96, 160, 208)),
    ]
    design = np.stack([blur(column)[0, down, right].reshape(-1) / 16 for column in columns], 1)
    wanted = blur(test.astype(np.int32))[0, down, right].reshape(-1) / 16
    mixture, *_ = np.linalg.lstsq(design, wanted, rcond=None)
    left = np.square(wanted - design @ mixture).sum()
    fitted = curved(test, train)
    assert fitted.share[0] == pytest.approx(left / np.square(wanted - wanted.mean()).sum(), rel=1e-3)
    assert 0.2 * np.sqrt(left / wanted.size) <= fitted.levels[0] <= np.sqrt(left / wanted.size) * 1.001


@pytest.mark.parametrize("view", [View(turned=1.5), View(zoomed=1.02), View(turned=-1, zoomed=0.985)])
def test_small_turns_and_zooms_are_free(view):
    rows = smooth(10)
    turned = see(rows, view)
    assert (free(turned, rows).levels < curved(turned, rows).levels / 2).all()


def test_a_square_may_differ_and_two_may_not():
    rows = smooth(10)
    marked = rows.copy()
    marked[:, 3:9, 17:23] = 255
    assert (outside_a_square(marked, rows).levels < 0.01).all()
    marked[:, 20:26, 2:8] = 255 - marked[:, 20:26, 2:8]
    assert (outside_a_square(marked, rows).levels > 1).all()


def test_a_pair_fits_alike_whichever_pairs_stand_beside_it():
    test, train = smooth(30, 1), smooth(30, 2)
    for misfit in (curved, free, outside_a_square):
        together = misfit(test, train)
        assert (misfit(test[9:12], train[9:12]).levels == together.levels[9:12]).all()


def test_constant_pictures_crash_nothing():
    flat, rows = np.full((2, 28, 28), 9, np.uint8), smooth(2)
    for misfit in (curved, free, outside_a_square):
        for test, train in ((flat, flat), (flat, rows), (rows, flat)):
            assert np.isfinite(misfit(test, train).levels).all()
