import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wdgate.evaluation.temperature import _folds, fit_temperature, nll_at, temperature


def made_up(seed, rows, true=1.0, classes=3):
    """Logits, and targets drawn from them at a temperature: above 1 the model is too sure of itself."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2, (rows, classes))
    noise = generator.gumbel(size=logits.shape)
    return logits, (logits / true + noise).argmax(axis=1)


@given(st.integers(0, 1000), st.integers(3, 60), st.floats(0.1, 10))
def test_the_loss_at_a_temperature_is_torchs(seed, rows, value):
    logits, targets = made_up(seed, rows)
    cooled = torch.tensor(logits) / value
    expected = torch.nn.functional.cross_entropy(cooled, torch.tensor(targets), reduction="none")
    assert np.allclose(nll_at(logits, targets, value), expected.numpy())


def test_it_is_fitted_where_torchs_gradient_is_0():
    logits, targets = made_up(0, 2000, true=2.0)
    value = torch.tensor(fit_temperature(logits, targets), dtype=torch.float64, requires_grad=True)
    torch.nn.functional.cross_entropy(torch.tensor(logits) / value, torch.tensor(targets)).backward()
    assert abs(value.grad.item()) < 1e-5
    assert abs(value.item() - 2) < 0.25


@pytest.mark.parametrize("true", [0.5, 2.0])
def test_a_temperature_that_helps_is_used(true):
    found = temperature(*made_up(0, 1000, true))
    assert found.value == found.fitted
    assert abs(np.log(found.value / true)) < 0.2
    assert 0 < found.lower < found.gain < found.upper


def test_a_calibrated_model_is_left_alone_as_often_as_promised():
    used = [temperature(*made_up(seed, 150)).value != 1 for seed in range(150)]
    assert np.mean(used) <= 0.05 + 0.04


def test_the_gain_is_measured_on_rows_that_it_was_not_fitted_on():
    logits, targets = made_up(1, 20)
    found = temperature(logits, targets)
    own = nll_at(logits, targets, 1.0).mean() - nll_at(logits, targets, found.fitted).mean()
    assert own >= 0
    assert found.gain < own


def test_rows_of_one_group_are_one_row_and_change_nothing():
    logits, targets = made_up(0, 240, 2.0)
    found = temperature(logits, targets, 0.05, np.zeros(240))
    assert found.value == 1
    assert found.fitted == 1
    assert np.isnan(found.lower)


def test_whole_groups_are_dealt_to_folds():
    logits, targets = made_up(0, 200, 2.0)
    groups = np.arange(200) // 20
    fold = _folds(200, groups)
    assert all(len(np.unique(fold[groups == one])) == 1 for one in range(10))
    assert np.unique(fold).tolist() == [0, 1, 2, 3, 4]
    assert temperature(logits, targets, 0.05, groups).fitted == temperature(logits, targets).fitted


def test_weights_count():
    logits, targets = made_up(0, 600, 3.0)
    twice = np.repeat(np.arange(600), np.arange(600) % 2 + 1)
    weighted = fit_temperature(logits, targets, np.arange(600) % 2 + 1.0)
    assert np.isclose(weighted, fit_temperature(logits[twice], targets[twice]), rtol=1e-4)


def test_too_few_rows_change_nothing():
    for rows in (0, 1):
        found = temperature(*made_up(0, rows))
        assert (found.value, found.as_dict()["lower"]) == (1.0, None)


def test_probabilities_of_0_are_no_obstacle():
    with np.errstate(divide="ignore"):
        logits = np.log(np.array([[1.0, 0.0], [0.5, 0.5], [1.0, 0.0], [0.9, 0.1]] * 20))
    found = temperature(logits, np.array([0, 1, 0, 1] * 20))
    assert np.isfinite(found.gain)
    assert 0.05 <= found.fitted <= 20
