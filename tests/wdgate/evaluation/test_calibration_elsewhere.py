"""What others compute, where they can be imported: `pip install --no-deps --target .wdgate/peers/calibration
torchmetrics lightning-utilities relplot uncertainty-calibration deprecation seaborn`."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from wdgate.evaluation.calibration import ece, l2_ece, smooth_ece

PEERS = Path(__file__).parents[3] / ".wdgate" / "peers" / "calibration"


@pytest.fixture
def peer(monkeypatch):
    """Imports a module of somebody else's from the peers' folder, after our own packages."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(PEERS)])

    def get(name):
        try:
            return importlib.import_module(name)
        except ImportError as error:
            pytest.skip(f"{name} is not there: {error}")

    return get


def made_up(seed, rows):
    generator = np.random.default_rng(seed)
    confidence = generator.uniform(0.3, 1, rows)
    return confidence, (generator.random(rows) < confidence**2).astype(float)


def right_closed(confidence, correct, bins=15):
    """Guo et al. (2017): bins (0, 1/15], ..., (14/15, 1]."""
    place = np.ceil(confidence * bins).astype(int) - 1
    sums = np.bincount(place, confidence - correct, bins)
    return np.abs(sums).sum() / len(confidence)


def left_closed(confidence, correct, bins=15):
    """torchmetrics 1.9 as published: `bucketize(right=True) - 1` over 16 edges; exactly 1 is a 16th bin."""
    place = np.digitize(confidence, np.linspace(0, 1, bins + 1)) - 1
    sums = np.bincount(place, confidence - correct, bins + 1)
    return np.abs(sums).sum() / len(confidence)


@pytest.mark.parametrize("seed", range(3))
def test_the_smooth_error_is_its_authors_own(peer, seed):
    relplot = peer("relplot.metrics")
    relplot.config.use_logit_scaling = False
    confidence, correct = made_up(seed, 400)
    assert abs(smooth_ece(confidence, correct) - relplot.smECE(confidence, correct)) < 0.002


@pytest.mark.parametrize("seed", range(3))
def test_the_debiased_error_is_its_authors_own(peer, seed):
    theirs = peer("calibration.utils")
    confidence, correct = made_up(seed, 300)
    assert np.isclose(
        l2_ece(confidence, correct), theirs.lower_bound_scaling_ce(confidence, correct.astype(int))
    )
    error = theirs.get_ece_em(confidence, correct.astype(int), mode="marginal")
    assert np.isclose(ece(confidence, correct), error)


def test_torchmetrics_gives_a_confidence_of_exactly_1_a_bin_of_its_own(peer):
    confidence, correct = np.array([0.95, 0.95, 1.0, 1.0]), np.array([1.0, 1.0, 1.0, 0.0])
    gap = abs(3.9 / 4 - 3 / 4)
    # All four lie in the last bin of (14/15, 1], where the errors of either half make up for one another.
    assert np.isclose(right_closed(confidence, correct), gap)
    assert np.isclose(ece(confidence, correct, bins=1), gap)
    wrong = left_closed(confidence, correct)
    assert np.isclose(wrong, 0.275)
    theirs = peer("torchmetrics.functional.classification")
    torch = peer("torch")
    found = theirs.binary_calibration_error(torch.tensor(confidence), torch.tensor(correct).long(), n_bins=15)
    assert np.isclose(float(found), wrong)


def test_torchmetrics_is_right_below_1(peer):
    torch = peer("torch")
    confidence, correct = made_up(0, 500)
    theirs = peer("torchmetrics.functional.classification")
    found = theirs.binary_calibration_error(torch.tensor(confidence), torch.tensor(correct).long(), n_bins=15)
    assert np.isclose(float(found), right_closed(confidence, correct))
