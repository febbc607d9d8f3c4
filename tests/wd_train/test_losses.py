"""Is the train loss torch's own, where torch has it, and does it weigh rows as it says?"""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from data_checks.errors import TrainingError
from data_checks.splits import Split
from wd_train.configuration import Training
from wd_train.losses import TrainLoss
from wd_train.network import AsFloat
from wd_train.rows import Rows
from wdgate.evaluation.tasks import Classification, Regression

TASK = Classification(("a", "b", "c"))
ROWS = 17
OUTPUTS = torch.randn(ROWS, 3, generator=torch.Generator().manual_seed(0))
TARGETS = np.random.default_rng(0).integers(0, 3, ROWS)
EVERY = torch.arange(ROWS)


def loss_of(weights=None, targets=TARGETS, task=TASK, **options):
    rows = Rows(Split(np.zeros((len(targets), 1)), targets, weights=weights), AsFloat(), torch.device("cpu"))
    return TrainLoss(task, rows, Training(weight_decay=0, **options))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_label_smoothing_is_torch_label_smoothing(smoothing):
    expected = cross_entropy(OUTPUTS, torch.tensor(TARGETS), label_smoothing=smoothing)
    assert loss_of(label_smoothing=smoothing).of(OUTPUTS, EVERY) == pytest.approx(float(expected), rel=1e-6)


def test_class_weights_are_torch_class_weights():
    weights = (0.5, 1.0, 3.0)
    some = torch.tensor([3, 1, 8, 8])
    expected = cross_entropy(OUTPUTS[some], torch.tensor(TARGETS)[some], weight=torch.tensor(weights))
    assert loss_of(class_weights=weights).of(OUTPUTS[some], some) == pytest.approx(float(expected), rel=1e-6)


def test_rows_weigh_their_own_weight_times_that_of_their_class():
    own, of_classes = np.linspace(0.1, 2, ROWS), np.array([0.5, 1.0, 3.0])
    losses = cross_entropy(OUTPUTS, torch.tensor(TARGETS), label_smoothing=0.2, reduction="none").numpy()
    expected = np.average(losses, weights=own * of_classes[TARGETS])
    found = loss_of(own, class_weights=tuple(of_classes), label_smoothing=0.2).of(OUTPUTS, EVERY)
    assert found == pytest.approx(expected, rel=1e-6)


@given(st.lists(st.integers(0, 2), min_size=1, max_size=30), st.booleans())
def test_balanced_classes_weigh_the_same_in_all(targets, weighted):
    targets = np.array(targets)
    own = np.linspace(0.5, 2, len(targets)) if weighted else None
    found = loss_of(own, targets, class_weights="balanced").weights.numpy()
    sums = [found[targets == c].sum() for c in set(targets)]
    np.testing.assert_allclose(sums, sums[0], rtol=1e-5)


def test_balanced_is_sklearn_balanced():
    utils = pytest.importorskip("sklearn.utils")
    expected = utils.compute_sample_weight("balanced", TARGETS)
    np.testing.assert_allclose(loss_of(class_weights="balanced").weights, expected, rtol=1e-6)


def test_rows_that_were_drawn_by_their_weights_do_not_weigh_again():
    loss = loss_of(np.linspace(0.1, 2, ROWS), sampler="weighted")
    expected = cross_entropy(OUTPUTS, torch.tensor(TARGETS))
    assert loss.weights is None
    assert loss.of(OUTPUTS, EVERY) == pytest.approx(float(expected), rel=1e-6)


@given(st.integers(0, ROWS), st.booleans())
def test_shares_put_the_mean_of_a_batch_together_from_those_of_its_parts(cut, weighted):
    loss = loss_of(np.linspace(0.1, 2, ROWS) if weighted else None, class_weights=(0.5, 1.0, 3.0))
    parts = [EVERY[:cut], EVERY[cut:]]
    together = sum(loss.of(OUTPUTS[part], part, EVERY) for part in parts)
    assert together == pytest.approx(float(loss.of(OUTPUTS, EVERY)), rel=1e-5)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"label_smoothing": 0.1}, "label_smoothing"),
        ({"class_weights": "balanced"}, "class_weights"),
        ({"class_weights": (1.0,)}, "class_weights"),
    ],
)
def test_a_regression_refuses_what_needs_classes(options, what):
    with pytest.raises(TrainingError, match=f"{what} needs classes, but the task is Regression"):
        loss_of(targets=TARGETS.astype(float), task=Regression(), **options)


def test_a_regression_is_weighed_by_its_rows():
    targets, own = TARGETS.astype(float), np.linspace(0.1, 2, ROWS)
    found = loss_of(own, targets, Regression()).of(OUTPUTS[:, :1], EVERY)
    assert found == pytest.approx(np.average((OUTPUTS[:, 0].numpy() - targets) ** 2, weights=own), rel=1e-5)


def test_there_must_be_one_weight_a_class():
    with pytest.raises(TrainingError, match="class_weights has 2 numbers, but the task has 3 classes"):
        loss_of(class_weights=(1.0, 2.0))


@given(st.sampled_from(list(product((0.0, 0.3), (None, "balanced"), (False, True)))))
def test_gradients_are_finite_for_confident_outputs(case):
    smoothing, class_weights, weighted = case
    outputs = (1e4 * OUTPUTS).requires_grad_()
    own = np.linspace(0.1, 2, ROWS) if weighted else None
    loss_of(own, label_smoothing=smoothing, class_weights=class_weights).of(outputs, EVERY).backward()
    assert outputs.grad.isfinite().all()


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_the_loss_of_classes_in_one_call_is_the_task_s_own(smoothing):
    class Same(Classification):
        """Whose loss is asked, because it is another class."""

    own = loss_of(task=Same(("a", "b", "c")), label_smoothing=smoothing).of(OUTPUTS, EVERY)
    assert loss_of(label_smoothing=smoothing).of(OUTPUTS, EVERY) == pytest.approx(float(own), rel=1e-6)


def test_a_task_of_the_user_s_own_keeps_its_loss():
    class Doubled(Classification):
        def loss(self, outputs, targets):
            return 2 * super().loss(outputs, targets)

    doubled = loss_of(task=Doubled(("a", "b", "c"))).of(OUTPUTS, EVERY)
    assert doubled == pytest.approx(2 * float(loss_of().of(OUTPUTS, EVERY)), rel=1e-6)


@pytest.mark.parametrize("class_weights", [None, "balanced"])
def test_rows_that_count_for_nothing_teach_nothing(class_weights):
    split = Split(np.zeros((4, 2)), np.array([0, 0, 1, 1]), weights=np.array([1.0, 1.0, 0.0, 0.0]))
    training = Training(weight_decay=0, class_weights=class_weights)
    loss = TrainLoss(Classification(("a", "b")), Rows(split, AsFloat(), torch.device("cpu")), training)
    assert float(loss.of(torch.ones(2, 2), torch.tensor([2, 3]))) == 0.0
    assert float(loss.of(torch.ones(2, 2), torch.tensor([0, 2]))) == pytest.approx(np.log(2))


def test_weights_below_0_are_refused():
    with pytest.raises(TrainingError, match="weights of train rows must be at least 0, got -1"):
        loss_of(weights=-np.ones(ROWS))
