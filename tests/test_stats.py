"""Intervals, variance, comparisons and pass@k, against closed forms, scipy and brute force."""

import itertools

import numpy as np
import pandas as pd
import pytest
from rectify import comparisons
from rectify.comparisons import (
    Pair,
    bootstrap,
    bootstrap_interval,
    compare,
    compare_rows,
    flipped_sums,
    holm,
    paired,
    sign_flip,
    sign_flip_of_mean,
    smallest_difference,
)
from rectify.io import StepError
from rectify.stats import average_at_n, interval, mean_of_benchmarks, outcomes, pass_at_k
from rectify.variance import variance_split
from scipy import stats

EXACT = {"grader": "corrected", "rounding": "exact"}


def scores_of(correct, benchmark="a"):
    """Scores from outcomes [problems, seeds, samples]."""
    correct = np.asarray(correct)
    index = pd.MultiIndex.from_product(
        map(range, correct.shape), names=["problem_id", "seed", "sample"]
    )
    frame = pd.DataFrame({"correct": correct.astype(bool).ravel()}, index=index).reset_index()
    return frame.assign(benchmark=benchmark)


def drawn(rng, accuracies, seeds=1, samples=16):
    """Outcomes [problems, seeds, samples] of problems with these accuracies."""
    return rng.random((len(accuracies), seeds, samples)) < np.reshape(accuracies, (-1, 1, 1))


# the interval of a cell


def coverage(problems, mean, concentration, draws=4000):
    """Percent of draws in which the interval has the mean of the population of problems."""
    rng = np.random.default_rng([problems, int(1000 * mean), concentration])
    shape = (draws, problems)
    share = rng.beta(mean * concentration, (1 - mean) * concentration, shape)
    accuracies = rng.binomial(16, share) / 16
    bounds = np.array([interval(row) for row in accuracies])
    return 100 * np.mean((bounds[:, 0] <= mean) & (mean <= bounds[:, 1]))


