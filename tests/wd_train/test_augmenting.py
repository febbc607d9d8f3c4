"""Does each change of a batch change what it says, and nothing else?"""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from data_checks.errors import DataError, TrainingError
from data_checks.splits import Split
from pipelines.sameness import same_function
from wd_train.augmenting import Erase, Flip, InTurn, Mask, Noise, Shift, Swap, in_turn
from wd_train.network import AsFloat
from wd_train.rows import Rows

SIZES = st.one_of(
    st.tuples(st.integers(1, 4), st.integers(1, 7), st.integers(1, 7)),
    st.tuples(st.integers(1, 4), st.integers(1, 7), st.integers(1, 7), st.integers(1, 3)),
)
PICTURES = arrays.arrays(st.sampled_from([np.uint8, np.float32]), SIZES, elements=st.integers(1, 255))
EVERY = [Shift(2), Flip(0.5), Erase(0.7, 0.5), Noise(0.1), Mask(0.3), Swap(0.3)]


def drawn(seed=0):
    return torch.Generator().manual_seed(seed)


@given(PICTURES, st.sampled_from([*EVERY, in_turn(*EVERY)]), st.integers(0, 99))
def test_shape_and_type_stay_the_draw_is_the_generators_and_the_batch_is_left(pictures, augment, seed):
    batch = torch.tensor(pictures)
    first, again = augment(batch, drawn(seed)), augment(batch, drawn(seed))
    assert first.shape == batch.shape
    assert first.dtype == batch.dtype
    assert torch.equal(first, again)
    assert torch.equal(batch, torch.tensor(pictures))


@given(PICTURES, st.integers(1, 9), st.integers(0, 99))
def test_shifted_pictures_are_windows_of_the_padded_ones(pictures, pixels, seed):
    colours = pictures.shape[3:]
    around = ((pixels, pixels), (pixels, pixels), *((0, 0) for _ in colours))
    for before, after in zip(pictures, Shift(pixels, 7)(torch.tensor(pictures), drawn(seed)), strict=True):
        padded = np.pad(before, around, constant_values=7)
        windows = np.lib.stride_tricks.sliding_window_view(padded, before.shape)
        assert (windows == after.numpy()).reshape(-1, before.size).all(axis=1).any()


@given(PICTURES, st.integers(0, 99))
def test_pictures_are_mirrored_or_as_they_were(pictures, seed):
    batch = torch.tensor(pictures)
    assert torch.equal(Flip(1.0)(batch, drawn(seed)), batch.flip(2))
    assert torch.equal(Flip(0.0)(batch, drawn(seed)), batch)
    for before, after in zip(batch, Flip(0.5)(batch, drawn(seed)), strict=True):
        assert torch.equal(after, before) or torch.equal(after, before.flip(1))


@given(PICTURES, st.floats(0, 1), st.integers(0, 99))
def test_one_rectangle_is_erased_at_most_so_large(pictures, most, seed):
    batch = torch.tensor(pictures)
    _, height, width, *_ = batch.shape
    assert torch.equal(Erase(0.0, most)(batch, drawn(seed)), batch)
    for before, after in zip(batch, Erase(1.0, most)(batch, drawn(seed)), strict=True):
        erased = (after == 0).reshape(height, width, -1).all(dim=2)
        rows, columns = erased.any(dim=1), erased.any(dim=0)
        assert torch.equal(erased, rows[:, None] & columns[None, :])
        assert 1 <= rows.sum() <= max(1, most * height)
        assert 1 <= columns.sum() <= max(1, most * width)
        assert torch.equal(after[~erased], before[~erased])


def test_places_of_all_kinds_are_drawn():
    pictures = torch.arange(1, 26, dtype=torch.uint8).view(1, 5, 5).expand(5_000, 5, 5)
    assert len(Shift(2)(pictures, drawn()).unique(dim=0)) == 5 * 5
    assert 0.45 < (Flip()(pictures, drawn()) != pictures).any(dim=(1, 2)).float().mean() < 0.55
    # One or two rows at any place, and as many columns: (5 + 4)^2 rectangles.
    assert len(Erase(1.0, 0.4)(pictures, drawn()).unique(dim=0)) == 81


def table(rows=2_000):
    random = np.random.default_rng(0)
    return {
        "height": torch.tensor(random.normal(170, 9, rows).astype(np.float32)),
        "code": torch.tensor(random.integers(1, 5, rows)),
        "both": torch.tensor(random.normal(size=(rows, 2)) * [1.0, 50.0]),
    }


