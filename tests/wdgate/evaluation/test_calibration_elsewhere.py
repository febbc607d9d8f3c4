"""What the authors of calibration errors compute on other rows than those of `peers.json`, where their
packages can be imported; `benchmarks/peers.py` says how they are installed."""

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
