import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from data_checks.errors import DataError, ModelError, PipelineError
from wdgate.evaluation.named import names_of
from wdgate.evaluation.tasks import Classification, Regression, described

THREE = Classification(("a", "b", "c"))
TWO = Classification(("no", "yes"))


def made_up(seed, rows, classes):
    """Predictions and targets with nothing to do with one another."""
    generator = np.random.default_rng(seed)
    probs = generator.dirichlet(np.ones(classes), rows).astype(np.float32)
    return {"probs": probs, "predicted": probs.argmax(axis=1)}, generator.integers(0, classes, rows)


def test_the_loss_of_classes_is_torchs_cross_entropy():
    logits, targets = torch.randn(9, 3, generator=torch.Generator().manual_seed(0)), torch.arange(9) % 3
    expected = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    torch.testing.assert_close(THREE.loss(logits, targets), expected)


def test_a_fleet_of_networks_has_the_losses_of_its_members():
    logits, targets = torch.randn(4, 9, 3, generator=torch.Generator().manual_seed(0)), torch.arange(9) % 3
    fleet = torch.func.vmap(THREE.loss, in_dims=(0, None))(logits, targets)
    torch.testing.assert_close(fleet, torch.stack([THREE.loss(member, targets) for member in logits]))
    numbers, values = logits[:, :, :1], targets.double()
    fleet = torch.func.vmap(Regression().loss, in_dims=(0, None))(numbers, values)
    torch.testing.assert_close(fleet, torch.stack([Regression().loss(member, values) for member in numbers]))


@pytest.mark.parametrize("shape", [(5,), (5, 1)])
def test_a_regression_takes_one_number_a_row_in_either_shape(shape):
    outputs, targets = torch.arange(5.0).reshape(shape), torch.ones(5, dtype=torch.float64)
    assert Regression().loss(outputs, targets).tolist() == [1, 0, 1, 4, 9]
    assert Regression().predictions(outputs)["predicted"].shape == (5,)


def test_exported_predictions_are_single_precision_and_integers():
    found = THREE.predictions(torch.randn(7, 3, dtype=torch.float64))
    assert (found["probs"].dtype, found["predicted"].dtype) == (torch.float32, torch.int64)
    torch.testing.assert_close(found["probs"].sum(dim=1), torch.ones(7))


@given(st.integers(0, 1000), st.integers(2, 60))
def test_scores_of_classes_agree_with_scikit_learn(seed, rows):
    predictions, targets = made_up(seed, rows, 3)
    scores = THREE.scores(predictions, targets)
    probs = predictions["probs"].astype(np.float64)
    assert np.isclose(scores["accuracy"].mean(), metrics.accuracy_score(targets, predictions["predicted"]))
    expected = metrics.log_loss(targets, probs / probs.sum(axis=1, keepdims=True), labels=[0, 1, 2])
    assert np.isclose(scores["nll"].mean(), expected, atol=1e-5)
    assert np.allclose(scores["brier"], ((probs - np.eye(3)[targets]) ** 2).sum(axis=1))
    assert np.allclose(scores["confidence_gap"], probs.max(axis=1) - scores["accuracy"])


@given(st.integers(0, 1000), st.integers(4, 60))
def test_weighted_metrics_of_classes_agree_with_scikit_learn(seed, rows):
    predictions, targets = made_up(seed, rows, 2)
    targets[:2] = 0, 1
    predictions["probs"] = predictions["probs"].round(1)  # ties
    weights = np.random.default_rng(seed + 1).uniform(0.1, 3, rows)
    found = TWO.metrics(predictions, targets, weights)
    auc = metrics.roc_auc_score(targets, predictions["probs"][:, 1], sample_weight=weights)
    balanced = metrics.balanced_accuracy_score(targets, predictions["predicted"], sample_weight=weights)
    assert np.isclose(found["auc"], auc)
    assert np.isclose(found["balanced_accuracy"], balanced)


