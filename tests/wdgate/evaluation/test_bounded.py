import json

import numpy as np

from data_checks.splits import Split
from wdgate.evaluation.bounded import bounded, bounded_also, reported
from wdgate.evaluation.evaluation import evaluation_of
from wdgate.evaluation.tasks import Classification
from wdgate.gates.bounds import mean_bounds

TASK = Classification(("left", "right"))


def evaluation(right, **more):
    targets = np.zeros(len(right), int)
    predicted = np.where(right, 0, 1)
    probs = np.eye(2)[predicted] * 0.8 + 0.1
    rows = Split(np.arange(len(right))[:, None], targets)
    return evaluation_of("by hand", {"probs": probs, "predicted": predicted}, rows, TASK, **more)


def test_every_score_and_metric_has_its_bounds():
    right = np.arange(100) < 90
    found = bounded(evaluation(right), TASK, 0.05)
    assert set(found) == {"accuracy", "nll", "brier", "confidence_gap", "ece", "balanced_accuracy", "auc"}
    expected = mean_bounds(right.astype(float), 0.05)
    assert found["accuracy"] == {
        "observed": expected.observed, "lower": expected.lower, "upper": expected.upper, "rows": 100
    }  # fmt: skip


def test_what_rows_do_not_determine_is_none_and_not_nan():
    assert bounded(evaluation(np.ones(50, bool)), TASK, 0.05)["auc"]["observed"] is None


def test_each_further_test_set_has_its_own_numbers():
    also = {"winter": evaluation(np.arange(40) < 20)}
    found = bounded_also(evaluation(np.ones(40, bool), also=also), TASK, 0.05)
    assert list(found) == ["winter"]
    assert (found["winter"]["accuracy"]["observed"], found["winter"]["accuracy"]["rows"]) == (0.5, 40)


def test_what_is_told_beside_the_gates_is_plain_and_empty_without_an_evaluation():
    also = {"winter": evaluation(np.arange(40) < 20)}
    ours = evaluation(np.ones(40, bool), also=also)
    found = json.loads(json.dumps(reported(ours, TASK, 0.05), allow_nan=False))
    assert found["also"]["winter"]["accuracy"]["observed"] == 0.5
    assert found["slices"] == {}
    assert reported(None, TASK, 0.05) == {"also": {}, "slices": {}, "corruptions": {}}
