"""What benchmarks/gates.py measures with many test sets, with a few."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="module")
def benchmark():
    folder = str(Path(__file__).parents[2] / "benchmarks")
    sys.path.insert(0, folder)
    try:
        return {
            name: importlib.import_module(f"gates.{name}") for name in ("worlds", "edge", "chance", "wear")
        }
    finally:
        sys.path.remove(folder)


CONTESTS = ["WD202 accuracy", "WD203", "WD204", "WD205", "WD207", "WD212"]


@pytest.mark.parametrize("size", [1, 10])
@pytest.mark.parametrize("name", CONTESTS)
def test_a_model_at_the_edge_passes_no_more_often_than_promised(benchmark, name, size):
    edge = benchmark["edge"]
    contest = next(c for c in edge.CONTESTS if c.name.startswith(name))
    rates, times = edge.rate(contest, 360, size, contest.edge, 4_000)
    for rate, looks in zip(rates, edge.LOOKS, strict=True):
        alpha = edge.ALPHA / looks
        # Studentized bounds err a little more than they say on few rows; see docs/gates.md.
        assert rate <= 1.3 * alpha + 3.5 * (alpha / times) ** 0.5
    good, _ = edge.rate(contest, 1_000, 1, contest.good, 400)
    assert good[-1] > 0.5


def test_rows_of_one_patient_deceive_mcnemar_and_not_the_gate(benchmark):
    worlds, paired = benchmark["worlds"], benchmark["chance"]
    better, worse = worlds.pairs(np.random.default_rng(1), 2_000, 100, 50, 0.0)
    counts = [each.sum(axis=1) * 50 for each in (better, worse)]
    units = paired.linearized(better - worse)
    means = better.mean(axis=1), worse.mean(axis=1)
    assert (paired.tango_score(*counts, 5000, 0.0) >= 1.645).mean() > 0.12
    assert (paired.unit_difference_bounds(units, *means, 0.05)[0] > 0).mean() <= 0.05


def test_the_score_bound_is_about_as_powerful_as_the_exact_test(benchmark):
    paired = benchmark["chance"]
    quantile = paired.exact_quantile(100, 80)
    ours, exact = (paired.chance(100, 80, q, 0.06) for q in (1.6449, quantile))
    assert abs(ours - exact) < 0.08


def test_a_chain_of_promotions_ends_at_the_anchor(benchmark):
    lost, promotions = benchmark["wear"]._chain(0, 10_000, 0.01, 0.002, anchored=True)
    assert 0 < promotions < 12
    assert lost <= 0.02


def test_what_is_certified_after_many_retrains_is_not_overstated(benchmark):
    best, ours = benchmark["wear"]._retrained(100, 360, 0.85, alike=False, margin=0.01)
    assert (best - 0.85).mean() > 0.04
    assert (ours.observed - 0.85).mean() < 0.012
    assert (ours.lower > 0.85).mean() < 0.05
