import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from wdgate.gates.bounds import (
    Units,
    clopper_pearson,
    effective_rows,
    linearized,
    mean_bounds,
    spread_bounds,
    studentized,
    unit_bounds,
)

ALPHAS = st.sampled_from([0.05, 0.0025])


@given(st.integers(1, 400), st.data(), ALPHAS)
def test_exact_bounds_are_scipys(rows, data, alpha):
    successes = data.draw(st.integers(0, rows))
    lower, upper = clopper_pearson(successes, rows, alpha)
    exact = stats.binomtest(successes, rows).proportion_ci(1 - 2 * alpha, "exact")
    assert np.allclose((lower, upper), (exact.low, exact.high), atol=1e-6)


@pytest.mark.parametrize("truth", [0.5, 0.88, 0.99])
@pytest.mark.parametrize("alpha", [0.05, 0.0025])
def test_an_exact_bound_never_errs_more_often_than_it_says(truth, alpha):
    chances = stats.binom(360, truth).pmf(np.arange(361))
    bounds = [clopper_pearson(successes, 360, alpha) for successes in range(361)]
    assert chances[[lower > truth for lower, _ in bounds]].sum() <= alpha
    assert chances[[upper < truth for _, upper in bounds]].sum() <= alpha


def test_scores_of_zero_and_one_are_a_proportion():
    right = np.repeat([1.0, 0.0], [654, 46])
    bounds = mean_bounds(right, 0.0025)
    assert (bounds.observed, bounds.rows) == (654 / 700, 700)
    assert (bounds.lower, bounds.upper) == clopper_pearson(654, 700, 0.0025)


def errors(draw, truth, alpha, times, groups=None):
    """How often the lower and the upper bound err over draws of scores with a known mean."""
    found = [mean_bounds(draw(), alpha, groups) for _ in range(times)]
    return np.mean([b.lower > truth for b in found]), np.mean([b.upper < truth for b in found])


def gap_of_a_good_model(generator):
    """Confidence minus correct: a little below 0 on 93.4 % of the rows, and far above it on the others."""
    right = generator.random(700) < 0.934
    return np.where(right, generator.beta(30, 1, 700), generator.beta(4, 2, 700)) - right


def test_skewed_scores_are_bounded_at_about_the_promised_rate():
    generator = np.random.default_rng(0)
    truth = 0.934 * (30 / 31 - 1) + 0.066 * 4 / 6
    lower, upper = errors(lambda: gap_of_a_good_model(generator), truth, 0.05, 1500)
    assert lower <= 0.05 + 0.012
    assert 0.03 <= upper <= 0.05 + 0.012  # Student's t alone: .064


def test_without_skewness_the_bound_is_students():
    values = np.concatenate([np.arange(-10.0, 0), np.arange(1.0, 11)])
    units = linearized(values)
    expected = stats.t(19).ppf(0.95) * values.std(ddof=1) / np.sqrt(20)
    assert np.allclose(studentized(units.mean, units.deviations, 0.05), (-expected, expected))


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=10, max_size=40, unique=True),
    ALPHAS,
    st.floats(-50, 50),
    st.floats(0.01, 9),
)
def test_bounds_lie_around_the_mean_and_move_with_the_scores(values, alpha, shift, scale):
    scores = np.array(values)
    bounds, other = mean_bounds(scores, alpha), mean_bounds(scores * scale + shift, alpha)
    assert bounds.lower <= bounds.observed <= bounds.upper
    if not np.isin(scores, (0, 1)).all() and not np.isin(scores * scale + shift, (0, 1)).all():
        assert np.isclose(other.lower, bounds.lower * scale + shift, rtol=1e-4, atol=1e-3)


def clustered(generator, groups, each, truth, alike):
    chances = generator.beta(truth * (1 / alike - 1), (1 - truth) * (1 / alike - 1), groups)
    return (generator.random(groups * each) < np.repeat(chances, each)).astype(float)


