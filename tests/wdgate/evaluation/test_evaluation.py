import hashlib

import numpy as np
import pytest

from data_checks.errors import DataError, ModelError
from data_checks.splits import Split
from wdgate.evaluation.corruptions import COLUMNS, PICTURES
from wdgate.evaluation.evaluation import evaluate, units_of
from wdgate.evaluation.robustness import MOST_ROWS
from wdgate.evaluation.tasks import Classification, Regression

TASK = Classification(("left", "right"))
WEIGHTS = np.array([[-3.0, 3.0], [0.0, 0.0]])


def rows(count=90, seed=0, **more):
    inputs = np.random.default_rng(seed).normal(size=(count, 2)).astype(np.float32)
    return Split(inputs, (inputs[:, 0] > 0).astype(np.int64), **more)


class Reader:
    def __init__(self, values):
        self.values, self.sizes = values, []

    def __len__(self):
        return len(self.values)

    def __getitem__(self, indices):
        self.sizes.append(len(indices))
        return self.values[indices]

    def key(self, index):
        return self.values[index].tobytes()


def test_an_evaluation_scores_each_row_of_what_the_bytes_predict(classifier):
    file, split = classifier(WEIGHTS), rows()
    found = evaluate(file, split, TASK)
    logits = split.inputs @ WEIGHTS
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert np.allclose(found.predictions["probs"], probs, atol=1e-6)
    assert np.allclose(found.scores["nll"], -np.log(probs[np.arange(90), split.targets]), atol=1e-5)
    assert found.scores["accuracy"].mean() == 1
    assert found.metrics["auc"] == 1
    assert (found.onnx_sha256, found.fingerprint) == (hashlib.sha256(file).hexdigest(), split.fingerprint)


def test_the_same_bytes_give_the_same_scores_in_any_batch_size(classifier):
    file, split = classifier(WEIGHTS), rows()
    one, other = evaluate(file, split, TASK), evaluate(file, split, TASK, batch_size=7)
    single = {f"corrupted_accuracy/{corruption.name}" for corruption in COLUMNS}
    assert set(one.scores) == {"accuracy", "nll", "brier", "confidence_gap", "corrupted_accuracy", *single}
    for name, values in one.scores.items():
        assert np.allclose(values, other.scores[name], atol=1e-6)
    again = evaluate(file, split, TASK)
    assert all(np.array_equal(values, again.scores[name]) for name, values in one.scores.items())


def test_robustness_is_averaged_over_a_rows_corruptions_first(classifier):
    inputs = np.random.default_rng(0).integers(0, 255, (30, 6, 6), np.uint8)
    weights = np.random.default_rng(1).normal(size=(36, 2)) / 99
    split = Split(inputs, np.arange(30) % 2)
    found = evaluate(classifier(weights, ("N", 6, 6), np.uint8), split, TASK)
    assert list(found.robustness) == [corruption.name for corruption in PICTURES]
    assert all(len(severities) == 5 for severities in found.robustness.values())
    assert found.scores["corrupted_accuracy"].shape == (30,)
    overall = np.mean(list(found.robustness.values()))
    assert np.isclose(found.scores["corrupted_accuracy"].mean(), overall)


def test_inputs_without_a_meaningful_corruption_have_no_corrupted_score(classifier):
    split = Split(np.array([[1, 2], [3, 4]], np.int64), np.array([0, 1]))
    found = evaluate(classifier(WEIGHTS, kind=np.int64), split, TASK)
    assert "corrupted_accuracy" not in found.scores
    assert (dict(found.robustness), found.corrupted_rows) == ({}, None)