def test_noise_has_the_size_of_each_columns_spread_and_leaves_whole_numbers():
    before, after = table(), Noise(0.1)(table(), drawn())
    assert (after["height"] - before["height"]).std() == pytest.approx(0.9, rel=0.1)
    assert (after["both"] - before["both"]).std(dim=0).numpy() == pytest.approx([0.1, 5.0], rel=0.1)
    assert torch.equal(after["code"], before["code"])


def test_noise_leaves_missing_values_and_gives_numbers_to_the_others():
    column = torch.tensor([1.0, float("nan"), 3.0])
    after = Noise(0.5)(column, drawn())
    assert after.isnan().tolist() == [False, True, False]
    assert (after != column)[[0, 2]].all()


@pytest.mark.parametrize("augment", [Mask(0.3, 9), Swap(0.3)])
def test_a_share_of_the_values_is_changed_each_on_its_own(augment):
    before, after = table()["both"].round(decimals=6), augment(table()["both"].round(decimals=6), drawn())
    changed = before != after
    assert changed.double().mean() == pytest.approx(0.3, abs=0.03)
    assert (changed[:, 0] & changed[:, 1]).double().mean() == pytest.approx(0.09, abs=0.03)


def test_masked_values_are_filled_and_swapped_ones_are_of_their_column():
    before = table()
    masked, swapped = Mask(0.3, 9)(before, drawn()), Swap(0.9)(before, drawn())
    for name, column in before.items():
        assert (masked[name][masked[name] != column] == 9).all()
        for ours, theirs in zip(column.view(2_000, -1).T, swapped[name].view(2_000, -1).T, strict=True):
            assert set(theirs.tolist()) <= set(ours.tolist())


@pytest.mark.parametrize(
    "augment", [Noise(0.1, ("height",)), Mask(0.5, 0, ("height",)), Swap(0.5, ("height",))]
)
def test_only_the_named_columns_are_changed(augment):
    before, after = table(), augment(table(), drawn())
    assert list(after) == list(before)
    assert [name for name in before if not torch.equal(before[name], after[name])] == ["height"]
    with pytest.raises(DataError, match="there is no column 'height' to augment, only weight"):
        augment({"weight": torch.zeros(3)}, drawn())


def test_changes_are_made_in_their_order():
    def plus(batch, generator):
        return batch + 1

    def double(batch, generator):
        return batch * 2

    assert in_turn(plus, double)(torch.tensor(3), drawn()) == 8
    assert in_turn()(torch.tensor(3), drawn()) == 3


def test_pipelines_can_tell_them_apart():
    assert same_function(in_turn(Shift(2), Flip()), InTurn((Shift(2), Flip())))
    assert not same_function(in_turn(Shift(2), Flip()), in_turn(Shift(1), Flip()))


@pytest.mark.parametrize("batch", [torch.zeros(3), {"a": torch.zeros(3)}])
@pytest.mark.parametrize("augment", [Shift(1), Flip(), Erase()])
def test_what_changes_pictures_refuses_other_rows(augment, batch):
    with pytest.raises(DataError, match=f"{type(augment).__name__} changes pictures .N, H, W. or"):
        augment(batch, drawn())


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Shift(0), "Shift takes a whole number of pixels of at least 1, got 0"),
        (lambda: Flip(1.1), "Flip takes a share from 0 to 1, got 1.1"),
        (lambda: Erase(0.5, -0.1), "Erase takes a share from 0 to 1, got -0.1"),
        (lambda: Mask(float("nan")), "Mask takes a share from 0 to 1, got nan"),
        (lambda: Swap(2), "Swap takes a share from 0 to 1, got 2"),
        (lambda: Noise(-1), "Noise takes a size of at least 0, got -1"),
    ],
)
def test_a_value_out_of_its_range_is_named(make, said):
    with pytest.raises(TrainingError) as raised:
        make()
    assert str(raised.value) == said


def test_rows_are_changed_in_training_alone():
    pictures = np.arange(2 * 9, dtype=np.uint8).reshape(2, 3, 3)
    rows = Rows(Split(pictures, np.array([0, 1])), AsFloat(), torch.device("cpu"), Flip(1.0))
    assert torch.equal(rows.inputs(torch.arange(2), step=1), torch.tensor(pictures).float().flip(2))
    assert torch.equal(rows.inputs(torch.arange(2)), torch.tensor(pictures).float())
