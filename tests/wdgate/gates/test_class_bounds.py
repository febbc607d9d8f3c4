import numpy as np

from wdgate.gates.bounds import Bounds
from wdgate.gates.class_bounds import balanced_bounds, mean_over_classes, rows_of_classes
from wdgate.gates.paired import tango

TWO = ("common", "rare")


def bounds_of(right, targets, groups=None, alpha=0.05, weights=None):
    """Bounds of the balanced accuracy of rows that are right or not."""
    return balanced_bounds(np.asarray(right, float), np.asarray(targets), TWO, groups, weights, alpha)


def test_differences_of_two_classes_are_added_as_squares():
    each = iter([Bounds(0.5, 0.2, 0.6, 3), Bounds(0.1, -0.3, 0.4, 3)])
    found = mean_over_classes(lambda rows, share: next(each), np.array([0, 0, 1]), TWO, None, 0.05)
    assert np.isclose(found.observed, 0.3)
    assert np.isclose(found.lower, 0.3 - np.hypot(0.3, 0.4) / 2)
    assert np.isclose(found.upper, 0.3 + np.hypot(0.1, 0.3) / 2)


def test_paired_differences_of_few_rows_err_no_more_often_than_they_say():
    generator, alpha, sizes = np.random.default_rng(0), 0.05, (9, 30)
    for gain, loss in [(0, 0.1), (0.1, 0.2), (0.03, 0.06)]:
        counts = [generator.multinomial(n, [gain, loss, 1 - gain - loss], 20_000).T for n in sizes]
        lower = [
            tango(up * 1.0, down * 1.0, n, alpha)[0] for (up, down, _), n in zip(counts, sizes, strict=True)
        ]
        observed = [(up - down) / n for (up, down, _), n in zip(counts, sizes, strict=True)]
        below = np.hypot(observed[0] - lower[0], observed[1] - lower[1]) / 2
        assert (np.mean(observed, axis=0) - below > gain - loss + 1e-12).mean() <= alpha


def test_groups_of_several_classes_make_the_classes_dependent():
    targets = np.arange(80) % 2
    right = np.arange(80) % 10 > 0
    mixed, pure = np.arange(80) // 4, np.arange(80) // 4 * 2 + targets
    assert bounds_of(right, targets, mixed).lower < bounds_of(right, targets, pure).lower


def test_weights_count_as_fewer_rows_and_equal_ones_as_none():
    right, targets = np.arange(80) % 10 > 0, np.arange(80) % 2
    equal, unequal = np.ones(80), np.where(np.arange(80) % 4 < 2, 1.0, 9.0)
    plain = bounds_of(right, targets)
    assert bounds_of(right, targets, weights=equal).lower <= plain.lower + 1e-9
    assert bounds_of(right, targets, weights=unequal).lower < plain.lower


def test_more_rows_bring_the_bounds_nearer():
    found = bounds_of([1, 1, 0, 1] * 5, [0, 0, 1, 1] * 5)
    lower, upper = found.on_times_the_rows(4)
    assert found.lower < lower < found.observed < upper < found.upper


def test_a_class_that_no_row_has_leaves_the_mean_unknown():
    found = bounds_of([1, 1], [0, 0])
    assert np.isnan([found.observed, found.lower, found.upper]).all()
    assert found.remark == "no test row is of class rare"


def test_groups_and_weights_count_as_fewer_rows():
    targets = np.array([0, 0, 0, 1])
    assert rows_of_classes(targets, 2, None, None).tolist() == [3, 1]
    assert rows_of_classes(targets, 3, np.array([7, 7, 8, 8]), None).tolist() == [1.8, 1, 0]
    assert rows_of_classes(targets, 2, None, np.array([1.0, 1, 0, 5])).tolist() == [2, 1]