@pytest.mark.parametrize("mean", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("problems", [30, 40, 272, 500])
def test_the_interval_covers_the_truth_95_times_in_100(problems, mean):
    assert 94 < coverage(problems, mean, 1) < 96


@pytest.mark.parametrize(
    ("problems", "mean", "least", "most"),
    [
        (30, 0.02, 95, 98), (30, 0.1, 93, 96), (40, 0.99, 95, 98),
        (272, 0.05, 94, 96), (272, 0.01, 94, 98), (500, 0.98, 94, 96),
    ],
)  # fmt: skip
def test_near_the_edges_the_interval_errs_on_the_wide_side(problems, mean, least, most):
    assert least < coverage(problems, mean, 1) < most


def test_far_from_the_edges_and_with_many_problems_it_is_the_t_interval():
    rng = np.random.default_rng(0)
    accuracies = rng.beta(2, 2, 500)
    expected = stats.t.interval(0.95, 499, accuracies.mean(), stats.sem(accuracies))
    assert interval(accuracies) == pytest.approx(expected, abs=5e-4)


def test_with_one_sample_it_is_wilsons_interval():
    """Then problems are trials; the two quarter problems count for little among 500."""
    right = 200
    accuracies = np.repeat([1.0, 0.0], [right, 500 - right])
    wilson = stats.binomtest(right, 500).proportion_ci(method="wilson")
    assert interval(accuracies) == pytest.approx((wilson.low, wilson.high), abs=5e-4)


def test_no_problem_solved_is_not_certainty():
    low, high = interval(np.zeros(30))
    assert low == 0
    wilson = stats.binomtest(0, 30).proportion_ci(method="wilson")  # 30 problems, 0 solved
    assert high == pytest.approx(wilson.high, rel=0.05)
    mirrored = interval(np.ones(30))
    assert mirrored == pytest.approx((1 - high, 1 - low))


def test_the_means_interval_adds_up_symmetric_ones_like_errors():
    rng = np.random.default_rng(1)
    cells = [average_at_n(scores_of(drawn(rng, rng.beta(2, 2, n)))) for n in (500, 675)]
    mean = mean_of_benchmarks(cells)
    assert mean.high - mean.low == pytest.approx(2 * 1.96 * mean.stderr, rel=0.01)
    assert mean.low < mean.accuracy < mean.high


def test_outcomes_must_be_complete():
    scores = scores_of(np.ones((3, 2, 4)))
    problems, correct = outcomes(scores.sample(frac=1, random_state=0))
    assert list(problems) == [0, 1, 2]
    assert correct.shape == (3, 2, 4)
    for broken in (scores.iloc[1:], pd.concat([scores, scores.iloc[:1]])):
        with pytest.raises(StepError, match="3 problems x 2 seeds x 4 samples"):
            outcomes(broken)


# pass@k


@pytest.mark.parametrize("k", [1, 2, 4, 8])
def test_pass_at_k_is_the_share_of_subsets_with_a_right_sample(k):
    rng = np.random.default_rng(2)
    correct = drawn(rng, rng.beta(0.5, 0.5, 6), seeds=2, samples=8)
    shares = [
        [np.mean([any(subset) for subset in itertools.combinations(row, k)]) for row in problem]
        for problem in correct
    ]
    means = 100 * np.mean(shares, axis=1)
    cell = pass_at_k(scores_of(correct), k)
    assert cell.accuracy == pytest.approx(means.mean())
    assert cell.stderr == pytest.approx(stats.sem(means))


def test_pass_at_1_is_the_average_and_pass_at_n_whether_any_is_right():
    correct = drawn(np.random.default_rng(3), np.linspace(0, 0.3, 20))
    scores = scores_of(correct)
    assert pass_at_k(scores, 1).accuracy == pytest.approx(average_at_n(scores).accuracy)
    assert pass_at_k(scores, 16).accuracy == pytest.approx(100 * correct.any(axis=2).mean())
    with pytest.raises(StepError, match="only 16 samples"):
        pass_at_k(scores, 32)


# components of variance


def test_components_are_found_again():
    """Outcomes of known spread: problem 0.2, seed 0.08, interaction 0.2, the rest is sampling."""
    rng = np.random.default_rng(4)
    expected = {"problem": 0.04, "seed": 0.0064, "interaction": 0.04}
    found = []
    for _ in range(300):
        effects = [
            np.sqrt(variance) * rng.choice([-1, 1], shape)
            for variance, shape in zip(
                expected.values(), ((30, 1, 1), (1, 5, 1), (30, 5, 1)), strict=True
            )
        ]
        split = variance_split(scores_of(rng.random((30, 5, 8)) < 0.5 + sum(effects)))
        found.append([split.problem, split.seed, split.interaction, split.sampling])
    sampling = 0.25 - sum(expected.values())  # of all outcomes' variance at 50 %
    assert np.mean(found, axis=0) == pytest.approx([*expected.values(), sampling], rel=0.06)


def test_with_one_seed_the_parts_add_up_to_the_standard_error():
    scores = scores_of(drawn(np.random.default_rng(5), np.linspace(0, 1, 40)))
    split = variance_split(scores)
    assert split.seed is None
    assert split.interaction is None
    parts = split.of_mean["problem"] + split.of_mean["sampling"]
    assert np.sqrt(parts) == pytest.approx(average_at_n(scores).stderr)


def test_negative_components_are_zero_and_a_split_needs_two_of_each():
    """Each problem solved once in two samples: less spread between problems than by chance."""
    split = variance_split(scores_of([[[0, 1], [1, 0]], [[1, 0], [0, 1]]]))
    assert (split.problem, split.seed, split.interaction) == (0, 0, 0)
    assert split.sampling == pytest.approx(0.5)
    for shape in ((1, 1, 4), (4, 1, 1)):
        with pytest.raises(StepError, match="it needs 2"):
            variance_split(scores_of(np.zeros(shape)))


# comparisons


def test_the_distribution_of_flipped_sums_is_the_enumerations():
    steps = np.array([3, -1, 0, 2, 2, -5])
    sums = [np.dot(signs, steps) for signs in itertools.product((1, -1), repeat=len(steps))]
    total = np.abs(steps).sum()
    for flipped, chance in enumerate(flipped_sums(steps)):
        assert chance == pytest.approx(np.mean(np.array(sums) == total - 2 * flipped))


@pytest.mark.parametrize("shift", [0.0, 0.15, 0.4])
def test_the_sign_flip_test_is_scipys_exact_permutation_test(shift):
    rng = np.random.default_rng(6)
    first = drawn(rng, np.linspace(shift, 0.6 + shift, 10), samples=8)
    second = drawn(rng, np.linspace(0, 0.6, 10), samples=8)
    expected = stats.permutation_test(
        (first.mean(axis=(1, 2)), second.mean(axis=(1, 2))),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples", vectorized=True, n_resamples=np.inf,
    )  # fmt: skip
    pair = paired(scores_of(first), scores_of(second))
    assert sign_flip(pair.steps) == pytest.approx(expected.pvalue)


def test_many_problems_agree_with_the_normal_distribution():
    steps = np.random.default_rng(7).integers(-16, 19, 675)
    z = steps.sum() / np.sqrt((steps**2).sum())
    assert sign_flip(steps) == pytest.approx(2 * stats.norm.sf(abs(z)), rel=0.02)


def test_equal_methods_have_p_1():
    scores = scores_of(drawn(np.random.default_rng(8), np.full(5, 0.5)))
    for difference in compare(scores, scores, ["a"], EXACT).values():
        assert difference.p_value == 1
        assert (difference.difference, difference.low, difference.high) == (0, 0, 0)
        assert np.isnan(difference.smallest)


def mean_pairs(rng):
    """Two benchmarks of 5 and 7 problems, as far as the sign-flip test needs them."""
    nothing = np.empty((0, 0))
    return [Pair(nothing, nothing, rng.integers(-8, 12, count), 16) for count in (5, 7)]


def enumerated(pairs):
    """The p value of the mean's sign-flip test from all choices of signs."""
    weights = np.concatenate([pair.steps / len(pair.steps) for pair in pairs])
    flips = np.array(list(itertools.product((1, -1), repeat=len(weights))))
    return np.mean(np.abs(flips @ weights) >= abs(weights.sum()) - 1e-9)


def test_the_means_sign_flip_test_enumerates_the_flips_of_all_benchmarks():
    rng = np.random.default_rng(19)
    for _ in range(20):
        pairs = mean_pairs(rng)
        assert sign_flip_of_mean(pairs) == pytest.approx(enumerated(pairs), rel=0.001)


def test_a_coarse_grid_errs_towards_larger_p_values(monkeypatch):
    monkeypatch.setattr(comparisons, "GRID", 64)
    rng = np.random.default_rng(20)
    for _ in range(100):
        pairs = mean_pairs(rng)
        assert sign_flip_of_mean(pairs) >= enumerated(pairs) - 1e-12


def test_the_mean_of_one_benchmark_is_that_benchmark():
    rng = np.random.default_rng(10)
    first, second = (scores_of(drawn(rng, rng.beta(1, 1, 40))) for _ in range(2))
    found = compare(first, second, ["a"], EXACT)
    assert found["mean"].p_value == pytest.approx(found["a"].p_value, rel=0.01)
    for field in ("difference", "low", "high", "smallest"):
        assert getattr(found["mean"], field) == pytest.approx(getattr(found["a"], field))


def test_the_bootstrap_interval_is_the_t_interval_for_many_problems():
    rng = np.random.default_rng(11)
    easy = rng.beta(1, 2, 500)
    first, second = drawn(rng, np.minimum(easy + 0.1, 1)), drawn(rng, easy)
    found = compare(scores_of(first), scores_of(second), ["a"], EXACT)["a"]
    each = 100 * (first.mean(axis=(1, 2)) - second.mean(axis=(1, 2)))
    low, high = stats.t.interval(0.95, 499, each.mean(), stats.sem(each))
    assert found.difference == pytest.approx(each.mean())
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.03 * (high - low))


