import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.impute import SimpleImputer

from data_checks.evidence import filling
from data_checks.splits import Split, Splits


def splits_of(inputs, seed=0):
    order = np.random.default_rng(seed).permutation(len(inputs))
    parts = np.split(order, [len(order) // 2, 3 * len(order) // 4])
    return Splits(*[Split(inputs[rows], rows % 2) for rows in parts])


def with_gaps(rows=300, seed=0, columns=3):
    rng = np.random.default_rng(seed)
    table = rng.gamma(2.0, size=(rows, columns))
    table[:, 0][rng.random(rows) < 0.1] = np.nan
    return splits_of(table, seed)


def filled(splits, strategy, over):
    imputer = SimpleImputer(strategy=strategy)
    imputer.fit(np.concatenate([splits.named()[name].inputs for name in over]))
    return Splits(*[Split(imputer.transform(p.inputs), p.targets) for p in splits.named().values()])


def told(splits):
    evidence = filling.measure(splits)
    assert evidence.columns["filled_on_more"].max() == len(evidence.facts)
    return [(fact.name, fact.how, fact.over) for fact in evidence.facts]


@pytest.mark.parametrize("strategy", ["mean", "median"])
@pytest.mark.parametrize("over", [("train", "test"), ("train", "validation", "test")])
def test_gaps_filled_with_what_test_says_are_found(strategy, over):
    found = [told(filled(with_gaps(seed=seed), strategy, over)) for seed in range(10)]
    hows = {(name, how) for one in found for name, how, _ in one}
    assert hows == {("inputs[0]", f"gaps filled with the {strategy}")}
    # A median of all is in some of them within a few rows of train's, which says nothing.
    assert sum(map(bool, found)) >= (10 if strategy == "mean" else 5)
    assert strategy == "median" or all(one[0][2] == over for one in found)


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent"])
def test_gaps_filled_with_what_train_says_are_fine(strategy):
    for seed in range(10):
        assert told(filled(with_gaps(seed=seed), strategy, ("train",))) == []


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_diabetes])
def test_honest_tables_have_no_filled_gap(load):
    data = load(scaled=False) if load is load_diabetes else load()
    for seed in range(10):
        assert told(splits_of(data.data, seed)) == []


def test_whole_numbers_filled_with_a_mean_are_found():
    rng = np.random.default_rng(0)
    table = rng.integers(0, 90, (300, 2)).astype(float)
    table[:, 0][rng.random(300) < 0.1] = np.nan
    found = told(filled(splits_of(table), "mean", ("train", "test")))
    assert [name for name, _, _ in found] == ["inputs[0]"]


def test_zeros_that_are_there_by_nature_are_no_gaps():
    for seed in range(10):
        rng = np.random.default_rng(seed)
        table = np.where(rng.random((300, 3)) < 0.3, 0.0, rng.normal(size=(300, 3)) - 0.01)
        assert told(splits_of(table, seed)) == []
