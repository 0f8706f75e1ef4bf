"""Comparisons of two methods against enumeration, scipy and simulation: test, bootstrap, power."""

import itertools

import numpy as np
import pandas as pd
import pytest
from helpers import drawn, scores_of
from rectify.report.page.sections import power
from rectify.statistics import comparisons
from rectify.statistics.accuracy import UNSEEDED
from rectify.statistics.comparisons import (
    Pair,
    bootstrap,
    compare,
    compare_rows,
    errors_of,
    fewest_seeds,
    flipped_sums,
    holm,
    interval_of,
    paired,
    sign_flip,
    sign_flip_of_mean,
    smallest_difference,
)
from rectify.step.errors import StepError
from scipy import stats

EXACT = {"grader": "corrected", "rounding": "exact"}


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
    return [Pair(nothing, rng.integers(-8, 12, count), 16, (1, 1)) for count in (5, 7)]


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


def pair_of(differences, scale=16):
    """A pair of these differences [problems, seeds], as whole multiples of 1 / scale."""
    seeds = differences.shape[1]
    steps = np.rint(differences.mean(axis=1) * scale * seeds).astype(int)
    return Pair(differences, steps, scale * seeds, (seeds, seeds))


def intervals(*pairs):
    """The interval of some benchmarks' mean difference."""
    mean = np.mean([pair.steps.mean() / pair.scale for pair in pairs])
    return interval_of(mean, bootstrap(list(pairs)).mean(axis=0), errors_of(list(pairs)))


def test_the_interval_has_the_variance_of_problems_and_of_seeds():
    """Seeds that shift all problems alike add the squared standard error of their mean."""
    rng = np.random.default_rng(12)
    problems, seeds = rng.normal(0, 0.1, (300, 1)), np.array([0.0, 0.03, 0.09])
    pair = pair_of(problems + seeds, scale=10**6)
    low, high = intervals(pair)
    variances = stats.sem(problems[:, 0]) ** 2, stats.sem(seeds) ** 2
    freedom = sum(variances) ** 2 / (variances[0] ** 2 / 299 + variances[1] ** 2 / 2)
    errors = errors_of([pair])
    assert errors.stderr**2 == pytest.approx(sum(variances))
    assert errors.total == pytest.approx(freedom)
    half = stats.t.ppf(0.975, freedom) * np.sqrt(sum(variances))
    assert (high - low) / 2 == pytest.approx(half, rel=0.05)


def test_a_seed_is_one_trained_model_on_all_benchmarks():
    """Effects that are the same everywhere stay in the mean; those that cancel do not."""
    rng = np.random.default_rng(21)
    problems, seeds = rng.normal(0, 0.05, (2, 200, 1)), np.array([-0.1, 0.0, 0.1])
    alike = [pair_of(each + seeds, 10**6) for each in problems]
    opposite = [pair_of(problems[0] + seeds, 10**6), pair_of(problems[1] - seeds, 10**6)]
    assert errors_of(alike).seeds == pytest.approx(stats.sem(seeds) ** 2)
    assert errors_of(opposite).seeds == pytest.approx(0)
    wide, narrow = (np.diff(intervals(*pairs))[0] for pairs in (alike, opposite))
    assert wide > 5 * narrow


@pytest.mark.slow
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
        second = rng.binomial(16, np.broadcast_to(easy, first.shape)) / 16
        low, high = intervals(pair_of(first - second))
        hits.append(low <= 0.1 <= high)
    comparisons.resampled.cache_clear()
    assert 100 * np.mean(hits) == pytest.approx(95 if seeds == 1 else 97, abs=2)


def test_with_several_seeds_the_p_value_is_the_larger_of_two_tests():
    """Every problem agrees, three seeds do not: the sign-flip test alone would be certain."""
    shifts = np.array([0.05, 0.1, 0.6])
    differing = pair_of(np.full((30, 3), 0) + shifts, scale=20)
    steady = pair_of(np.random.default_rng(22).choice([-1, 1, 1], (30, 1)) + np.zeros(3), scale=1)
    for pair, larger in ((differing, "t"), (steady, "flip")):
        flip = sign_flip(pair.steps)
        t_value = stats.ttest_1samp(pair.differences.mean(axis=0), 0).pvalue
        found = comparisons.difference_of([pair], bootstrap([pair])[0], flip)
        errors = errors_of([pair])
        t_test = 2 * stats.t.sf(found.difference / 100 / errors.stderr, errors.total)
        assert found.p_value == max(flip, t_test)
        assert (t_test > flip) == (larger == "t")
        if larger == "t":  # nothing but seeds: their own t test
            t = shifts.mean() / stats.sem(shifts)
            assert found.p_value == pytest.approx(t_value)
            assert found.p_value == pytest.approx(1 - t / np.sqrt(2 + t**2))  # of 2 degrees
            assert flip < 1e-8
            assert found.low < 0 < found.high
            stderr = stats.sem(100 * shifts)
            t_both = sum(stats.t.ppf([0.975, 0.8], 2))
            assert found.smallest == pytest.approx(t_both * stderr)