def test_the_bootstrap_has_the_variance_of_problems_and_of_seeds():
    """Seeds that shift all problems alike add the squared standard error of their mean."""
    rng = np.random.default_rng(12)
    problems, seeds = rng.normal(0, 0.1, (300, 1)), np.array([0.0, 0.03, 0.09])
    first = problems + seeds
    values = bootstrap([Pair(first, np.zeros((300, 1)), np.zeros(300), 1)])[0]
    expected = stats.sem(problems[:, 0]) ** 2 + stats.sem(seeds) ** 2
    assert values.var() == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("seeds", [1, 3])
def test_the_bootstrap_interval_covers_the_true_difference(seeds, monkeypatch):
    monkeypatch.setattr(comparisons, "RESAMPLES", 2000)
    comparisons.resampled.cache_clear()
    rng = np.random.default_rng(13)
    hits = []
    for _ in range(2000):
        easy = rng.beta(1, 1.5, 40)[:, None] * 0.8
        shifts = 0.1 + rng.uniform(-0.03, 0.03, seeds) if seeds > 1 else [0.1]
        first = rng.binomial(16, easy + shifts) / 16
        second = rng.binomial(16, easy) / 16
        resamples = bootstrap([Pair(first, second, np.zeros(40), 1)])[0]
        low, high = bootstrap_interval(resamples, 39)
        hits.append(low <= 0.1 <= high)
    comparisons.resampled.cache_clear()
    assert 100 * np.mean(hits) == pytest.approx(95 if seeds == 1 else 97, abs=2)


