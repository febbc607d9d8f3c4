import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine

from data_checks.evidence import pairs
from data_checks.splits import Split, Splits


def splits_of(inputs, targets):
    order = np.random.default_rng(0).permutation(len(targets))
    parts = np.split(order, [len(order) // 2, 3 * len(order) // 4])
    return Splits(*[Split({n: c[rows] for n, c in inputs.items()}, targets[rows]) for rows in parts])


def told(inputs, targets):
    evidence = pairs.measure(splits_of(inputs, targets))
    assert evidence.columns["proxy_pairs"].max() == len(evidence.facts)
    return [proxy.name for proxy in evidence.facts]


def noise(rows, seed):
    return np.random.default_rng(seed).normal(size=rows)


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_diabetes])
def test_honest_tables_have_no_pair(load):
    data = load()
    assert told({f"c{i}": column for i, column in enumerate(data.data.T)}, data.target) == []


A, Y = noise(200, 0), np.arange(200) % 2


@pytest.mark.parametrize(
    ("left", "right", "said"),
    [
        (5 * A, Y - 5 * A, "the sum of a and b"),
        (5 * A + Y, 5 * A, "the difference of a and b"),
        (np.exp(A) * (1 + Y), np.exp(A), "the ratio of a to b"),
        (np.exp(9 * A) * (1 + Y), np.exp(-9 * A), "the product of a and b"),
        (A, np.where(Y == 1, A, noise(200, 1)), "whether a equals b"),
        (
            np.array(["x", "y"], object)[(A > 0) * 1],
            np.array(["x", "y"], object)[(A > 0) ^ Y],
            "whether a equals b",
        ),
        (np.array(["x", "y"], object)[(A > 0) * 1], ((A > 0) ^ Y).astype(float), "the categories of a and b"),
    ],
)
def test_two_columns_that_decide_together_are_found(left, right, said):
    assert said in told({"a": left, "b": right, "plain": noise(200, 2)}, Y)


def test_values_are_found_too():
    values = noise(100, 3)
    assert told({"a": 9 * A[:100], "b": values - 9 * A[:100], "c": noise(100, 4)}, values) == [
        "the sum of a and b"
    ]


def test_a_column_that_decides_alone_is_no_pair():
    assert told({"a": Y + 0.0, "b": A, "c": noise(200, 5)}, Y) == []


@pytest.mark.parametrize(("width", "said"), [(2, "whole input"), (41, "too many"), (3, "")])
def test_too_few_and_too_many_columns_say_why(width, said):
    reason = pairs.why_not(splits_of({f"c{i}": A for i in range(width)}, Y))
    assert said in reason
    assert bool(reason) == bool(said)