@given(st.integers(0, 1000), st.integers(3, 60))
def test_weighted_r2_agrees_with_scikit_learn(seed, rows):
    generator = np.random.default_rng(seed)
    targets, predicted, weights = (
        generator.normal(size=rows),
        generator.normal(size=rows),
        generator.random(rows),
    )
    found = Regression().metrics({"predicted": predicted}, targets, weights)["r2"]
    assert np.isclose(found, metrics.r2_score(targets, predicted, sample_weight=weights))


@pytest.mark.parametrize("task", [THREE, TWO, Regression()])
def test_every_score_and_metric_has_a_direction(task):
    predictions, targets = (
        made_up(0, 20, task.outputs) if task.outputs > 1 else ({"predicted": np.zeros(5)}, np.ones(5))
    )
    measured = {*task.scores(predictions, targets), *task.metrics(predictions, targets, None)}
    comparisons = {name for name in measured if name.endswith("_if_perfect")}
    by_name = set(names_of(getattr(task, "classes", ()), probabilities=True))
    assert measured - comparisons == set(task.higher_is_better) - by_name
    assert by_name < set(task.higher_is_better)
    assert {task.primary, task.proper} <= set(task.scores(predictions, targets))


def test_a_metric_that_rows_do_not_define_is_nan():
    predictions, targets = made_up(0, 20, 2)
    assert np.isnan(TWO.metrics(predictions, np.zeros_like(targets), None)["auc"])
    assert np.isnan(Regression().metrics({"predicted": np.zeros(4)}, np.ones(4), None)["r2"])


def test_a_probability_of_zero_costs_much_but_not_infinitely_much():
    predictions = {"probs": np.array([[1, 0]], np.float32), "predicted": np.array([0])}
    assert 80 < TWO.scores(predictions, np.array([1]))["nll"][0] < 100


def test_the_constant_predictor_of_classes_scores_the_entropy_of_the_targets():
    targets = np.array([0, 0, 0, 1])
    scores = TWO.scores(TWO.constant(targets, 4), targets)
    assert np.isclose(scores["nll"].mean(), -(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))
    assert scores["accuracy"].mean() == 0.75


def test_the_constant_predictor_survives_a_class_that_it_never_saw():
    constant = THREE.constant(np.array([0, 1]), 3)
    assert np.allclose(constant["probs"], 1 / 3)
    assert Regression().constant(np.array([1.0, 3.0]), 2)["predicted"].tolist() == [2, 2]


PROBS = np.full((4, 3), 1 / 3, np.float32)
NAN = np.where(np.arange(12).reshape(4, 3) == 5, np.nan, PROBS)


@pytest.mark.parametrize(
    ("predictions", "sentence"),
    [
        ({"predicted": np.zeros(4, int)}, "the file gives predicted, expected an output named probs"),
        ({"probs": PROBS}, "expected an output named predicted"),
        ({"probs": PROBS[:, :2], "predicted": np.zeros(4, int)}, r"\(4, 2\), expected \(4, 3\)"),
        ({"probs": PROBS[:3], "predicted": np.zeros(4, int)}, r"\(3, 3\), expected \(4, 3\)"),
        ({"probs": NAN, "predicted": np.zeros(4, int)}, "NaN or infinite on 1 of 4 rows"),
        ({"probs": PROBS * 2, "predicted": np.zeros(4, int)}, "adds up to 2"),
        ({"probs": PROBS - [[1, 0, -1]], "predicted": np.zeros(4, int)}, "no probabilities on 4 of 4 rows"),
        ({"probs": PROBS, "predicted": np.zeros(4)}, "expected integers"),
        ({"probs": PROBS, "predicted": np.full(4, 3)}, "names class 3, expected integers from 0 to 2"),
        ({"probs": PROBS, "predicted": np.full(4, -1)}, "names class -1, expected integers from 0 to 2"),
    ],
)
def test_predictions_that_are_not_this_tasks_are_refused(predictions, sentence):
    with pytest.raises(ModelError, match=sentence):
        THREE.scores(predictions, np.zeros(4, int))


