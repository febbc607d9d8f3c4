import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from wdgate.evaluation.ranking import macro, precision_recall, roc


def made_up(seed, rows, classes):
    """Probabilities with ties, targets of which every class has one, and weights."""
    generator = np.random.default_rng(seed)
    probs = generator.integers(1, 6, (rows, classes)).astype(float)
    targets = np.concatenate([np.arange(classes), generator.integers(0, classes, rows - classes)])
    return probs / probs.sum(axis=1, keepdims=True), targets, generator.uniform(0.1, 3, rows)


@given(st.integers(0, 1000), st.integers(4, 60), st.integers(3, 4))
def test_rankings_of_several_classes_are_scikit_learns(seed, rows, classes):
    probs, targets, weights = made_up(seed, rows, classes)
    auc = metrics.roc_auc_score(targets, probs, multi_class="ovr", sample_weight=weights)
    each = [
        metrics.average_precision_score(targets == k, probs[:, k], sample_weight=weights)
        for k in range(classes)
    ]
    assert np.isclose(macro(roc, probs, targets, weights).value, auc)
    assert np.isclose(macro(precision_recall, probs, targets, weights).value, np.mean(each))


@given(st.integers(0, 1000), st.integers(2, 60))
def test_of_two_classes_the_second_is_ranked(seed, rows):
    probs, targets, weights = made_up(seed, rows, 2)
    auc = metrics.roc_auc_score(targets, probs[:, 1], sample_weight=weights)
    precision = metrics.average_precision_score(targets, probs[:, 1], sample_weight=weights)
    assert np.isclose(macro(roc, probs, targets, weights).value, auc)
    assert np.isclose(macro(precision_recall, probs, targets, weights).value, precision)


@pytest.mark.parametrize("ranked", [roc, precision_recall])
@given(seed=st.integers(0, 1000), rows=st.integers(3, 25))
def test_what_a_row_adds_is_the_change_with_its_weight(ranked, seed, rows):
    probs, targets, weights = made_up(seed, rows, 3)
    found = macro(ranked, probs, targets, weights)
    more = weights + 1e-6 * np.eye(rows)
    changes = [(macro(ranked, probs, targets, each).value - found.value) / 1e-6 for each in more]
    assert np.allclose(found.added, weights * changes, atol=1e-5)
    assert abs(found.added.sum()) < 1e-9


def test_a_class_without_rows_leaves_the_mean_undefined():
    probs = np.full((4, 3), 1 / 3)
    for ranked in (roc, precision_recall):
        assert np.isnan(macro(ranked, probs, np.array([0, 1, 0, 1])).value)