def test_of_many_rows_some_are_corrupted_and_the_evaluation_says_which(classifier):
    count = MOST_ROWS + 50
    split = rows(count, groups=np.arange(count) // 2, weights=np.arange(count) + 1.0)
    found = evaluate(classifier(WEIGHTS), split, TASK)
    some = found.rows_of("corrupted_accuracy")
    assert found.scores["corrupted_accuracy"].shape == some.positions.shape == (MOST_ROWS,)
    assert np.isfinite(found.scores["corrupted_accuracy"]).all()
    assert np.array_equal(some.groups, split.groups[some.positions])
    assert np.array_equal(some.weights, split.weights[some.positions])
    assert len(found.rows_of("accuracy").positions) == count


def test_columns_are_fed_by_name(adder):
    columns = {"size": np.linspace(0, 1, 40), "count": np.arange(40)}
    found = evaluate(adder, Split(columns, columns["size"] + columns["count"]), Regression())
    assert found.scores["absolute_error"].max() < 1e-5
    assert found.scores["corrupted_absolute_error"].mean() > 0.01
    assert found.metrics["r2"] > 0.999


def test_a_reader_is_decoded_batch_by_batch(classifier):
    split = rows()
    reader = Reader(split.inputs)
    found = evaluate(classifier(WEIGHTS), Split(reader, split.targets), TASK, batch_size=8, corruptions=())
    assert found.scores["accuracy"].mean() == 1
    assert sum(reader.sizes) == 90
    assert max(reader.sizes) == 8


def test_the_constant_predictor_knows_the_reference_or_else_the_rows_own_targets(classifier):
    file, split = classifier(WEIGHTS), rows()
    own = evaluate(file, split, TASK, corruptions=()).baseline["nll"].mean()
    assert np.isclose(own, -sum(p * np.log(p) for p in np.bincount(split.targets) / 90))
    for reference in (np.array([0, 1]), np.array([0, 0, 1]), np.array([1, 1])):
        # No constant does better on these rows than the one that knows their targets.
        assert evaluate(file, split, TASK, corruptions=(), reference=reference).baseline["nll"].mean() >= own


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [(np.nan, "NaN or infinite on 90 of 90 rows"), (2.0, "adds up to 2"), (-1.0, "adds up to -1")],
)
def test_a_file_that_gives_no_probabilities_is_refused(classifier, broken, sentence):
    with pytest.raises(ModelError, match=sentence):
        evaluate(classifier(WEIGHTS, broken=broken), rows(), TASK)


def test_a_file_of_other_classes_or_another_task_is_refused(classifier, adder):
    with pytest.raises(ModelError, match="a column for each of 3 classes"):
        evaluate(classifier(WEIGHTS), rows(), Classification(("a", "b", "c")))
    with pytest.raises(ModelError, match="takes inputs named count, size"):
        evaluate(adder, rows(), TASK)


def test_rows_that_follow_one_another_or_are_copies_are_not_independent():
    inputs, targets = np.arange(60.0).reshape(60, 1), np.zeros(60, np.int64)
    assert units_of(Split(inputs, targets)) is None
    assert units_of(Split(inputs, targets, groups=targets)) is targets
    assert len(np.unique(units_of(Split(inputs % 7, targets)))) == 7
    times = np.arange(60)[::-1]
    blocks = units_of(Split(inputs, targets, times=times))
    assert len(np.unique(blocks)) == 30
    assert blocks[0] == 29


def test_further_test_sets_are_evaluated_beside_the_first(classifier):
    task = Classification(("left", "right"))
    near = Split(
        np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([0, 1]), attributes={"site": np.array(["A", "B"])}
    )
    far = Split(np.array([[1.0, 2.0]]), np.array([0]))
    found = evaluate(classifier(np.eye(2)), near, task, also={"far": far})
    assert found.scores["accuracy"].mean() == 1
    assert found.also["far"].scores["accuracy"].tolist() == [0]
    assert found.also["far"].onnx_sha256 == found.onnx_sha256
    assert found.attributes["site"].tolist() == ["A", "B"]


def test_a_further_test_set_that_cannot_be_predicted_is_named(classifier):
    rows = Split(np.eye(2), np.array([0, 1]))
    with pytest.raises(ModelError, match="on the further test set far, the file does not take rows"):
        evaluate(classifier(np.eye(2)), rows, TASK, also={"far": Split(np.eye(3), np.array([0, 1, 0]))})


def test_no_rows_are_no_test_set(classifier):
    with pytest.raises(DataError, match="a test set has no rows"):
        evaluate(classifier(np.eye(2)), Split(np.zeros((0, 2)), np.zeros(0, int)), TASK)


def test_each_corruption_has_a_score_of_its_own_and_they_average_to_all(classifier):
    found = evaluate(classifier(WEIGHTS), rows(300), TASK)
    single = [found.scores[f"corrupted_accuracy/{corruption.name}"] for corruption in COLUMNS]
    assert np.allclose(np.mean(single, axis=0), found.scores["corrupted_accuracy"])
    for corruption, values in zip(COLUMNS, single, strict=True):
        assert values.mean() == pytest.approx(np.mean(found.robustness[corruption.name]))


def test_a_constant_that_knows_the_weights_has_no_skill():
    from wdgate.evaluation.evaluation import evaluation_of
    from wdgate.gates.gates import Case, skill

    targets = np.arange(400) % 2
    rows = Split(np.arange(400.0)[:, None], targets, weights=np.where(targets == 1, 5.0, 1.0))
    constant = {"probs": np.tile([1 / 6, 5 / 6], (400, 1)), "predicted": np.ones(400, np.int64)}
    task = Classification(("a", "b"))
    found = evaluation_of("constant", constant, rows, task, reference=np.arange(10) % 2)
    assert skill().answer(Case(found, None, None, task, 0.05))[0].status != "passed"
