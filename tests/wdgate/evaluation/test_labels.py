import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from data_checks.errors import DataError, ModelError
from wdgate.evaluation.labels import Labels
from wdgate.evaluation.tasks import Classification

TASK = Labels(("cat", "dog", "cow"))
CLASSES = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=40)


@given(CLASSES)
def test_scores_are_those_of_scikit_learn(pairs):
    targets, predicted = np.array(pairs).T
    found = TASK.scores({"predicted": predicted}, targets)
    assert found["accuracy"].mean() == pytest.approx(metrics.accuracy_score(targets, predicted))
    assert (found["accuracy"] + found["error"] == 1).all()
    balanced = TASK.metrics({"predicted": predicted}, targets, None)["balanced_accuracy"]
    recalls = metrics.recall_score(targets, predicted, labels=np.unique(targets), average="macro")
    assert balanced == pytest.approx(recalls)


def test_the_constant_is_the_commonest_class_and_names_no_probability():
    found = TASK.constant(np.array([1, 1, 2]), 4)
    assert {name: values.tolist() for name, values in found.items()} == {"predicted": [1, 1, 1, 1]}


@pytest.mark.parametrize("predicted", [np.array([0, 3]), np.array([0, -1]), np.array([0.0, 1.0])])
def test_what_is_no_class_is_refused(predicted):
    with pytest.raises(ModelError, match=r"predicted names class.*, expected integers from 0 to 2"):
        TASK.scores({"predicted": predicted}, np.array([0, 1]))


def test_targets_that_are_no_classes_are_refused():
    with pytest.raises(DataError, match="targets names class 3"):
        TASK.scores({"predicted": np.array([0, 1])}, np.array([0, 3]))


def test_another_number_of_rows_is_refused():
    with pytest.raises(ModelError, match=r"predicted has shape \(1,\), expected \(2,\)"):
        TASK.scores({"predicted": np.array([0])}, np.array([0, 1]))


def test_it_is_no_task_of_probabilities():
    assert not isinstance(TASK, Classification)
    of_classes = {f"{kind}/{name}" for kind in ("recall", "precision") for name in TASK.classes}
    assert set(TASK.higher_is_better) == {"accuracy", "error", "balanced_accuracy"} | of_classes


def test_directions_are_those_of_a_classification():
    ours, theirs = TASK.higher_is_better, Classification(TASK.classes).higher_is_better
    assert {name: ours[name] for name in ours if name != "error"}.items() <= theirs.items()
