"""A cell's numbers against closed forms, scipy and brute force: interval, pass@k, variance."""

import itertools

import numpy as np
import pandas as pd
import pytest
from helpers import drawn, scores_of
from rectify.io import StepError
from rectify.stats import average_at_n, interval, mean_of_benchmarks, outcomes, pass_at_k
from rectify.variance import variance_split
from scipy import stats

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
