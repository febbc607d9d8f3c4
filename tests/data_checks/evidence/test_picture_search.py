import numpy as np
import pytest

from data_checks.evidence.picture_search import CANDIDATES, fit_directions, in_blocks, nearest
from data_checks.evidence.picture_views import window


def pictures(n, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, 12, 12)).astype(np.uint8)


@pytest.mark.parametrize("n", [11, 500, 3000])
def test_the_nearest_is_what_looking_at_all_finds(n):
    directions = fit_directions(pictures(n), window((12, 12)))
    train, test = directions.describe(pictures(n)), directions.describe(pictures(40, 1))
    squared = np.square(test[:, None].astype(float) - train[None]).sum(2)
    distances, places = nearest(in_blocks(train), test)
    assert (distances[:, 0] == squared.min(1)).all()
    assert (np.take_along_axis(squared, places, 1) == distances).all()
    assert (np.diff(distances, axis=1) >= 0).all()
    assert all(len(set(row)) == CANDIDATES for row in places.tolist())


def test_small_sets_have_every_row_as_a_candidate():
    directions = fit_directions(pictures(600), window((12, 12)))
    train, test = directions.describe(pictures(600)), directions.describe(pictures(20, 1))
    squared = np.square(test[:, None].astype(float) - train[None]).sum(2)
    assert (nearest(in_blocks(train), test)[0] == np.sort(squared, 1)[:, :CANDIDATES]).all()


def test_a_row_finds_the_same_whichever_rows_stand_beside_it():
    directions = fit_directions(pictures(2500), window((12, 12)))
    train, test = in_blocks(directions.describe(pictures(2500))), pictures(90, 1)
    together = nearest(train, directions.describe(test))
    for start in (0, 7, 89):
        alone = nearest(train, directions.describe(test[start : start + 5]))
        for whole, part in zip(together, alone, strict=True):
            assert (whole[start : start + 5] == part).all()


def test_brightness_and_contrast_change_no_description():
    rows = pictures(50) // 2
    directions = fit_directions(rows, window((12, 12)))
    assert (directions.describe(rows) == directions.describe(2 * rows + 1)).all()


def test_flat_pictures_are_described():
    rows = np.full((20, 12, 12), 7, np.uint8)
    directions = fit_directions(rows, window((12, 12)))
    assert (directions.describe(rows) == 0).all()
