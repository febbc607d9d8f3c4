import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from data_checks.evidence import neighbours
from data_checks.evidence.index import index_rows
from data_checks.evidence.neighbours import nearest
from data_checks.splits import Split


def as_split(inputs):
    return Split(inputs, np.zeros(len(inputs), int))


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 9999), st.integers(12, 400), st.integers(4, 30), st.integers(1, 40), st.integers(3, 100)
)
def test_they_are_those_that_a_search_tree_finds(seed, rows, width, asked, at_once):
    rng = np.random.default_rng(seed)
    train, own = rng.normal(size=(rows, width)), rng.normal(size=(asked, width))
    index = index_rows(as_split(train), asked)
    neighbours._TRAIN_ROWS_AT_ONCE, kept = at_once, neighbours._TRAIN_ROWS_AT_ONCE
    found, apart = nearest(index, own, 5)
    neighbours._TRAIN_ROWS_AT_ONCE = kept
    scale = index.space.scale
    distances, expected = cKDTree(train / scale).query(own / scale, k=5)
    assert found.tolist() == expected.tolist()
    np.testing.assert_allclose(np.sqrt(np.square(apart).sum(2)), distances, atol=1e-9)


def test_rows_that_are_not_finite_are_nobodys_neighbours():
    train = np.random.default_rng(0).normal(size=(50, 5))
    train[3] = np.nan
    found, _ = nearest(index_rows(as_split(train), 10), train[:3], 40)
    assert 3 not in found


def test_of_equal_rows_the_order_decides_nothing():
    rng = np.random.default_rng(0)
    train = np.repeat(rng.normal(size=(30, 5)), 2, axis=0)
    order = rng.permutation(60)
    found, _ = nearest(index_rows(as_split(train), 10), train[:5] + 0.1, 4)
    other, _ = nearest(index_rows(as_split(train[order]), 10), train[:5] + 0.1, 4)
    assert np.array_equal(train[found], train[order][other])
