import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris

from data_checks.evidence import balance, ranges
from data_checks.splits import Split, Splits


def splits_of(train, test):
    def part(values):
        return Split({"x": values}, np.zeros(len(values), int))

    return Splits(part(train), part(train[:5]), part(test))


def told(train, test):
    evidence = ranges.measure(splits_of(train, test))
    flags = evidence.columns["columns_outside"]
    assert not flags[: -len(test)].any()
    assert set(flags[-len(test) :]) == {len(evidence.facts)}
    return [(found.rows, found.is_text) for found in evidence.facts]


@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
def test_rows_of_one_source_stay_in_range(load):
    for seed in range(30):
        order = np.random.default_rng(seed).permutation(len(load().data))
        parts = [Split(load().data[rows], rows) for rows in np.split(order, [80, 110])]
        assert ranges.measure(Splits(*parts)).facts == ()


def test_values_beyond_train_are_found_and_counted():
    train, test = np.linspace(0, 1, 300), np.linspace(0, 1, 100)
    test[:9], test[9:11] = 2.0, -1.0
    assert told(train, test) == [(11, False)]
    assert told(-train, -test) == [(11, False)]
    assert told(train, np.where(test > 1, np.nan, test)) == []


def test_few_of_many_rows_may_lie_outside():
    train = np.linspace(0, 1, 300)
    assert told(train, np.r_[np.full(5, 2.0), np.linspace(0, 1, 995)]) == []
    assert told(train, np.r_[np.full(50, 2.0), np.linspace(0, 1, 950)]) == [(50, False)]


def test_moments_have_a_range_too():
    days = np.datetime64("2024-01-01") + np.arange(300)
    assert told(days[:200], days[200:]) == [(100, False)]


def test_texts_that_train_has_not_are_found_unless_texts_are_all_different():
    rng = np.random.default_rng(0)
    few, other = rng.choice(np.array(["a", "b", None], object), 300), np.array(["c"] * 50, object)
    assert told(few, np.r_[few[:50], other]) == [(50, True)]
    assert told(few, few[:50]) == []
    names = np.array([f"n{i}" for i in range(400)], object)
    assert told(names[:300], names[300:]) == []


def test_how_many_rows_are_likely_beyond_is_seen_in_random_orders():
    limit = ranges.likely_beyond(40, 20, 0.01)
    rng = np.random.default_rng(0)
    beyond = []
    for _ in range(2000):
        ranks = rng.permutation(60)
        beyond.append((ranks[40:] > ranks[:40].max()).sum())
    assert np.mean(np.array(beyond) > limit) <= 0.01


@pytest.mark.parametrize(
    ("counts", "rare"),
    [([50, 50], {}), ([50, 9], {1: 9}), ([2000, 15], {1: 15}), ([900, 10, 90], {}), ([10, 0, 10], {})],
)
def test_rare_classes_are_counted(counts, rare):
    targets = np.repeat(np.arange(len(counts)), counts)
    assert balance.rare_classes(targets) == rare
    part = Split(np.zeros((len(targets), 1)), targets)
    flags = balance.measure(Splits(part, part, part))["rare_classes"]
    assert flags.tolist() == [len(rare)] * len(part) + [0] * 2 * len(part)