@pytest.mark.parametrize(
    "predicted", [np.zeros((4, 1)), np.array([0, np.nan, 0, 0]), np.array([0, 0, 0, np.inf])]
)
def test_predicted_numbers_must_be_finite_and_one_a_row(predicted):
    with pytest.raises(ModelError, match="predicted"):
        Regression().scores({"predicted": predicted}, np.zeros(4))


@pytest.mark.parametrize("targets", [np.array([0, 3]), np.array([-1, 0]), np.array([0.0, 1.0])])
def test_targets_outside_the_classes_are_refused(targets):
    with pytest.raises(DataError, match="expected integers from 0 to 2"):
        THREE.scores({"probs": PROBS[:2], "predicted": np.zeros(2, int)}, targets)


@pytest.mark.parametrize("classes", [(), ("one",), ("same", "same")])
def test_classes_are_two_or_more_different_names(classes):
    with pytest.raises(PipelineError, match="two or more different names"):
        Classification(classes)


@given(st.floats(0.01, 0.99), st.integers(0, 1000))
def test_a_threshold_is_scikit_learns(threshold, seed):
    logits = torch.randn(50, 2, generator=torch.Generator().manual_seed(seed))
    found = Classification(("no", "yes"), threshold=threshold).predictions(logits)
    # FixedThresholdClassifier compares so; in single precision, as the file does.
    expected = found["probs"][:, 1].numpy() >= np.float32(threshold)
    assert found["predicted"].dtype == torch.int64
    assert (found["predicted"].numpy() == expected).all()


def test_accuracy_follows_the_threshold_and_the_constant_keeps_to_it():
    task = Classification(("no", "yes"), threshold=0.3)
    predictions = {"probs": np.array([[0.6, 0.4]]), "predicted": np.array([1])}
    assert task.scores(predictions, np.array([1]))["accuracy"].tolist() == [1.0]
    assert task.constant(np.array([0, 0, 1]), 2)["predicted"].tolist() == [1, 1]
    assert TWO.constant(np.array([0, 0, 1]), 2)["predicted"].tolist() == [0, 0]


def test_the_margin_is_the_distance_to_another_answer():
    logits = torch.tensor([[0.0, 1.0], [2.0, 0.0]])
    assert TWO.margin(logits).tolist() == [1.0, 2.0]
    at = Classification(("no", "yes"), threshold=0.5).margin(logits)
    assert at.tolist() == [1.0, 2.0]
    edge = torch.tensor([[0.0, float(np.log(0.3 / 0.7))]])
    assert Classification(("no", "yes"), threshold=0.3).margin(edge).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("threshold", [0, 1, -0.1, 1.5, float("nan"), True, "0.3"])
def test_a_threshold_that_is_no_probability_is_refused(threshold):
    with pytest.raises(PipelineError, match="threshold must be a probability above 0 and below 1, got"):
        Classification(("no", "yes"), threshold=threshold)


def test_a_threshold_of_more_than_two_classes_is_refused():
    with pytest.raises(PipelineError, match="a threshold is for two classes, and there are 3"):
        Classification(("a", "b", "c"), threshold=0.3)


def test_models_with_other_thresholds_can_be_compared():
    assert described(Classification(("no", "yes"), threshold=0.3)) == described(TWO)


@pytest.mark.parametrize("targets", [np.array([1.0, np.nan]), np.array([np.inf, 0.0]), np.array(["a", "b"])])
def test_targets_that_are_no_numbers_are_refused(targets):
    with pytest.raises(DataError, match=r"targets are .*, expected finite numbers"):
        Regression().scores({"predicted": np.zeros(2)}, targets)


@pytest.mark.parametrize("task", [Classification(("a", "b")), Regression()])
def test_a_weighted_constant_is_that_of_rows_as_often_as_they_weigh(task):
    targets, weights = np.array([0, 1, 1]), np.array([5.0, 1.0, 2.0])
    weighted, repeated = task.constant(targets, 4, weights), task.constant(np.repeat(targets, [5, 1, 2]), 4)
    for name, values in repeated.items():
        assert weighted[name] == pytest.approx(values)