@pytest.mark.parametrize("truth", [0.5, 0.93])
def test_rows_of_one_group_are_not_taken_for_independent(truth):
    generator, groups = np.random.default_rng(0), np.repeat(np.arange(100), 50)
    lower, upper = errors(lambda: clustered(generator, 100, 50, truth, 0.2), truth, 0.05, 600, groups)
    assert max(lower, upper) <= 0.05 + 0.02
    naive, _ = errors(lambda: clustered(generator, 100, 50, truth, 0.2), truth, 0.05, 200)
    assert naive > 0.15


def test_a_group_of_equal_rows_counts_as_one_row():
    each = np.array([1.0, 0, 1, 1, 0, 1, 1, 1] * 5)
    alone = mean_bounds(each, 0.05)
    together = mean_bounds(np.repeat(each, 30), 0.05, np.repeat(np.arange(40), 30))
    assert together.lower < alone.lower + 1e-3
    assert together.upper > alone.upper - 1e-3


def test_groups_that_are_all_right_do_not_make_certainty():
    bounds = mean_bounds(np.ones(100), 0.05, np.repeat(np.arange(5), 20))
    assert np.isclose(bounds.lower, 0.05 ** (1 / 5))  # five groups, not a hundred rows


@pytest.mark.parametrize("alpha", [0.05, 0.0025])
def test_a_group_that_may_be_wrong_and_was_missed_has_its_price(alpha):
    groups, right = np.repeat(np.arange(50), 100), np.ones(5000)
    right[0] = 0.0  # the rows of a group are not copies of each other
    bounds = mean_bounds(right, alpha, groups)
    assert np.isclose(bounds.lower, bounds.observed * (4 * alpha) ** (1 / 50))
    gap = mean_bounds(right / 4, alpha, groups, span=(-1.0, 1.0))
    assert np.isclose(gap.upper, gap.observed + (1 - gap.observed) * (1 - (4 * alpha) ** (1 / 50)))


@pytest.mark.parametrize("alpha", [0.05, 0.0025])
def test_rows_that_stand_in_the_test_set_ten_times_count_once(alpha):
    copies = np.repeat(np.arange(100), 10)
    once, many = mean_bounds(np.ones(100), alpha), mean_bounds(np.ones(1000), alpha, copies)
    assert many.lower == pytest.approx(once.lower, abs=1e-12)
    gaps = [
        mean_bounds(np.full(n, 0.25), alpha, g, span=(-1.0, 1.0)) for n, g in ((100, None), (1000, copies))
    ]
    assert gaps[0].upper == pytest.approx(gaps[1].upper, abs=1e-12)


def test_many_rows_of_groups_that_are_alike_count():
    """200 groups of 50 independent rows determine a mean nearly as well as 10,000 rows do."""
    right = (np.random.default_rng(3).random(10_000) < 0.7).astype(float)
    groups = np.repeat(np.arange(200), 50)
    units = linearized(right, groups)
    assert effective_rows(units, units.mean * (1 - units.mean), 0.05) > 6_000
    alone, together = mean_bounds(right, 0.05), mean_bounds(right, 0.05, groups)
    assert together.upper - together.observed < 1.4 * (alone.upper - alone.observed)


@pytest.mark.parametrize(("count", "most"), [(29, 29), (30, 3000)])
def test_few_groups_count_as_one_row_each(count, most):
    values = np.ones(100 * count)
    values[0] = 0.0
    units = linearized(values, np.repeat(np.arange(count), 100))
    assert np.isclose(effective_rows(units, 0.0, 0.05), most)


