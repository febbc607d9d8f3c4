import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics
from torch import nn

from data_checks.errors import DataError, ModelError, PipelineError
from data_checks.splits import Split
from wd_train.export import export
from wd_train.training import Training, train
from wdgate.evaluation.evaluation import evaluate
from wdgate.evaluation.onnx_file import OnnxModel
from wdgate.evaluation.quantiles import Quantiles
from wdgate.gates.gates import Case, skill, within

TASK = Quantiles((0.05, 0.5, 0.95))


def made_up(seed, rows, levels=3):
    generator = np.random.default_rng(seed)
    return generator.normal(size=(rows, levels)), generator.normal(size=rows)


@given(st.integers(0, 1000), st.integers(1, 40))
def test_pinball_is_scikit_learns(seed, rows):
    quantiles, targets = made_up(seed, rows)
    found = TASK.scores(TASK.named(quantiles), targets)["pinball"].mean()
    theirs = [metrics.mean_pinball_loss(targets, quantiles[:, k], alpha=q) for k, q in enumerate(TASK.levels)]
    assert found == pytest.approx(np.mean(theirs))


@given(st.integers(0, 1000))
def test_the_loss_is_the_score(seed):
    quantiles, targets = made_up(seed, 9)
    loss = TASK.loss(torch.tensor(quantiles), torch.tensor(targets))
    np.testing.assert_allclose(loss, TASK.scores(TASK.named(quantiles), targets)["pinball"])


def test_a_fleet_of_networks_has_the_losses_of_its_members():
    outputs, targets = torch.randn(4, 9, 3, generator=torch.Generator().manual_seed(0)), torch.arange(9.0)
    fleet = torch.func.vmap(TASK.loss, in_dims=(0, None))(outputs, targets)
    torch.testing.assert_close(fleet, torch.stack([TASK.loss(member, targets) for member in outputs]))


def test_crossing_quantiles_are_told_and_not_sorted():
    crossed = np.array([[3.0, 2.0, 1.0], [1.0, 2.0, 2.0]])
    named = TASK.named(crossed)
    assert named["quantiles"].tolist() == crossed.tolist()
    scores = TASK.scores(named, np.array([2.0, 2.0]))
    assert scores["crossing"].tolist() == [1.0, 0.0]
    # Nothing lies between 3 and 1.
    assert scores["coverage_gap"].round(3).tolist() == [-0.9, 0.1]


@pytest.mark.parametrize(
    ("levels", "expected"),
    [((0.1, 0.5, 0.9), 1), ((0.1, 0.9), 0.5), ((0.6, 0.9), 0), ((0.1, 0.3), 1), ((0.2,), 0)],
)
def test_predicted_is_the_median_or_the_middle(levels, expected):
    columns = np.arange(float(len(levels)))[None]
    assert Quantiles(levels).named(columns)["predicted"].tolist() == [expected]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.floats(-1e6, 1e6))
def test_no_constant_is_better_than_the_constant(values, other):
    targets = np.array(values)
    ours = TASK.scores(TASK.constant(targets, len(targets)), targets)["pinball"].mean()
    theirs = TASK.scores(TASK.named(np.full((len(targets), 3), other)), targets)["pinball"].mean()
    assert ours <= theirs + 1e-6 * max(1, abs(theirs))


def test_one_level_has_no_interval():
    task = Quantiles((0.5,))
    assert "coverage_gap" not in task.higher_is_better
    assert set(task.scores(task.named(np.zeros((2, 1))), np.zeros(2))) == set(task.higher_is_better) - {"r2"}


@pytest.mark.parametrize(
    "levels", [(), (0.5, 0.1), (0.1, 0.1), (0, 0.5), (0.5, 1), (float("nan"),), ("a",), 0.5]
)
def test_levels_that_are_none_are_refused(levels):
    with pytest.raises(PipelineError, match="levels must be ascending numbers above 0 and below 1"):
        Quantiles(levels)


GOOD = TASK.named(np.zeros((2, 3)))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            {"quantiles": np.zeros((2, 2))},
            r"quantiles has shape \(2, 2\), expected \(2, 3\): a row",
        ),
        ({"quantiles": np.full((2, 3), np.nan)}, "quantiles is NaN or infinite on 2 of 2 rows"),
        ({"predicted": np.array([0.0, np.inf])}, "predicted is NaN or infinite on 1 of 2 rows"),
        ({"quantiles": np.full((2, 3), "a")}, "quantiles is <U1, expected numbers"),
    ],
)
def test_outputs_that_are_none_of_this_task_are_refused(wrong, sentence):
    with pytest.raises(ModelError, match=sentence):
        TASK.scores({**GOOD, **wrong}, np.zeros(2))


def test_outputs_that_are_not_there_and_targets_that_are_no_numbers_are_refused():
    with pytest.raises(ModelError, match="gives predicted, expected an output named quantiles"):
        TASK.scores({"predicted": np.zeros(2)}, np.zeros(2))
    with pytest.raises(DataError, match="targets are NaN or infinite on 1 of 2 rows"):
        TASK.scores(GOOD, np.array([0.0, np.nan]))


def test_the_file_gives_quantiles_and_the_middle():
    torch.manual_seed(0)
    split = Split(np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32), np.zeros(12))
    network = torch.nn.Linear(3, 3)
    found = OnnxModel(export(network, TASK, split).onnx).predict(split.inputs)
    with torch.no_grad():
        np.testing.assert_allclose(found["quantiles"], network(torch.tensor(split.inputs)), atol=1e-6)
    np.testing.assert_array_equal(found["predicted"], found["quantiles"][:, 1])


def test_a_trained_file_covers_as_many_rows_as_it_should():
    def rows(seed, count=4000):
        inputs = np.random.default_rng(seed).uniform(size=(count, 1)).astype(np.float32)
        return Split(inputs, inputs[:, 0] * (1 + np.random.default_rng(seed + 1).normal(size=count)))

    training = Training(epochs=12, learning_rate=0.02, weight_decay=0.0, batch_size=200)
    trained = train(lambda split: nn.Linear(1, 3), None, rows(0), rows(2, 200), TASK, training)
    test = rows(4)
    found = evaluate(export(trained.network, TASK, test).onnx, test, TASK, corruptions=())
    case = Case(found, None, None, TASK, 0.0025)
    answers = [gate.answer(case) for gate in (within("coverage_gap", 0.05), skill())]
    assert [answer[0].status for answer in answers] == ["passed", "passed"]
    assert found.scores["crossing"].mean() < 0.05


def test_a_weighted_constant_has_the_quantiles_of_rows_as_often_as_they_weigh():
    generator = np.random.default_rng(0)
    targets, weights = generator.normal(size=50), generator.integers(1, 5, 50)
    task = TASK
    weighted = task.constant(targets, 2, weights.astype(float))["quantiles"]
    assert weighted == pytest.approx(task.constant(np.repeat(targets, weights), 2)["quantiles"])