def test_methods_are_paired_by_problem_and_may_have_other_seeds():
    rng = np.random.default_rng(14)
    first, second = drawn(rng, [0.2, 0.5, 0.9], 3, 4), drawn(rng, [0.1, 0.5, 0.5], 1, 16)
    shuffled = scores_of(second).sample(frac=1, random_state=0)
    pair = paired(scores_of(first), shuffled)
    each = first.mean(axis=(1, 2)) - second.mean(axis=(1, 2))
    assert pair.scale == 48
    assert pair.steps / pair.scale == pytest.approx(each)
    with pytest.raises(StepError, match="1 problems, such as '2', were answered by one method"):
        paired(scores_of(first), scores_of(second[:2]))


def test_the_smallest_difference_is_found_four_times_in_five():
    """Power of the paired t test by its noncentral t distribution."""
    for count in (30, 500):
        stderr, freedom = 2.0, count - 1
        away = smallest_difference(stderr, freedom) / stderr
        power = stats.nct.sf(stats.t.ppf(0.975, freedom), freedom, away)
        assert power == pytest.approx(0.8, abs=0.005)


def test_aime_cannot_show_a_point():
    """30 problems, half of them solved half of the time by either method."""
    rng = np.random.default_rng(15)
    shares = np.repeat([0.5, 0.0], 15)
    found = compare(scores_of(drawn(rng, shares)), scores_of(drawn(rng, shares)), ["a"], EXACT)
    sd = np.sqrt(0.5 * 2 * 0.25 / 16)  # of a problem's difference
    assert found["a"].smallest == pytest.approx(100 * 2.8 * sd / np.sqrt(30), rel=0.25)
    assert found["a"].smallest > 5


def test_holm_by_hand():
    """0.01 x 4, 0.03 x 3, 0.04 x 2 (raised to the one before), 0.5 x 1, in the order given."""
    assert holm([0.04, 0.01, 0.5, 0.03]) == pytest.approx([0.09, 0.04, 0.5, 0.09])
    assert holm([0.6, 0.6]) == [1, 1]


def test_a_tables_comparisons_are_adjusted_together():
    rng = np.random.default_rng(16)
    shares = {"base": 0.3, "sft": 0.4, "dft": 0.6}
    scores = {
        ("m", method): pd.concat(
            [scores_of(drawn(rng, np.full(20, share)), name) for name in ("a", "b")]
        )
        for method, share in shares.items()
    }
    table = compare_rows(scores, [("m", "dft", "sft"), ("m", "sft", "base")], ["a", "b"], EXACT)
    assert table["benchmark"].tolist() == ["a", "b", "mean"] * 2
    assert table["p_holm"].tolist() == holm(table["p_value"].tolist())
    mean = table[table["benchmark"] == "mean"]["difference"].tolist()
    assert mean[0] == pytest.approx(table["difference"][:2].mean())
    assert mean[0] > mean[1] > 0
