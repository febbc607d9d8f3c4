import numpy as np
import pytest

from data_checks.evidence.picture_views import VIEWS, View, halves, see, window

PICTURES = np.random.default_rng(0).integers(0, 256, (3, 28, 28)).astype(np.uint8)


def test_no_view_stands_twice_and_the_first_changes_nothing():
    assert len(set(VIEWS)) == len(VIEWS)
    assert (see(PICTURES, VIEWS[0]) == PICTURES).all()
    assert VIEWS[0].words() == ""


@pytest.mark.parametrize("view", [view for view in VIEWS if view.exact and not view.inverted])
def test_a_view_undoes_what_it_says(view):
    changed = np.roll(PICTURES, (view.down, view.right), (1, 2))
    changed = changed[:, :: -1 if view.upside_down else 1, :: -1 if view.flipped else 1]
    middle = (slice(None), *window((28, 28)))
    assert (see(changed, view)[middle] == PICTURES[middle]).all()


@pytest.mark.parametrize("view", [View(turned=7), View(zoomed=1.1), View(turned=-5, zoomed=0.95)])
def test_turning_and_zooming_are_what_scipy_makes_of_them(view):
    from scipy.ndimage import affine_transform

    angle, center = np.deg2rad(view.turned), np.full(2, 13.5)
    matrix = view.zoomed * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    expected = [
        affine_transform(picture.astype(float), matrix, center - matrix @ center, order=1, mode="nearest")
        for picture in PICTURES
    ]
    # A sixty-fourth of a pixel, and rounding.
    assert np.abs(see(PICTURES, view) - np.stack(expected)).max() <= 255 / 64 + 0.5


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (View(down=1, right=-2), "shifted 1 px down and 2 px to the left"),
        (View(down=-2), "shifted 2 px up"),
        (View(flipped=True, upside_down=True), "flipped, upside down"),
        (View(turned=-6), "rotated by about 6 degrees"),
        (View(zoomed=1.08), "zoomed by about 1.08"),
    ],
)
def test_it_is_said_what_was_done(view, words):
    assert view.words() == words


def test_halves_cover_the_middle_twice():
    seen = np.zeros((28, 28), int)
    for half in halves((28, 28)):
        seen[half] += 1
    assert (seen[window((28, 28))] == 2).all()
    assert seen.sum() == 2 * 24 * 24
