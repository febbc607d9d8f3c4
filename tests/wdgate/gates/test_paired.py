import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from wdgate.gates.paired import difference_bounds, mcnemar_mid_p, tango


@pytest.mark.parametrize(
    ("better", "worse", "rows", "expected"),
    [
        # Fagerland, Lydersen & Laake (2014): airway hyper-responsiveness, and complete response to therapy.
        (1, 7, 21, (-0.517, -0.026)),
        (6, 16, 161, (-0.1240, -0.0054)),
    ],
)
def test_published_intervals_are_reproduced(better, worse, rows, expected):
    assert np.allclose(tango(better, worse, rows, 0.025), expected, atol=5e-4)


def score_by_search(better, worse, rows, difference):
    """Tango's statistic, with the likeliest nuisance probability searched for instead of solved for."""

    def against(share):
        cells = np.array([share + difference, share, 1 - 2 * share - difference])
        return -(np.array([better, worse, rows - better - worse]) * np.log(cells)).sum()

    low, high = max(0, -difference) + 1e-12, (1 - difference) / 2 - 1e-12
    share = optimize.minimize_scalar(
        against, bounds=(low, high), method="bounded", options={"xatol": 1e-13}
    ).x
    return (better - worse - rows * difference) / np.sqrt(rows * (2 * share + difference - difference**2))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 500), st.sampled_from([0.05, 0.0025]))
def test_an_independent_search_for_the_likeliest_share_agrees(better, worse, others, alpha):
    rows = better + worse + others
    lower, upper = tango(better, worse, rows, alpha)
    quantile = stats.norm.ppf(1 - alpha)
    assert np.isclose(score_by_search(better, worse, rows, lower), quantile, atol=1e-2)
    assert np.isclose(score_by_search(better, worse, rows, upper), -quantile, atol=1e-2)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 500))
def test_bounds_lie_around_the_difference_and_turn_round_with_it(better, worse, others):
    rows = better + worse + others + 1
    lower, upper = tango(better, worse, rows, 0.0025)
    assert -1 <= lower <= (better - worse) / rows <= upper <= 1
    assert np.allclose(tango(worse, better, rows, 0.0025), (-upper, -lower))


@pytest.mark.parametrize("alpha", [0.05, 0.0025])
def test_a_model_at_the_margin_passes_about_as_often_as_promised(alpha):
    generator = np.random.default_rng(0)
    counts = generator.multinomial(700, [0.015, 0.045, 0.94], size=20_000)
    kinds, times = np.unique(counts[:, :2], axis=0, return_counts=True)
    passed = [tango(better, worse, 700, alpha)[0] >= -0.03 for better, worse in kinds]
    assert times[passed].sum() / 20_000 <= alpha * 1.2 + 0.001


def test_equal_models_are_told_not_worse_by_three_points_on_700_rows():
    """What the digits pipeline asks: 2 % expected disagreement, at alpha .05 over 20 looks."""
    assert tango(7, 7, 700, 0.0025)[0] > -0.03
    assert tango(9, 11, 700, 0.0025)[0] > -0.03
    assert tango(0, 21, 700, 0.0025)[0] < -0.03


def test_no_disagreement_is_not_certainty():
    lower, upper = tango(0, 0, 700, 0.0025)
    assert -0.02 < lower < 0 < upper < 0.02
    alike = np.ones(300)
    assert difference_bounds(alike, alike, 0.0025, np.repeat(np.arange(10), 30)).lower < -0.3


def pairs(generator, groups, each, alike=0.1):
    """Right and wrong rows of two models; the first is 2 points worse, more so in some groups."""
    chances = generator.dirichlet(np.array([0.04, 0.06, 0.9]) * (1 / alike - 1), groups)
    place = generator.random(groups * each)[:, None] > np.cumsum(np.repeat(chances, each, axis=0), axis=1)
    kind = place.sum(axis=1)
    return (kind != 1).astype(float), (kind != 0).astype(float)


def test_pairs_of_one_group_are_not_taken_for_independent():
    generator, groups = np.random.default_rng(0), np.repeat(np.arange(100), 50)
    drawn = [pairs(generator, 100, 50) for _ in range(600)]
    erred = np.mean([difference_bounds(*pair, 0.05, groups).lower > -0.02 for pair in drawn])
    naive = np.mean([difference_bounds(*pair, 0.05).lower > -0.02 for pair in drawn])
    assert erred <= 0.05 + 0.02
    assert naive > 0.15


