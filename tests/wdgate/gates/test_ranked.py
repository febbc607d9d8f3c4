import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wdgate.evaluation.ranking import Ranking, macro, precision_recall, roc
from wdgate.gates.ranked import ranked_bounds, unseen_share
from wdgate.gates.resampling import jackknife_bounds

TWO = ("no", "yes")


def rows_of(negatives, positives, generator, shift=1.0):
    """Probabilities of two classes, of which the second's are higher by `shift` standard deviations."""
    targets = np.repeat([0, 1], [negatives, positives])
    second = 1 / (1 + np.exp(-generator.normal(targets * shift)))
    return np.stack([1 - second, second], axis=1), targets


@pytest.mark.parametrize(("negatives", "positives"), [(300, 10), (10, 300), (300, 20)])
def test_with_few_rows_of_a_class_it_errs_no_more_often_than_it_says(negatives, positives):
    generator, erred = np.random.default_rng(0), np.zeros(2)
    for _ in range(1000):
        probs, targets = rows_of(negatives, positives, generator)
        found = ranked_bounds(macro(roc, probs, targets), targets, TWO, None, None, 0.05)
        erred += [found.lower > 0.7603, found.upper < 0.7602]  # the normal probability of 1 / root of 2
    assert (erred / 1000 <= 0.05 + 0.015).all()


@pytest.mark.parametrize("ranked", [roc, precision_recall])
def test_of_many_rows_it_is_the_jackknifes_bound(ranked):
    probs, targets = rows_of(900, 600, np.random.default_rng(0))
    found = ranked_bounds(macro(ranked, probs, targets), targets, TWO, None, None, 0.05)
    expected = jackknife_bounds(lambda r: macro(ranked, probs[r], targets[r]).value, 1500, 0.05)
    assert np.isclose(found.observed, expected.observed)
    assert 0.85 < (found.upper - found.lower) / (expected.upper - expected.lower) < 1.15


def test_fewer_than_ten_rows_of_a_class_are_not_bounded_and_say_so():
    probs, targets = rows_of(300, 9, np.random.default_rng(0))
    found = ranked_bounds(macro(roc, probs, targets), targets, TWO, None, None, 0.05)
    assert np.isfinite(found.observed)
    assert np.isnan([found.lower, found.upper]).all()
    assert found.remark == "it takes 10 independent rows of each class, and of class yes there are 9"


def test_rows_of_few_groups_are_few_rows():
    probs, targets = rows_of(300, 100, np.random.default_rng(0))
    found = ranked_bounds(macro(roc, probs, targets), targets, TWO, np.arange(400) % 9, None, 0.05)
    assert np.isnan(found.lower)


def test_a_perfect_order_of_ten_rows_is_not_taken_for_certain():
    targets = np.repeat([0, 1], [100, 10])
    probs = np.stack([1 - targets, targets], axis=1).astype(float)
    found = ranked_bounds(macro(roc, probs, targets), targets, TWO, None, None, 0.0025)
    # Ten rows miss 45 % of a class with probability .0025.
    assert np.isclose(found.lower, 0.0025**0.1)
    assert found.upper == 1


def test_two_models_alike_differ_by_no_more_than_what_rows_may_have_missed():
    targets = np.repeat([0, 1], [100, 50])
    none = Ranking(0.0, np.zeros(150))
    found = ranked_bounds(none, targets, TWO, None, None, 0.05, span=(-1.0, 1.0))
    assert np.isclose(-found.lower, found.upper)
    assert np.isclose(found.upper, 1 - 0.05 ** (1 / 50))


@settings(max_examples=50)
@given(st.lists(st.floats(1, 1e4), min_size=1, max_size=5), st.sampled_from([0.05, 0.0025]))
def test_no_other_shares_that_are_as_likely_are_larger(counts, alpha):
    counts = np.array(counts)
    found = unseen_share(counts, alpha)
    assert 0 < found < 1
    generator = np.random.default_rng(0)
    for split in generator.dirichlet(np.ones(len(counts)), 50):
        # The product of (1 - share)^count is alpha, however its logarithm is split among the classes.
        assert np.mean(1 - alpha ** (split / counts)) <= found + 1e-9
