import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_checks.errors import DataError, ModelError
from data_checks.splits import Split
from wdgate.evaluation.labels import Labels
from wdgate.evaluation.predictions import predictions_of, read_predictions
from wdgate.evaluation.tasks import Classification, Regression

TASK = Classification(("cat", "dog"))
TEST = Split(np.arange(3.0)[:, None], np.array([0, 1, 1]), ids=np.array(["r1", "r2", "r3"]))
TABLE = {"id": ["r3", "r1", "r9", "r2"], "cat": [0.1, 0.8, 0.5, 0.3], "dog": [0.9, 0.2, 0.5, 0.7]}


@pytest.fixture
def read(tmp_path):
    """Reads a table of columns as predictions."""

    def reading(columns, task=TASK, ending="parquet"):
        path = tmp_path / f"predictions.{ending}"
        frame = pd.DataFrame(columns)
        frame.to_csv(path, index=False) if ending == "csv" else frame.to_parquet(path, index=False)
        return read_predictions(path, "id", task)

    return reading


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_predictions_are_found_by_id_and_others_are_left_aside(read, ending):
    found = read(TABLE, ending=ending).of(TEST)
    assert found["probs"].tolist() == [[0.8, 0.2], [0.3, 0.7], [0.1, 0.9]]
    assert found["predicted"].tolist() == [0, 1, 1]


@pytest.mark.parametrize("form", ["prob_{}", "probs_{}", "probability_{}"])
def test_columns_may_say_that_they_are_probabilities(read, form):
    columns = {"id": TABLE["id"], form.format("dog"): TABLE["dog"], form.format("cat"): TABLE["cat"]}
    assert read(columns).of(TEST)["probs"].tolist() == [[0.8, 0.2], [0.3, 0.7], [0.1, 0.9]]


@pytest.mark.parametrize("named", [["dog", "cat", "cat", "dog"], [1, 0, 0, 1]])
def test_classes_alone_are_scored_as_classes(read, named):
    found = read({"id": TABLE["id"], "predicted": named})
    assert found.task == Labels(("cat", "dog"))
    assert found.of(TEST)["predicted"].tolist() == [0, 1, 1]


def test_values_are_predicted(read):
    found = read({"id": TABLE["id"], "predicted": [3, 1, 9, 2]}, Regression())
    assert found.of(TEST)["predicted"].tolist() == [1.0, 2.0, 3.0]


def test_numbers_and_text_are_the_same_ids(read):
    rows = Split(np.eye(2), np.array([0, 1]), ids=np.array([7, 8]))
    found = read({"id": ["8", "7"], "cat": [0.1, 0.9], "dog": [0.9, 0.1]})
    assert found.of(rows)["predicted"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({**TABLE, "id": ["r3", "r1", "r9", "r8"]}, r"lacks 1 id of the test set: r2$"),
        ({**TABLE, "id": list("abcd")}, r"lacks 3 ids of the test set: r1, r2, r3$"),
        ({**TABLE, "id": ["r3", "r1", "r1", "r2"]}, r"has 1 id twice: r1$"),
    ],
)
def test_rows_that_are_missing_or_there_twice_are_one_sentence(read, columns, sentence):
    with pytest.raises(ModelError, match=sentence):
        read(columns).of(TEST)


def test_many_ids_are_counted_and_the_first_are_shown(read):
    rows = Split(np.zeros((9, 1)), np.zeros(9, int), ids=np.arange(9))
    with pytest.raises(ModelError, match=r"lacks 9 ids of the test set: 0, 1, 2, \.\.\.$"):
        read(TABLE).of(rows)


def test_test_rows_of_one_id_cannot_be_told_apart(read):
    with pytest.raises(ModelError, match="the test rows have 1 id twice: r1"):
        read(TABLE).of(Split(np.eye(2), np.array([0, 1]), ids=np.array(["r1", "r1"])))


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"id": ["r1"], "cat": [0.5]}, "no column of the probability of 'dog'"),
        ({"id": ["r1"], "score": [0.5]}, "expected predicted, or cat, dog beside the ids"),
        ({"id": ["r1"], "predicted": ["cow"]}, "predicted names 'cow', expected one of cat, dog"),
        ({"id": ["r1"], "cat": ["much"], "dog": ["little"]}, "holds text or moments, expected numbers"),
    ],
)
def test_columns_that_say_nothing_of_the_task_are_refused(read, columns, sentence):
    with pytest.raises(ModelError, match=sentence):
        read(columns)


def test_the_column_of_ids_must_be_there(read):
    with pytest.raises(DataError, match="has no column 'id'; did you mean 'ids'"):
        read({"ids": ["r1"], "cat": [0.5], "dog": [0.5]})


def test_missing_probabilities_are_told_by_the_task(read):
    found = read({**TABLE, "cat": [0.1, None, 0.5, 0.3]}).of(TEST)
    with pytest.raises(ModelError, match="probs is NaN or infinite on 1 of 3 rows"):
        TASK.scores(found, TEST.targets)


def test_arrays_are_in_the_order_of_the_test_rows():
    found = predictions_of({"probs": np.array([[0.8, 0.2], [0.3, 0.7], [0.1, 0.9]])}, TEST, TASK)
    assert found.of(TEST.take(np.array([2, 0])))["predicted"].tolist() == [1, 0]
    with pytest.raises(ModelError, match=r"probs has shape \(1, 2\), expected a row for each of 3"):
        predictions_of({"probs": np.array([[0.8, 0.2]])}, TEST, TASK)
    with pytest.raises(ModelError, match="has logits, expected probs or predicted"):
        predictions_of({"logits": np.zeros((3, 2))}, TEST, TASK)


@given(st.permutations(range(6)), st.lists(st.floats(0, 1), min_size=6, max_size=6))
def test_the_order_of_the_file_changes_nothing(order, share):
    rows = Split(np.zeros((6, 1)), np.zeros(6, int), ids=np.arange(6))
    probs = np.stack([np.array(share), 1 - np.array(share)], axis=1)
    shuffled = Split(np.zeros((6, 1)), np.zeros(6, int), ids=np.array(order))
    found = predictions_of({"probs": probs[order]}, shuffled, TASK).of(rows)
    assert np.array_equal(found["probs"], probs)