def test_other_scores_are_compared_by_their_differences():
    generator = np.random.default_rng(0)
    theirs = generator.exponential(size=400)
    bounds = difference_bounds(theirs + generator.normal(0.1, 0.2, 400), theirs, 0.05)
    assert bounds.lower < 0.1 < bounds.upper
    assert bounds.upper - bounds.lower < 0.05  # pairing takes out what the rows have in common


def test_rows_that_are_equal_for_both_models_tell_nothing_of_errors_without_an_end():
    """|error| differs on 2 % of 100 rows: were the bound what was observed, a worse model passed in .145."""
    draw, passed = np.random.default_rng(0), 0
    for _ in range(400):
        theirs = draw.random(100) + 1
        ours = theirs - (draw.random(100) < 0.02) * 1.05 / 0.02
        passed += difference_bounds(ours, theirs, 0.0025).lower >= -1
    assert passed <= 4
    alike = difference_bounds(theirs, theirs, 0.0025)
    assert np.isnan(alike.lower)
    assert "differ" in alike.remark


def test_errors_of_zero_and_one_are_compared_as_errors():
    ours, theirs = np.zeros(400), np.repeat([0.0, 1.0], 200)
    error = difference_bounds(ours, theirs, 0.0025, share=False)
    assert error.lower != difference_bounds(ours, theirs, 0.0025).lower
    assert np.isnan(difference_bounds(ours, ours, 0.0025, share=False).lower)


@pytest.mark.parametrize("alpha", [0.05, 0.0025])
def test_copies_of_rows_are_one_pair(alpha):
    one = np.ones(1000)
    copies = difference_bounds(one, one, alpha, np.repeat(np.arange(100), 10)).lower
    assert copies <= difference_bounds(one[:100], one[:100], alpha).lower + 1e-12


@pytest.mark.parametrize("ours", [np.array([]), np.array([1.0, np.nan])])
def test_what_cannot_be_compared_is_nan(ours):
    assert np.isnan(difference_bounds(ours, np.ones(len(ours)), 0.05).lower)


def test_groups_that_a_model_breaks_as_a_whole_do_not_let_it_pass():
    """100 groups of 10 rows: a loss of 3 points, all of it in few groups, at the edge of the margin.

    No sample of fewer than 99 groups can tell: one in 20 has none of them.
    """
    generator, alpha, rounds = np.random.default_rng(2), 0.05, 600
    groups, wrong = np.repeat(np.arange(100), 10), 0
    for _ in range(rounds):
        theirs = generator.random(1000) < 0.97
        ours = theirs & ~np.repeat(generator.random(100) < 0.03 / 0.97, 10)
        wrong += difference_bounds(ours.astype(float), theirs.astype(float), alpha, groups).lower >= -0.03
    assert wrong / rounds <= alpha + 3 * (alpha * (1 - alpha) / rounds) ** 0.5


@given(st.integers(0, 500), st.integers(0, 500))
def test_mcnemars_mid_p_is_the_exact_binomial_test_less_half_of_what_was_observed(better, worse):
    exact = stats.binomtest(better, better + worse, 0.5, "greater").pvalue if better + worse else 1.0
    expected = exact - stats.binom.pmf(better, better + worse, 0.5) / 2
    assert np.isclose(mcnemar_mid_p(better, worse), expected, rtol=1e-9, atol=1e-300)


def test_the_published_mid_p_is_reproduced():
    # Fagerland, Lydersen & Laake (2013), two-sided: airway hyper-responsiveness, and complete response.
    assert round(2 * mcnemar_mid_p(7, 1), 4) == 0.0391
    assert round(2 * mcnemar_mid_p(16, 6), 4) == 0.0347


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=9))
def test_mid_p_of_many_pairs_is_that_of_each_and_turns_round_with_it(pairs):
    better, worse = np.array(pairs).T
    many = mcnemar_mid_p(better, worse)
    assert np.array_equal(many, [mcnemar_mid_p(int(b), int(w)) for b, w in pairs])
    assert np.allclose(many + mcnemar_mid_p(worse, better), 1.0)


@pytest.mark.parametrize("alpha", [0.05, 0.0025])
@pytest.mark.parametrize("chance", [0.01, 0.03, 0.1])
def test_of_two_equal_models_mid_p_calls_one_better_about_as_often_as_promised(alpha, chance):
    better, worse = np.arange(120)[:, None], np.arange(120)[None, :]
    shares = stats.multinomial.pmf(
        np.stack(np.broadcast_arrays(better, worse, np.maximum(360 - better - worse, 0)), -1),
        360,
        [chance, chance, 1 - 2 * chance],
    )
    assert shares[mcnemar_mid_p(better, worse) <= alpha].sum() <= alpha * 1.1