def test_methods_are_paired_by_problem_and_a_base_without_a_seed_goes_with_every_seed():
    rng = np.random.default_rng(14)
    first, second = drawn(rng, [0.2, 0.5, 0.9], 3, 4), drawn(rng, [0.1, 0.5, 0.5], 1, 16)
    shuffled = scores_of(second).assign(seed=UNSEEDED).sample(frac=1, random_state=0)
    pair = paired(scores_of(first), shuffled)
    each = first.mean(axis=(1, 2)) - second.mean(axis=(1, 2))
    assert pair.scale == 48
    found = compare(scores_of(first), shuffled, ["a"], EXACT)
    assert {(each.n_seeds, each.than_seeds) for each in found.values()} == {(3, 1)}
    assert pair.steps / pair.scale == pytest.approx(each)
    assert pair.differences.mean(axis=1) == pytest.approx(each)
    with pytest.raises(StepError, match="1 problems, such as '2', were answered by one method"):
        paired(scores_of(first), scores_of(second[:2]))


def test_methods_are_compared_over_the_seeds_that_both_have():
    """Seeds 0, 1, 2 against 2, 1: each with its own, whatever their order in the tables."""
    rng = np.random.default_rng(23)
    first, second = drawn(rng, np.full(5, 0.5), 3, 4), drawn(rng, np.full(5, 0.3), 2, 8)
    other = scores_of(second).replace({"seed": {0: 2}})
    pair = paired(scores_of(first), other)
    assert pair.seeds == (2, 2)
    for column, (seed, own) in enumerate(((1, 1), (2, 0))):
        each = first[:, seed].mean(axis=1) - second[:, own].mean(axis=1)
        assert pair.differences[:, column] == pytest.approx(each)
    assert pair.steps / pair.scale == pytest.approx(pair.differences.mean(axis=1))
    with pytest.raises(StepError, match=r"training seeds \[0\] and \[1, 2\]: none in common"):
        paired(scores_of(first[:, :1]), other)


def test_what_base_models_differ_by_is_no_part_of_a_paired_difference():
    """Bases 30 points apart, and a method that adds 10 to each of them."""
    base = np.full((40, 3), [0.2, 0.35, 0.5])
    rng = np.random.default_rng(24)
    outcomes = [rng.random((16, 40, 3)) < chance for chance in (base + 0.1, base)]
    first, second = (scores_of(np.moveaxis(each, 0, -1)) for each in outcomes)
    found = compare(first, second, ["a"], EXACT)["a"]
    assert found.low < 10 < found.high
    assert found.high - found.low < 20
    apart = compare(first, second.assign(seed=(second["seed"] + 1) % 3), ["a"], EXACT)["a"]
    assert apart.high - apart.low > 50


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


def hits(*counts, problems=30, samples=16):
    """Scores with these many right samples of the first problems, and none of the others."""
    correct = np.zeros((problems, 1, samples))
    for problem, count in enumerate(counts):
        correct[problem, 0, :count] = 1
    return scores_of(correct)


@pytest.mark.parametrize(("differing", "known"), [(5, False), (6, True)])
def test_five_problems_that_differ_can_show_nothing(differing, known):
    """2 / 2^5 > 0.05 > 2 / 2^6, however large the differences."""
    found = compare(hits(*range(1, differing + 1)), hits(), ["a"], EXACT)
    for difference in found.values():
        assert (difference.p_value < 0.05) == known
        assert np.isnan(difference.smallest) != known


def test_the_papers_aime_counts_show_no_amount():
    """LLaMA-3.1-8B on AIME24: base 1 of 480, SFT 0, DFT 2. The t formula alone says 0.60 points."""
    scores = {("m", "base"): hits(1), ("m", "sft"): hits(), ("m", "dft"): hits(1, 1)}
    pairs = [("m", "sft", "base"), ("m", "dft", "base"), ("m", "dft", "sft")]
    table = compare_rows(scores, pairs, ["a"], EXACT)
    assert table["smallest"].isna().all()
    (said,) = power(table, {"a": "AIME24"})
    assert said == {"title": "AIME24", "problems": 30, "median": None, "blind": True}


def test_power_is_the_median_over_comparisons():
    """The middle one of all; None where half of the comparisons can show nothing."""
    for smallest, median in (
        ([1.0, 3.0, np.nan], 3.0),
        ([0.5, 0.7, 2.0], 0.7),
        ([1.0, np.nan], None),
    ):
        table = pd.DataFrame({"benchmark": "a", "smallest": smallest, "n_problems": 30})
        (said,) = power(table, {"a": "A"})
        assert (said["median"], said["blind"]) == (median, median is None or median > 1)


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


def test_the_base_model_has_no_training_seeds():
    assert fewest_seeds({"dft": 3, "base": 1}) == 3
    assert fewest_seeds({"dft offline": 3, "ppo online": 1}) == 1
    assert fewest_seeds({"base": 1}) is None
