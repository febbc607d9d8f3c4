import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from wdgate.evaluation.named import names_of, share, top_correct

CLASSES = ("cat", "a/b", "dog", "bird")


def made_up(seed, rows):
    generator = np.random.default_rng(seed)
    probs = generator.dirichlet(np.ones(4), rows)
    return {"probs": probs, "predicted": probs.argmax(axis=1)}, generator.integers(0, 4, rows)


@given(st.integers(0, 1000), st.integers(1, 60))
def test_recall_and_precision_of_a_class_are_scikit_learns(seed, rows):
    predictions, targets = made_up(seed, rows)
    options = {"labels": range(4), "average": None, "zero_division": np.nan}
    for kind, reference in (("recall", metrics.recall_score), ("precision", metrics.precision_score)):
        expected = reference(targets, predictions["predicted"], **options)
        parts = [share(f"{kind}/{name}", CLASSES, predictions, targets).values for name in CLASSES]
        found = [part.mean() if len(part) else np.nan for part in parts]
        assert np.allclose(found, expected, equal_nan=True)


@given(st.integers(0, 1000), st.integers(1, 60), st.sampled_from([2, 3]))
def test_the_most_probable_classes_are_scikit_learns(seed, rows, k):
    predictions, targets = made_up(seed, rows)
    found = share(f"top{k}_accuracy", CLASSES, predictions, targets)
    expected = metrics.top_k_accuracy_score(targets, predictions["probs"], k=k, labels=range(4))
    assert np.isclose(found.values.mean(), expected)
    assert found.positions.tolist() == list(range(rows))


def test_the_files_own_threshold_counts_not_the_largest_probability():
    predictions = {"probs": np.array([[0.7, 0.3], [0.9, 0.1]]), "predicted": np.array([1, 0])}
    found = share("recall/yes", ("no", "yes"), predictions, np.array([1, 1]))
    assert found.values.tolist() == [1, 0]


def test_the_same_probability_for_all_classes_is_right_on_none():
    assert top_correct(np.full((3, 4), 0.25), np.arange(3), 3).tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", ["recall/fish", "recall/", "top4_accuracy", "top1_accuracy", "accuracy"])
def test_other_names_are_no_shares(name):
    predictions, targets = made_up(0, 5)
    assert share(name, CLASSES, predictions, targets) is None
    assert name not in names_of(CLASSES, probabilities=True)


def test_without_probabilities_there_are_no_most_probable_classes():
    assert share("top2_accuracy", CLASSES, {"predicted": np.zeros(1, int)}, np.zeros(1, int)) is None
