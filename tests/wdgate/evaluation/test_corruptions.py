import numpy as np
import pytest

from wdgate.evaluation.corruptions import COLUMNS, PICTURES, SEVERITIES, Noise, Usual


def rows(shape, seed=0):
    generator = np.random.default_rng(seed)
    values = generator.random(shape).astype(np.float32)
    return values, Noise(generator.normal(size=shape), generator.random(shape))


def usual(values):
    return Usual(float(values.min()), float(values.max()), np.median(values, axis=0), values.std(axis=0))


@pytest.mark.parametrize("corruption", PICTURES, ids=lambda c: c.name)
@pytest.mark.parametrize("shape", [(40, 9, 9), (40, 9, 7, 3), (40, 3, 9, 9)])
def test_pictures_keep_their_shape_and_get_worse_with_severity(corruption, shape):
    values, noise = rows(shape)
    changed = [corruption.change(values, usual(values), noise, severity) for severity in SEVERITIES]
    distances = [np.abs(worse - values).mean() for worse in changed]
    assert all(worse.shape == shape and np.isfinite(worse).all() for worse in changed)
    assert distances[0] > 0
    assert distances == sorted(distances)


@pytest.mark.parametrize("corruption", COLUMNS, ids=lambda c: c.name)
def test_columns_keep_their_shape_and_get_worse_with_severity(corruption):
    values, noise = rows((300, 20))
    changed = [corruption.change(values, usual(values), noise, severity) for severity in SEVERITIES]
    distances = [np.abs(worse - values).mean() for worse in changed]
    assert all(worse.shape == values.shape for worse in changed)
    assert distances[0] > 0
    assert distances == sorted(distances)


def test_colour_channels_are_not_mixed():
    values = np.zeros((1, 8, 8, 3), np.float32)
    values[..., 0] = 1
    for corruption in PICTURES:
        if corruption.name in ("blur", "shift"):
            worse = corruption.change(values, Usual(0, 1, values[0], values[0]), rows(values.shape)[1], 5)
            assert np.allclose(worse, values)


def test_missing_puts_the_median_in_place_of_one_cell_at_least():
    values, noise = rows((50, 3))
    missing = next(c for c in COLUMNS if c.name == "missing")
    worse = missing.change(values, usual(values), noise, 1)
    assert ((worse != values).sum(axis=1) <= 1).all()
    assert np.isin(worse[worse != values], np.median(values, axis=0)).all()


def test_a_column_without_spread_stays_finite():
    values, noise = np.ones((5, 2)), rows((5, 2))[1]
    for corruption in COLUMNS:
        assert np.allclose(corruption.change(values, usual(values), noise, 5), 1)


# The constants of `imagecorruptions`, those of ImageNet-C, and of CIFAR-10-C (Hendrycks & Dietterich 2019).
IMAGENET = {"gaussian_noise": (0.08, 0.12, 0.18, 0.26, 0.38), "brightness": (0.1, 0.2, 0.3, 0.4, 0.5)}
CIFAR = {"gaussian_noise": (0.04, 0.06, 0.08, 0.09, 0.1), "brightness": (0.05, 0.1, 0.15, 0.2, 0.3)}


@pytest.mark.parametrize("name", ["gaussian_noise", "brightness"])
def test_severities_lie_between_those_of_cifar_and_of_imagenet(name):
    corruption = next(c for c in PICTURES if c.name == name)
    values = np.full((400, 9, 9), 0.5)
    unit = Usual(0.0, 1.0, values[0], values[0])
    for severity in SEVERITIES:
        change = corruption.change(values, unit, rows(values.shape)[1], severity) - values
        strength = change.std() if name == "gaussian_noise" else change.mean()
        assert CIFAR[name][severity - 1] * 0.98 <= strength <= IMAGENET[name][severity - 1]
