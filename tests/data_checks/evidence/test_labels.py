import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits, make_blobs

from data_checks.evidence import labels
from data_checks.splits import Split, Splits


def blobs(seed=0, rows=600, spread=1.5):
    inputs, targets = make_blobs(rows, 5, centers=3, cluster_std=spread, random_state=seed)
    return splits_of(inputs, targets, seed)


def splits_of(inputs, targets, seed=0):
    order = np.random.default_rng(seed).permutation(len(targets))
    parts = np.split(order, [6 * len(order) // 10, 7 * len(order) // 10])
    return Splits(*[Split(inputs[rows], targets[rows]) for rows in parts])


def flipped(splits, share=0.05, seed=0):
    """The splits with a share of wrong train labels, and where."""
    rng = np.random.default_rng(seed)
    train, classes = splits.train, int(splits.train.targets.max()) + 1
    wrong = rng.permutation(len(train)) < share * len(train)
    targets = np.where(wrong, (train.targets + rng.integers(1, classes, len(train))) % classes, train.targets)
    return Splits(Split(train.inputs, targets), splits.validation, splits.test), wrong


def test_wrong_labels_among_well_separated_classes_are_found():
    for seed in range(5):
        splits, wrong = flipped(blobs(seed), seed=seed)
        evidence = labels.measure(splits)
        found = evidence.columns["mislabelled"][: len(wrong)]
        assert found[wrong].mean() >= 0.7
        assert not found[~wrong].any()
        right = blobs(seed).train.targets
        assert (evidence.columns["mislabelled_as"][: len(wrong)][found] == right[found]).all()


def test_wrong_labels_of_digits_are_found():
    data = load_digits()
    splits, wrong = flipped(splits_of(data.data, data.target))
    found = labels.measure(splits).columns["mislabelled"][: len(wrong)]
    assert found[wrong].mean() >= 0.75
    assert found[~wrong].mean() < 0.005


@pytest.mark.parametrize("spread", [1.0, 3.0, 6.0, 12.0])
def test_honest_labels_are_not_complained_of_however_much_classes_overlap(spread):
    for seed in range(5):
        evidence = labels.measure(blobs(seed, spread=spread))
        assert not evidence.columns["mislabelled"].any()
        assert evidence.columns["mislabelled_as"].max() == -1


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 99))
def test_the_order_of_the_rows_changes_nothing(seed):
    splits, _ = flipped(blobs(seed), seed=seed)
    order = np.random.default_rng(seed).permutation(len(splits.train))
    mixed = Splits(splits.train.take(order), splits.validation, splits.test)
    plain, other = (labels.measure(some).columns["mislabelled"] for some in (splits, mixed))
    assert plain[: len(order)][order].tolist() == other[: len(order)].tolist()
    assert plain[len(order) :].tolist() == other[len(order) :].tolist()


def test_depth_is_the_ratio_of_the_fifth_nearest_distances():
    part = blobs(rows=200).train
    index = labels.points(part)
    around = labels.look_around(index, index, alone=False)
    values = index.values / labels.fit_space(Split(index.values, index.labels)).scale
    for row in range(0, len(index.labels), 17):
        apart = np.sqrt(((values - values[row]) ** 2).sum(1))
        apart[row] = np.inf
        fifth = [np.sort(apart[index.labels == c])[4] for c in range(3)]
        own = fifth.pop(index.labels[row])
        assert around.depth[row] == pytest.approx(own / min(fifth), rel=1e-6)


def test_a_class_that_train_hardly_has_is_not_judged():
    splits = blobs()
    targets = np.where(np.arange(len(splits.test)) < 30, 7, splits.test.targets)
    odd = Splits(splits.train, splits.validation, Split(splits.test.inputs, targets))
    assert not labels.measure(odd).columns["mislabelled"].any()


def test_rows_with_gaps_are_left_out():
    splits, wrong = flipped(blobs())
    splits.train.inputs[np.flatnonzero(wrong)[0]] = np.nan
    found = labels.measure(splits).columns["mislabelled"]
    assert not found[np.flatnonzero(wrong)[0]]
    assert found.sum() > 10


def test_pictures_are_compared_by_blocks():
    rng = np.random.default_rng(0)
    targets = np.arange(300) % 2
    pictures = rng.integers(0, 99, (300, 16, 16), np.uint8)
    pictures[:, :8] += (targets * 100).astype(np.uint8)[:, None, None]
    splits, wrong = flipped(splits_of(pictures, targets))
    assert labels.measure(splits).columns["mislabelled"][: len(wrong)][wrong].mean() > 0.5


@pytest.mark.parametrize(
    ("inputs", "targets", "said"),
    [
        (np.zeros((300, 2)), np.linspace(0, 1, 300), "values"),
        (np.array([["a"]] * 300, object), np.arange(300) % 2, "without numbers"),
        (np.zeros((60, 2)), np.arange(60) % 2, "must have 50"),
        (np.full((300, 2), np.nan), np.arange(300) % 2, "must have 50"),
        (np.zeros((300, 2)), np.arange(300), "no two classes"),
        (np.zeros((300, 2)), np.arange(300) % 2, ""),
    ],
)
def test_what_neighbours_cannot_judge_says_why(inputs, targets, said):
    reason = labels.why_not(splits_of(inputs, targets))
    assert said in reason
    assert bool(reason) == bool(said)
