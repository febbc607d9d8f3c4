import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_wine

from data_checks.evidence.clusters import clusters
from data_checks.splits import Split


def as_split(inputs):
    return Split(inputs, np.zeros(len(inputs), int))


def changed(table):
    """Each way in which a row may stand in a set again."""
    one_cell = table[:5].copy()
    one_cell[:, 2] += 3
    return {"equal": table[:5], "noise": table[:5] + 1e-5, "one cell": one_cell}


@pytest.mark.parametrize("how", ["equal", "noise", "one cell"])
def test_a_row_that_stands_there_again_is_of_the_cluster_of_the_first(how):
    table = np.random.default_rng(0).normal(size=(200, 6))
    found = clusters(as_split(np.vstack([table, changed(table)[how]])))
    assert found[200:].tolist() == [0, 1, 2, 3, 4]
    assert found[:200].tolist() == list(range(200))


def test_a_chain_of_rows_is_one_cluster():
    table = np.random.default_rng(0).normal(size=(200, 6))
    changes = changed(table)
    found = clusters(as_split(np.vstack([table, changes["one cell"], changes["one cell"] + 1e-5])))
    assert found[205:].tolist() == [0, 1, 2, 3, 4]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 9999))
def test_rows_that_are_appended_leave_the_others_where_they_are(seed):
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(120, 6))
    grown = np.vstack([table, table[rng.integers(0, 120, 10)], rng.normal(size=(20, 6))])
    assert clusters(as_split(grown))[:120].tolist() == clusters(as_split(table)).tolist()


@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
def test_honest_rows_are_alone(load):
    data = load().data
    assert clusters(as_split(data)).tolist() == list(range(len(data)))


def test_few_rows_and_none_are_no_trouble():
    assert clusters(as_split(np.zeros((3, 5)))).tolist() == [0, 0, 0]
    assert clusters(as_split(np.zeros((0, 5)))).tolist() == []


def test_pictures_that_are_changed_ones_of_each_other_are_of_one_cluster():
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (150, 6, 6))
    pictures = np.kron(coarse, np.ones((4, 4), int)).astype(np.uint8)
    flipped = pictures[:20, :, ::-1]
    found = clusters(as_split(np.concatenate([pictures, flipped])))
    assert found[:150].tolist() == list(range(150))
    assert (found[150:] == np.arange(20)).mean() > 0.8
