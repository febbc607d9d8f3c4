import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

from data_checks.evidence import shift
from data_checks.evidence.features import columns_over, features
from data_checks.splits import Split, Splits


def part_of(inputs, **columns):
    return Split(
        inputs,
        np.zeros(len(next(iter(inputs.values())) if isinstance(inputs, dict) else inputs), int),
        **columns,
    )


def noise(rows, width=5, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, width))


def test_rows_of_one_source_cannot_be_told_apart():
    found = [
        shift.compare(part_of(noise(150, seed=2 * i)), part_of(noise(60, seed=2 * i + 1))) for i in range(100)
    ]
    assert sum(one.unlike for one in found) <= 2
    assert np.mean([one.area for one in found]) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows + np.array([0, 0, 1.5, 0, 0]),
        lambda rows: rows * [1, 1, 4, 1, 1],
        lambda rows: np.where(np.arange(5) == 2, np.where(noise(200, 5, 9) > 0, np.nan, rows), rows),
    ],
    ids=["moved", "stretched", "missing"],
)
def test_a_column_that_differs_is_found_and_named(change):
    found = shift.compare(part_of(noise(300)), part_of(change(noise(200, seed=1))))
    assert found.unlike
    assert found.columns[0] == "inputs[2]"


def test_other_texts_are_found():
    def part(words, rows):
        return part_of({"site": np.random.default_rng(rows).choice(np.array(words, object), rows)})

    assert shift.compare(part(["a", "b", None], 200), part(["b", "c"], 100)).columns == ("site",)
    assert not shift.compare(part(["a", "b", None], 200), part(["a", "b", None], 100)).unlike


def test_digits_in_file_order_are_by_other_writers():
    inputs = load_digits().data
    found = shift.compare(part_of(inputs[:897]), part_of(inputs[1097:]))
    assert found.unlike
    assert 0.65 < found.area < 0.72


def test_rows_of_a_group_count_once():
    # Two sites, each of many rows: that they differ says nothing of how they were split.
    left, right = noise(200) + 1, noise(200, seed=1)
    assert shift.compare(part_of(left), part_of(right)).unlike
    sites = [np.repeat([name], 200) for name in ("a", "b")]
    assert not shift.compare(part_of(left, groups=sites[0]), part_of(right, groups=sites[1])).unlike
    people = [np.array([f"{name}{i // 2}" for i in range(200)]) for name in ("a", "b")]
    assert shift.compare(part_of(left, groups=people[0]), part_of(right, groups=people[1])).unlike


def test_equal_rows_that_were_split_together_are_dealt_together():
    for seed in range(20):
        rows = noise(30, seed=seed)
        left, right = np.repeat(rows[:20], 15, axis=0), np.repeat(rows[20:], 15, axis=0)
        assert not shift.compare(part_of(left), part_of(right)).unlike


def test_areas_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    scores, judged = rng.integers(0, 9, (50, 4)).astype(float), rng.random((50, 4)) < 0.4
    expected = [roc_auc_score(judged[:, i], scores[:, i]) for i in range(4)]
    assert shift.areas(scores, judged).tolist() == pytest.approx(expected)


def test_the_order_of_the_rows_changes_nothing():
    rng = np.random.default_rng(0)
    left, right = part_of(noise(100)), part_of(noise(80, seed=1) + 0.5)
    mixed = [part.take(rng.permutation(len(part))) for part in (left, right)]
    assert shift.compare(left, right) == shift.compare(*mixed)


def test_pictures_and_rows_that_are_decoded_are_compared_by_blocks():
    class Pictures:
        def __init__(self, pictures):
            self.pictures = pictures

        def __len__(self):
            return len(self.pictures)

        def __getitem__(self, indices):
            return self.pictures[indices]

        def key(self, index):
            return self.pictures[index].tobytes()

    rng = np.random.default_rng(0)
    dark, light = (
        rng.integers(0, 200, (80, 16, 16, 3), np.uint8),
        rng.integers(40, 240, (80, 16, 16, 3), np.uint8),
    )
    for wrap in (np.asarray, Pictures):
        one, same, other = (
            Split(wrap(rows), np.zeros(40, int)) for rows in (dark[:40], dark[40:], light[40:])
        )
        assert len(list(columns_over([one, other]))) == 64
        assert shift.compare(one, other).unlike
        assert not shift.compare(one, same).unlike


def test_very_wide_rows_are_told_by_few_numbers():
    assert features(list(columns_over([part_of(noise(30, 400))]))).shape == (30, 256)
    assert len(list(columns_over([part_of(noise(30, 3000))]))) == 64


def test_a_split_without_anything_to_compare_is_not_unlike():
    left, right = part_of({"a": np.zeros(9)}), part_of({"b": np.zeros(9)})
    assert shift.compare(left, right) == shift.Shift(0.5, unlike=False, columns=())
    assert not shift.compare(left, left).unlike


def test_the_flags_are_of_the_split_that_was_asked_about():
    splits = Splits(part_of(noise(100)), part_of(noise(40, seed=1)), part_of(noise(90, seed=2) + 2))
    assert shift.measure_test(splits).columns["test_unlike_train"].tolist() == [False] * 140 + [True] * 90
    assert not shift.measure_validation(splits).columns["validation_unlike_train"].any()
