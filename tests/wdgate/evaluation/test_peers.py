"""Are our numbers those of torchmetrics, netcal and others, where they are right?

`peers.json` holds what they gave on a few fixed rows, with their versions; `benchmarks/peers.py` asks them
again. scikit-learn is asked here.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics

from data_checks.splits import Split
from wdgate.evaluation.calibration import ece, l2_ece, smooth_ece
from wdgate.evaluation.evaluation import evaluation_of
from wdgate.evaluation.quantiles import Quantiles
from wdgate.evaluation.tasks import Classification, Regression
from wdgate.gates.measuring import measured

KEPT = json.loads(Path(__file__).with_name("peers.json").read_text())
GIVEN = {name: np.array(values) for name, values in KEPT["inputs"].items()}
TORCHMETRICS, NETCAL = KEPT["figures"]["torchmetrics"], KEPT["figures"]["netcal"]
KUMAR, RELPLOT = KEPT["figures"]["uncertainty-calibration"], KEPT["figures"]["relplot"]
CLASSES = ("a", "b", "c")
SURE, RIGHT = (
    GIVEN["probs"].max(axis=1),
    (GIVEN["probs"].argmax(axis=1) == GIVEN["targets"]).astype(float),
)


def observed(task, predictions, targets):
    """What a gate would see of each name."""
    evaluation = evaluation_of("a" * 64, predictions, Split(np.arange(len(targets)), targets), task)
    return lambda name: measured(name, evaluation, task, 0.05).observed


@pytest.fixture(scope="module")
def three():
    predictions = {"probs": GIVEN["probs"], "predicted": GIVEN["probs"].argmax(axis=1)}
    return observed(Classification(CLASSES), predictions, GIVEN["targets"])


@pytest.fixture(scope="module")
def two():
    task = Classification(("no", "yes"), threshold=0.3)
    probs = np.stack([1 - GIVEN["second"], GIVEN["second"]], axis=1)
    return observed(task, {"probs": probs, "predicted": task.called(probs)}, GIVEN["positive"])


def equal_width(confidence, correct, bins=15):
    """Guo et al. (2017): bins (0, 1/15], ..., (14/15, 1]."""
    place = np.ceil(confidence * bins).astype(int) - 1
    return np.abs(np.bincount(place, confidence - correct, bins)).sum() / len(confidence)


@pytest.mark.parametrize(
    "name", ["accuracy", "balanced_accuracy", "top2_accuracy", "auc", "average_precision"]
)
def test_of_three_classes_they_are_torchmetrics(three, name):
    assert three(name) == pytest.approx(TORCHMETRICS[name], abs=1e-6)


def test_of_three_classes_they_are_scikit_learns(three):
    probs, targets, predicted = GIVEN["probs"], GIVEN["targets"], GIVEN["probs"].argmax(axis=1)
    one_hot = np.eye(3)[targets]
    theirs = {
        "accuracy": metrics.accuracy_score(targets, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(targets, predicted),
        "nll": metrics.log_loss(targets, probs),
        "brier": metrics.brier_score_loss(targets, probs, scale_by_half=False),
        "auc": metrics.roc_auc_score(targets, probs, multi_class="ovr"),
        "average_precision": metrics.average_precision_score(one_hot, probs),
        "top2_accuracy": metrics.top_k_accuracy_score(targets, probs, k=2),
    }
    assert {name: three(name) for name in theirs} == pytest.approx(theirs)


@pytest.mark.parametrize("place", range(3))
def test_recalls_and_precisions_are_torchmetrics_and_scikit_learns(three, place):
    targets, predicted = GIVEN["targets"], GIVEN["probs"].argmax(axis=1)
    recall, precision = three(f"recall/{CLASSES[place]}"), three(f"precision/{CLASSES[place]}")
    assert recall == pytest.approx(TORCHMETRICS["recalls"][place], abs=1e-6)
    assert precision == pytest.approx(TORCHMETRICS["precisions"][place], abs=1e-6)
    assert recall == pytest.approx(metrics.recall_score(targets, predicted, average=None)[place])
    assert precision == pytest.approx(metrics.precision_score(targets, predicted, average=None)[place])


def test_of_two_classes_they_are_torchmetrics_and_scikit_learns_at_a_threshold(two):
    assert two("recall") == pytest.approx(TORCHMETRICS["recall_at_.3"], abs=1e-6)
    assert two("precision") == pytest.approx(TORCHMETRICS["precision_at_.3"], abs=1e-6)
    assert two("auc") == pytest.approx(TORCHMETRICS["binary_auc"], abs=1e-6)
    assert two("average_precision") == pytest.approx(TORCHMETRICS["binary_average_precision"], abs=1e-6)
    second, positive = GIVEN["second"], GIVEN["positive"]
    assert two("recall") == pytest.approx(metrics.recall_score(positive, second >= 0.3))
    assert two("precision") == pytest.approx(metrics.precision_score(positive, second >= 0.3))
    assert two("auc") == pytest.approx(metrics.roc_auc_score(positive, second))
    assert two("average_precision") == pytest.approx(metrics.average_precision_score(positive, second))
    # Ours is summed over both classes.
    assert two("brier") == pytest.approx(2 * metrics.brier_score_loss(positive, second))


def test_of_numbers_they_are_torchmetrics_and_scikit_learns():
    found = observed(Regression(), {"predicted": GIVEN["predicted"]}, GIVEN["truth"])
    for name in ("r2", "squared_error", "absolute_error"):
        assert found(name) == pytest.approx(TORCHMETRICS[name])
    pair = (GIVEN["truth"], GIVEN["predicted"])
    assert found("r2") == pytest.approx(metrics.r2_score(*pair))
    assert found("squared_error") == pytest.approx(metrics.mean_squared_error(*pair))
    assert found("absolute_error") == pytest.approx(metrics.mean_absolute_error(*pair))


def test_of_quantiles_it_is_scikit_learns():
    task = Quantiles((0.1, 0.5, 0.9))
    quantiles = GIVEN["predicted"][:, None] + np.array([-0.6, 0, 0.6])
    found = observed(task, task.named(quantiles), GIVEN["truth"])
    theirs = [
        metrics.mean_pinball_loss(GIVEN["truth"], quantiles[:, k], alpha=level)
        for k, level in enumerate(task.levels)
    ]
    assert found("pinball") == pytest.approx(np.mean(theirs))


def test_the_ece_of_equal_mass_is_netcals_and_kumars(three):
    assert three("ece") == pytest.approx(NETCAL["ece_equal_mass"])
    assert three("ece") == pytest.approx(KUMAR["ece_equal_mass"])


def test_the_ece_of_equal_width_is_another_number_on_which_others_agree(three):
    width = equal_width(SURE, RIGHT)
    assert width == pytest.approx(NETCAL["ece_equal_width"])
    assert width == pytest.approx(TORCHMETRICS["ece_equal_width"], abs=1e-6)
    assert abs(width - three("ece")) > 1e-4


def test_torchmetrics_is_wrong_at_a_confidence_of_1_where_netcal_is_right():
    confidence, correct = np.array([0.95, 0.95, 1.0, 1.0]), np.array([1.0, 1.0, 1.0, 0.0])
    right = abs(confidence.mean() - correct.mean())  # all four lie in the last bin
    assert equal_width(confidence, correct) == pytest.approx(right)
    assert ece(confidence, correct, bins=1) == pytest.approx(right)
    assert NETCAL["ece_at_1"] == pytest.approx(right)
    assert KEPT["versions"]["torchmetrics"] == "1.9.0"
    assert TORCHMETRICS["ece_at_1"] == pytest.approx(0.275, abs=1e-6)
    assert TORCHMETRICS["ece_at_1"] - right > 0.04


def test_debiased_classwise_and_smooth_errors_are_those_of_their_authors(three):
    assert KUMAR["l2_ece"] > 0
    assert l2_ece(SURE, RIGHT) == pytest.approx(KUMAR["l2_ece"])
    assert three("classwise_ece") == pytest.approx(np.mean(KUMAR["classwise"]))
    # relplot takes another grid.
    assert smooth_ece(SURE, RIGHT) == pytest.approx(RELPLOT["smooth_ece"], abs=2e-3)
