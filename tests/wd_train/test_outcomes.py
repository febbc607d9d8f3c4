"""Does a training leave what it can be compared by, and is a damaged file of it never used?"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from data_checks.splits import Split
from wd_train import outcomes
from wd_train.network import AsFloat
from wd_train.outcomes import (
    CorruptedRows,
    Diverged,
    Outcome,
    corrupted_positions,
    load_outcome,
    outcome_of,
    save_outcome,
)
from wdgate.evaluation.robustness import corrupted, corruptions_for
from wdgate.evaluation.tasks import Classification, Regression

TASK = Classification(("low", "high"))


def pictures(n=12, seed=0):
    rng = np.random.default_rng(seed)
    inputs = rng.integers(0, 17, (n, 6, 6)).astype(np.uint8)
    return Split(inputs, rng.integers(0, 2, n))


def net_for(split, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(split.inputs[0].size, 2))


def outcome(**changes):
    values = {
        "predictions": {"probs": np.eye(2, dtype=np.float32), "predicted": np.arange(2)},
        "corrupted": np.array([0.5, 1.0]),
        "losses": ((1, 0.7, 0.1), (2, 0.5, 0.2)),
        "best_epoch": 2,
        "seconds": 0.25,
        "norm_ratio": 0.9,
    }
    return Outcome(**{**values, **changes})


def test_predictions_are_those_of_the_network_in_the_order_of_the_rows():
    split = pictures()
    net = net_for(split)
    probs = net(torch.from_numpy(split.inputs).float()).softmax(1)
    found = outcome_of(net, AsFloat(), split, TASK, best_epoch=3, seconds=2.0, norm_ratio=0.5)
    np.testing.assert_allclose(found.predictions["probs"], probs.detach().numpy(), atol=1e-6)
    assert (found.best_epoch, found.seconds, found.norm_ratio) == (3, 2.0, 0.5)


def test_the_corrupted_score_is_the_mean_over_the_cells_that_a_judgement_uses():
    split = pictures()
    net = net_for(split)
    (rows, cells), *_ = corrupted(split, np.arange(len(split)), corruptions_for(split.inputs), 512)
    right = [net(torch.from_numpy(cell).float()).argmax(1).numpy() == split.targets[rows] for cell in cells]
    found = outcome_of(net, AsFloat(), split, TASK)
    np.testing.assert_allclose(found.corrupted, np.mean(right, axis=0))
    assert len(right) == 30


def test_columns_of_a_mapping_are_corrupted_and_codes_are_not():
    rng = np.random.default_rng(0)
    split = Split({"size": rng.normal(size=40), "code": np.arange(40) % 3}, rng.normal(size=40))

    class Columns(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 1)

        def forward(self, inputs):
            return self.layer(torch.stack([inputs["size"], inputs["code"]], dim=1))

    assert len(outcome_of(Columns(), AsFloat(), split, Regression()).corrupted) == 40
    only_codes = Split(split.inputs["code"][:, None], np.arange(40) % 2)
    assert outcome_of(nn.Linear(1, 2), AsFloat(), only_codes, TASK).corrupted is None


def test_all_members_see_the_same_corrupted_rows_made_once(monkeypatch):
    split = pictures()
    made = []
    monkeypatch.setattr(outcomes, "corrupted", lambda *given: made.append(1) or corrupted(*given))
    worse = CorruptedRows(split, AsFloat())
    nets = [net_for(split, seed) for seed in (0, 1)]
    shared = [outcome_of(net, AsFloat(), split, TASK, corrupted_rows=worse) for net in nets]
    times = len(made)
    alone = [outcome_of(net, AsFloat(), split, TASK) for net in nets]
    for a, b in zip(shared, alone, strict=True):
        np.testing.assert_array_equal(a.corrupted, b.corrupted)
    assert times < len(made) - times


def test_rows_too_large_to_keep_are_made_again_and_score_the_same(monkeypatch):
    split = pictures()
    kept = outcome_of(net_for(split), AsFloat(), split, TASK).corrupted
    monkeypatch.setattr(outcomes, "KEPT", 0)
    worse = CorruptedRows(split, AsFloat())
    for _ in range(2):
        again = outcome_of(net_for(split), AsFloat(), split, TASK, corrupted_rows=worse).corrupted
        np.testing.assert_array_equal(again, kept)


def test_at_most_500_rows_are_corrupted_and_which_ones_does_not_depend_on_their_order():
    split = pictures(700)
    order = np.random.default_rng(1).permutation(700)
    chosen = corrupted_positions(split)
    mixed = order[corrupted_positions(split.take(order))]
    assert len(chosen) == 500
    assert set(chosen) == set(mixed)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_outputs_that_are_not_finite_are_no_outcome(value):
    split = pictures()
    net = net_for(split)
    with torch.no_grad():
        net[1].weight[0, 0] = value
    assert outcome_of(net, AsFloat(), split, TASK) is None


def test_an_outcome_comes_back_from_its_file_as_it_was(tmp_path):
    for number, there in enumerate([outcome(), outcome(corrupted=None, losses=())]):
        path = tmp_path / "deeper" / f"{number}.npz"
        save_outcome(path, there)
        back = load_outcome(path)
        np.testing.assert_array_equal(back.predictions["probs"], there.predictions["probs"])
        assert back.predictions["probs"].dtype == np.float32
        assert (back.losses, back.best_epoch, back.seconds, back.norm_ratio) == (there.losses, 2, 0.25, 0.9)
        assert (back.corrupted is None) == (there.corrupted is None)
    assert sorted(p.name for p in path.parent.iterdir()) == ["0.npz", "1.npz"]


def test_a_member_that_diverged_comes_back_with_its_reason(tmp_path):
    save_outcome(tmp_path / "a.npz", Diverged("its loss was nan at step 3"))
    assert load_outcome(tmp_path / "a.npz") == Diverged("its loss was nan at step 3")


@settings(max_examples=100, deadline=None)
@given(length=st.integers(0, 2000), flip=st.integers(0, 255))
def test_a_truncated_or_damaged_file_is_never_another_outcome(tmp_path_factory, length, flip):
    path = tmp_path_factory.mktemp("damaged") / "a.npz"
    save_outcome(path, outcome())
    whole = path.read_bytes()
    place = length % len(whole)
    damaged = whole[:place] + (bytes([whole[place] ^ flip]) + whole[place + 1 :] if flip else b"")
    path.write_bytes(damaged)
    back = load_outcome(path)
    if back is not None:
        np.testing.assert_array_equal(back.predictions["probs"], np.eye(2))
        assert (back.losses, back.norm_ratio) == (outcome().losses, 0.9)


def test_a_missing_file_is_no_outcome(tmp_path):
    assert load_outcome(tmp_path / "none.npz") is None
