import math

import numpy as np
import pytest

from wdgate.evaluation.evaluation import Evaluation
from wdgate.evaluation.tasks import Classification
from wdgate.gates.bounds import clopper_pearson
from wdgate.gates.gates import Case, at_least, at_most, check_gates, no_worse
from wdgate.gates.measuring import improvement, incomparable, measured
from wdgate.gates.paired import difference_bounds

TASK = Classification(("cat", "dog", "bird"))
TWO = Classification(("no", "yes"))


def model(seed, rows=300, task=TASK, **more):
    """An evaluation of a model that is right on about two of three rows; the rows are always the same."""
    classes = len(task.classes)
    targets = np.random.default_rng(0).integers(0, classes, rows)
    generator = np.random.default_rng(seed + 1)
    probs = generator.dirichlet(np.ones(classes), rows) + np.eye(classes)[targets] / 2
    probs /= probs.sum(axis=1, keepdims=True)
    predictions = {"probs": probs, "predicted": probs.argmax(axis=1)}
    scores = task.scores(predictions, targets)
    metrics = task.metrics(predictions, targets, None)
    return Evaluation(f"m{seed}", "rows", predictions, targets, scores, metrics, {}, **more)


@pytest.mark.parametrize("name", ["recall/cat", "precision/cat", "top2_accuracy"])
def test_shares_have_exact_bounds(name):
    evaluation = model(0)
    targets, predicted = evaluation.targets, evaluation.predictions["predicted"]
    rows = {"recall/cat": targets == 0, "precision/cat": predicted == 0}.get(name, targets >= 0)
    true = np.take_along_axis(evaluation.predictions["probs"], targets[:, None], axis=1)
    second = (evaluation.predictions["probs"] > true).sum(axis=1) < 2
    right = (second if name == "top2_accuracy" else predicted == targets)[rows]
    found = measured(name, evaluation, TASK, 0.0025)
    assert (found.lower, found.upper) == clopper_pearson(right.sum(), len(right), 0.0025)
    assert found.rows == len(right)


@pytest.mark.parametrize("name", [n for n, best in TASK.higher_is_better.items() if best is not None])
def test_everything_that_has_a_better_side_is_bounded_alone_and_against_another(name):
    ours, theirs = model(0), model(1)
    check_gates(
        [(at_least if TASK.higher_is_better[name] else at_most)(name, 0.5), no_worse(name, 0.1)], TASK
    )
    assert incomparable(name, ours, theirs) is None
    alone, there = (measured(name, one, TASK, 0.05) for one in (ours, theirs))
    change = improvement(name, ours, theirs, TASK, 0.05)
    back = improvement(name, theirs, ours, TASK, 0.05)
    assert alone.lower <= alone.observed <= alone.upper
    assert change.lower < change.observed < change.upper
    sign = 1 if TASK.higher_is_better[name] else -1
    assert np.isclose(change.observed, sign * (alone.observed - there.observed))
    assert np.isclose(change.lower, -back.upper)


def test_recalls_are_compared_on_the_rows_of_the_class():
    ours, theirs = model(0), model(1)
    rows = ours.targets == 1
    expected = difference_bounds(ours.scores["accuracy"][rows], theirs.scores["accuracy"][rows], 0.05)
    found = improvement("recall/dog", ours, theirs, TASK, 0.05)
    assert (found.lower, found.upper) == (expected.lower, expected.upper)


def test_groups_widen_the_bounds_of_a_recall():
    alone, grouped = model(0), model(0, groups=np.arange(300) // 20)
    assert measured("recall/cat", grouped, TASK, 0.05).lower < measured("recall/cat", alone, TASK, 0.05).lower


def answer(gate, evaluation, task):
    """A gate's first answer."""
    return gate.answer(Case(evaluation, None, None, task, 0.0025))[0]


def test_few_rows_of_the_rarer_class_are_said_and_let_nothing_pass():
    evaluation = model(0, rows=12, task=TWO)
    said = answer(at_least("auc", 0.1), evaluation, TWO)
    assert (said.status, said.blocks) == ("not applicable", True)
    assert "it takes 10 independent rows of each class, and of class" in said.sentence
    evaluation.predictions["predicted"][:] = evaluation.targets
    assert answer(at_least("recall/yes", 0.99), evaluation, TWO).status == "inconclusive"


def test_a_class_that_is_never_predicted_has_no_precision():
    evaluation = model(0, rows=40, task=TWO)
    evaluation.predictions["predicted"][:] = 0
    said = answer(at_least("precision/yes", 0.5), evaluation, TWO)
    assert "no test row is predicted to be of class yes" in said.sentence
    assert said.blocks


def test_a_calibration_gate_says_what_a_perfect_model_would_show():
    said = answer(at_most("ece", 0.001), model(0, task=TWO), TWO)
    assert "; a perfectly calibrated model would show 0.0" in said.sentence
    assert said.sentence.endswith("on as many rows.")


def test_a_share_is_said_in_percent_of_its_class():
    said = answer(at_least("recall/yes", 0.1), model(0, task=TWO), TWO)
    assert said.sentence.startswith("Recall of class yes is ")
    assert " % on " in said.sentence
    assert math.isclose(said.limit, 0.1)