@pytest.mark.parametrize("span", [(0.0, 1.0), (-1.0, 2.0)])
@given(st.integers(0, 100), st.sampled_from([2.0, 9.0]))
def test_more_groups_like_these_come_nearer(span, seed, times):
    generator = np.random.default_rng(seed)
    right = (generator.random(400) < generator.random()).astype(float)
    bounds = mean_bounds(right * 0.5 if span[1] > 1 else right, 0.0025, np.arange(400) // 20, span=span)
    lower, upper = bounds.on_times_the_rows(times)
    assert bounds.lower <= lower + 1e-12
    assert upper - 1e-12 <= bounds.upper
    assert (bounds.groups, bounds.on_times_the_rows(1.0)) == (20, (bounds.lower, bounds.upper))


@given(st.integers(0, 100))
def test_equal_weights_and_groups_of_one_row_change_little(seed):
    right = (np.random.default_rng(seed).random(300) < 0.8).astype(float)
    plain = mean_bounds(right, 0.05)
    for bounds in (
        mean_bounds(right, 0.05, np.arange(300)),
        mean_bounds(right, 0.05, None, np.full(300, 2.0)),
    ):
        assert np.isclose(bounds.observed, plain.observed)
        assert np.allclose((bounds.lower, bounds.upper), (plain.lower, plain.upper), atol=0.005)


def test_there_are_never_more_effective_rows_than_rows():
    values = np.tile([0.0, 1.0], 50)  # every group is half right: less variable than chance
    units = linearized(values, np.repeat(np.arange(50), 2))
    assert effective_rows(units, 0.25, 0.05) <= 100


@pytest.mark.parametrize(
    "values",
    [np.array([]), np.array([0.5, np.nan]), np.array([1.0, np.inf]), np.array([0.3]), np.full(0, np.nan)],
)
def test_what_cannot_be_bounded_is_nan(values):
    bounds = mean_bounds(values, 0.05)
    assert np.isnan(bounds.lower)
    assert np.isnan(bounds.upper)


@pytest.mark.parametrize("rows", [2, 5, 9])
def test_a_few_rows_of_equal_error_are_no_certainty(rows):
    bounds = mean_bounds(np.full(rows, 0.25), 0.0025)
    assert np.isnan([bounds.lower, bounds.upper]).all()
    assert f"there are {rows}" in bounds.remark


@pytest.mark.parametrize(("differ", "known"), [(0, False), (5, False), (6, True)])
def test_a_spread_is_known_from_a_few_rows_that_differ_on(differ, known):
    """ln(1 / alpha) of them at alpha .0025 are 6."""
    values = np.full(400, 0.3) + 1e-17
    values[:differ] = 7.0 + np.arange(differ)
    bounds = mean_bounds(values, 0.0025)
    assert np.isfinite(bounds.lower) == known
    assert bool(bounds.remark) != known
    assert np.isfinite(bounds.on_times_the_rows(2.0)[0]) == (differ > 0)


def test_errors_of_zero_and_one_are_no_share():
    """An exact model of whole numbers: what it does on the rows that were not drawn, they do not say."""
    exact = np.zeros(400)
    assert np.isnan(mean_bounds(exact, 0.0025, span=(0.0, np.inf)).upper)
    assert mean_bounds(exact, 0.0025, span=(0.0, 1.0)).upper < 0.02
    assert mean_bounds(exact, 0.0025, span=(0.0, 2.0)).upper == pytest.approx(2 * (1 - 0.0025 ** (1 / 400)))


def test_rows_without_weight_are_no_rows():
    values, weights = np.random.default_rng(0).normal(size=1000), np.zeros(1000)
    weights[:40] = 1.0
    some, alone = mean_bounds(values, 0.0025, None, weights), mean_bounds(values[:40], 0.0025)
    assert np.allclose((some.lower, some.upper), (alone.lower, alone.upper), rtol=1e-12)
    assert np.isnan(mean_bounds(values, 0.0025, None, np.where(np.arange(1000) < 9, 1.0, 0.0)).lower)


@pytest.mark.parametrize("alpha", [0.05, 0.0025])
@pytest.mark.parametrize(("big", "count"), [(300, 100), (1000, 100), (2000, 1000)])
def test_one_group_that_is_much_larger_takes_degrees_of_freedom(big, count, alpha):
    """They are those of the groups as Kish counts them; with those of all groups .29 erred, not .05."""
    sizes, draw, rounds = np.r_[big, np.full(count - 1, 10)], np.random.default_rng(0), 4_000
    weights = sizes / sizes.sum()
    values = draw.normal(0, 0.5, (rounds, count)) + draw.normal(size=(rounds, count)) / sizes**0.5
    mean = values @ weights
    units = Units(mean, weights * (values - mean[:, None]), sizes.astype(float), float(sizes.sum()))
    wrong = (spread_bounds(units, alpha)[0] > 0).mean()
    assert wrong <= 1.3 * alpha + 3.5 * (alpha / rounds) ** 0.5


def test_blocks_that_differ_by_a_row_are_thirty():
    """3,001 rows in 30 blocks make 29.9999 as Kish counts them: no cliff to one row a block."""
    right = (np.random.default_rng(0).random(3001) < 0.95).astype(float)
    blocks = [mean_bounds(right[:n], 0.0025, np.arange(n) * 30 // n) for n in (3000, 3001)]
    assert blocks[0].lower == pytest.approx(blocks[1].lower, abs=0.02)


def test_one_group_alone_bounds_nothing():
    bounds = mean_bounds(np.array([0.2, 0.4, 0.9]), 0.05, np.zeros(3))
    assert np.isnan(bounds.lower)
    right = mean_bounds(np.array([1.0, 1.0, 0.0]), 0.05, np.zeros(3))
    assert not right.lower > 0.1


@pytest.mark.parametrize("rows", [20, 50, 360])
def test_a_score_that_is_alike_on_every_row_seen_leaves_room_for_those_not_seen(rows):
    """(confidence - correct) of a model that is .99 confident and right in .93 of cases: its mean is +.06."""
    generator, alpha, rounds = np.random.default_rng(0), 0.05, 2000
    gaps = 0.99 - (generator.random((rounds, rows)) < 0.93)
    wrong = sum(mean_bounds(gap, alpha, span=(-1.0, 1.0)).upper < 0.06 for gap in gaps)
    assert wrong / rounds <= alpha + 3 * (alpha * (1 - alpha) / rounds) ** 0.5


def test_a_few_groups_in_which_everything_is_wrong_are_not_forgotten():
    """30 groups of 20 rows, of which one in fifty is broken as a whole."""
    generator, alpha, rounds = np.random.default_rng(1), 0.05, 1000
    groups = np.repeat(np.arange(30), 20)
    wrong = 0
    for _ in range(rounds):
        broken = np.repeat(generator.random(30) < 0.02, 20)
        right = (generator.random(600) < 0.97) & ~broken
        wrong += mean_bounds(right.astype(float), alpha, groups).lower > 0.98 * 0.97
    assert wrong / rounds <= alpha + 3 * (alpha * (1 - alpha) / rounds) ** 0.5


@pytest.mark.parametrize("proportion", [True, False])
def test_several_test_sets_at_once_have_the_bounds_of_each(proportion):
    draw = np.random.default_rng(0)
    shares = draw.integers(0, 5, (20, 30)) / 4 if proportion else draw.normal(size=(20, 30)) ** 3
    shares[0] = 1.0  # all units alike
    lower, upper = unit_bounds(linearized(shares), 0.0025, proportion, (-1.0, 1.0))
    each = [unit_bounds(linearized(one), 0.0025, proportion, (-1.0, 1.0)) for one in shares]
    assert np.allclose(np.transpose([lower, upper]), each, rtol=0, atol=1e-12)


def test_the_means_of_groups_stand_for_their_rows():
    draw = np.random.default_rng(0)
    right = (draw.random(120) < 0.8).astype(float)
    groups = np.arange(120) // 4
    bounds = mean_bounds(right, 0.05, groups)
    means = linearized(right.reshape(30, 4).mean(axis=1), each=4)
    assert np.allclose(unit_bounds(means, 0.05, True), (bounds.lower, bounds.upper), rtol=0, atol=1e-12)
