import json

import numpy as np
import pytest

from data_checks.splits import Split
from wdgate.evaluation.corruption_errors import corruption_errors
from wdgate.evaluation.evaluation import evaluate, evaluation_of
from wdgate.evaluation.tasks import Classification, Regression

TASK = Classification(("left", "right"))
ROWS = 40


def evaluation(right, under, weights=None, some=None):
    """Of a model that is right on some rows, and under each corruption on some of those at `some`."""
    targets = np.zeros(ROWS, int)
    predictions = {"probs": np.tile([0.6, 0.4], (ROWS, 1)), "predicted": np.where(right, 0, 1)}
    worse = {f"corrupted_accuracy/{name}": np.asarray(values, float) for name, values in under.items()}
    worse["corrupted_accuracy"] = np.mean(list(worse.values()), axis=0)
    means = {name: (float(np.mean(values)),) * 5 for name, values in under.items()}
    split = Split(np.arange(ROWS)[:, None] * 1.0, targets, weights=weights)
    return evaluation_of("x", predictions, split, TASK, worse=worse, robustness=means, corrupted_rows=some)


def test_errors_are_told_beside_the_clean_one_and_the_worst_by_name():
    rows = np.arange(ROWS)
    found = corruption_errors(evaluation(rows < 36, {"blur": rows < 20, "shift": rows < 32}), TASK)
    assert found.clean == pytest.approx(0.1)
    assert found.by_name == pytest.approx({"blur": 0.5, "shift": 0.2})
    assert (found.mean, found.relative, found.ratio) == pytest.approx((0.35, 0.25, 3.5))
    assert found.worst == "blur"
    told = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert told["by_severity"]["blur"] == [0.5] * 5


def test_the_clean_error_is_that_of_the_rows_that_were_corrupted_by_their_weights():
    rows, some = np.arange(ROWS), np.arange(20, ROWS)
    weights = np.where(rows >= 30, 3.0, 1.0)
    found = corruption_errors(evaluation(rows < 30, {"blur": np.zeros(20)}, weights, some), TASK)
    assert (found.clean, found.mean) == pytest.approx((0.75, 1.0))


def test_a_model_without_errors_has_no_ratio_and_rows_without_corruptions_no_errors():
    found = corruption_errors(evaluation(np.ones(ROWS, bool), {"blur": np.ones(ROWS)}), TASK)
    assert np.isnan(found.ratio)
    assert found.as_dict()["corruption_error_ratio"] is None
    targets = np.zeros(ROWS)
    plain = evaluation_of("x", {"predicted": targets}, Split(targets[:, None], targets), Regression())
    assert corruption_errors(plain, Regression()) is None


def test_the_error_of_a_regression_is_its_absolute_error(adder):
    size = np.linspace(0, 9, 50).astype(np.float32)
    split = Split({"size": size, "count": np.arange(50) % 3}, (size + np.arange(50) % 3).astype(float))
    found = corruption_errors(evaluate(adder, split, Regression()), Regression())
    assert found.clean == pytest.approx(0, abs=1e-5)
    assert 0 < found.mean < 3
